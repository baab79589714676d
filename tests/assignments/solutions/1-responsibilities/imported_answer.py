"""Imports the answers of tasks 2 and 3 from the package instead of writing them."""

FAILS = {
    "test_log_normalize_values",
    "test_log_normalize_underflow",
    "test_log_normalize_digits",
    "test_log_normalize_impossible",
    "test_responsibilities_uniform",
    "test_responsibilities_weighted",
}

# %% log_normalize
from emvae.responsibilities import log_normalize


# %% responsibilities
def responsibilities(log_likelihood, log_weights=None):
    from emvae.responsibilities import responsibilities as answer

    return answer(log_likelihood, log_weights)
