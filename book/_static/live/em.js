// Chapter 2, live: EM by half-steps, forward and back, on Old Faithful or on points that the reader draws.
(function (live) {
  "use strict";

  const MOST = 5; // components
  const NARROW = 520;

  function mount(stage) {
    const { em, emDraw: draw, emWords: words } = live;
    const { Run } = live.run;
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

    const times = (share) => set.scale.map((v) => share * v);
    const floor = () => times(floored ? data.floor : 0);
    const start = (means) => em.start(means, times(data.spread), floor());

    // The plane, and on it a handle for each mean.

    let map = null;
    let player = null;
    const model = () => player.run.current.model;
    const view = live.canvas(stage, {
      label: "Data in the colours of their responsibilities, and two ellipses for each component.",
      height: (width) => (width < NARROW ? 0.86 : 0.56) * width,
      draw(context, width, height) {
        map = draw.axes(set, width, height);
        if (!player?.shown) return;
        draw.plane(context, map, set, player.shown);
        const { failed, collapsed, current } = player.run;
        if (failed) draw.alarm(context, map, current.model.means[collapsed], "collapsed: Σ is singular");
      },
    });
    map = draw.axes(set, view.width, view.height);
    const pixels = ([u, v]) => [map.x(u), map.y(v)];
    const inside = (px, py) => [live.clamp(map.x.invert(px), ...map.x.domain), live.clamp(map.y.invert(py), ...map.y.domain)];

    const means = Array.from({ length: MOST }, (_, k) => {
      const handle = live.handle(view, {
        label: `Mean of component ${k + 1}`,
        position: () => pixels(player.shown.model.means[k]),
        text: () => words.place(model().means[k]),
        move: (px, py) => restart({ ...model(), means: replace(model().means, k, inside(px, py)) }),
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
      const { means: old } = model();
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
      restart(model());
    }

    // Below it: the steps, the decomposition, the bars, and what may be chosen.

    player = live.player(stage, {
      paint: view.redraw,
      changed,
      sentence: words.sentence,
      blend: (from, to, t) => ({
        q: live.lerp(from.q, to.q, t),
        model: {
          means: live.lerp(from.model.means, to.model.means, t),
          covariances: live.lerp(from.model.covariances, to.model.covariances, t),
        },
      }),
    });
    const breaker = live.button(player.panel, { label: "Break it", title: "Break it: put the last component on a single datum", onClick: collapse });
    breaker.classList.add("live-apart");
    const guard = live.toggle(player.panel, { label: "variance floor", onChange: setFloor });
    const options = live.panel(stage, "Data and model");
    live.choice(options, {
      label: "Data", options: [["faithful", "Old Faithful"], ["drawn", "draw your own"]], value: "faithful", onChange: choose,
    });
    const count = live.choice(options, {
      label: "K", options: [1, 2, 3, 4, 5].map((k) => [k, String(k)]), value: 2, onChange: scatter,
    });
    const fresh = live.button(options, { label: "New start", onClick: () => scatter(model().means.length) });
    const wipe = live.button(options, { label: "Clear", title: "Remove all points", onClick: () => choose("drawn") });
    player.announce();

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
      const { means, covariances } = model();
      const k = means.length - 1;
      const [u, v] = times(floored ? data.floor : data.floor / 10);
      restart({
        ...model(),
        means: replace(means, k, em.loneliest(set.x, set.scale)),
        covariances: replace(covariances, k, [[u, 0], [0, v]]),
      });
    }

    function setFloor(on) {
      floored = on;
      restart({ ...model(), floor: floor(), covariances: model().covariances.map((c) => em.project(c, floor())) });
    }

    function restart(next) {
      player.restart(new Run(em, next, set.x));
    }

    function changed({ current }) {
      const n = current.model.means.length;
      means.forEach((element, k) => (element.hidden = k >= n));
      count.value = n;
      nib.hidden = wipe.hidden = set !== drawn;
      view.frame.classList.toggle("live-paper", set === drawn);
      breaker.disabled = fresh.disabled = !set.x.length;
      guard.checked = floored;
    }

    restart(start(data.means));
    return { paint: () => [view, player.chart].forEach((canvas) => canvas.paint()), run: () => player.run };
  }

  live.register("em", mount);
})((globalThis.emvaeLive ??= {}));
