// Chapter 2, live: how a moment of EM is drawn. `at` maps a datum to pixels; `shown` holds model and q, perhaps
// halfway between two moments.
(function (live) {
  "use strict";

  const MARGIN = { left: 46, right: 8, top: 8, bottom: 38 };

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
    for (const value of live.ticks(...toX.domain, 5)) live.text(context, live.format(value, 0), toX(value), bottom + 12, "center");
    for (const value of live.ticks(...toY.domain, 6)) live.text(context, live.format(value, 0), left - 7, toY(value), "right");
    live.text(context, names[0], right, bottom + 29, "right");
    context.save();
    context.translate(11, top);
    context.rotate(-Math.PI / 2);
    live.text(context, names[1], 0, 0, "right");
    context.restore();
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
    const [x, y] = [toX(mean[0]), toY(mean[1]) - 16];
    const left = x > toX.range[1] - 190;
    context.textAlign = left ? "right" : "left";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 5;
    context.strokeStyle = live.theme().paper;
    context.strokeText(words, left ? x - 18 : x + 18, y);
    context.fillStyle = live.theme().alarm;
    context.fillText(words, left ? x - 18 : x + 18, y);
  }

  live.emDraw = { axes, plane, alarm };
})((globalThis.emvaeLive ??= {}));
