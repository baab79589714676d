"""Hands both half-steps and the loop to the package, behind other names."""

FAILS = {  # trusted_m_step is bound further down, and the package's loop knows only its own models
    "test_m_step_weights",
    "test_m_step_means",
    "test_m_step_covariances",
    "test_m_step_digits",
    "test_m_step_empty",
    "test_run_em_order",
    "test_run_em_stops",
}
OWN_WORK = {"e_step", "m_step", "run_em"}

# %% e_step
from emvae.mixtures import GaussianMixture as Helper


def e_step(x, parameters):
    helper = Helper(*parameters)
    return helper.responsibilities(x), helper.log_evidence(x)


# %% m_step
def m_step(x, resp, old):
    return trusted_m_step(x, resp, old)


# %% run_em
from emvae.em import fit_em


def run_em(x, start, e_step, m_step, *, tol, max_iter):
    fit = fit_em(Helper(*start), x, tol=tol, max_iter=max_iter)
    return Parameters(fit.model.weights, fit.model.means, fit.model.covariances), fit.log_evidences
