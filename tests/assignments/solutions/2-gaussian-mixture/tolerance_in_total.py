"""Compares the change of the whole log-likelihood with a tolerance that is meant per datum."""

FAILS = {"test_run_em_stops"}

# %% run_em
def run_em(x, start, e_step, m_step, *, tol, max_iter):
    parameters, trace = start, []
    for t in range(max_iter + 1):
        resp, log_evidence = e_step(x, parameters)
        trace.append(np.sum(log_evidence))
        if t == max_iter or (t > 0 and np.abs(trace[t] - trace[t - 1]) < tol):
            break
        parameters = m_step(x, resp, parameters)
    return parameters, np.asarray(trace)
