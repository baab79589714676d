// Chapter 2, live: how a moment of EM is drawn. `at` maps a datum to pixels; `shown` holds model and q, perhaps
// halfway between two moments.
(function (live) {
  "use strict";

  const MARGIN = { left: 46, right: 8, top: 8, bottom: 38 };
  const CHART = { left: 58, right: 92, top: 12, bottom: 24, bar: 22 };
  const KL_COLOUR = 5; // reddish purple: no component has it

  const lerp = (a, b, t) => (Array.isArray(a) ? a.map((item, i) => lerp(item, b[i], t)) : a + t * (b - a));

  // A mixture of the components' colours, as chapter 2 draws its data, readable on paper.
  function mixed(resp, colours) {
    const sum = [0, 0, 0];
    resp.forEach((r, k) => colours[k].forEach((c, i) => (sum[i] += r * c)));
    return live.css(sum, 0.85);
  }

  // Maps of a data set's extent on the canvas; without names of axes there is no margin.
  function axes({ extent: [left, right, bottom, top], names }, width, height) {
    const m = names ? MARGIN : { left: 1, right: 1, top: 1, bottom: 1 };
    return {
      x: live.scale([left, right], [m.left, width - m.right]),
      y: live.scale([bottom, top], [height - m.bottom, m.top]),
    };
  }

  function plane(context, { x: toX, y: toY }, { x, names }, { model, q }) {
    const palette = model.means.map((_, k) => live.inkColour(k));
    frame(context, toX, toY, names);
    context.save();
    context.beginPath();
    context.rect(toX.range[0], toY.range[1], toX.range[1] - toX.range[0], toY.range[0] - toY.range[1]);
    context.clip();
    x.forEach(([u, v], i) => {
      context.beginPath();
      context.arc(toX(u), toY(v), 3.4, 0, 2 * Math.PI);
      context.fillStyle = mixed(q[i], palette);
      context.fill();
    });
    model.means.forEach((mean, k) => ellipses(context, toX, toY, mean, model.covariances[k], palette[k]));
    context.restore();
  }

  function frame(context, toX, toY, names) {
    const { muted, rule } = live.theme();
    const [left, right] = toX.range;
    const [bottom, top] = toY.range;
    context.lineWidth = 1;
    context.strokeStyle = rule;
    if (!names) {
      context.strokeRect(left, top, right - left, bottom - top);
      return;
    }
    context.beginPath();
    context.moveTo(left, top);
    context.lineTo(left, bottom);
    context.lineTo(right, bottom);
    context.stroke();
    context.fillStyle = muted;
    context.font = live.font(12);
    for (const value of live.ticks(...toX.domain, 5)) text(context, value, toX(value), bottom + 12, "center");
    for (const value of live.ticks(...toY.domain, 6)) text(context, value, left - 7, toY(value), "right");
    text(context, names[0], right, bottom + 29, "right");
    context.save();
    context.translate(11, top);
    context.rotate(-Math.PI / 2);
    text(context, names[1], 0, 0, "right");
    context.restore();
  }

  function text(context, value, x, y, align = "left") {
    context.textAlign = align;
    context.textBaseline = "middle";
    context.fillText(typeof value === "number" ? live.format(value, 0) : value, x, y);
  }

  // One and two standard deviations; the pixels of the two axes are not of one size.
  function ellipses(context, toX, toY, mean, [[a, b], [, c]], colour) {
    const [u, v] = [toX(1) - toX(0), toY(1) - toY(0)];
    const { values, angle } = live.eigen2(a * u * u, b * u * v, c * v * v);
    for (const [deviations, width] of [[2, 1.2], [1, 2.2]]) {
      const [long, short] = values.map((value) => deviations * Math.sqrt(Math.max(value, 0)));
      context.beginPath();
      context.ellipse(toX(mean[0]), toY(mean[1]), long, short, angle, 0, 2 * Math.PI);
      context.strokeStyle = live.css(colour);
      context.lineWidth = width;
      context.stroke();
    }
    context.fillStyle = live.css(colour, 0.1);
    context.fill();
  }

  // A word beside a component that has come to an end.
  function alarm(context, { x: toX, y: toY }, mean, words) {
    context.font = live.font(13, "600");
    context.fillStyle = live.theme().alarm;
    const [x, y] = [toX(mean[0]), toY(mean[1])];
    const left = x > toX.range[1] - 190;
    text(context, words, left ? x - 18 : x + 18, y - 16, left ? "right" : "left");
  }

  // The range of nats that shows the last moments well; the first step may be a hundred times taller than the rest.
  function range(moments, cursor, width) {
    const first = window_(cursor, width);
    const seen = moments.slice(first, cursor + 1);
    const counted = first === 0 && seen.length > 4 ? seen.slice(3) : seen;
    const low = Math.min(...counted.map((moment) => moment.elbo));
    const high = Math.max(...seen.map((moment) => moment.logLikelihood));
    const room = Math.max(high - low, 1e-3 * Math.abs(high), 1e-6);
    return [low - 0.25 * room, high + 0.08 * room];
  }

  const slots = (width) => Math.max(4, Math.floor((width - CHART.left - CHART.right) / CHART.bar));
  const window_ = (cursor, width) => Math.max(0, cursor + 1 - slots(width));

  // ln p(D | theta) = ELBO + KL at every half-step: a bar, its lower part the bound, its upper part the gap.
  function chart(context, width, height, { moments, cursor, limits }) {
    const toY = live.scale(limits, [height - CHART.bottom, CHART.top]);
    const floor = height - CHART.bottom;
    const first = window_(cursor, width);
    const { ink, muted, rule } = live.theme();
    context.font = live.font(12);
    context.lineWidth = 1;
    for (const value of live.ticks(...limits, 4)) {
      context.strokeStyle = rule;
      context.beginPath();
      context.moveTo(CHART.left, toY(value));
      context.lineTo(width - CHART.right, toY(value));
      context.stroke();
      context.fillStyle = muted;
      const digits = limits[1] - limits[0] > 8 ? 0 : limits[1] - limits[0] > 0.8 ? 1 : 2;
      text(context, live.format(value, digits), CHART.left - 7, toY(value), "right");
    }
    moments.slice(first, first + slots(width)).forEach((moment, i) => {
      const x = CHART.left + i * CHART.bar + 2;
      context.globalAlpha = first + i > cursor ? 0.3 : 1;
      bar(context, x, toY, floor, moment);
      context.fillStyle = first + i === cursor ? ink : muted;
      context.font = live.font(12, first + i === cursor ? "700" : "");
      text(context, moment.half || "–", x + (CHART.bar - 4) / 2, floor + 12, "center");
    });
    context.globalAlpha = 1;
    labels(context, CHART.left + (cursor - first + 1) * CHART.bar + 5, toY, floor, moments[cursor]);
  }

  function bar(context, x, toY, floor, { elbo, logLikelihood }) {
    const wide = CHART.bar - 4;
    const [top, middle] = [toY(logLikelihood), toY(elbo)].map((y) => Math.min(y, floor));
    context.fillStyle = boundColour();
    context.fillRect(x, middle, wide, floor - middle);
    context.fillStyle = gapColour();
    context.fillRect(x, top, wide, middle - top);
    context.fillStyle = live.theme().ink;
    if (top < floor) context.fillRect(x - 1, top - 1, wide + 2, 2);
  }

  // Names beside the current bar, where its parts are.
  function labels(context, x, toY, floor, { elbo, logLikelihood, kl }) {
    const [top, middle] = [toY(logLikelihood), toY(elbo)].map((y) => Math.min(y, floor));
    context.font = live.font(12, "600");
    context.fillStyle = live.theme().ink;
    text(context, "ln p(D | θ)", x, Math.min(top, floor - 40));
    context.fillStyle = live.lineColour(KL_COLOUR, 4.5);
    const gap = Math.max((top + middle) / 2, Math.min(top, floor - 40) + 16);
    if (kl > 1e-6) text(context, "KL", x, Math.min(gap, floor - 22));
    context.fillStyle = live.theme().muted;
    if (floor - middle > 10) text(context, "ELBO", x, Math.max((middle + floor) / 2, kl > 1e-6 ? Math.min(gap, floor - 22) + 16 : 0));
  }

  const boundColour = () => live.css(live.theme().dark ? [122, 132, 148] : [130, 138, 150]);
  const gapColour = () => live.lineColour(KL_COLOUR);

  live.emDraw = { lerp, axes, plane, alarm, range, chart, gapColour, boundColour };
})((globalThis.emvaeLive ??= {}));
