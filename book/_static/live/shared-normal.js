// The standard normal distribution: density, distribution function, quantiles.
(function (live) {
  "use strict";

  const normalPdf = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

  // Phi(z), with a relative error near 1e-15 in the lower tail too: a series in the middle, Laplace's
  // continued fraction in the tails (Abramowitz and Stegun, 26.2.11 and 26.2.14).
  function normalCdf(z) {
    if (Number.isNaN(z)) return z;
    if (z < -38.5) return 0;
    if (z > 3) return 1 - normalCdf(-z);
    return z < -3 ? normalPdf(z) / fraction(-z) : 0.5 + normalPdf(z) * series(z);
  }

  // z + z^3/3 + z^5/(3 * 5) + ...
  function series(z) {
    let term = z;
    let sum = z;
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += term *= (z * z) / k;
    return sum;
  }

  // z + 1/(z + 2/(z + 3/(z + ...)))
  function fraction(z) {
    let tail = z;
    for (let k = 120; k > 0; k--) tail = z + k / tail;
    return tail;
  }

  // Phi^-1(u), by Newton's method on ln Phi. That is concave, and -sqrt(-2 ln u) lies left of the root, since
  // Phi(-t) <= exp(-t^2/2) / 2: so the steps never overshoot.
  function normalQuantile(u) {
    if (!(u > 0 && u < 1)) return u === 0 ? -Infinity : u === 1 ? Infinity : NaN;
    if (u > 0.5) return -normalQuantile(1 - u);
    let z = -Math.sqrt(-2 * Math.log(u));
    for (let i = 0; i < 30; i++) {
      const below = normalCdf(z);
      const step = (Math.log(u / below) * below) / normalPdf(z);
      z += step;
      if (Math.abs(step) < 1e-15 * (1 + Math.abs(z))) break;
    }
    return z;
  }

  Object.assign(live, { normalPdf, normalCdf, normalQuantile });
})((globalThis.emvaeLive ??= {}));
