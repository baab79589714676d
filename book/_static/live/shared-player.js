// Moves through a run of EM: buttons, the equation, the bars, and what is shown between two moments.
(function (live) {
  "use strict";

  const STEP = 380; // ms

  // Append buttons, equation and bars to `stage`.
  //   blend(from, to, t): what is shown at the share t of the way from one moment to another
  //   paint(): draw self.shown;  changed(run): adjust the figure's own controls;  sentence(run): the numbers in words
  // Returns { run, shown, panel, chart, restart(run), announce() }: restart begins with another run, announce appends
  // the line of text, as the last of the stage.
  live.player = function (stage, { blend, paint, changed, sentence }) {
    const self = { run: null, shown: null, restart };
    let running = false;
    let stop = () => {};
    let say = () => {};

    self.panel = live.panel(stage, "Steps of EM");
    const first = live.button(self.panel, { label: "Start", title: "Back to the start", onClick: () => go(() => self.run.back(Infinity)) });
    const back = live.button(self.panel, { label: "◀", title: "Half-step back", onClick: () => go(() => self.run.back()) });
    const ahead = live.button(self.panel, { label: "E-step ▶", onClick: () => go(() => self.run.forward()) });
    const play = live.button(self.panel, { label: "Run", onClick: playOrPause });
    const equation = live.staircase.equation(stage);
    self.chart = live.canvas(stage, {
      label: "A bar for each half-step: the ELBO, and on it the KL divergence up to the log-likelihood.",
      height: (width) => (width < 520 ? 150 : 170),
      draw(context, width, height) {
        if (self.shown && self.run.x.length) live.staircase.chart(context, width, height, { ...self.run, limits: self.shown.limits });
      },
    });
    self.announce = () => (say = live.status(stage));

    function restart(run) {
      running = false;
      self.run = run;
      show(null);
    }

    function go(step) {
      running = false;
      step();
      show(self.shown);
    }

    function playOrPause() {
      if (live.reducedMotion()) return go(() => { while (!self.run.converged && self.run.forward()); });
      running = !running;
      return running ? further() : refresh();
    }

    function further() {
      running &&= !self.run.converged && self.run.forward();
      show(self.shown);
    }

    // Go from what is shown to the current moment, in a third of a second or at once.
    function show(from) {
      stop();
      const limits = live.staircase.range(self.run.moments, self.run.cursor, self.chart.width);
      const to = { ...self.run.current, limits };
      const put = (shown) => {
        self.shown = shown;
        paint();
        self.chart.redraw();
      };
      const done = () => {
        put(to);
        if (running) further();
      };
      const tick = (t) => put({ ...blend(from, to, t), limits: live.lerp(from.limits, limits, t) });
      if (from) stop = live.transition({ duration: STEP, tick, done });
      else done();
      refresh();
    }

    function refresh() {
      const { run } = self;
      first.disabled = back.disabled = run.cursor === 0;
      ahead.textContent = run.current.half === "E" ? "M-step ▶" : "E-step ▶";
      ahead.disabled = play.disabled = run.stuck;
      play.textContent = running ? "Pause" : "Run";
      equation(run.current);
      changed(run);
      say(sentence(run));
    }

    return self;
  };
})((globalThis.emvaeLive ??= {}));
