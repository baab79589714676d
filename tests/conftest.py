"""What all tests share: figures without a screen, and hypothesis without a clock or a memory."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from hypothesis import settings

mpl.use("Agg")

# Examples follow from the test's code alone, so a run on another day or machine tries the same ones.
settings.register_profile("emvae", derandomize=True, deadline=None, database=None)
settings.load_profile("emvae")


@pytest.fixture(autouse=True)
def own_figures():
    """Give each test matplotlib's defaults, and leave neither style nor figures to the next."""
    with mpl.rc_context():
        yield
    plt.close("all")
