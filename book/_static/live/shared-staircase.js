// ln p(D | theta) = ELBO + KL, as a line of numbers and as a bar for each half-step of a run of EM.
(function (live) {
  "use strict";

  const CHART = { left: 66, right: 92, top: 12, bottom: 24, bar: 22 };
  const KL_COLOUR = 5; // reddish purple, which no component of a live figure has

  // The range of nats that shows the last moments well: the first steps may be a hundred times taller than the rest.
  function range(moments, cursor, width) {
    const first = firstShown(cursor, width);
    const seen = moments.slice(first, cursor + 1);
    const counted = first > 0 ? seen : seen.length > 4 ? seen.slice(3) : seen.slice(Math.min(1, seen.length - 1));
    const low = Math.min(...counted.map((moment) => moment.elbo));
    const high = Math.max(...seen.map((moment) => moment.logLikelihood));
    const room = Math.max(high - low, 1e-3 * Math.abs(high), 1e-6);
    return [low - 0.25 * room, high + 0.08 * room];
  }

  const slots = (width) => Math.max(4, Math.floor((width - CHART.left - CHART.right) / CHART.bar));
  const firstShown = (cursor, width) => Math.max(0, cursor + 1 - slots(width));

  // ln p(D | theta) = ELBO + KL at every half-step: a bar, its lower part the bound, its upper part the gap.
  function chart(context, width, height, { moments, cursor, limits }) {
    const toY = live.scale(limits, [height - CHART.bottom, CHART.top]);
    const floor = height - CHART.bottom;
    const first = firstShown(cursor, width);
    const { ink, muted, rule } = live.theme();
    context.font = live.font(12);
    context.lineWidth = 1;
    const marks = live.ticks(...limits, 4);
    const digits = [0, 1, 2].find((n) => marks.every((value) => Math.abs(value - Number(value.toFixed(n))) < 1e-6)) ?? 3;
    for (const value of marks) {
      context.strokeStyle = rule;
      context.beginPath();
      context.moveTo(CHART.left, toY(value));
      context.lineTo(width - CHART.right, toY(value));
      context.stroke();
      context.fillStyle = muted;
      live.text(context, live.format(value, digits), CHART.left - 7, toY(value), "right");
    }
    moments.slice(first, first + slots(width)).forEach((moment, i) => {
      const x = CHART.left + i * CHART.bar + 2;
      context.globalAlpha = first + i > cursor ? 0.3 : 1;
      bar(context, x, toY, floor, moment);
      context.fillStyle = first + i === cursor ? ink : muted;
      context.font = live.font(12, first + i === cursor ? "700" : "");
      live.text(context, moment.half || "–", x + (CHART.bar - 4) / 2, floor + 12, "center");
    });
    context.globalAlpha = 1;
    labels(context, CHART.left + (cursor - first + 1) * CHART.bar + 5, toY, floor, moments[cursor]);
  }

  function bar(context, x, toY, floor, { elbo, logLikelihood }) {
    const wide = CHART.bar - 4;
    const [top, middle] = [toY(logLikelihood), toY(elbo)].map((y) => Math.min(y, floor));
    context.fillStyle = live.css(live.theme().dark ? [122, 132, 148] : [130, 138, 150]);
    context.fillRect(x, middle, wide, floor - middle);
    context.fillStyle = live.lineColour(KL_COLOUR);
    context.fillRect(x, top, wide, middle - top);
    context.fillStyle = live.theme().ink;
    if (top < floor) context.fillRect(x - 1, top - 1, wide + 2, 2);
  }

  // Names beside the current bar, where its parts are.
  function labels(context, x, toY, floor, { elbo, logLikelihood, kl }) {
    const [top, middle] = [toY(logLikelihood), toY(elbo)].map((y) => Math.min(y, floor));
    context.font = live.font(12, "600");
    context.fillStyle = live.theme().ink;
    live.text(context, "ln p(D | θ)", x, Math.min(top, floor - 40));
    context.fillStyle = live.lineColour(KL_COLOUR, 4.5);
    const gap = Math.max((top + middle) / 2, Math.min(top, floor - 40) + 16);
    if (kl > 1e-6) live.text(context, "KL", x, Math.min(gap, floor - 22));
    context.fillStyle = live.theme().muted;
    if (floor - middle > 10) live.text(context, "ELBO", x, Math.max((middle + floor) / 2, kl > 1e-6 ? Math.min(gap, floor - 22) + 16 : 0));
  }

  // The line of numbers. Returns show(moment).
  function equation(stage) {
    const line = live.element(stage, "p", { class: "live-equation", "aria-hidden": "true" });
    const part = (name, kind) => live.element(live.element(line, "span", { class: kind }, name), "b");
    const whole = part("ln p(D | θ) ", "");
    line.append(" = ");
    const bound = part("ELBO ", "live-bound");
    line.append(" + ");
    const gap = part("KL ", "live-gap");
    return function show({ logLikelihood, elbo, kl }) {
      whole.textContent = live.format(logLikelihood, 2);
      bound.textContent = live.format(elbo, 2);
      gap.textContent = Math.max(kl, 0).toFixed(2);
    };
  }

  live.staircase = { range, chart, equation };
})((globalThis.emvaeLive ??= {}));
