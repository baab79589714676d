// Chapter 3 in float64: EM for Bernoulli variables, as emvae.mixtures.BernoulliMixture has it.
// A model is { weights: (K,), probs: (K, D), minProb > 0 }. A datum is the list of its pixels that are one.
(function (live) {
  "use strict";

  const NEGLIGIBLE = live.data.bits.negligible;

  // ln p(x_n, z = k), (N, K): affine in the pixels, so a sum over those that are one.
  function joint(model, x) {
    const parts = model.probs.map((probs, k) => ({
      odds: Float64Array.from(probs, (p) => Math.log(p) - Math.log1p(-p)),
      bias: probs.reduce((sum, p) => sum + Math.log1p(-p), Math.log(model.weights[k])),
    }));
    return x.map((ones) => parts.map(({ odds, bias }) => {
      let sum = bias;
      for (const d of ones) sum += odds[d];
      return sum;
    }));
  }

  // The M-step: expected frequencies, clipped to [minProb, 1 - minProb], which is the floor of this family.
  // A component without responsibilities keeps its probabilities.
  function maximise(model, x, q) {
    const counts = model.weights.map((_, k) => q.reduce((sum, row) => sum + row[k], 0));
    const occupied = counts.map((count) => (count > NEGLIGIBLE ? count : 0));
    const total = occupied.reduce((sum, count) => sum + count, 0);
    const probs = model.probs.map((old, k) => {
      if (!(counts[k] > NEGLIGIBLE)) return old;
      const ones = new Float64Array(old.length);
      x.forEach((pixels, n) => {
        for (const d of pixels) ones[d] += q[n][k];
      });
      return Array.from(ones, (sum) => live.clamp(sum / counts[k], model.minProb, 1 - model.minProb));
    });
    return { weights: occupied.map((count) => count / total), probs, minProb: model.minProb };
  }

  // Bytes of eight pixels each, base64, as the lists of pixels that are one.
  function unpack(text, size) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return Array.from({ length: (8 * bytes.length) / size }, (_, n) => {
      const ones = [];
      for (let d = 0; d < size; d++) {
        const at = n * size + d;
        if ((bytes[at >> 3] >> (7 - (at & 7))) & 1) ones.push(d);
      }
      return ones;
    });
  }

  // Prototypes from random responsibilities, each row uniform on the simplex: nearly equal, but not quite.
  function scatter(x, n, size, minProb, random) {
    const q = x.map(() => {
      const row = Array.from({ length: n }, () => -Math.log(1 - random.uniform()));
      const sum = row.reduce((a, b) => a + b, 0);
      return row.map((r) => r / sum);
    });
    const { probs } = maximise(equal(n, size, minProb), x, q);
    return { weights: Array(n).fill(1 / n), probs, minProb };
  }

  // All prototypes equal and grey.
  const equal = (n, size, minProb) => ({
    weights: Array(n).fill(1 / n), probs: Array.from({ length: n }, () => Array(size).fill(0.3)), minProb,
  });

  // The same model with every probability moved a little.
  function nudge(model, random) {
    const moved = (p) => live.clamp(p * (1 + 0.1 * (random.uniform() - 0.5)), model.minProb, 1 - model.minProb);
    return { ...model, probs: model.probs.map((probs) => probs.map(moved)) };
  }

  live.bits = { joint, maximise, unpack, scatter, equal, nudge };
})((globalThis.emvaeLive ??= {}));
