// Chapter 3, live: the same EM on binarised digits. Prototypes emerge from near equality, or do not from equality.
(function (live) {
  "use strict";

  const NARROW = 520;
  const GAP = 8;
  const LINE = 20; // height of a line of labels

  function mount(stage) {
    const { bits } = live;
    const { data: { bits: data } } = live;
    const size = data.side ** 2;
    const random = live.random(4);
    const x = bits.unpack(data.packed, size);
    let fromEqual = false;
    let player = null;

    // Prototypes above, ten digits below; both in rows of five or ten.
    const columns = (width, n) => (width < NARROW ? 5 : Math.max(5, n));
    const cell = (width, n) => Math.min((width + GAP) / columns(width, n) - GAP, 104);
    const rows = (width, n) => Math.ceil(n / columns(width, n));
    const tall = (width, n) => rows(width, n) * (cell(width, n) + LINE + GAP);
    let n = 10;

    const view = live.canvas(stage, {
      label: "Prototypes as images with their weights; below them ten digits, and the prototype that each belongs to.",
      height: (width) => 2 * LINE + tall(width, n) + tall(width, 10) + GAP,
      draw(context, width) {
        if (!player?.shown) return;
        const { model, q } = player.shown;
        heading(context, `${n} prototypes, with their weights`, LINE / 2);
        grid(context, width, LINE + 4, model.probs, (k) => `${k + 1} · ${live.format(model.weights[k], 2)}`);
        const top = LINE + tall(width, n) + GAP;
        heading(context, `ten of ${x.length} digits: prototype and responsibility`, top + LINE / 2);
        const images = data.watched.map((i) => picture(x[i]));
        grid(context, width, top + LINE + 4, images, (i) => owner(q[data.watched[i]]));
      },
    });

    function heading(context, words, y) {
      context.font = live.font(13);
      context.fillStyle = live.theme().muted;
      live.text(context, words, 0, y);
    }

    function grid(context, width, top, images, label) {
      const side = cell(width, images.length);
      const across = columns(width, images.length);
      images.forEach((image, i) => {
        const [left, up] = [(i % across) * (side + GAP), top + Math.floor(i / across) * (side + LINE + GAP)];
        context.imageSmoothingEnabled = false;
        context.drawImage(ink(image), left, up, side, side);
        context.strokeStyle = live.theme().rule;
        context.lineWidth = 1;
        context.strokeRect(left + 0.5, up + 0.5, side - 1, side - 1);
        context.font = live.font(12);
        context.fillStyle = live.theme().ink;
        live.text(context, label(i), left + side / 2, up + side + LINE / 2 + 1, "center");
      });
    }

    // An image of probabilities, in ink on paper.
    const sheet = Object.assign(document.createElement("canvas"), { width: data.side, height: data.side });
    const brush = sheet.getContext("2d");
    function ink(image) {
      const [paper, dark] = live.theme().dark ? [24, 236] : [255, 17];
      const painted = brush.createImageData(data.side, data.side);
      image.forEach((p, d) => painted.data.set([0, 1, 2].map(() => live.lerp(paper, dark, p)).concat(255), 4 * d));
      brush.putImageData(painted, 0, 0);
      return sheet;
    }

    function picture(ones) {
      const image = new Float64Array(size);
      for (const d of ones) image[d] = 1;
      return image;
    }

    // The most responsible prototype, or none where they share.
    function owner(row) {
      const most = Math.max(...row);
      return most < 0.5 ? "shared" : `${row.indexOf(most) + 1}: ${most.toFixed(2)}`;
    }

    player = live.player(stage, {
      paint: view.redraw,
      changed() {},
      sentence,
      blend: (from, to, t) => ({
        q: live.lerp(from.q, to.q, t),
        model: { weights: live.lerp(from.model.weights, to.model.weights, t), probs: live.lerp(from.model.probs, to.model.probs, t) },
      }),
    });
    const options = live.panel(stage, "Model and start");
    live.choice(options, {
      label: "K", options: [2, 5, 10].map((k) => [k, String(k)]), value: n,
      onChange(k) {
        n = k;
        view.resize();
        begin();
      },
    });
    const choice = live.choice(options, {
      label: "Start", options: [["random", "nearly equal"], ["equal", "equal"]], value: "random",
      onChange(name) {
        fromEqual = name === "equal";
        begin();
      },
    });
    live.button(options, { label: "New start", onClick: begin });
    live.button(options, { label: "Nudge", title: "Nudge: change every probability a little", onClick: () => restart(bits.nudge(player.run.current.model, random)) });
    player.announce();

    function begin() {
      choice.value = fromEqual ? "equal" : "random";
      restart(fromEqual ? bits.equal(n, size, data.minProb) : bits.scatter(x, n, size, data.minProb, random));
    }

    function restart(model) {
      player.restart(new live.run.Run(bits, model, x));
    }

    function sentence(run) {
      const { half, model, logLikelihood, elbo, kl, q } = run.current;
      const step = half ? `${half}-step ${Math.ceil(run.cursor / 2)}.` : "Before the first step.";
      const same = model.probs.every((probs) => probs.every((p, d) => p === model.probs[0][d]));
      const verdict = same
        ? "All prototypes are equal, so every digit belongs to all of them alike, and they will stay equal for ever, unless they are nudged."
        : run.converged ? "Converged." : "";
      const owners = data.watched.map((i, digit) => `${digit} to ${owner(q[i]).split(":")[0]}`).join(", ");
      const numbers = `ln p(D | θ) = ${live.format(logLikelihood, 1)} = ELBO ${live.format(elbo, 1)} + KL ${live.format(Math.max(kl, 0), 1)}`;
      return `${step} ${verdict} ${numbers}; ${live.format(logLikelihood / x.length, 2)} nats per digit.${same ? "" : ` The ten digits belong: ${owners}.`}`;
    }

    begin();
    return { paint: () => [view, player.chart].forEach((canvas) => canvas.paint()), run: () => player.run };
  }

  live.register("bits", mount);
})((globalThis.emvaeLive ??= {}));
