"""q and p leave the log domain before the quotient: 0/0 and inf/inf."""

FAILS = {"test_accept"}

# %% accept
def accept(log_q, log_p, u):
    with np.errstate(all="ignore"):
        probability = np.minimum(1, np.exp(log_q) / np.exp(log_p))
    probability = np.where(np.isnan(probability), 0, probability)
    return u < probability, float(np.mean(1 - probability))
