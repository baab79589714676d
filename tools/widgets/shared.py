"""What all live figures share: the colours of the components."""

from __future__ import annotations

from typing import Any

import numpy as np

from emvae.plotting import component_colours

N_COLOURS = 10


def data() -> dict[str, Any]:
    """Return the colours of ``emvae.plotting`` as bytes."""
    return {"colours": np.rint(255 * component_colours(N_COLOURS)).astype(int).tolist()}
