// Chapter 4's live figure: gradients from single samples fly into three strips, and their means settle.
(function (live) {
  "use strict";

  const { ESTIMATORS, FLIGHT, draw, draws, laws, layout, running, samples, scales } = live.gradients;
  const { start, dimensions: DIMENSIONS, counts: COUNTS } = live.data.gradients;
  const SECONDS = 3.8; // until the last sample is drawn

  // When sample s of S is drawn, in seconds: the first ones one by one, the last ones in a swarm.
  const launch = (s, S) => (SECONDS * Math.log1p(0.4 * s)) / Math.log1p(0.4 * S);

  function mount(stage) {
    const at = { ...start };
    const view = { at };
    let seed = 1;
    let eps = null;
    let stop = () => {};

    const controls = live.panel(stage, "What is differentiated, and how it is estimated");
    const canvas = live.canvas(stage, {
      label: "Three clouds of single-sample gradients about the true gradient; numbers are in the text below.",
      height: (width) => layout(width).height,
      draw: (g, width) => draw(g, view, width),
    });
    const say = live.status(stage);

    // The same draws of eps whatever is changed: only the knob is turned.
    function compute() {
      eps ??= draws(seed, COUNTS.at(-1), DIMENSIONS.at(-1));
      view.laws = laws(at);
      view.samples = samples(at, eps, DIMENSIONS.at(-1));
      view.running = {};
      for (const { name } of ESTIMATORS) view.running[name] = running(view.samples[name]);
    }

    function settle() {
      stop();
      compute();
      view.shown = at.S;
      view.age = null;
      canvas.redraw();
      say(describe(view));
    }

    // Draw anew, and let the samples fly.
    function fly() {
      stop();
      seed += 1;
      eps = null;
      compute();
      let time = 0;
      view.age = (s) => time - launch(s, at.S);
      stop = live.loop(canvas.element, (seconds) => {
        time = live.reducedMotion() ? Infinity : time + seconds;
        view.shown = 0;
        while (view.shown < at.S && launch(view.shown, at.S) <= time) view.shown += 1;
        if (time < SECONDS + FLIGHT) canvas.paint();
        else settle();
        return time < SECONDS + FLIGHT;
      });
    }

    const change = (part) => {
      Object.assign(at, part);
      wave.element.style.display = at.f === "wave" ? "" : "none";
      settle();
    };
    live.choice(controls, {
      label: "f", value: at.f, onChange: (f) => change({ f }),
      options: ["bowl", "kink", "wave", "step"].map((name) => [name, name]),
    });
    live.button(controls, { label: "Draw anew", onClick: fly });
    const sliders = live.panel(stage, "Settings");
    canvas.frame.before(sliders);
    const wave = live.slider(sliders, {
      label: "ω", min: 0.5, max: 6, step: 0.1, value: at.omega, format: (v) => live.format(v, 1),
      onInput: (omega) => change({ omega }),
    });
    wave.element.style.display = "none";
    const sigma = live.slider(sliders, {
      label: "σ", min: 0.3, max: 2, step: 0.05, value: at.sigma, format: (v) => live.format(v),
      onInput: (value) => change({ sigma: value }),
    });
    ladder(sliders, "dimension D", DIMENSIONS, at.D, (D) => change({ D }));
    ladder(sliders, "samples S", COUNTS, at.S, (S) => change({ S }));

    const box = () => layout(canvas.width);
    const to = () => scales(view, box());
    live.handle(canvas, {
      label: "mu, the centre of q", kind: "point",
      position: () => [to().z(at.mu), box().landscape.y + box().landscape.h],
      move: (x) => change({ mu: live.clamp(round(to().z.invert(x)), -2.5, 2.5) }),
      text: () => `mu = ${live.format(at.mu)}`, value: () => at.mu,
    });
    live.handle(canvas, {
      label: "sigma, the width of q", kind: "stretch",
      position: () => [to().z(at.mu + at.sigma), to().bell(live.normalPdf(1) / at.sigma)],
      move: (x) => {
        sigma.value = live.clamp(round(to().z.invert(x) - at.mu), 0.3, 2);
        change({ sigma: sigma.value });
      },
      text: () => `sigma = ${live.format(at.sigma)}`, value: () => at.sigma,
    });
    settle();
    return { at, view, change, fly, paint: canvas.paint, describe: () => describe(view) };
  }

  const round = (value) => Math.round(value * 20) / 20;

  // A slider that stops at the given values only.
  function ladder(parent, label, values, value, onInput) {
    return live.slider(parent, {
      label, min: 0, max: values.length - 1, step: 1, value: values.indexOf(value),
      format: (i) => String(values[i]), onInput: (i) => onInput(values[i]),
    });
  }

  // The figure's numbers and what they say.
  function describe({ at, laws: law, running: means }) {
    const told = ESTIMATORS.map(({ name, short }) => {
      const { mean, error } = means[name];
      return `${short} ${live.format(mean.at(-1))} ± ${live.format(error.at(-1))}`;
    });
    const where = `True gradient in μ₁: ${live.format(law.truth, 3)}. From ${at.S} samples: ${told.join(", ")}.`;
    return `${verdict(at, law)} ${where}`;
  }

  function verdict({ f }, { variance }) {
    if (f === "step") {
      return "A step has slope 0 wherever it has one: every pathwise sample is 0, with standard error 0, wrong and sure of it.";
    }
    const [base, plain] = [variance.baseline, variance.plain].map((v) => times(v / variance.pathwise));
    if (variance.baseline < variance.pathwise) {
      const lost = times(variance.pathwise / variance.baseline);
      return `Here pathwise loses: f oscillates within the width of q, and for the same standard error it needs ${lost} times the samples of the score function with baseline.`;
    }
    return `For the same standard error as pathwise the score function needs ${base} times the samples with the baseline, ${plain} times without.`;
  }

  const times = (ratio) => (ratio < 10 ? live.format(ratio, 1) : Math.round(ratio).toLocaleString("en-GB"));

  live.register("gradients", mount);
})((globalThis.emvaeLive ??= {}));
