"""The single-sample gradients are added up and never divided by S."""

FAILS = {"test_mean"}

# %% mean_and_error
def mean_and_error(samples):
    samples = torch.as_tensor(samples)
    if len(samples) < 2:
        raise ValueError("at least two samples")
    return samples.sum(0), samples.std(0) / len(samples) ** 0.5
