"""What all live figures share: the colours of the components, and when EM has converged."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from emvae.em import fit_em
from emvae.plotting import component_colours

N_COLOURS = 10
TOLERANCE: float = inspect.signature(fit_em).parameters["tol"].default  # nats per datum


def data() -> dict[str, Any]:
    """Return the colours of ``emvae.plotting`` as bytes, and the tolerance of ``fit_em``."""
    colours = np.rint(255 * component_colours(N_COLOURS)).astype(int).tolist()
    return {"colours": colours, "tolerance": TOLERANCE}
