"""The distance from mu in place of eps: the speed of the path without the division by sigma."""

FAILS = {"test_jump_gradient"}

# %% jump_gradient
def jump_gradient(places, jumps, mu, sigma):
    away = places - mu
    traffic = jumps * torch.exp(-0.5 * (away / sigma) ** 2) / (sigma * (2 * np.pi) ** 0.5)
    return traffic.sum(), (traffic * away).sum()
