"""Ends with an M-step: the parameters returned are one ahead of the last entry of the trace."""

FAILS = {"test_run_em_trace", "test_run_em_order", "test_run_em_stops"}

# %% run_em
def run_em(x, start, e_step, m_step, *, tol, max_iter):
    parameters, trace = start, []
    for t in range(max_iter):
        resp, log_evidence = e_step(x, parameters)
        trace.append(log_evidence.sum())
        parameters = m_step(x, resp, parameters)
        if t > 0 and abs(trace[-1] - trace[-2]) < tol * len(x):
            break
    return parameters, np.array(trace)
