"""Divides the responsibilities by the temperature instead of the log joints, and renormalises."""

FAILS = {"test_tempered_values", "test_tempered_cold"}

# %% tempered_responsibilities
def tempered_responsibilities(log_joint, temperature):
    r = np.exp(trusted_log_normalize(log_joint)[0]) / temperature
    return r / r.sum(axis=1, keepdims=True)
