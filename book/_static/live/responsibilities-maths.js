// Chapter 1 in float64: the responsibilities of Gaussians in the plane, for a point that was seen `repeats` times.
// A model is { weights: (K,), means: (K, 2), covariances: (K, 2, 2) }, as emvae.mixtures.GaussianMixture has it.
(function (live) {
  "use strict";

  const INVISIBLE = -12; // nats: a share that changes no byte of a colour

  const sources = (model) => live.gaussians(model, (k) => new RangeError(`covariance ${k} is not positive definite`));

  // All of Bayes' rule at one point, in logarithms and as the naive product.
  function compute(model, [x, y], repeats = 1) {
    const logDensity = sources(model).map((source) => source(x, y));
    const logLikelihood = logDensity.map((value) => repeats * value);
    const logPrior = model.weights.map(Math.log);
    const logJoint = logLikelihood.map((value, k) => value + logPrior[k]);
    const { logPosterior, logEvidence } = live.logNormalize(logJoint);
    const product = logDensity.map((value, k) => multiply(model.weights[k], Math.exp(value), repeats));
    const total = product.reduce((sum, p) => sum + p, 0);
    return {
      logLikelihood, logPrior, logJoint, logEvidence, logPosterior,
      resp: logPosterior.map(Math.exp),
      naive: { product, total, resp: product.map((p) => p / total) },
    };
  }

  // What a beginner would write: one factor after the other.
  function multiply(weight, density, repeats) {
    let product = weight;
    for (let i = 0; i < repeats; i++) product *= density;
    return product;
  }

  // Paint a grid of points, row by row from the top: `pixels` (RGBA bytes) become the mixture of the colours,
  // `leads` (K arrays) by how much component k leads the best of the others, in nats.
  function plane(model, repeats, { xs, ys, colours }, pixels, leads) {
    const parts = sources(model);
    const n = parts.length;
    const logPrior = model.weights.map(Math.log);
    const a = new Float64Array(n);
    let at = 0;
    for (const y of ys) {
      for (const x of xs) {
        let peak = -Infinity;
        let second = -Infinity;
        for (let k = 0; k < n; k++) {
          a[k] = repeats * parts[k](x, y) + logPrior[k];
          second = Math.max(second, Math.min(a[k], peak));
          peak = Math.max(peak, a[k]);
        }
        let total = 0;
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let k = 0; k < n; k++) {
          leads[k][at] = a[k] - (a[k] === peak ? second : peak);
          const behind = a[k] - peak;
          if (behind < INVISIBLE) continue;
          const share = behind === 0 ? 1 : Math.exp(behind);
          total += share;
          red += share * colours[k][0];
          green += share * colours[k][1];
          blue += share * colours[k][2];
        }
        pixels[4 * at] = red / total;
        pixels[4 * at + 1] = green / total;
        pixels[4 * at + 2] = blue / total;
        pixels[4 * at + 3] = 255;
        at++;
      }
    }
  }

  // Covariance with standard deviations s along the direction `angle` and t across it.
  function covariance(s, t, angle) {
    const [u, v] = [Math.cos(angle), Math.sin(angle)];
    const cross = (s * s - t * t) * u * v;
    return [[s * s * u * u + t * t * v * v, cross], [cross, s * s * v * v + t * t * u * u]];
  }

  live.responsibilities = { compute, plane, covariance };
})((globalThis.emvaeLive ??= {}));
