"""The variance is the mean of squares minus the square of the mean, which an offset of 1e8 eats up."""

FAILS = {"test_standard_error"}

# %% mean_and_error
def mean_and_error(samples):
    samples = np.asarray(samples)
    S = len(samples)
    if S < 2:
        raise ValueError("S must be at least 2")
    mean = samples.mean(0)
    variance = (samples**2).mean(0) - mean**2
    return mean, np.sqrt(np.abs(variance) / (S - 1))
