// Chapter 2, live: a run of EM by half-steps that can go back; nothing of it is drawn here.
(function (live) {
  "use strict";

  const MOST = 400; // half-steps

  class Run {
    constructor(model, x) {
      this.x = x;
      this.moments = [live.em.begin(model, x)];
      this.cursor = 0;
      this.collapsed = null; // the component whose covariance became singular
    }

    get current() {
      return this.moments[this.cursor];
    }

    // After an E-step: the last iteration gained less than the package's tolerance.
    get converged() {
      const before = this.moments[this.cursor - 2];
      if (!before || this.current.half !== "E") return false;
      const gain = this.current.logLikelihood - before.logLikelihood;
      return Math.abs(gain) < live.data.em.tolerance * this.x.length;
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
          this.moments.push(live.em.next(this.current, this.x));
        } catch (error) {
          if (!(error instanceof live.em.Collapse)) throw error;
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

  live.em.Run = Run;
})((globalThis.emvaeLive ??= {}));
