"""Right, but image by image and component by component."""

FAILS = {"test_log_likelihood_no_loop"}

# %% log_likelihood
def log_likelihood(x, probs):
    with np.errstate(divide="ignore"):
        ink, paper = np.log(probs), np.log(1 - probs)
    result = np.zeros((len(x), len(probs)))
    for n in range(len(x)):
        for k in range(len(probs)):
            result[n, k] = np.where(x[n] == 1, ink[k], paper[k]).sum()
    return result
