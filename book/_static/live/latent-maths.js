// Chapter 6: encoder and decoder with quantised weights, the plane as a square, holes, and drawn digits.
// Every function is pure. Images are 28 * 28 numbers from 0 (paper) to 1 (ink), row by row.
(function (live) {
  "use strict";

  const SIDE = 28;
  const PIXELS = SIDE * SIDE;

  function bytesOf(text) {
    const characters = atob(text);
    const bytes = new Uint8Array(characters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
    return bytes;
  }
  const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);

  // Whole numbers of `bits` bits each, the lowest bit first, moved down so that they lie about zero.
  function integersOf(text, bits, count) {
    const bytes = bytesOf(text);
    const result = new Int16Array(count);
    let held = 0;
    let have = 0;
    let next = 0;
    for (let i = 0; i < count; i++) {
      while (have < bits) {
        held |= bytes[next++] << have;
        have += 8;
      }
      result[i] = (held & ((1 << bits) - 1)) - (1 << (bits - 1));
      held >>>= bits;
      have -= bits;
    }
    return result;
  }

  // A layer as exported: { rows, columns, weights, bias } in float32; with `bits`, weights are whole numbers
  // times a scale for each row.
  function layerOf({ rows, columns, bits, weights, scales, bias }) {
    if (!bits) return { rows, columns, weights: floatsOf(weights), bias: floatsOf(bias) };
    const values = Float32Array.from(integersOf(weights, bits, rows * columns));
    floatsOf(scales).forEach((scale, i) => {
      for (let at = i * columns; at < (i + 1) * columns; at++) values[at] *= scale;
    });
    return { rows, columns, weights: values, bias: floatsOf(bias) };
  }

  // Encoder and decoder as exported. Blank pixels are left out there: the encoder does not look at them, the
  // decoder says that they are paper.
  function networksOf({ blank, paper, encoder, decoder }) {
    const inked = Array.from({ length: PIXELS }, (_, pixel) => pixel).filter((pixel) => !blank.includes(pixel));
    const layers = { encoder: encoder.map(layerOf), decoder: decoder.map(layerOf) };
    const [first, last] = [layers.encoder[0], layers.decoder.at(-1)];
    const seen = new Float32Array(first.rows * PIXELS);
    const drawn = new Float32Array(PIXELS * last.columns);
    const bias = new Float32Array(PIXELS).fill(paper);
    inked.forEach((pixel, k) => {
      for (let i = 0; i < first.rows; i++) seen[i * PIXELS + pixel] = first.weights[i * first.columns + k];
      drawn.set(last.weights.subarray(k * last.columns, (k + 1) * last.columns), pixel * last.columns);
      bias[pixel] = last.bias[k];
    });
    layers.encoder[0] = { ...first, columns: PIXELS, weights: seen };
    layers.decoder.splice(-1, 1, { ...last, rows: PIXELS, weights: drawn, bias });
    return layers;
  }

  // Layers with ReLU between them: x -> W x + b -> max(., 0) -> ...
  function forward(layers, x) {
    layers.forEach(({ rows, columns, weights, bias }, depth) => {
      const out = new Float64Array(rows);
      for (let i = 0, at = 0; i < rows; i++, at += columns) {
        let sum = bias[i];
        for (let j = 0; j < columns; j++) sum += weights[at + j] * x[j];
        out[i] = sum > 0 || depth === layers.length - 1 ? sum : 0;
      }
      x = out;
    });
    return x;
  }

  // q(z | x) = N(mean, diag(deviation^2)).
  function encode(encoder, pixels) {
    const out = forward(encoder, pixels);
    return { mean: [out[0], out[1]], deviation: [Math.exp(out[2]), Math.exp(out[3])] };
  }

  // theta(z): the probability of ink, pixel by pixel.
  function decode(decoder, z) {
    return forward(decoder, z).map((logit) => 1 / (1 + Math.exp(-logit)));
  }

  // u = Phi(z) in each dimension, and back.
  const toSquare = (z) => z.map(live.normalCdf);
  const fromSquare = (u) => u.map(live.normalQuantile);

  // The points that stand for equal prior mass, row by row, the upper row first ({eq}`def-latent-mesh`).
  function mesh(n) {
    const axis = Array.from({ length: n }, (_, i) => live.normalQuantile((i + 0.5) / n));
    return axis.flatMap((_, i) => axis.map((across) => [across, axis[n - 1 - i]]));
  }

  const logPrior = ([a, b]) => -0.5 * (a * a + b * b) - Math.log(2 * Math.PI);

  // ln q(z) - ln p(z) as exported on a square grid, rows from bottom to top.
  function mapOf({ reach, side, step, bits, values }) {
    return { reach, side, values: Float64Array.from(integersOf(values, bits, side * side), (v) => v * step) };
  }

  // The same between the points of the grid, by bilinear interpolation; beyond the grid, that of its edge.
  function logRatio({ reach, side, values }, z) {
    const [x, y] = z.map((v) => live.clamp(((v + reach) / (2 * reach)) * (side - 1), 0, side - 1));
    const [i, j] = [Math.min(Math.floor(x), side - 2), Math.min(Math.floor(y), side - 2)];
    const [a, b] = [x - i, y - j];
    const at = j * side + i;
    const below = (1 - a) * values[at] + a * values[at + 1];
    const above = (1 - a) * values[at + side] + a * values[at + side + 1];
    return (1 - b) * below + b * above;
  }

  // Where the prior is high and codes are rarer than exp(-threshold) times it: one point for each hole, the
  // most probable first, none closer to another than `apart`.
  function holes({ reach, side, values }, threshold, { count = 6, apart = 0.7 } = {}) {
    const found = [];
    for (let at = 0; at < values.length; at++) {
      if (values[at] >= threshold) continue;
      const z = [at % side, Math.floor(at / side)].map((i) => (2 * reach * i) / (side - 1) - reach);
      found.push({ z, weight: logPrior(z) });
    }
    found.sort((a, b) => b.weight - a.weight);
    const kept = [];
    for (const { z } of found) {
      if (kept.every((other) => Math.hypot(z[0] - other[0], z[1] - other[1]) >= apart)) kept.push(z);
      if (kept.length === count) break;
    }
    return kept;
  }

  // Strokes [[x, y], ...] of a pen as an image like MNIST's: the longer side of the digit fits in 20 pixels,
  // its centre of mass is the centre of the image.
  const PEN = 1.1;
  function imageOf(strokes) {
    const points = strokes.flat();
    if (!points.length) return new Float64Array(PIXELS);
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
    const unit = (20 - 2 * PEN) / Math.max(width, height, 6);
    const placed = (dx, dy) =>
      strokes.map((stroke) => stroke.map(([x, y]) => [(x - left) * unit + dx, (y - top) * unit + dy]));
    const [dx, dy] = [(SIDE - width * unit) / 2, (SIDE - height * unit) / 2];
    const [cx, cy] = centreOf(paint(placed(dx, dy)));
    return paint(placed(dx + SIDE / 2 - cx, dy + SIDE / 2 - cy));
  }

  function paint(strokes) {
    const image = new Float64Array(PIXELS);
    for (const stroke of strokes) {
      stroke.forEach((end, i) => touch(image, stroke[Math.max(0, i - 1)], end));
    }
    return image;
  }

  // Ink along a segment: full within the pen's radius, fading over one pixel.
  function touch(image, [x0, y0], [x1, y1]) {
    const [dx, dy] = [x1 - x0, y1 - y0];
    const square = dx * dx + dy * dy;
    const far = PEN + 1;
    const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - far));
    const last = (a, b) => Math.min(SIDE - 1, Math.ceil(Math.max(a, b) + far));
    for (let row = first(y0, y1); row <= last(y0, y1); row++) {
      for (let column = first(x0, x1); column <= last(x0, x1); column++) {
        const [px, py] = [column + 0.5 - x0, row + 0.5 - y0];
        const t = square ? live.clamp((px * dx + py * dy) / square, 0, 1) : 0;
        const ink = live.clamp(PEN + 0.5 - Math.hypot(px - t * dx, py - t * dy), 0, 1);
        const at = row * SIDE + column;
        if (ink > image[at]) image[at] = ink;
      }
    }
  }

  function centreOf(image) {
    let [mass, x, y] = [0, 0, 0];
    image.forEach((ink, at) => {
      mass += ink;
      x += ink * ((at % SIDE) + 0.5);
      y += ink * (Math.floor(at / SIDE) + 0.5);
    });
    return [x / mass, y / mass];
  }

  // An image of bytes, as exported.
  const greyOf = (text) => Float64Array.from(bytesOf(text), (byte) => byte / 255);

  Object.assign((live.latent ??= {}), {
    SIDE, networksOf, encode, decode, toSquare, fromSquare, mesh, logPrior, mapOf, logRatio, holes, imageOf, greyOf,
  });
})((globalThis.emvaeLive ??= {}));
