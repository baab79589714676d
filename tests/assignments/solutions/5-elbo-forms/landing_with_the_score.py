"""The whole gradient of form (3): no bias, but it does not come to rest."""

FAILS = {"test_landing_sticks"}

# %% landing_gradient
def landing_gradient(x, m, s, W, b, sigma, eps):
    z = m + s * eps
    by_joint = np.einsum("snd,dz->snz", x - b - z @ W.T, W) / sigma**2 - z
    return by_joint, by_joint * eps + 1 / s
