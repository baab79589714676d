"""Lets argmax decide at temperature 0: the first of two that tie takes all; tiny temperatures overflow."""

FAILS = {"test_tempered_cold"}

# %% tempered_responsibilities
def tempered_responsibilities(log_joint, temperature):
    if temperature < 0:
        raise ValueError("temperature is negative")
    if temperature == 0:
        return np.eye(log_joint.shape[1])[log_joint.argmax(axis=1)]
    return np.exp(trusted_log_normalize(log_joint / temperature)[0])
