"""The latency histogram as a picture."""
from __future__ import annotations

import os

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.load.figures import Figures
from pycaffe_acc.load.scenario import HEADING
from pycaffe_acc.quantize.report_plot import check_format, pyplot


def plot_latency(figures: Figures, path: str | os.PathLike[str], title: str) -> None:
    """Draw how many queries took how long, with the percentiles and the bound.

    Parameters
    ----------
    figures : Figures
    path : str or Path
        Its suffix is the format: .png, .svg or .pdf.
    title : str

    Raises
    ------
    MissingExtraError, OSError
    CheckError
        For another suffix, or when no query was answered.
    """
    suffix, plt = check_format(path), pyplot()
    found = figures.to_dict()
    bars, what = found["histogram"], found["histogram_of"]
    if bars is None:
        raise CheckError("no query was answered, so there is no latency to draw")
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    edges = bars["edges_ms"]
    axes.bar(edges[:-1], bars["counts"], width=[b - a for a, b in zip(edges, edges[1:], strict=False)], align="edge", alpha=0.7)
    axes.set_xscale("log")
    for i, (name, value) in enumerate((k, v) for k, v in found[f"{what}_ms"].items() if k.startswith("p")):
        axes.axvline(value, color=f"C{i + 1}", linestyle="--", label=f"{name} = {value:.3f} ms")
    if figures.settings.bound_ms is not None and what == "latency":
        axes.axvline(figures.settings.bound_ms, color="black", label=f"bound = {figures.settings.bound_ms:g} ms")
    axes.set_xlabel(f"{what} of a query, ms" if what == "latency" else "service time of a batch, ms")
    axes.set_ylabel("queries")
    axes.set_title(f"{HEADING}: {title}")
    axes.legend()
    with whole_file(path) as part, part.open("wb") as out:
        figure.savefig(out, format=suffix, dpi=120)
    plt.close(figure)
