"""Images in the plane: each stands at its two features, in the colour of its responsibilities."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray


def plot_images_in_plane(
    ax: Axes,
    points: NDArray[np.float64],
    images: NDArray[np.float64],
    colours: NDArray[np.float64],
    *,
    extent: tuple[float, float, float, float],
    spacing: float = 0.055,
    zoom: float = 0.62,
) -> NDArray[np.intp]:
    """Set small images (N, H, W), ink from 0 to 1, at their points (N, 2) in colours (N, 3).

    ``extent`` is (left, right, bottom, top); images outside are left out, and so is each image that would
    stand nearer than ``spacing`` times the extent to one that comes before it. Returned are the indices of
    those drawn.
    """
    left, right, bottom, top = extent
    relative = (points - [left, bottom]) / [right - left, top - bottom]
    drawn: list[int] = []
    for n in np.flatnonzero(((relative > 0.02) & (relative < 0.98)).all(axis=1)):
        if drawn and np.abs(relative[drawn] - relative[n]).max(axis=1).min() < spacing:
            continue
        drawn.append(int(n))
        picture = np.empty((*images[n].shape, 4))
        picture[..., :3] = colours[n]
        picture[..., 3] = images[n]
        ax.add_artist(AnnotationBbox(OffsetImage(picture, zoom=zoom), tuple(points[n]), frameon=False, pad=0))
    ax.set(xlim=(left, right), ylim=(bottom, top))
    return np.array(drawn, dtype=np.intp)
