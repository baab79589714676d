"""ln s^2 instead of 2 ln s: right until the square underflows."""

FAILS = {"test_kl_properties"}

# %% kl_diagonal
def kl_diagonal(m, s, mu, tau):
    with np.errstate(divide="ignore"):
        terms = s**2 / tau**2 + (m - mu) ** 2 / tau**2 - 1 - np.log(s**2 / tau**2)
    return 0.5 * terms.sum(axis=1)
