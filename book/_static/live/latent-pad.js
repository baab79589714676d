// A field of 28 * 28 pixels to draw a digit in: by mouse, by finger, or by arrows and the space bar.
(function (live) {
  "use strict";

  // Where an event lies on a canvas, in CSS pixels.
  function spotOf(canvas, event) {
    const frame = canvas.element.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  // state: { strokes, drawing } are kept in it;  onChange(pixels, or null when it is empty)
  function drawingPad(parent, state, onChange) {
    const { SIDE, drawDigit, imageOf } = live.latent;
    const empty = new Float64Array(SIDE * SIDE);
    const pen = [SIDE / 2, SIDE / 2];
    let shown = null;
    const canvas = live.canvas(parent, {
      label: "A field to draw a digit in.", height: (width) => width,
      draw(g, width) {
        drawDigit(g, width, state.drawing ? empty : (shown ?? empty));
        if (state.drawing) drawStrokes(g, width / SIDE, state.strokes);
      },
    });
    canvas.frame.style.touchAction = "none";
    canvas.frame.style.cursor = "crosshair";

    function lower() {
      if (!state.strokes.length) shown = null;
      state.drawing = true;
      state.strokes.push([]);
    }

    function reach(px, py) {
      pen.splice(0, 2, ...[px, py].map((v) => live.clamp((SIDE * v) / canvas.width, 0, SIDE)));
      if (state.drawing) {
        state.strokes.at(-1).push([...pen]);
        shown = imageOf(state.strokes);
        onChange(shown);
      }
      canvas.redraw();
    }

    function lift() {
      if (!state.drawing) return;
      state.drawing = false;
      canvas.redraw();
      onChange(shown);
    }

    canvas.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.element.setPointerCapture(event.pointerId);
      lower();
      reach(...spotOf(canvas, event));
    });
    canvas.element.addEventListener("pointermove", (event) => {
      if (canvas.element.hasPointerCapture(event.pointerId)) reach(...spotOf(canvas, event));
    });
    canvas.element.addEventListener("lostpointercapture", lift);
    const place = () => pen.map((v) => (v * canvas.width) / SIDE);
    const { element: handle } = live.handle(canvas, {
      label: "Pen: arrows move it, the space bar lowers and lifts it", kind: "pen", step: 5,
      position: place, move: reach, text: () => (state.drawing ? "drawing" : "lifted"), value: () => pen[0],
    });
    handle.addEventListener("blur", lift);
    handle.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      if (state.drawing) return void lift();
      lower();
      reach(...place());
    });

    // Show these pixels as if they had been drawn; null for none.
    function show(pixels) {
      state.strokes = [];
      state.drawing = false;
      shown = pixels;
      canvas.redraw();
      onChange(pixels);
    }

    return { canvas, show };
  }

  function drawStrokes(g, unit, strokes) {
    g.strokeStyle = live.theme().ink;
    g.lineWidth = 2.4 * unit;
    g.lineCap = "round";
    g.lineJoin = "round";
    for (const stroke of strokes) {
      g.beginPath();
      stroke.forEach(([x, y]) => g.lineTo(x * unit, y * unit));
      if (stroke.length === 1) g.lineTo(stroke[0][0] * unit + 0.1, stroke[0][1] * unit);
      g.stroke();
    }
  }

  Object.assign((live.latent ??= {}), { drawingPad, spotOf });
})((globalThis.emvaeLive ??= {}));
