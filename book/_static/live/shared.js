// Live figures of the book: one namespace, `emvaeLive`, filled by classic scripts, since a browser loads no
// modules from file://. The directive {live} of book/_ext/live.py places a picture and, on such pages alone,
// loads the shared-*.js, this file, and then <name>-*.js and <name>.js of each figure on the page, in the order
// that PARTS there gives.
//
// A figure's file ends in
//     emvaeLive.register("name", function mount(stage) { ...; return { paint, ... }; });
// `stage` is an empty <div> in place of the picture. What mount returns is kept in emvaeLive.figures.name for
// tests; the figure's pure functions are put in emvaeLive.name (emvaeLive.responsibilities.compute(...)).
// If mount throws, the picture stays.
//
// Exported data (make widgets) assign to emvaeLive.data.name. The shared functions, each explained in its file:
//     maths     logNormalize gaussians eigen2 random scale ticks format superscript contour clamp lerp
//     canvas    canvas element text theme onTheme font colour css inkColour lineColour reducedMotion transition loop
//     controls  handle panel slider button toggle choice status
//     run       run.Run run.Collapse run.trace: EM by half-steps, for any family of models
//     staircase staircase.range staircase.chart staircase.equation: ln p = ELBO + KL
//     player    player: the buttons that move through a run, and what is shown on the way
(function (live) {
  "use strict";

  live.figures = {};

  live.register = function (name, mount) {
    for (const figure of document.querySelectorAll(`figure.live-${name}`)) {
      const stage = document.createElement("div");
      stage.className = "live-stage";
      figure.prepend(stage);
      figure.classList.add("live-on");
      try {
        live.figures[name] = mount(stage);
      } catch (error) {
        stage.remove();
        figure.classList.remove("live-on");
        throw error;
      }
    }
  };
})((globalThis.emvaeLive ??= {}));
