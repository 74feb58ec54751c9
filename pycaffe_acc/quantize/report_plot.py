"""The quantization report as a picture."""
from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.quantize.report import LayerReport, NetReport, finite_db

FORMATS = ("png", "svg", "pdf")
_WORST = 20  # bars
_MOST_DB = 60.0  # what is better is drawn as that


def pyplot() -> Any:
    """matplotlib's figures without a window.

    Raises
    ------
    MissingExtraError
    """
    try:
        importlib.import_module("matplotlib").use("agg")
        return importlib.import_module("matplotlib.pyplot")
    except ImportError as e:
        raise MissingExtraError("drawing the report needs matplotlib: pip install 'pycaffe-acc[report]', or leave --plot out") from e


def check_format(path: str | os.PathLike[str]) -> str:
    """The format that a file's name asks for.

    Raises
    ------
    CheckError
    """
    suffix = Path(path).suffix[1:].lower()
    if suffix not in FORMATS:
        raise CheckError(f"the plot '{os.fspath(path)}' must end with one of {', '.join('.' + f for f in FORMATS)}")
    return suffix


def plot_report(report: NetReport, path: str | os.PathLike[str], title: str) -> None:
    """Draw errors along the net, and the layers that matter most.

    Parameters
    ----------
    report : NetReport
    path : str or Path
        Its suffix is the format.
    title : str

    Raises
    ------
    MissingExtraError, CheckError, OSError
    """
    suffix, plt = check_format(path), pyplot()
    rows = {row.name: row for row in report.layers}
    ordered = [rows[name] for name in report.order]
    figure, (along, worst) = plt.subplots(2, 1, figsize=(max(8, 0.22 * len(ordered)), 9), layout="constrained")
    places = range(len(ordered))
    for label, values, style in (("weights", [r.weights_db for r in ordered], ":"), ("layer alone", [r.alone_db for r in ordered], "-"),
                                 ("with all before it", [r.cumulative_db for r in ordered], "--")):
        along.plot(places, [finite_db(v, _MOST_DB) for v in values], style, marker=".", label=label)
    along.set_xticks(places, [r.name for r in ordered], rotation=90, fontsize=6)
    along.set_ylabel("signal to quantization noise, dB")
    along.set_title(f"{title}: {report.images} images, {report.changed} answers changed")
    along.legend()
    _bars(worst, report.layers[:_WORST])
    with whole_file(path) as part, part.open("wb") as out:
        figure.savefig(out, format=suffix, dpi=120)
    plt.close(figure)


def _bars(axes: Any, rows: tuple[LayerReport, ...]) -> None:
    """The worst layers on top; longer bars are worse."""
    shown = rows[::-1]
    axes.barh(range(len(shown)), [-finite_db(r.scores_db, _MOST_DB) for r in shown], left=_MOST_DB)
    axes.set_xlim(0, _MOST_DB)
    axes.set_yticks(range(len(shown)), [f"{r.name} ({r.changed} changed, {r.saturated_percent:.2g} % clipped)" for r in shown], fontsize=7)
    axes.set_xlabel("signal to noise of the net's scores with this layer alone in INT8, dB (longer bars are worse)")
