"""The baseline is the mean of all samples, each one's own among them: biased by 1 - 1/S."""

FAILS = {"test_leave_one_out", "test_leave_one_out_unbiased"}

# %% leave_one_out_samples
def leave_one_out_samples(values, scores):
    return (values - values.mean())[:, None] * scores
