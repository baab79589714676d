"""Monte-Carlo gradients of an expectation E_q[f(z)] with respect to the parameters of q."""

import emvae._torch  # noqa: F401  (first: it says how to get torch)
from emvae.gradients.estimators import (
    GradientEstimate,
    gumbel_softmax_gradient,
    pathwise_gradient,
    score_function_gradient,
)

__all__ = ["GradientEstimate", "gumbel_softmax_gradient", "pathwise_gradient", "score_function_gradient"]
