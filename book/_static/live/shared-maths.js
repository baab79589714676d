// Small mathematics in float64: what the figures share. Every function is pure.
(function (live) {
  "use strict";

  // log sum_k exp(a_k), the largest entry taken out first, as emvae.responsibilities.log_normalize does.
  function logNormalize(logJoint) {
    const peak = Math.max(...logJoint);
    const shifted = logJoint.map((a) => a - peak);
    const logTotal = Math.log(shifted.reduce((sum, a) => sum + Math.exp(a), 0));
    return { logPosterior: shifted.map((a) => a - logTotal), logEvidence: peak + logTotal };
  }

  // Lower Cholesky factor [l11, l21, l22] of [[a, b], [b, c]], or null where that is not positive definite.
  function cholesky2(a, b, c) {
    const l11 = Math.sqrt(a);
    const l21 = b / l11;
    const rest = c - l21 * l21;
    return a > 0 && rest > 0 ? [l11, l21, Math.sqrt(rest)] : null;
  }

  // Gaussians of the plane, N(x | mu_k, Sigma_k), as functions (x, y) => log density.
  // `failed(k)` makes the error that is thrown where Sigma_k is not positive definite.
  function gaussians({ means, covariances }, failed) {
    return means.map(([mx, my], k) => {
      const [[a, b], [, c]] = covariances[k];
      const factor = cholesky2(a, b, c);
      if (!factor) throw failed(k);
      const [l11, l21, l22] = factor;
      const logPeak = -Math.log(2 * Math.PI) - Math.log(l11) - Math.log(l22);
      return (x, y) => {
        const z1 = (x - mx) / l11;
        const z2 = (y - my - l21 * z1) / l22;
        return logPeak - 0.5 * (z1 * z1 + z2 * z2);
      };
    });
  }

  // Eigenvalues of [[a, b], [b, c]], the large one first, and the direction (radians) of its eigenvector.
  function eigen2(a, b, c) {
    const half = Math.hypot((a - c) / 2, b);
    const large = (a + c) / 2 + half;
    const small = large > 0 ? (a * c - b * b) / large : (a + c) / 2 - half;
    return { values: [large, small], angle: Math.atan2(b, large - c) || (c > a ? Math.PI / 2 : 0) };
  }

  // A seeded generator (mulberry32): the same seed draws the same numbers on every machine.
  function random(seed) {
    let state = seed >>> 0;
    function uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  }

  // Linear map of a domain [d0, d1] on a range [r0, r1] (pixels); .invert goes back.
  function scale([d0, d1], [r0, r1]) {
    const map = (value) => r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);
    map.invert = (pixel) => d0 + ((pixel - r0) / (r1 - r0)) * (d1 - d0);
    map.domain = [d0, d1];
    map.range = [r0, r1];
    return map;
  }

  // About `count` round numbers in [low, high].
  function ticks(low, high, count = 5) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.7);
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  }

  // A number for people: fixed digits, a true minus sign; powers of ten where digits would all be zero.
  function format(value, digits = 2) {
    if (Number.isNaN(value)) return "not a number";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const size = Math.abs(value);
    if (size !== 0 && (size < 0.5 * 10 ** -digits || size >= 1e7)) return scientific(value);
    const text = value.toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
  }

  function scientific(value) {
    const [mantissa, exponent] = value.toExponential(1).split("e");
    return `${mantissa.replace("-", "−")} × 10${superscript(Number(exponent))}`;
  }

  // An integer as raised digits.
  const superscript = (n) => [...String(n)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");

  // Segments [x0, y0, x1, y1] in grid units where a field (row by row, width * height) crosses `level`.
  function contour(field, width, height, level = 0) {
    const segments = [];
    for (let j = 0; j + 1 < height; j++) {
      for (let i = 0; i + 1 < width; i++) {
        const at = j * width + i;
        const first = field[at] > level;
        const same = field[at + 1] > level === first && field[at + width] > level === first;
        if (same && field[at + width + 1] > level === first) continue;
        const corner = [field[at], field[at + 1], field[at + width + 1], field[at + width]];
        const above = corner.map((value) => value > level);
        const crossings = [];
        for (let e = 0; e < 4; e++) {
          const f = (e + 1) % 4;
          if (above[e] === above[f]) continue;
          const t = (level - corner[e]) / (corner[f] - corner[e]);
          const [x0, y0, x1, y1] = [...EDGE[e], ...EDGE[f]];
          crossings.push([i + x0 + t * (x1 - x0), j + y0 + t * (y1 - y0)]);
        }
        for (let c = 0; c + 1 < crossings.length; c += 2) {
          segments.push([...crossings[c], ...crossings[c + 1]]);
        }
      }
    }
    return segments;
  }
  const EDGE = [[0, 0], [1, 0], [1, 1], [0, 1]];

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  // From a to b by the share t, number by number in arrays of any depth.
  const lerp = (a, b, t) => (Array.isArray(a) ? a.map((item, i) => lerp(item, b[i], t)) : a + t * (b - a));

  Object.assign(live, { logNormalize, gaussians, eigen2, random, scale, ticks, format, superscript, contour, clamp, lerp });
})((globalThis.emvaeLive ??= {}));
