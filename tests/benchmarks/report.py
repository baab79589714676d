"""Tables and figures of the book from the stored results: nothing here measures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from emvae.plotting import component_colours, use_style
from tests.benchmarks import store, vae_report
from tests.benchmarks.pages import conditions, table, write_figure, write_text

PICTURES = Path(__file__).parents[2] / "book" / "_static"
LABELS = {"gaussian": "Gaussians", "bernoulli": "Bernoullis"}


def write(results: Path, pictures: Path) -> None:
    """Write what the stored results allow: a table or figure whose results lack is left as it is."""
    use_style()
    mpl.rcParams["svg.hashsalt"] = "emvae"  # the same results give the same file
    speed, memory, growth, disk, mnist, vae_speed, vae_quality = (
        store.read(results / f"{name}.json")
        for name in (
            "speed",
            "memory",
            "growth",
            "out_of_core",
            "bernoulli_k500",
            "vae_speed",
            "vae_quality",
        )
    )
    if speed:
        texts = [conditions(speed), speed_table(speed["rows"]), bound_table(speed)]
        write_text(results / "speed.md", texts)
        write_text(results / "guard.md", [guard_sentence(speed["rows"])])
        write_figure(pictures / "performance-bound.svg", draw_bound, speed["rows"])
    if memory:
        write_text(results / "memory.md", [memory_table(memory["rows"])])
    if growth.get("fits"):
        write_text(results / "growth.md", [growth_sentence(growth)])
        write_figure(pictures / "performance-time.svg", draw_time, growth)
        write_figure(pictures / "performance-memory.svg", draw_memory, growth["rows"])
        write_figure(pictures / "performance-components.svg", draw_components, growth)
    if disk:
        write_text(results / "out_of_core.md", [out_of_core_sentence(row) for row in disk["rows"]])
    if mnist.get("rows"):
        write_text(results / "bernoulli_k500.md", [mnist_table(mnist), mnist_sentence(mnist)])
    vae_report.write(vae_speed, vae_quality, results, pictures)


# Tables and sentences.


def speed_table(rows: list[dict[str, Any]]) -> str:
    """Set out times per iteration against the peers."""
    return table(
        ["mixture of", "N, D, K", "emvae", "peer", "peer's time", "ratio", "promised"],
        [
            [
                _family(row),
                _size(row),
                _milliseconds(row["seconds"]),
                f"{row['peer']} {row['peer_version']}".replace("-", "\u2011").replace(" ", "\u00a0"),
                _milliseconds(row["peer_seconds"]),
                f"**{row['ratio']:.1f}**",
                f"{row['at_least']:g}" if row["at_least"] else "",
            ]
            for row in rows
        ],
    )


def bound_table(study: dict[str, Any]) -> str:
    """Set out how much of the time no implementation of this form can save."""
    rates = study["peak_rates"]
    shares = table(
        ["mixture of", "N, D, K", "emvae", "bare products", "bare exp", "products' share", "share of both"],
        [
            [
                _family(row),
                _size(row),
                _milliseconds(row["seconds"]),
                _milliseconds(row["products_seconds"]),
                _milliseconds(row["exponentials_seconds"]),
                f"{row['product_share']:.0%}",
                f"**{row['bound_share']:.0%}**",
            ]
            for row in study["rows"]
        ],
    )
    return (
        f"{shares}\n\nFor scale: on large square matrices the two cores do "
        f"{rates['float64_gflops']:.0f} GFLOP/s in float64 and {rates['float32_gflops']:.0f} in float32, and "
        f"they take {rates['exponentials_per_second'] * 1e-6:.0f} million exponentials per second."
    )


def guard_sentence(rows: list[dict[str, Any]]) -> str:
    """Say what the accurate path costs."""
    rows = [row for row in rows if row.get("accurate_seconds")]
    slower = [row["accurate_seconds"] / row["seconds"] for row in rows]
    against_peer = [row["peer_seconds"] / row["accurate_seconds"] for row in rows]
    return (
        f"With the guard shut by force, iterations of the Gaussian rows below took {min(slower):.1f} to "
        f"{max(slower):.1f} times as long, and scikit-learn {min(against_peer):.1f} to "
        f"{max(against_peer):.1f} times as long as that."
    )


def memory_table(rows: list[dict[str, Any]]) -> str:
    """Set out peak memory beyond the data."""
    return table(
        ["mixture of", "N, D, K", "data", "emvae, beyond", "peer", "peer's data", "peer, beyond"],
        [
            [
                _family(row),
                _size(row),
                _megabytes(row["data_mb"]),
                _megabytes(row["peak_mb"]),
                row["peer"].replace("-", "\u2011"),
                _megabytes(row["peer_data_mb"]),
                _megabytes(row["peer_peak_mb"]),
            ]
            for row in rows
        ],
    )


def growth_sentence(study: dict[str, Any]) -> str:
    """Say how near to linear the growth is."""
    by_n, by_k = study["fits"]["n"], study["fits"]["k"]
    ours = [row for row in study["rows"] if row["contender"] == "emvae" and row["axis"] == "n"]
    largest = max(ours, key=lambda row: row["n"])
    return (
        f"A straight line fits the time of an iteration with {1e3 * by_n['constant_seconds']:.2f} ms and "
        f"{1e9 * by_n['seconds_per_unit']:.0f} ns per datum (D = {study['d']}, K = {largest['k']}); over the "
        f"larger half of the sizes the time grows as N to the power {by_n['exponent']:.2f}. With N fixed at "
        f"{_fixed_n(study):,}, it is {1e3 * by_k['constant_seconds']:.1f} ms and "
        f"{1e3 * by_k['seconds_per_unit']:.2f} ms per component. At N = {largest['n']:,} the data take "
        f"{largest['data_mb']:.0f} MB, and the fit {largest['peak_mb']:.0f} MB beyond them."
    )


def _fixed_n(study: dict[str, Any]) -> int:
    return next(int(row["n"]) for row in study["rows"] if row["axis"] == "k")


def out_of_core_sentence(row: dict[str, Any]) -> str:
    """Say what a process with a memory limit did with a file that does not fit in it."""
    limit = "had no limit on this system and"
    if row["limit_mb"]:
        refused = "refused" if row["copy_refused"] else "not refused"
        limit = (
            f"was allowed {row['limit_mb']:.0f} MB of private memory by the kernel (a copy of the data was "
            f"{refused}) and"
        )
    private = row["peak_private_mb"]
    used = f" used at most {private:.0f} MB of it" if private is not None else " did not tell what it used"
    same = "the same log likelihood" if row["relative_disagreement"] < 1e-12 else "different log likelihoods"
    return (
        f"A file of N = {row['n']:,} data of {row['d']} features, {row['file_mb']:.0f} MB, was opened as a "
        f"memory map and fitted with K = {row['k']} by a process that {limit}{used}. An iteration took "
        f"{row['seconds']:.2f} s on average, the first one from the disk, against "
        f"{row['loaded_seconds']:.2f} s with the data loaded; both reached {same} ({row['date']})."
    )


def mnist_table(study: dict[str, Any]) -> str:
    """Set out log likelihoods per image for each K."""
    return table(
        ["K", "chosen by validation", "iterations", "train", "validation", "test", "time of the refit"],
        [
            [
                str(row["n_components"]),
                _candidate(row),
                str(row["n_iter"]),
                f"{row['train_log_likelihood']:.2f}",
                f"{row['validation_log_likelihood']:.2f}",
                f"**{row['test_log_likelihood']:.2f}** ± {row['test_standard_error']:.2f}",
                f"{row['seconds']:.0f} s",
            ]
            for row in sorted(study["rows"], key=lambda row: row["n_components"])
        ],
    )


def _candidate(row: dict[str, Any]) -> str:
    return f"{row['pseudo_count']:g} pseudo-counts" if row["pseudo_count"] else f"floor {row['min_prob']:g}"


def mnist_sentence(study: dict[str, Any]) -> str:
    """Say where the numbers come from."""
    where = study["conditions"]
    largest = max(row["n_components"] for row in study["rows"])
    fits = [fit for fit in study["fits"] if fit["n_components"] == largest]
    held_out = [fit["validation_log_likelihood"] for fit in fits]
    named = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    return (
        f"In {study['unit']}, ± one standard error over the test images; {study['binarisation']} (seed "
        f"{study['seed']}). For K = {largest} the candidates reached from {min(held_out):.1f} to "
        f"{max(held_out):.1f} on the held-out images. Times are those of a busy machine. "
        f"Command: `{study['command']}`, {where['date']}, {named}."
    )


def _family(row: dict[str, Any]) -> str:
    return LABELS[row["family"]] + (", float32" if row["dtype"] == "float32" else "")


def _size(row: dict[str, Any]) -> str:
    return f"{row['n']:,},\u00a0{row['d']},\u00a0{row['k']}"


def _milliseconds(seconds: float) -> str:
    digits = max(1 - int(np.floor(np.log10(max(1e3 * seconds, 1e-3)))), 0)
    return f"{1e3 * seconds:.{digits}f}\u00a0ms"


def _megabytes(megabytes: float) -> str:
    return f"{megabytes:.0f}\u00a0MB" if megabytes >= 10 else f"{megabytes:.1f}\u00a0MB"


# Figures.


def draw_bound(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """Split the time of each row into matrix products, exponentials and the rest."""
    parts = {
        "matrix products": np.array([row["products_seconds"] / row["seconds"] for row in rows]),
        "exponentials": np.array([row["exponentials_seconds"] / row["seconds"] for row in rows]),
    }
    parts["all else"] = np.maximum(1 - sum(parts.values()), 0)
    left, y = np.zeros(len(rows)), np.arange(len(rows))
    looks = zip(component_colours(3), ("", "//", ".."), strict=True)
    for (name, share), (colour, hatch) in zip(parts.items(), looks, strict=True):
        axes.barh(y, share, left=left, color=colour, hatch=hatch, edgecolor="white", label=name)
        left = left + share
    axes.set_yticks(y, [f"{_family(row)}\n{_size(row)}" for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("share of the time of an iteration")
    axes.set_xlim(0, 1.02)
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))


def draw_time(axes: Axes, study: dict[str, Any]) -> None:
    """Draw time per iteration against N, with the straight line."""
    for contender, rows, look in _by_contender(study["rows"]):
        n = [row["n"] for row in rows]
        axes.loglog(n, [row["seconds"] for row in rows], linestyle="none", label=contender, **look)
        if contender == "emvae":
            _draw_line(axes, study["fits"]["n"], n, "a + b N")
    axes.set_xlabel("number of data N")
    axes.set_ylabel("seconds per iteration")
    axes.legend()


def draw_memory(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """Draw peak memory beyond the data against N, beside the data themselves."""
    for contender, own, look in _by_contender(rows):
        n = [row["n"] for row in own]
        axes.loglog(n, [max(row["peak_mb"], 0.1) for row in own], label=contender, **look)
    sizes = sorted({(row["n"], row["data_mb"]) for row in rows if row["axis"] == "n"})
    axes.loglog(*np.transpose(sizes), "--", color="#444444", linewidth=1, label="the data themselves")
    axes.set_xlabel("number of data N")
    axes.set_ylabel("MB beyond the data")
    axes.legend()


def draw_components(axes: Axes, study: dict[str, Any]) -> None:
    """Draw time per iteration against K, with the straight line."""
    rows = sorted((row for row in study["rows"] if row["axis"] == "k"), key=lambda row: row["k"])
    k = [row["k"] for row in rows]
    axes.loglog(k, [row["seconds"] for row in rows], "o", color=component_colours(1)[0], label="emvae")
    _draw_line(axes, study["fits"]["k"], k, "a + b K")
    axes.set_xlabel("number of components K")
    axes.set_ylabel("seconds per iteration")
    axes.legend()


def _draw_line(axes: Axes, fit: dict[str, float], sizes: list[float], label: str) -> None:
    size = np.geomspace(min(sizes), max(sizes))
    line = fit["constant_seconds"] + fit["seconds_per_unit"] * size
    axes.loglog(size, line, color="#444444", linewidth=1, label=label, zorder=0)


def _by_contender(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]], dict[str, Any]]]:
    """Yield contenders with their rows in order of N, and how to draw them."""
    for contender, colour, marker in zip(("emvae", "scikit-learn"), component_colours(2), "os", strict=True):
        own = [row for row in rows if row["axis"] == "n" and row["contender"] == contender]
        yield contender, sorted(own, key=lambda row: row["n"]), {"color": colour, "marker": marker}
