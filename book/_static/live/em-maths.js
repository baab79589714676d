// Chapter 2 in float64: EM for Gaussians in the plane, as emvae.em and emvae.mixtures have it.
// A model is { weights: (K,), means: (K, 2), covariances: (K, 2, 2), floor: [f, g] }; data are (N, 2), q is (N, K).
(function (live) {
  "use strict";

  // ln p(x_n, z = k) for every datum and component, (N, K).
  function joint(model, x) {
    const collapse = (k) => new live.run.Collapse(k, `covariance ${k} is not positive definite`);
    const logDensities = live.gaussians(model, collapse);
    const logWeights = model.weights.map(Math.log);
    return x.map(([u, v]) => logDensities.map((logDensity, k) => logWeights[k] + logDensity(u, v)));
  }

  // The M-step: weighted means, scatter about the new means, counts over their sum; then the floor.
  // A component without responsibilities keeps mean and covariance.
  function maximise(model, x, q) {
    const { negligible } = live.data.em;
    const n = model.weights.length;
    const counts = Array.from({ length: n }, (_, k) => q.reduce((sum, row) => sum + row[k], 0));
    const occupied = counts.map((count) => (count > negligible ? count : 0));
    const total = occupied.reduce((sum, count) => sum + count, 0);
    const moments = counts.map((count, k) => {
      if (!(count > negligible)) return [model.means[k], model.covariances[k]];
      const shift = [0, 1].map((d) => x.reduce((sum, row, i) => sum + q[i][k] * (row[d] - model.means[k][d]), 0) / count);
      const mean = model.means[k].map((m, d) => m + shift[d]);
      let [a, b, c] = [0, 0, 0];
      x.forEach(([u, v], i) => {
        const [du, dv] = [u - mean[0], v - mean[1]];
        a += q[i][k] * du * du;
        b += q[i][k] * du * dv;
        c += q[i][k] * dv * dv;
      });
      return [mean, [[a / count, b / count], [b / count, c / count]]];
    });
    return {
      weights: occupied.map((count) => count / total),
      means: moments.map(([mean]) => mean),
      covariances: moments.map(([, covariance]) => project(covariance, model.floor)),
      floor: model.floor,
    };
  }

  // The nearest admissible covariance: in units of the floor, eigenvalues below one are raised to one.
  function project(covariance, floor) {
    if (!floor || !floor.some((f) => f > 0)) return covariance;
    const [u, v] = floor.map(Math.sqrt);
    const [[a, b], [, c]] = covariance;
    const { values: [large, small], angle } = live.eigen2(a / (u * u), b / (u * v), c / (v * v));
    if (small >= 1) return covariance;
    const [l, s] = [Math.max(large, 1), 1];
    const [p, r] = [Math.cos(angle), Math.sin(angle)];
    const cross = (l - s) * p * r * u * v;
    return [[(l * p * p + s * r * r) * u * u, cross], [cross, (l * r * r + s * p * p) * v * v]];
  }

  // Equal weights and upright ellipses at these means; spread and floor are variances, [f, g].
  function start(means, spread, floor) {
    const covariance = () => [[spread[0], 0], [0, spread[1]]];
    return {
      weights: means.map(() => 1 / means.length),
      means: means.map((mean) => [...mean]),
      covariances: means.map(covariance),
      floor,
    };
  }

  // Variance of both features, as numpy's var.
  function variance(x) {
    return [0, 1].map((d) => {
      const mean = x.reduce((sum, row) => sum + row[d], 0) / x.length;
      return x.reduce((sum, row) => sum + (row[d] - mean) ** 2, 0) / x.length;
    });
  }

  // Squared distance in units of `scale`.
  const distance = ([a, b], [c, d], scale) => (a - c) ** 2 / scale[0] + (b - d) ** 2 / scale[1];

  // n data as means, each drawn with probability proportional to its squared distance from those before it,
  // in units of `scale` (k-means++).
  function seeds(x, n, scale, random) {
    const chosen = [x[Math.floor(random.uniform() * x.length)]];
    while (chosen.length < n) {
      const mass = x.map((row) => Math.min(...chosen.map((seed) => distance(row, seed, scale))));
      let left = random.uniform() * mass.reduce((sum, m) => sum + m, 0);
      chosen.push(x[Math.max(0, mass.findIndex((m) => (left -= m) < 0))]);
    }
    return chosen;
  }

  // The datum that is farthest from its nearest neighbour, in units of `scale`.
  function loneliest(x, scale) {
    const room = x.map((row) => Math.min(...x.filter((other) => other !== row).map((other) => distance(row, other, scale))));
    return x[room.indexOf(Math.max(...room))];
  }

  live.em = { joint, maximise, project, start, variance, seeds, loneliest };
})((globalThis.emvaeLive ??= {}));
