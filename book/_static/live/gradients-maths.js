// Chapter 4 in float64: f(z) = sum_d h(z_d) under q = N(mu 1, sigma^2 I), and the slope of E_q[f] in mu_1.
// Every function is pure.
(function (live) {
  "use strict";

  // For each h its value and slope, and under z ~ N(mu, sigma^2) in closed form
  //   mean, slope, curvature: F = E[h], dF/dmu, d^2F/dmu^2;   square, squareCurvature: the same of E[h^2]
  //   slopeSquare: E[h'^2], which for the step is 0, as is h' wherever it exists
  const FUNCTIONS = {
    bowl: {
      value: (z) => 0.5 * z * z,
      slope: (z) => z,
      moments(mu, sigma) {
        const [m, v] = [mu * mu, sigma * sigma];
        return {
          mean: 0.5 * (m + v), slope: mu, curvature: 1, slopeSquare: m + v,
          square: 0.25 * (m * m + 6 * m * v + 3 * v * v), squareCurvature: 3 * (m + v),
        };
      },
    },
    kink: {
      value: Math.abs,
      slope: Math.sign,
      moments(mu, sigma) {
        const slope = 2 * live.normalCdf(mu / sigma) - 1;
        const density = live.normalPdf(mu / sigma);
        return {
          mean: mu * slope + 2 * sigma * density, slope, curvature: (2 * density) / sigma, slopeSquare: 1,
          square: mu * mu + sigma * sigma, squareCurvature: 2,
        };
      },
    },
    wave: {
      value: (z, omega) => Math.sin(omega * z),
      slope: (z, omega) => omega * Math.cos(omega * z),
      moments(mu, sigma, omega) {
        const decay = Math.exp(-0.5 * (omega * sigma) ** 2);
        const double = Math.cos(2 * omega * mu) * decay ** 4;
        const mean = Math.sin(omega * mu) * decay;
        return {
          mean, slope: omega * Math.cos(omega * mu) * decay, curvature: -omega * omega * mean,
          slopeSquare: 0.5 * omega * omega * (1 + double),
          square: 0.5 * (1 - double), squareCurvature: 2 * omega * omega * double,
        };
      },
    },
    step: {
      value: (z) => (z > 0 ? 1 : 0),
      slope: () => 0,
      moments(mu, sigma) {
        const slope = live.normalPdf(mu / sigma) / sigma;
        const mean = live.normalCdf(mu / sigma);
        const curvature = (-mu / (sigma * sigma)) * slope;
        return { mean, slope, curvature, slopeSquare: 0, square: mean, squareCurvature: curvature };
      },
    },
  };

  // What theory says at { f, mu, sigma, omega, D }: E_q[f], the true gradient, and for one sample of each
  // estimator its expectation and its variance ({eq}`eq-rep-variance`, for any of these f).
  function laws({ f, mu, sigma, omega, D }) {
    const m = FUNCTIONS[f].moments(mu, sigma, omega);
    const truth = m.slope;
    const expected = f === "step" ? 0 : truth; // E[h'], which the jump leaves out
    const spread = m.square - m.mean * m.mean;
    const withBaseline =
      (D * spread) / (sigma * sigma) + m.squareCurvature - 2 * m.mean * m.curvature - truth * truth;
    const lifted = ((D * m.mean) / sigma) ** 2 + 2 * D * m.mean * m.curvature;
    return {
      mean: D * m.mean,
      truth,
      expected: { pathwise: expected, baseline: truth, plain: truth },
      variance: {
        pathwise: Math.max(0, m.slopeSquare - expected * expected),
        baseline: withBaseline,
        plain: withBaseline + lifted,
      },
    };
  }

  // Gradients from single samples, a Float64Array (S,) for each estimator, and z_1 of each sample.
  // eps: S rows of `stride` standard normal numbers, of which the first D are used.
  function samples({ f, mu, sigma, omega, D, S }, eps, stride = D) {
    const { value, slope } = FUNCTIONS[f];
    const { mean } = laws({ f, mu, sigma, omega, D });
    const result = {};
    for (const name of ["z", "pathwise", "baseline", "plain"]) result[name] = new Float64Array(S);
    for (let s = 0; s < S; s++) {
      let total = 0;
      for (let d = 0; d < D; d++) total += value(mu + sigma * eps[s * stride + d], omega);
      const first = eps[s * stride];
      result.z[s] = mu + sigma * first;
      result.pathwise[s] = slope(result.z[s], omega);
      result.baseline[s] = ((total - mean) * first) / sigma;
      result.plain[s] = (total * first) / sigma;
    }
    return result;
  }

  // Mean of the first s values and its standard error, for s = 1, ..., S (no error for s = 1).
  function running(values) {
    const mean = new Float64Array(values.length);
    const error = new Float64Array(values.length);
    let centre = 0;
    let squares = 0;
    values.forEach((value, i) => {
      const n = i + 1;
      const off = value - centre;
      centre += off / n;
      squares += off * (value - centre);
      mean[i] = centre;
      error[i] = n > 1 ? Math.sqrt(squares / (n * (n - 1))) : NaN;
    });
    return { mean, error };
  }

  // S rows of D standard normal numbers.
  function draws(seed, S, D) {
    const { normal } = live.random(seed);
    return Float64Array.from({ length: S * D }, normal);
  }

  Object.assign((live.gradients ??= {}), { FUNCTIONS, laws, samples, running, draws });
})((globalThis.emvaeLive ??= {}));
