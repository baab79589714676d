"""An even mesh in z, from -2 to 2: no inverse distribution function."""

FAILS = {"test_mesh_places", "test_mesh_mass"}

# %% equal_mass_mesh
def equal_mass_mesh(n):
    axis = np.linspace(-2, 2, n)
    return np.stack(np.meshgrid(axis, axis[::-1]), axis=-1)
