"""The divergence is averaged over the latent dimensions where a sum belongs."""

FAILS = {"test_kl_values", "test_kl_properties"}

# %% kl_diagonal
def kl_diagonal(m, s, mu, tau):
    terms = (s / tau) ** 2 + ((m - mu) / tau) ** 2 - 1 + 2 * np.log(tau) - 2 * np.log(s)
    return 0.5 * terms.mean(axis=1)
