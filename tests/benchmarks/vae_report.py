"""Tables and the frontier of the second half, from the stored results."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from emvae.plotting import component_colours
from tests.benchmarks.pages import conditions, table, write_figure, write_text

Row = dict[str, Any]
SPEED_ROWS = {
    "training-128",
    "training-512",
    "subnormal-moments",
    "importance-weighted-bound",
    "aggregate-log-density",
}


def write(speed: Row, quality: Row, results: Path, pictures: Path) -> None:
    """Write what the stored results allow: what lacks rows is left as it is."""
    rows = {row["name"]: row for row in speed.get("rows", [])}
    if set(rows) >= SPEED_ROWS:
        write_text(results / "vae_speed.md", [conditions(speed), training_table(rows), bounds_sentence(rows)])
    concluded = [row for row in quality.get("rows", []) if row["role"] == "conclusion"]
    frontier = [row for row in quality.get("rows", []) if row["role"] == "frontier"]
    if concluded:
        write_text(results / "vae_quality.md", [quality_table(concluded), quality_sentence(quality)])
    if frontier:
        write_text(results / "vae_frontier.md", [frontier_table(frontier)])
        write_figure(pictures / "performance-frontier.svg", draw_frontier, frontier)


def training_table(rows: dict[str, Row]) -> str:
    """Set out images per second against the plain loops, and the share of the bare work."""
    names = list(rows["training-128"]["images_per_second"])
    head = ["trained by", *(f"batch of {size}, images/s" for size in (128, 512))]
    body = [
        [name, *(f"{rows[f'training-{size}']['images_per_second'][name]:,.0f}" for size in (128, 512))]
        for name in names
    ]
    ratios = " and ".join(f"{rows[f'training-{size}']['ratio']:.1f}" for size in (128, 512))
    shares, least = (
        " and ".join(f"{rows[f'training-{size}'][name]:.0%}" for size in (128, 512))
        for name in ("share", "share_of_least_loop")
    )
    return (
        f"{table(head, body)}\n\n`emvae` is {ratios} times as fast as the tutorial's loop with one worker. "
        "The bare matrix products of the network and the memory traffic of Adam, timed beside it, are "
        f"{shares} of its time, and {least} of the time of the least loop, which does nothing but the steps. "
        "Adam's step on moments that are subnormal numbers takes "
        f"{rows['subnormal-moments']['ratio']:.0f} times as long as on zeros."
        + "".join(
            f" {name} first compiles for {seconds:.0f} s, which is not counted."
            for name, seconds in rows["training-128"].get("compile_seconds", {}).items()
        )
    )


def bounds_sentence(rows: dict[str, Row]) -> str:
    """Say what the importance-weighted bound and the aggregate density cost."""
    bound, density = rows["importance-weighted-bound"], rows["aggregate-log-density"]
    return (
        f"The importance-weighted bound of {bound['n']:,} images with S = {bound['n_samples']:,} takes "
        f"{bound['seconds']['emvae']:.1f} s, of which bare matrix products and softplus are "
        f"{bound['share']:.0%}. The log density of {density['n']:,} points under an aggregate posterior of "
        f"{density['k']:,} Gaussians takes {density['seconds']:.1f} s and {density['peak_mb']:.0f} MB, and "
        f"`MixtureSameFamily` {density['ratio']:.0f} times as long."
    )


def quality_table(rows: list[Row]) -> str:
    """Set out what the concluding runs reached on the test bits."""
    head = ["run", "latent", "passes", "training", "-ELBO, all", "-ELBO", "-IW bound", "-ln p(x)"]
    body = [
        [
            row["name"],
            f"{row['n_latent']}-d",
            f"{row['epochs']}",
            f"{row['seconds']:.0f} s",
            f"**{row['negative_elbo']:.2f}** ± {row['standard_error']:.2f}",
            f"{row['negative_elbo_few']:.2f}",
            f"{row['negative_iw_bound_few']:.2f}",
            f"{row['negative_log_evidence_few']:.2f}" if "negative_log_evidence_few" in row else "",
        ]
        for row in rows
    ]
    return table(head, body)


def quality_sentence(study: Row) -> str:
    """Say what the columns are."""
    row = next(row for row in study["rows"] if row["role"] == "conclusion")
    where = study["conditions"]
    named = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    return (
        f"In {study['unit']} of the test set, ± one standard error over the images. The last three columns "
        f"are for the same {row['n_few']:,} test images: the ELBO, the importance-weighted bound with S = "
        f"{row['n_samples_few']:,}, and the evidence by quadrature, which is exact but for rounding and "
        "possible for a latent plane only. Binarisation is "
        f"{study['binarisation']} (seed {study['seed']}). Command: "
        f"`{study['command']}`, {where['date']}, {named}."
    )


def frontier_table(rows: list[Row]) -> str:
    """Set out nats and seconds of all that was tried, the best first."""
    head = ["variant", "hidden layers", "passes", "batch", "processor time", "-ELBO", "-IW bound"]
    body = [
        [
            row["name"],
            ", ".join(map(str, row["hidden"])),
            f"{row['epochs']}",
            f"{row['batch_size']}",
            f"{row['processor_seconds']:.0f} s",
            f"{row['negative_elbo']:.2f}",
            f"{row['negative_iw_bound_few']:.2f}",
        ]
        for row in sorted(rows, key=lambda row: row["negative_elbo"])
    ]
    return table(head, body)


def on_frontier(seconds: ArrayLike, nats: ArrayLike) -> NDArray[np.bool_]:
    """Tell which pairs no other pair beats: none is as good or better in both, and better in one."""
    time, loss = np.asarray(seconds, dtype=float), np.asarray(nats, dtype=float)
    no_worse = (time[:, None] <= time) & (loss[:, None] <= loss)
    better = (time[:, None] < time) | (loss[:, None] < loss)
    return ~(no_worse & better).any(axis=0)


def draw_frontier(axes: Axes, rows: list[Row]) -> None:
    """Draw nats against seconds, and join what no other variant beats."""
    seconds = np.array([row["processor_seconds"] for row in rows])
    nats = np.array([row["negative_elbo"] for row in rows])
    best = on_frontier(seconds, nats)
    order = np.argsort(seconds[best])
    blue = component_colours(1)[0]
    axes.plot(seconds[best][order], nats[best][order], "o-", color=blue, label="not beaten in both")
    axes.plot(seconds[~best], nats[~best], "s", color="#777777", label="beaten")
    label = partial(axes.annotate, textcoords="offset points", fontsize=7, va="center")
    for turn, i in enumerate(np.flatnonzero(best)[order]):
        label(rows[i]["name"], (seconds[i], nats[i]), xytext=(-5, (-6, -17)[turn % 2]), ha="right")
    for turn, i in enumerate(sorted(np.flatnonzero(~best), key=lambda i: seconds[i])):
        label(rows[i]["name"], (seconds[i], nats[i]), xytext=(6, (-5, 5)[turn % 2]))
    axes.set_xscale("log")
    ticks = [15, 30, 60, 120, 240]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(min(12, 0.8 * seconds.min()), 1.8 * seconds.max())
    axes.set_xlabel("seconds of processor time for training")
    axes.set_ylabel("negative ELBO held out, nats per image")
    axes.legend()
