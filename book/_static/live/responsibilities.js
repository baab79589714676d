// Chapter 1, live: three Gaussians to move, stretch and weigh; the plane in the colours of the responsibilities;
// a probe whose numbers stand in the table, computed in logarithms and as the naive product.
(function (live) {
  "use strict";

  const CELL = 3; // CSS pixels a cell of the plane
  const NARROW = 520; // below this width the plane is nearly a square
  const SMALLEST = 0.2; // standard deviation
  const LARGEST = 4;
  function mount(stage) {
    const data = live.data.responsibilities;
    const { compute, plane, covariance } = live.responsibilities;
    let state = initial();

    function initial() {
      const components = data.means.map((mean, k) => {
        const [[a, b], [, c]] = data.covariances[k];
        const { values, angle } = live.eigen2(a, b, c);
        return { mean: [...mean], s: Math.sqrt(values[0]), t: Math.sqrt(values[1]), angle };
      });
      const weights = components.map(() => 1 / components.length);
      return { components, weights, uniform: true, shared: false, step: 0, probe: [...data.probe] };
    }

    const shape = (k) => state.components[state.shared ? 0 : k];
    const repeats = () => data.repeats[state.step];
    const model = () => ({
      weights: state.uniform ? state.weights.map(() => 1 / state.weights.length) : state.weights,
      means: state.components.map((component) => component.mean),
      covariances: state.components.map((_, k) => covariance(shape(k).s, shape(k).t, shape(k).angle)),
    });

    // Coordinates: the same number of pixels for a unit along both axes.
    let [toX, toY] = [null, null];
    function fit(width, height) {
      const [left, right, bottom, top] = data.extent;
      const unit = width / (right - left);
      const middle = (bottom + top) / 2;
      toX = live.scale([left, right], [0, width]);
      toY = live.scale([middle - height / unit / 2, middle + height / unit / 2], [height, 0]);
    }
    const inside = ([x, y]) => [
      live.clamp(x, toX.domain[0] + 0.1, toX.domain[1] - 0.1),
      live.clamp(y, toY.domain[0] + 0.1, toY.domain[1] - 0.1),
    ];

    const small = document.createElement("canvas");
    const view = live.canvas(stage, {
      label: "Plane in the colours of three responsibilities; the numbers stand in the table below.",
      height: (width) => (width < NARROW ? 0.94 : 0.62) * width,
      draw(context, width, height) {
        fit(width, height);
        const current = model();
        drawPlane(context, width, height, current);
        state.components.forEach((_, k) => drawEllipse(context, k));
        drawLabel(context, width, compute(current, state.probe, repeats()).resp);
      },
    });

    function drawPlane(context, width, height, current) {
      const [columns, rows] = [Math.ceil(width / CELL), Math.ceil(height / CELL)];
      [small.width, small.height] = [columns, rows];
      const brush = small.getContext("2d");
      const image = brush.createImageData(columns, rows);
      const xs = Float64Array.from({ length: columns }, (_, i) => toX.invert((i + 0.5) * CELL));
      const ys = Float64Array.from({ length: rows }, (_, j) => toY.invert((j + 0.5) * CELL));
      const leads = current.means.map(() => new Float64Array(columns * rows));
      const colours = current.means.map((_, k) => live.colour(k));
      plane(current, repeats(), { xs, ys, colours }, image.data, leads);
      brush.putImageData(image, 0, 0);
      context.drawImage(small, 0, 0, columns * CELL, rows * CELL);
      context.beginPath();
      for (const lead of leads) {
        for (const [x0, y0, x1, y1] of live.contour(lead, columns, rows)) {
          context.moveTo((x0 + 0.5) * CELL, (y0 + 0.5) * CELL);
          context.lineTo((x1 + 0.5) * CELL, (y1 + 0.5) * CELL);
        }
      }
      context.lineWidth = 1.8;
      context.lineCap = "round";
      context.strokeStyle = "white";
      context.stroke();
    }

    function drawEllipse(context, k) {
      const { s, t, angle } = shape(k);
      const [x, y] = at(state.components[k].mean);
      const unit = toX(1) - toX(0);
      context.strokeStyle = "rgb(255 255 255 / 0.9)";
      context.lineWidth = 1.4;
      context.beginPath();
      context.ellipse(x, y, s * unit, t * unit, -angle, 0, 2 * Math.PI);
      context.stroke();
    }

    function drawLabel(context, width, resp) {
      const text = `r = ${resp.map((r) => r.toFixed(2)).join(", ")}`;
      context.font = live.font(13);
      const wide = context.measureText(text).width + 14;
      const [px, py] = at(state.probe);
      const x = px + 14 + wide > width ? px - 14 - wide : px + 14;
      const y = py - 32 < 0 ? py + 10 : py - 32;
      context.beginPath();
      context.roundRect(x, y, wide, 22, 4);
      context.fillStyle = "rgb(255 255 255 / 0.93)";
      context.fill();
      context.fillStyle = "#111";
      context.textBaseline = "middle";
      context.fillText(text, x + 7, y + 11.5);
    }

    const at = ([x, y]) => [toX(x), toY(y)];
    const where = ([x, y]) => `x ${live.format(x, 1)}, y ${live.format(y, 1)}`;

    // Handles: of each Gaussian its mean, one end of either axis of its ellipse; and the probe.
    fit(view.width, view.height);
    state.components.forEach((_, k) => {
      const name = `source ${k + 1}`;
      const mean = live.handle(view, {
        label: `Mean of ${name}`,
        position: () => at(state.components[k].mean),
        text: () => where(state.components[k].mean),
        move: (x, y) => change(() => (state.components[k].mean = inside([toX.invert(x), toY.invert(y)]))),
      });
      mean.element.dataset.mark = k + 1;
      stretch(k, `Long axis of ${name}`, "s", 0);
      stretch(k, `Short axis of ${name}`, "t", Math.PI / 2);
    });
    const probe = live.handle(view, {
      label: "Probe",
      kind: "probe",
      position: () => at(state.probe),
      text: () => `${where(state.probe)}, r ${compute(model(), state.probe, repeats()).resp.map((r) => r.toFixed(2)).join(", ")}`,
      move: (x, y) => change(() => (state.probe = inside([toX.invert(x), toY.invert(y)]))),
    });
    const bring = ({ offsetX, offsetY }) => {
      change(() => (state.probe = inside([toX.invert(offsetX), toY.invert(offsetY)])));
    };
    view.element.addEventListener("click", bring); // a finger that scrolls the page clicks nothing
    view.element.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse") return;
      bring(event);
      probe.grab(event);
    });

    function stretch(k, label, deviation, quarter) {
      live.handle(view, {
        label,
        kind: "stretch",
        position: () => {
          const [x, y] = state.components[k].mean;
          const direction = shape(k).angle + quarter;
          const length = shape(k)[deviation];
          return at([x + length * Math.cos(direction), y + length * Math.sin(direction)]);
        },
        text: () => `standard deviation ${live.format(shape(k)[deviation], 2)}`,
        move: (px, py) => change(() => {
          const [x, y] = state.components[k].mean;
          const [dx, dy] = [toX.invert(px) - x, toY.invert(py) - y];
          shape(k)[deviation] = live.clamp(Math.hypot(dx, dy), SMALLEST, LARGEST);
          shape(k).angle = Math.atan2(dy, dx) - quarter;
        }),
      });
    }

    // Below the plane: how often the probe was seen, switches, weights, and the table.
    const switches = live.panel(stage, "Model");
    const seen = live.slider(switches, {
      label: "The probe was seen", min: 0, max: data.repeats.length - 1, step: 1, value: 0,
      format: (i) => (data.repeats[i] === 1 ? "once" : `${data.repeats[i]} times`),
      onInput: (i) => change(() => (state.step = i)),
    });
    seen.element.classList.add("live-long");
    const shared = live.toggle(switches, {
      label: "one covariance for all", onChange: (on) => change(() => (state.shared = on)),
    });
    live.button(switches, { label: "Reset", title: "Reset the figure", onClick: () => change(() => (state = initial())) });
    const priors = live.panel(stage, "Weights of the sources");
    const uniform = live.toggle(priors, {
      label: "uniform prior", checked: true, onChange: (on) => change(() => (state.uniform = on)),
    });
    const weights = state.weights.map((weight, k) => {
      const slider = live.slider(priors, {
        label: `π${"₁₂₃"[k]}`, min: 0.01, max: 0.98, step: 0.01, value: weight,
        format: (value) => value.toFixed(2),
        onInput: (value) => change(() => setWeight(k, value)),
      });
      slider.element.style.setProperty("--live-colour", live.css(live.colour(k)));
      return slider;
    });

    // One weight is set, the others share what is left as they did before.
    function setWeight(k, value) {
      const before = model().weights;
      const rest = 1 - before[k];
      state.weights = before.map((weight, j) => (j === k ? value : (weight * (1 - value)) / rest));
      state.uniform = false;
    }

    const table = live.responsibilityWords.table(stage, state.components.length);
    const say = live.status(stage);

    function change(edit) {
      edit();
      update();
    }

    function update() {
      const result = compute(model(), state.probe, repeats());
      seen.value = state.step;
      shared.checked = state.shared;
      uniform.checked = state.uniform;
      weights.forEach((slider, k) => (slider.value = model().weights[k]));
      table(result);
      say(live.responsibilityWords.sentence(result, state.probe, repeats()));
      view.redraw();
    }
    update();
    return { paint: view.paint, model, state: () => state };
  }

  live.register("responsibilities", mount);
})((globalThis.emvaeLive ??= {}));
