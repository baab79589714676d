"""The decoder's log-odds are shown as if they were probabilities."""

FAILS = {"test_decode_table"}

# %% decode_table
def decode_table(vae, mesh):
    n = mesh.shape[0]
    z = torch.tensor(mesh.reshape(n * n, 2), dtype=torch.float32)
    return vae.decoder(z).base_dist.logits.detach().numpy().reshape(n, n, 28, 28)
