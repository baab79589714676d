// Chapter 2, live: the figure's numbers in words.
(function (live) {
  "use strict";

  const WHAT = {
    "": "q is uniform.",
    E: "q is the posterior: the gap is closed.",
    M: "ELBO and log-likelihood have risen, and a gap has opened.",
  };

  const place = ([u, v]) => `${live.format(u, 2)}, ${live.format(v, 1)}`;

  // What a reader who sees nothing would want to know of a run.
  function sentence(run) {
    if (!run.x.length) return "No data yet: draw points on the plane.";
    const { half, model, logLikelihood, elbo, kl } = run.current;
    const n = Math.ceil(run.cursor / 2);
    const step = half ? `${half}-step ${n}` : "Before the first step";
    const numbers = `ln p(D | θ) = ${live.format(logLikelihood, 2)} = ELBO ${live.format(elbo, 2)} + KL ${gap(kl)}.`;
    const parts = model.means.map((mean, k) => `${k + 1}: weight ${live.format(model.weights[k], 2)}, mean ${place(mean)}`);
    return `${step}. ${verdict(run)} ${numbers} ${parts.join("; ")}.`;
  }

  function verdict(run) {
    if (run.failed) {
      return `Component ${run.collapsed + 1} has collapsed: its covariance is singular, ln p(D | θ) has no upper bound, and EM cannot go on. Switch the variance floor on.`;
    }
    if (run.converged) return "Converged: the last iteration gained less than a millionth of a nat per datum.";
    return WHAT[run.current.half];
  }

  const gap = (kl) => Math.max(kl, 0).toFixed(2);

  live.emWords = { sentence, place };
})((globalThis.emvaeLive ??= {}));
