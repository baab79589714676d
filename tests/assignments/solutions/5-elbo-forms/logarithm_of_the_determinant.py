"""det first, logarithm second: minus infinity for digits of full size."""

FAILS = {"test_log_evidence_of_digits"}

# %% log_evidence
def log_evidence(x, W, b, sigma):
    C = W @ W.T + sigma**2 * np.eye(len(b))
    precision = np.linalg.inv(C)
    squares = np.einsum("nd,de,ne->n", x - b, precision, x - b)
    with np.errstate(divide="ignore"):
        return -0.5 * (len(b) * np.log(2 * np.pi) + np.log(np.linalg.det(C)) + squares)
