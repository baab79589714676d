"""Pictures are packed without loss, and pages name what was packed."""

from types import SimpleNamespace

import numpy as np
import pictures
import pytest
from PIL import Image

PAGE = '<img src="../_images/{0}.{1}"><a href="../_images/small.png"></a><img src="../_static/large.png">'


def drawing(alpha):
    """Return a picture like a plot: few colours, many equal rows; half of it transparent on request."""
    pixels = np.full((400, 600, 4), 255, dtype=np.uint8)
    pixels[100:300, 50:550, 0] = np.arange(500) // 3
    pixels[:200, :, 3] = alpha
    return pixels


@pytest.mark.parametrize("alpha", [255, 0, 128])
def test_the_pixels_are_the_same(tmp_path, alpha):
    path = tmp_path / "a.png"
    pixels = drawing(alpha)
    Image.fromarray(pixels).save(path)
    size = path.stat().st_size
    pictures.pack(path)
    assert not path.exists()
    assert (tmp_path / "a.webp").stat().st_size < size
    with Image.open(tmp_path / "a.webp") as packed:
        read = np.asarray(packed.convert("RGBA"))
    seen = pixels[..., 3] > 0
    assert np.array_equal(read[seen], pixels[seen])
    assert np.array_equal(read[..., 3], pixels[..., 3])


def test_pages_name_what_was_packed_and_nothing_else(tmp_path):
    (tmp_path / "_images").mkdir()
    (tmp_path / "book").mkdir()
    noise = np.random.default_rng(0).integers(0, 4, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "_images/large.png", compress_level=0)
    Image.fromarray(noise[:9, :9]).save(tmp_path / "_images/small.png")
    page = tmp_path / "book" / "a.html"
    page.write_text(PAGE.format("large", "png"))
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path)
    pictures.pack_pictures(app, None)
    assert page.read_text() == PAGE.format("large", "webp")
    assert sorted(path.name for path in (tmp_path / "_images").iterdir()) == ["large.webp", "small.png"]
