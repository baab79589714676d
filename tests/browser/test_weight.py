"""Pages are light and quick: what a first visit loads, when something is seen, when all stands still."""

from pathlib import PurePosixPath

MEGABYTE = 1_000_000
OWN, FIRST_VISIT = 1.5 * MEGABYTE, 4 * MEGABYTE
# On two idle cores something is seen within a second, and all within four. Tests share their machine.
SLACK = 3
FIRST_SEEN, COMPLETE = SLACK * 1000, SLACK * 4000  # milliseconds


def is_own(path):
    """Tell a page's own files (HTML, pictures, live figures, weights) from those that all pages share."""
    file = PurePosixPath(path)
    return file.suffix in {".html", ".png", ".webp", ".svg"} or "live" in file.parts


def test_a_page_is_light(visit):
    sizes = visit.record.sizes
    assert 0 < sum(size for path, size in sizes.items() if is_own(path)) < OWN
    assert 0.5 * MEGABYTE < sum(sizes.values()) < FIRST_VISIT


def test_a_page_is_quick_and_stands_still(visit):
    assert 0 < visit.times["first"] < FIRST_SEEN
    assert visit.times["first"] <= visit.times["complete"] < COMPLETE
    assert 0 <= visit.times["shift"] < 0.1
