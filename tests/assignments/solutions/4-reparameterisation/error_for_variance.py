"""The squared standard error is given for the variance of a sample: divided by S once too often."""

FAILS = {"test_variances"}

# %% variances
def variances(D, n_samples, generator):
    def f(z):
        return z.cos().sum(1)

    parameters = {"loc": torch.ones(D, dtype=torch.float64), "scale": torch.ones(D, dtype=torch.float64)}
    both = {"n_samples": n_samples, "generator": generator}
    one = pathwise_gradient(f, Normal, parameters, **both)
    two = score_function_gradient(f, Normal, parameters, baseline="leave-one-out", **both)
    three = score_function_gradient(f, Normal, parameters, **both)
    return [float((e.standard_error["loc"] ** 2).mean()) for e in (one, two, three)]
