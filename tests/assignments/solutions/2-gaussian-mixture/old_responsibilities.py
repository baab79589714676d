"""Computes the responsibilities once, before the loop: every M-step gets those of the start."""

FAILS = {"test_run_em_trace", "test_run_em_order"}

# %% run_em
def run_em(x, start, e_step, m_step, *, tol, max_iter):
    parameters = start
    resp, log_evidence = e_step(x, parameters)
    trace = [log_evidence.sum()]
    for _ in range(max_iter):
        parameters = m_step(x, resp, parameters)
        trace.append(e_step(x, parameters)[1].sum())
        if abs(trace[-1] - trace[-2]) / len(x) < tol:
            break
    return parameters, np.array(trace)
