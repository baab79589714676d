"""The mesh runs from u = 0 to u = 1, whose quantiles are infinite."""

FAILS = {"test_mesh_places", "test_mesh_mass"}

# %% equal_mass_mesh
def equal_mass_mesh(n):
    axis = quantile(np.linspace(0, 1, n))
    return np.stack(np.meshgrid(axis, axis[::-1]), axis=-1)
