// Chapter 6's live figure: a point moves in the latent plane and in the unit square, the decoder draws what is
// there; a drawn digit shows where its posterior lies.
(function (live) {
  "use strict";

  const SQUARE = 12; // digits a side in the square
  const NARROW = 600; // CSS pixels below which the parts stand under each other
  const EDGE = 3.2; // how far the pointer goes in the plane

  function mount(stage) {
    const lib = live.latent;
    const { latent: data } = live.data;
    const { encoder, decoder } = lib.networksOf(live.data.latentNetworks);
    const map = lib.mapOf(data.map);
    const { threshold } = data;
    const state = { z: data.places[0], digit: null, posterior: null, strokes: [], drawing: false };
    const digits = lib.mesh(SQUARE).map((z) => lib.decode(decoder, z));
    const holes = lib.holes(map, 1.2 * threshold);
    let stop = () => {};
    let [nextHole, nextExample] = [0, 0];

    // Pictures that change with the theme alone.
    const inSquare = squareField(map);
    let still = null;
    const stills = () => {
      if (still?.dark === live.theme().dark) return still;
      still = {
        dark: live.theme().dark,
        density: lib.densityOf(map),
        mosaic: lib.mosaic(digits, SQUARE),
        planeHoles: lib.holesOf(map.values, map.side, threshold),
        squareHoles: lib.holesOf(inSquare, map.side, threshold),
      };
      return still;
    };

    const grid = live.element(stage, "div", { class: "live-latent" });
    const plane = panel(part(grid, "Plane z: where codes lie", "plane"), {
      label: "The latent plane: density of the codes, holes outlined, a digit's name where its codes lie.",
      range: [-map.reach, map.reach], map: (z) => z, back: (z) => z,
      under: () => stills().density, holes: () => stills().planeHoles,
      over(g, to) {
        const circle = lib.curve(to, (z) => z, [0, 0], Array(2).fill(Math.sqrt(-2 * Math.log(0.05))));
        lib.outline(g, circle, { stroke: live.theme().muted, width: 1, dash: [4, 4] });
        data.places.forEach(([x, y], digit) => lib.label(g, String(digit), to.x(x), to.y(y)));
      },
    });
    const square = panel(part(grid, "Square Φ(z): digits decoded", "square"), {
      label: "The unit square: decoded digits on an even mesh, holes outlined.",
      range: [0, 1], map: lib.toSquare, back: lib.fromSquare,
      under: () => stills().mosaic, holes: () => stills().squareHoles, over: () => {},
    });
    const side = live.element(grid, "div", {
      style: "grid-area: side; display: grid; gap: 0.8rem; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); min-width: 0; align-content: start",
    });
    const seen = part(side, "Decoded at z");
    const picture = live.canvas(seen, {
      label: "The digit that the decoder draws at the pointer.", height: (width) => width,
      draw: (g, width) => lib.drawDigit(g, width, state.digit),
    });
    const verdict = live.element(seen, "div", { style: "font-size: 0.8125rem; min-height: 2.6em; margin-top: 0.25rem" });
    const pad = lib.drawingPad(part(side, "Draw a digit"), state, update);
    const tools = live.element(grid, "div", { style: "grid-area: tools; min-width: 0" });
    const buttons = live.panel(tools, "Places to go");
    buttons.style.marginTop = 0;
    live.button(buttons, { label: "Go to a hole", onClick: () => go(holes[nextHole++ % holes.length]) });
    live.button(buttons, { label: "Take a test digit", onClick: takeExample });
    live.button(buttons, { label: "Clear", title: "Clear the drawing", onClick: clear });
    const say = live.status(tools);
    new ResizeObserver(() => arrange(grid, stage.clientWidth)).observe(stage);
    arrange(grid, stage.clientWidth);

    // A square panel with a handle for z; `map` takes z to the panel's coordinates, `back` returns.
    function panel(parent, { label, range, map: forth, back, under, holes: hollow, over }) {
      const to = () => lib.scalesOf(canvas.width, range);
      const canvas = live.canvas(parent, {
        label,
        height: (width) => width,
        draw(g, width) {
          const scales = to();
          lib.drawPanel(g, width, scales, { under: under(), holes: hollow(), place: (t) => forth([t, t])[0] });
          g.save();
          g.beginPath();
          g.rect(scales.x.range[0], scales.y.range[1], scales.x.range[1] - scales.x.range[0], scales.y.range[0] - scales.y.range[1]);
          g.clip();
          over(g, scales);
          lib.drawPlaces(g, scales, forth, state);
          g.restore();
        },
      });
      const move = (px, py) => moveTo(back([to().x.invert(px), to().y.invert(py)]));
      const handle = live.handle(canvas, {
        label: `z, ${label.split(":")[0].toLowerCase()}`, kind: "ring", step: 6, move,
        position: () => {
          const [u, v] = forth(state.z);
          return [to().x(u), to().y(v)];
        },
        text: () => sentence(), value: () => state.z[0],
      });
      canvas.element.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        move(...lib.spotOf(canvas, event));
        handle.grab(event);
      });
      return canvas;
    }

    function moveTo(z) {
      stop();
      place(z.map((v) => live.clamp(Number.isNaN(v) ? 0 : v, -EDGE, EDGE)));
      say(describe());
    }

    function place(z) {
      state.z = z;
      state.digit = lib.decode(decoder, z);
      verdict.textContent = sentence();
      for (const canvas of [plane, square, picture]) canvas.redraw();
    }

    // Walk there, so that one sees what lies between.
    function go(target) {
      stop();
      const from = state.z;
      stop = live.transition({
        duration: 900,
        tick: (t) => place(from.map((v, i) => v + t * (target[i] - v))),
        done: () => say(describe()),
      });
    }

    // The drawing has changed: encode it; once the pen is lifted, go where its posterior is.
    function update(pixels) {
      state.posterior = pixels ? lib.encode(encoder, pixels) : null;
      for (const canvas of [plane, square, pad.canvas]) canvas.redraw();
      if (pixels && !state.drawing) go(state.posterior.mean);
    }

    function takeExample() {
      const { image } = data.examples[nextExample++ % data.examples.length];
      pad.show(lib.greyOf(image));
    }

    function clear() {
      pad.show(null);
      say(describe());
    }

    const ratio = () => lib.logRatio(map, state.z);
    const sentence = () => rarity(ratio(), threshold);
    function describe() {
      const at = state.z.map((v) => live.format(v)).join(", ");
      const u = lib.toSquare(state.z).map((v) => live.format(v)).join(", ");
      let text = `z = (${at}), in the square (${u}): ln q(z) − ln p(z) = ${live.format(ratio())}. ${sentence()}.`;
      if (state.posterior) {
        const [m, s] = [state.posterior.mean, state.posterior.deviation].map((v) => v.map((x) => live.format(x)));
        text += ` The drawing's posterior has mean (${m.join(", ")}) and standard deviations ${s.join(" and ")}.`;
      }
      return text;
    }

    place(state.z);
    say(describe());
    return { state, map, encoder, decoder, holes, go, moveTo, describe, paint: () => [plane, square, picture].forEach((c) => c.paint()) };
  }

  function rarity(ratio, threshold) {
    const times = Math.exp(Math.abs(ratio));
    const amount = times < 10 ? live.format(times, 1) : Math.round(times).toLocaleString("en-GB");
    if (ratio < threshold) return `Hole: codes are ${amount} times rarer here than the prior has it`;
    return `Codes are ${amount} times ${ratio < 0 ? "rarer" : "denser"} here than the prior has it`;
  }

  // The map of ln q - ln p over the square, as many points a side as the map has.
  function squareField(map) {
    const axis = Array.from({ length: map.side }, (_, i) =>
      live.normalQuantile(live.clamp(i / (map.side - 1), 1e-3, 1 - 1e-3)));
    return Float64Array.from({ length: map.side ** 2 }, (_, at) =>
      live.latent.logRatio(map, [axis[at % map.side], axis[Math.floor(at / map.side)]]));
  }

  // Three columns, or one where that is too narrow.
  function arrange(grid, width) {
    const wide = '"plane square side" auto "tools tools side" 1fr / 1fr 1fr 140px';
    const narrow = '"plane" "side" "tools" "square" / 100%';
    grid.setAttribute("style", `display: grid; gap: 0.8rem 0.9rem; grid-template: ${width < NARROW ? narrow : wide}`);
  }

  // A titled box in the grid, at the place that has this name, if any.
  function part(parent, title, area = "auto") {
    const node = live.element(parent, "div", { style: `grid-area: ${area}; min-width: 0` });
    live.element(node, "div", { style: "font-weight: 600; font-size: 0.8125rem; margin-bottom: 0.25rem" }, title);
    return node;
  }

  live.register("latent", mount);
})((globalThis.emvaeLive ??= {}));
