"""The distance is the share of rejected draws: no bias, more noise than asked for."""

FAILS = {"test_distance"}

# %% accept
def accept(log_q, log_p, u):
    accepted = np.log(u) < log_q - log_p
    return accepted, 1 - accepted.mean()
