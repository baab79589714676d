"""What live figures have in common: their data are those of today's package, and they are quick to draw."""

import json

import numpy as np
import pytest

from tools.make_widgets import FIGURES
from tools.widgets import live_files

PAGES = {
    "responsibilities": "book/1-responsibilities",
    "em": "book/2-gaussian-mixture",
    "bits": "book/3-bernoulli-mixture",
}


# The latent explorer's data, codes of 60,000 digits, differ in their last bits between processors.
@pytest.mark.parametrize("name", sorted(FIGURES.keys() - {"latent"}))
def test_the_exported_data_are_fresh(name):
    written = (live_files.LIVE / f"{name}-data.js").read_text(encoding="utf-8")
    assert written == live_files.script(name, json.loads(json.dumps(FIGURES[name].data())))


@pytest.mark.parametrize("name", PAGES)
def test_a_frame_takes_less_than_a_thirtieth_of_a_second(open_page, name):
    page = open_page(PAGES[name], reduced_motion="reduce")
    figure = page.locator(f"figure.live-{name}")
    figure.locator("canvas").first.scroll_into_view_if_needed()
    if name == "em":
        for _ in range(5):
            figure.get_by_role("button", name="-step ▶").click()
    times = page.evaluate(
        """name => Array.from({length: 15}, () => {
            const began = performance.now();
            emvaeLive.figures[name].paint();
            return performance.now() - began;
        })""",
        name,
    )
    assert np.median(times) < 33
