// Chapter 2, live: EM by half-steps, forward and back, on Old Faithful or on points that the reader draws.
(function (live) {
  "use strict";

  const MOST = 5; // components
  const NARROW = 520;

  function mount(stage) {
    const { em, emDraw: draw, emWords: words } = live;
    const data = live.data.em;
    const random = live.random(1);
    const faithful = {
      x: data.x, extent: data.extent, scale: em.variance(data.x), names: ["eruption (min)", "waiting (min)"],
    };
    const drawn = { x: [], extent: [0, 10, 0, 6], scale: [4, 4], names: null };
    let set = faithful;
    let floored = false;
    let turn = 0; // which mean the next click puts
    let pen = [5, 3];
    let running = false;
    let stop = () => {};

    const times = (share) => set.scale.map((v) => share * v);
    const floor = () => times(floored ? data.floor : 0);
    const start = (means) => em.start(means, times(data.spread), floor());
    let run = new em.Run(start(data.means), set.x);
    let shown = { ...run.current, limits: [-1, 0] }; // perhaps on the way between two moments

    // The plane, and on it a handle for each mean.

    let map = null;
    const view = live.canvas(stage, {
      label: "Data in the colours of their responsibilities, and two ellipses for each component.",
      height: (width) => (width < NARROW ? 0.86 : 0.56) * width,
      draw(context, width, height) {
        map = draw.axes(set, width, height);
        draw.plane(context, map, set, shown);
        if (run.failed) draw.alarm(context, map, run.current.model.means[run.collapsed], "collapsed: Σ is singular");
      },
    });
    map = draw.axes(set, view.width, view.height);
    const pixels = ([u, v]) => [map.x(u), map.y(v)];
    const inside = (px, py) => [live.clamp(map.x.invert(px), ...map.x.domain), live.clamp(map.y.invert(py), ...map.y.domain)];

    const means = Array.from({ length: MOST }, (_, k) => {
      const handle = live.handle(view, {
        label: `Mean of component ${k + 1}`,
        position: () => pixels(shown.model.means[k]),
        text: () => words.place(run.current.model.means[k]),
        move: (px, py) => restart({ ...run.current.model, means: replace(run.current.model.means, k, inside(px, py)) }),
      });
      handle.element.dataset.mark = k + 1;
      handle.element.style.setProperty("--live-colour", live.css(live.colour(k)));
      return handle.element;
    });
    const nib = live.handle(view, {
      label: "Pen: arrow keys move it, Enter puts a point",
      kind: "probe",
      position: () => pixels(pen),
      text: () => `${words.place(pen)}; ${set.x.length} points`,
      move(px, py) {
        pen = inside(px, py);
        view.redraw();
      },
    }).element;
    nib.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      add(pen);
    });

    const replace = (list, k, item) => list.map((old, j) => (j === k ? item : old));

    // On Old Faithful a click puts the next mean; on paper it draws, and dragging leaves a trail.
    view.element.addEventListener("click", ({ offsetX, offsetY }) => {
      if (set === drawn) return;
      const { means: old } = run.current.model;
      restart(start(replace(old, turn % old.length, inside(offsetX, offsetY))));
      turn += 1;
    });
    let last = null;
    view.element.addEventListener("pointerdown", (event) => {
      if (set !== drawn || event.button !== 0) return;
      view.element.setPointerCapture(event.pointerId);
      last = [event.offsetX, event.offsetY];
      add(inside(...last));
    });
    view.element.addEventListener("pointermove", ({ offsetX, offsetY }) => {
      if (!last || Math.hypot(offsetX - last[0], offsetY - last[1]) < 7) return;
      last = [offsetX, offsetY];
      add(inside(offsetX + 9 * random.normal(), offsetY + 9 * random.normal()));
    });
    view.element.addEventListener("lostpointercapture", () => (last = null));

    function add(point) {
      drawn.x = [...drawn.x, point];
      set.x = drawn.x;
      restart(run.current.model);
    }

    // Below it: the steps, the decomposition, the bars, and what may be chosen.

    const steps = live.panel(stage, "Steps of EM");
    const first = live.button(steps, { label: "Start", title: "Back to the start", onClick: () => go(() => run.back(Infinity)) });
    const back = live.button(steps, { label: "◀", title: "Half-step back", onClick: () => go(() => run.back()) });
    const ahead = live.button(steps, { label: "E-step ▶", onClick: () => go(() => run.forward()) });
    const play = live.button(steps, { label: "Run", onClick: playOrPause });
    const breaker = live.button(steps, { label: "Break it", title: "Break it: put the last component on a single datum", onClick: collapse });
    const guard = live.toggle(steps, { label: "variance floor", onChange: setFloor });
    breaker.classList.add("live-apart");
    const equation = words.equation(stage);
    const chart = live.canvas(stage, {
      label: "A bar for each half-step: the ELBO, and on it the KL divergence up to the log-likelihood.",
      height: (width) => (width < NARROW ? 150 : 170),
      draw(context, width, height) {
        if (set.x.length) draw.chart(context, width, height, { ...run, limits: shown.limits });
      },
    });
    const options = live.panel(stage, "Data and model");
    live.choice(options, {
      label: "Data", options: [["faithful", "Old Faithful"], ["drawn", "draw your own"]], value: "faithful", onChange: choose,
    });
    const count = live.choice(options, {
      label: "K", options: [1, 2, 3, 4, 5].map((k) => [k, String(k)]), value: 2, onChange: scatter,
    });
    const fresh = live.button(options, { label: "New start", onClick: () => scatter(run.current.model.means.length) });
    const wipe = live.button(options, { label: "Clear", title: "Remove all points", onClick: () => choose("drawn") });
    const say = live.status(stage);

    function choose(name) {
      drawn.x = [];
      set = name === "drawn" ? drawn : faithful;
      restart(start(name === "drawn" ? [[3.5, 2.5], [6.5, 3.5]] : data.means));
    }

    // K means by k-means++, or anywhere while there are too few data.
    function scatter(n) {
      const [left, right, bottom, top] = set.extent;
      const between = (low, high) => low + (0.2 + 0.6 * random.uniform()) * (high - low);
      const anywhere = () => [between(left, right), between(bottom, top)];
      restart(start(set.x.length >= n ? em.seeds(set.x, n, set.scale, random) : Array.from({ length: n }, anywhere)));
    }

    // The last component sits on the loneliest datum, too narrow for another: without a floor, up a hill with no top.
    function collapse() {
      const { model } = run.current;
      const k = model.means.length - 1;
      const [u, v] = times(floored ? data.floor : data.floor / 2);
      restart({
        ...model,
        means: replace(model.means, k, em.loneliest(set.x, set.scale)),
        covariances: replace(model.covariances, k, [[u, 0], [0, v]]),
      });
    }

    function setFloor(on) {
      floored = on;
      const { model } = run.current;
      restart({ ...model, floor: floor(), covariances: model.covariances.map((c) => em.project(c, floor())) });
    }

    // Moving through the run.

    function restart(model) {
      running = false;
      run = new em.Run(model, set.x);
      show(null);
    }

    function go(step) {
      running = false;
      step();
      show(shown);
    }

    function playOrPause() {
      if (live.reducedMotion()) return go(() => { while (!run.converged && run.forward()); });
      running = !running;
      return running ? further() : controls();
    }

    function further() {
      running &&= !run.converged && run.forward();
      show(shown);
    }

    // Go from what is shown to the current moment, in a third of a second or at once.
    function show(from) {
      stop();
      const { model, q } = run.current;
      const limits = draw.range(run.moments, run.cursor, chart.width);
      const paint = (next) => {
        shown = next;
        view.redraw();
        chart.redraw();
      };
      const done = () => {
        paint({ model, q, limits });
        if (running) further();
      };
      const tick = (t) => paint({
        model: {
          means: draw.lerp(from.model.means, model.means, t),
          covariances: draw.lerp(from.model.covariances, model.covariances, t),
        },
        q: draw.lerp(from.q, q, t),
        limits: draw.lerp(from.limits, limits, t),
      });
      if (from) stop = live.transition({ duration: 380, tick, done });
      else done();
      controls();
    }

    function controls() {
      const { half, model } = run.current;
      means.forEach((element, k) => (element.hidden = k >= model.means.length));
      count.value = model.means.length;
      nib.hidden = wipe.hidden = set !== drawn;
      view.frame.classList.toggle("live-paper", set === drawn);
      first.disabled = back.disabled = run.cursor === 0;
      ahead.textContent = half === "E" ? "M-step ▶" : "E-step ▶";
      ahead.disabled = play.disabled = run.stuck;
      play.textContent = running ? "Pause" : "Run";
      breaker.disabled = fresh.disabled = !set.x.length;
      guard.checked = floored;
      equation(run.current);
      say(words.sentence(run));
    }

    show(null);
    return { paint: () => [view, chart].forEach((canvas) => canvas.paint()), run: () => run };
  }

  live.register("em", mount);
})((globalThis.emvaeLive ??= {}));
