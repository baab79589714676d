"""The scatter of one sample is given for the error of the mean."""

FAILS = {"test_standard_error"}

# %% mean_and_error
def mean_and_error(samples):
    samples = np.asarray(samples)
    if samples.shape[0] < 2:
        raise ValueError("no error bar")
    return samples.mean(axis=0), samples.std(axis=0, ddof=1)
