"""Row 0 has the smallest z_2: the map stands on its head."""

FAILS = {"test_mesh_places"}

# %% equal_mass_mesh
def equal_mass_mesh(n):
    axis = quantile((np.arange(n) + 0.5) / n)
    return np.stack(np.meshgrid(axis, axis), axis=-1)
