// A run of EM by half-steps that can go back; nothing of it is drawn here.
//
// A family of models is { joint(model, x), maximise(model, x, q) }: ln p(x_n, z = k) as (N, K) rows, and the
// M-step. Either may throw a Collapse.
(function (live) {
  "use strict";

  const MOST = 400; // half-steps

  // A step does not exist, since component `k` has degenerated.
  class Collapse extends Error {
    constructor(k, problem) {
      super(problem);
      this.component = k;
    }
  }

  // The ELBO of any q, with 0 log 0 = 0, from ln p(x_n, z = k).
  function bound(joint, q) {
    let value = 0;
    joint.forEach((row, i) => row.forEach((a, k) => {
      if (q[i][k] > 0) value += q[i][k] * (a - Math.log(q[i][k]));
    }));
    return value;
  }

  // A moment of a run: model and its ln p(x_n, z = k), q, which half-step led here ("", "E" or "M"), and
  // ln p(D | theta) = ELBO + KL.
  function moment(model, joint, q, half) {
    const logLikelihood = joint.reduce((sum, row) => sum + live.logNormalize(row).logEvidence, 0);
    const elbo = bound(joint, q);
    return { model, joint, q, half, logLikelihood, elbo, kl: logLikelihood - elbo };
  }

  const posterior = (row) => live.logNormalize(row).logPosterior.map(Math.exp);

  // The next half-step: an E-step moves q alone, an M-step theta alone, and only theta changes the joint.
  function next(family, { model, joint, q, half }, x) {
    if (half !== "E") return moment(model, joint, joint.map(posterior), "E");
    const better = family.maximise(model, x, q);
    return moment(better, family.joint(better, x), q, "M");
  }

  // Before the first E-step every datum belongs to every component equally.
  function begin(family, model, x) {
    const n = model.weights.length;
    return moment(model, family.joint(model, x), x.map(() => Array(n).fill(1 / n)), "");
  }

  // `count` half-steps from a model, the moment before the first one leading.
  function trace(family, model, x, count) {
    const moments = [begin(family, model, x)];
    for (let i = 0; i < count; i++) moments.push(next(family, moments[i], x));
    return moments;
  }

  class Run {
    constructor(family, model, x) {
      this.family = family;
      this.x = x;
      this.moments = [begin(family, model, x)];
      this.cursor = 0;
      this.collapsed = null; // the component for which there was no next step
    }

    get current() {
      return this.moments[this.cursor];
    }

    // After an E-step: the last iteration gained less than the package's tolerance.
    get converged() {
      const before = this.moments[this.cursor - 2];
      if (!before || this.current.half !== "E") return false;
      const gain = this.current.logLikelihood - before.logLikelihood;
      return Math.abs(gain) < live.data.shared.tolerance * this.x.length;
    }

    // The next half-step was tried and does not exist.
    get failed() {
      return this.collapsed !== null && this.cursor + 1 === this.moments.length;
    }

    // No half-step can follow.
    get stuck() {
      return !this.x.length || this.cursor >= MOST || this.failed;
    }

    // Take the next half-step, or the one that was taken before; false where there is none.
    forward() {
      if (this.stuck) return false;
      if (this.cursor + 1 === this.moments.length) {
        try {
          this.moments.push(next(this.family, this.current, this.x));
        } catch (error) {
          if (!(error instanceof Collapse)) throw error;
          this.collapsed = error.component;
          return false;
        }
      }
      this.cursor += 1;
      return true;
    }

    back(steps = 1) {
      this.cursor = Math.max(0, this.cursor - steps);
    }
  }

  live.run = { Run, Collapse, trace };
})((globalThis.emvaeLive ??= {}));
