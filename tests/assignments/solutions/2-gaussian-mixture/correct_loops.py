"""Correct: one loop for each sum sign of the sheet."""

FAILS = set()

# %% gaussian_log_density
def gaussian_log_density(x, mean, covariance):
    D = len(mean)
    inverse = np.linalg.inv(covariance)
    log_det = sum(np.log(v) for v in np.linalg.eigvalsh(covariance))
    result = []
    for point in x:
        z = point - mean
        result.append(-0.5 * (D * np.log(2 * np.pi) + log_det + z @ inverse @ z))
    return result


# %% e_step
def e_step(x, parameters):
    densities = trusted_log_densities(x, parameters)
    resp = np.zeros_like(densities)
    log_evidence = np.zeros(len(x))
    K = len(parameters.weights)
    for n in range(len(x)):
        a = [-np.inf] * K
        for k in range(K):
            if parameters.weights[k] > 0:
                a[k] = densities[n, k] + np.log(parameters.weights[k])
        top = max(a)
        total = sum(np.exp(v - top) for v in a)
        log_evidence[n] = top + np.log(total)
        for k in range(K):
            resp[n, k] = np.exp(a[k] - top) / total
    return resp, log_evidence


# %% m_step
def m_step(x, resp, old):
    N, D = x.shape
    K = resp.shape[1]
    weights, means, covariances = np.zeros(K), np.zeros((K, D)), np.zeros((K, D, D))
    for k in range(K):
        N_k = sum(resp[n, k] for n in range(N))
        weights[k] = N_k / N
        if N_k == 0:
            means[k], covariances[k] = old.means[k], old.covariances[k]
            continue
        for n in range(N):
            means[k] += resp[n, k] * x[n] / N_k
        for n in range(N):
            z = x[n] - means[k]
            covariances[k] += resp[n, k] * np.outer(z, z) / N_k
    return Parameters(weights, means, covariances)


# %% run_em
def run_em(x, start, e_step, m_step, *, tol, max_iter):
    theta = start
    resp, log_evidence = e_step(x, theta)
    heights = [sum(log_evidence)]
    for _ in range(max_iter):
        theta = m_step(x, resp, theta)
        resp, log_evidence = e_step(x, theta)
        heights.append(sum(log_evidence))
        if abs(heights[-1] - heights[-2]) / len(x) < tol:
            break
    return theta, heights


# %% predict
def predict(durations, parameters):
    means, deviations = [], []
    for d in durations:
        logs, lines, variances = [], [], []
        for w, m, c in zip(*parameters):
            logs.append(np.log(w) - 0.5 * np.log(2 * np.pi * c[0, 0]) - 0.5 * (d - m[0]) ** 2 / c[0, 0])
            lines.append(m[1] + c[1, 0] / c[0, 0] * (d - m[0]))
            variances.append(c[1, 1] - c[0, 1] ** 2 / c[0, 0])
        r = [np.exp(v - max(logs)) for v in logs]
        r = [v / sum(r) for v in r]
        mean = sum(a * b for a, b in zip(r, lines))
        variance = sum(a * (v + (b - mean) ** 2) for a, b, v in zip(r, lines, variances))
        means.append(mean)
        deviations.append(variance**0.5)
    return means, deviations
