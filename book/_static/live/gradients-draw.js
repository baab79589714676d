// The picture of the gradient clouds: the landscape, the running means, a strip of dots for each estimator.
(function (live) {
  "use strict";

  const ESTIMATORS = [
    { name: "pathwise", k: 0, title: "Pathwise", brief: "Pathwise", short: "pathwise" },
    { name: "baseline", k: 1, title: "Score function, mean as baseline", brief: "Score, mean as baseline", short: "with baseline" },
    { name: "plain", k: 2, title: "Score function, no baseline", brief: "Score, no baseline", short: "no baseline" },
  ];
  const HEIGHTS = { bowl: [0, 8], kink: [0, 4], wave: [-1.25, 1.25], step: [-0.12, 1.25] };
  const FORMULAS = { bowl: "½z²", kink: "|z|", wave: "sin ωz", step: "1[z > 0]" };
  const Z = [-4, 4];
  const FLIGHT = 0.6; // seconds that a dot is in the air

  // Boxes { x, y, w, h } of the parts, in CSS pixels: two columns above the strips, one where it is narrow.
  function layout(width) {
    const wide = width >= 540;
    const strip = wide ? 50 : 54;
    const left = { x: 8, y: 40, w: wide ? width * 0.44 : width - 16, h: wide ? 165 : 150 };
    const top = left.y + left.h + 84;
    const strips = ESTIMATORS.map((_, i) => ({ x: 8, y: top + i * (strip + 24), w: width - 16, h: strip }));
    const end = top + 3 * (strip + 24);
    const column = left.x + left.w + 56;
    const right = wide
      ? { x: column, y: left.y, w: width - column - 8, h: left.h }
      : { x: 46, y: end + 50, w: width - 54, h: 150 };
    return { wide, landscape: left, running: right, strips, height: wide ? end + 4 : right.y + right.h + 38 };
  }

  // Half of the strips' axis: a round number beyond which no more than a stray dot lies.
  function reach({ truth, variance }) {
    const needed = Math.abs(truth) + 3 * Math.sqrt(Math.max(...Object.values(variance)));
    const power = 10 ** Math.floor(Math.log10(needed));
    return [1, 1.5, 2, 3, 5, 7, 10].map((m) => m * power).find((r) => r >= needed);
  }

  function scales(view, box) {
    const { landscape: land, running: run } = box;
    const half = reach(view.laws);
    const widest = Math.sqrt(Math.max(...Object.values(view.laws.variance)));
    const span = (1.8 * widest) / view.at.S ** 0.25;
    const { truth } = view.laws;
    return {
      z: live.scale(Z, [land.x, land.x + land.w]),
      f: live.scale(HEIGHTS[view.at.f], [land.y + land.h, land.y + 6]),
      bell: live.scale([0, 1.4], [land.y + land.h, land.y]),
      gradient: live.scale([-half, half], [box.strips[0].x + 6, box.strips[0].x + box.strips[0].w - 6]),
      count: live.scale([0, Math.log10(view.at.S)], [run.x, run.x + run.w]),
      mean: live.scale([truth - span, truth + span], [run.y + run.h, run.y]),
    };
  }

  function text(g, string, x, y, { size = 12, style = "", align = "left", fill = live.theme().ink } = {}) {
    g.font = live.font(size, style);
    g.textAlign = align;
    g.fillStyle = fill;
    g.fillText(string, x, y);
  }

  function line(g, points, { stroke, width = 1, dash = [] }) {
    g.strokeStyle = stroke;
    g.lineWidth = width;
    g.setLineDash(dash);
    g.beginPath();
    points.forEach(([x, y]) => g.lineTo(x, y));
    g.stroke();
    g.setLineDash([]);
  }

  function axis(g, scale, y, ticks, name = live.format) {
    const { rule, muted } = live.theme();
    line(g, [[scale.range[0], y], [scale.range[1], y]], { stroke: rule });
    for (const tick of ticks) {
      const x = scale(tick);
      line(g, [[x, y], [x, y + 4]], { stroke: rule });
      text(g, name(tick), x, y + 17, { size: 11, align: "center", fill: muted });
    }
  }

  const short = (value) => String(Number(value.toPrecision(6))).replace("-", "−");

  function drawLandscape(g, view, box, to) {
    const { landscape: land } = box;
    const { ink, muted } = live.theme();
    const { f, mu, sigma, omega, D } = view.at;
    const { value } = live.gradients.FUNCTIONS[f];
    const foot = land.y + land.h;
    text(g, `${FORMULAS[f]}${D > 1 ? " along each coordinate" : ""}, and q`, land.x, land.y - 16, { style: "600" });
    axis(g, to.z, foot, [-4, -2, 0, 2, 4], short);
    text(g, "z", land.x + land.w, foot + 32, { style: "italic", align: "right", fill: muted });

    const grid = Array.from({ length: 401 }, (_, i) => Z[0] + (i * (Z[1] - Z[0])) / 400);
    const bell = grid.map((z) => [to.z(z), to.bell(live.normalPdf((z - mu) / sigma) / sigma)]);
    g.save();
    g.beginPath();
    g.rect(land.x, land.y, land.w, land.h);
    g.clip();
    g.beginPath();
    bell.forEach(([x, y]) => g.lineTo(x, y));
    g.fillStyle = muted;
    g.globalAlpha = 0.2;
    g.fill();
    g.globalAlpha = 1;
    line(g, bell, { stroke: muted });
    const parts = f === "step" ? [grid.filter((z) => z < 0), grid.filter((z) => z > 0)] : [grid];
    for (const part of parts) {
      line(g, part.map((z) => [to.z(z), to.f(value(z, omega))]), { stroke: ink, width: 2 });
    }
    if (view.shown > 0) drawQuestion(g, view, to, foot);
    g.restore();
  }

  // What the two kinds ask f at the latest sample: its slope there, and its height.
  function drawQuestion(g, view, to, foot) {
    const { f, omega } = view.at;
    const { value, slope } = live.gradients.FUNCTIONS[f];
    const z = view.samples.z[Math.min(view.shown, view.at.S) - 1];
    const [x, y] = [to.z(z), to.f(value(z, omega))];
    const tilt = [-1, 1].map((side) => [to.z(z + side), to.f(value(z, omega) + side * slope(z, omega))]);
    const length = Math.hypot(tilt[1][0] - x, tilt[1][1] - y);
    const ends = tilt.map(([a, b]) => [x + ((a - x) * 34) / length, y + ((b - y) * 34) / length]);
    line(g, [[x, foot], [x, y]], { stroke: live.lineColour(1), width: 2 });
    line(g, ends, { stroke: live.lineColour(0), width: 3 });
    dot(g, x, y, 4, live.theme().ink);
  }

  function dot(g, x, y, radius, fill) {
    g.fillStyle = fill;
    g.beginPath();
    g.arc(x, y, radius, 0, 2 * Math.PI);
    g.fill();
  }

  function drawRunning(g, view, box, to) {
    const { running: run } = box;
    const { rule, muted } = live.theme();
    text(g, "Mean of the first s samples ± standard error", run.x - 38, run.y - 16, { style: "600" });
    const powers = [1, 10, 100, 1000].filter((n) => n <= view.at.S);
    axis(g, to.count, run.y + run.h, powers.map(Math.log10), (p) => short(10 ** p));
    text(g, "s", run.x + run.w, run.y + run.h + 32, { style: "italic", align: "right", fill: muted });
    const [low, high] = to.mean.domain;
    for (const tick of live.ticks(low, high, 5)) {
      text(g, short(tick), run.x - 6, to.mean(tick) + 4, { size: 11, align: "right", fill: muted });
      line(g, [[run.x, to.mean(tick)], [run.x + run.w, to.mean(tick)]], { stroke: rule, width: 0.5 });
    }
    g.save();
    g.beginPath();
    g.rect(run.x, run.y, run.w, run.h);
    g.clip();
    for (const { name, k } of [...ESTIMATORS].reverse()) {
      const { mean, error } = view.running[name];
      const at = (s, y) => [to.count(Math.log10(s + 1)), to.mean(y)];
      const n = Math.min(view.shown, mean.length);
      g.beginPath();
      for (let s = 1; s < n; s++) g.lineTo(...at(s, mean[s] + error[s]));
      for (let s = n - 1; s >= 1; s--) g.lineTo(...at(s, mean[s] - error[s]));
      g.globalAlpha = 0.22;
      g.fillStyle = live.lineColour(k);
      g.fill();
      g.globalAlpha = 1;
      line(g, Array.from({ length: n }, (_, s) => at(s, mean[s])), { stroke: live.lineColour(k), width: 1.8 });
    }
    g.restore();
    truthLine(g, [[run.x, to.mean(view.laws.truth)], [run.x + run.w, to.mean(view.laws.truth)]]);
  }

  const truthLine = (g, points) => line(g, points, { stroke: live.theme().ink, width: 1.5, dash: [5, 4] });

  function drawStrips(g, view, box, to) {
    const { ink, muted, paper, surface } = live.theme();
    const [first, , last] = box.strips;
    text(g, "Gradient in μ₁ from each single sample", first.x, first.y - 42, { style: "600" });
    box.strips.forEach((strip, i) => {
      const { name, title, brief, k } = ESTIMATORS[i];
      g.fillStyle = surface;
      g.fillRect(strip.x, strip.y, strip.w, strip.h);
      text(g, box.wide ? title : brief, strip.x, strip.y - 6, { style: "600", fill: live.lineColour(k, 4.5) });
      const n = Math.min(view.shown, view.at.S);
      if (n > 1) {
        const { mean, error } = view.running[name];
        const said = `mean ${live.format(mean[n - 1])} ± ${live.format(error[n - 1])}`;
        text(g, said, strip.x + strip.w, strip.y - 6, { align: "right", fill: muted });
      }
    });
    axis(g, to.gradient, last.y + last.h + 3, live.ticks(...to.gradient.domain, box.wide ? 9 : 5), short);
    drawDots(g, view, box, to);
    const x = to.gradient(view.laws.truth);
    for (const { y, h } of box.strips) truthLine(g, [[x, y], [x, y + h]]);
    const side = view.laws.truth > 0.4 * to.gradient.domain[1] ? ["right", -6] : ["left", 6];
    const label = `true gradient ${live.format(view.laws.truth)}`;
    line(g, [[x, first.y - 32], [x, first.y]], { stroke: ink });
    text(g, label, x + side[1], first.y - 23, { align: side[0], fill: ink });
    for (const [i, { name }] of ESTIMATORS.entries()) drawMean(g, view, name, box.strips[i], to, { ink, paper });
  }

  // A sample's place in its strip: across by its gradient, up and down by a sequence that fills evenly.
  function place(view, name, s, strip, to) {
    const x = live.clamp(to.gradient(view.samples[name][s]), ...to.gradient.range);
    return [x, strip.y + 5 + ((0.5 + s * 0.6180339887498949) % 1) * (strip.h - 10)];
  }

  function drawDots(g, view, box, to) {
    const { f, omega, S } = view.at;
    const radius = S > 300 ? 1.7 : S > 30 ? 2.2 : 3;
    const { value } = live.gradients.FUNCTIONS[f];
    ESTIMATORS.forEach(({ name, k }, i) => {
      const fill = live.lineColour(k, live.theme().dark ? 4.5 : 3);
      g.globalAlpha = (S > 300 ? 0.55 : 0.75) + (live.theme().dark ? 0.15 : 0);
      for (let s = 0; s < Math.min(view.shown, S); s++) {
        const [x, y] = place(view, name, s, box.strips[i], to);
        const air = view.age ? live.clamp(view.age(s) / FLIGHT, 0, 1) : 1;
        const t = air * air * (3 - 2 * air);
        const from = [to.z(view.samples.z[s]), to.f(value(view.samples.z[s], omega))];
        dot(g, from[0] + t * (x - from[0]), from[1] + t * (y - from[1]), radius, fill);
      }
      g.globalAlpha = 1;
    });
  }

  // The mean, and twice its standard error to either side.
  function drawMean(g, view, name, strip, to, { ink, paper }) {
    const n = Math.min(view.shown, view.at.S);
    if (n < 2) return;
    const [mean, error] = [view.running[name].mean[n - 1], view.running[name].error[n - 1]];
    const y = strip.y + strip.h / 2;
    const ends = [mean - 2 * error, mean + 2 * error].map((v) => [to.gradient(v), y]);
    for (const [stroke, width] of [[paper, 5], [ink, 2]]) {
      line(g, ends, { stroke, width });
      for (const [x] of ends) line(g, [[x, y - 6], [x, y + 6]], { stroke, width });
    }
    dot(g, to.gradient(mean), y, 5.5, paper);
    dot(g, to.gradient(mean), y, 4, ink);
  }

  // view: { at, laws, samples, running, shown (how many have been drawn), age (s) => seconds, or null }
  function draw(g, view, width) {
    const box = layout(width);
    const to = scales(view, box);
    g.lineJoin = "round";
    drawLandscape(g, view, box, to);
    drawStrips(g, view, box, to);
    drawRunning(g, view, box, to);
  }

  Object.assign((live.gradients ??= {}), { ESTIMATORS, FLIGHT, layout, scales, draw });
})((globalThis.emvaeLive ??= {}));
