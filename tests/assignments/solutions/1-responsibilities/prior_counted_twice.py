"""Multiplies the reports of the witnesses: with M of them the prior is counted M times."""

FAILS = {"test_fuse_prior"}

# %% fuse
def fuse(log_posteriors, log_weights):
    return trusted_log_normalize(log_posteriors.sum(axis=0))[0]
