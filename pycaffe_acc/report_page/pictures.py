"""The figures of a report as PNG and SVG, by matplotlib."""
from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import MissingExtraError

_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_RATIO = 25  # of the greatest value to the smallest, from which on an axis is logarithmic


def write_pictures(document: dict[str, Any], folder: Path) -> list[Path]:
    """Write every figure twice.

    Parameters
    ----------
    document : dict
    folder : Path
        Made if it is not there.

    Returns
    -------
    list of Path

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    OSError
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as e:
        raise MissingExtraError("figures as PNG and SVG need matplotlib: pip install 'pycaffe-acc[report]'") from e
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in document["figures"]:
        picture = Figure(figsize=_size(figure), layout="constrained")
        FigureCanvasAgg(picture)
        axes = picture.add_subplot()
        _KINDS[figure["kind"]](axes, figure)
        time = "" if figure["time"] == "none" else f" [{figure['time']}]"
        axes.set_title(_plain(figure["title"] + time), fontsize=10, loc="left")
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        axes.grid(alpha=0.25)
        axes.set_axisbelow(True)
        for ending in ("png", "svg"):
            path = folder / f"{_PLAIN.sub('_', figure['id'])}.{ending}"
            with whole_file(path) as part:
                picture.savefig(part, format=ending, dpi=150)
            written.append(path)
    return written


def _plain(text: str) -> str:
    """Text that matplotlib shows as it is: it takes dollars for formulas."""
    return text.replace("$", r"\$")


def _size(figure: dict[str, Any]) -> tuple[float, float]:
    if figure["kind"] in ("bars", "split"):
        names = len(dict.fromkeys(str(p["x"]) for s in figure["series"] for p in s["points"]))
        each = 0.22 if figure["kind"] == "split" else 0.16 * len(figure["series"]) + 0.12
        return 9.0, min(60.0, 1.6 + each * names)
    return 9.0, 4.8


def _names(figure: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(str(p["x"]) for s in figure["series"] for p in s["points"]))


def _bars(axes: Any, figure: dict[str, Any]) -> None:
    names, count = _names(figure), len(figure["series"])
    values = [p["y"] for s in figure["series"] for p in s["points"]]
    for i, series in enumerate(figure["series"]):
        at = [names.index(str(p["x"])) + (i - (count - 1) / 2) * 0.8 / count for p in series["points"]]
        axes.barh(at, [p["y"] for p in series["points"]], 0.8 / count, label=_plain(series["name"]))
    if min(values) > 0 and max(values) / min(values) > _RATIO:
        _logarithmic(axes, min(values), max(values))
    _named(axes, names, figure)


def _logarithmic(axes: Any, low: float, high: float) -> None:
    """A logarithmic x axis with plain numbers, between the powers of ten only where there are few of those."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    plain = FuncFormatter(lambda value, _: f"{value:,g}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(plain)
    axes.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.xaxis.set_minor_formatter(plain if high / low < 300 else NullFormatter())
    axes.tick_params(axis="x", which="both", labelsize=8)


def _split(axes: Any, figure: dict[str, Any]) -> None:
    names = _names(figure)
    ends = [0.0] * len(names)
    for series in figure["series"]:
        at = [names.index(str(p["x"])) for p in series["points"]]
        shares = [max(0.0, p["y"]) for p in series["points"]]
        axes.barh(at, shares, 0.75, left=[ends[i] for i in at], label=_plain(series["name"]))
        for i, share in zip(at, shares, strict=True):
            ends[i] += share
    _named(axes, names, figure)


def _named(axes: Any, names: list[str], figure: dict[str, Any]) -> None:
    axes.set_yticks(range(len(names)), [_plain(n) for n in names], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(_plain(figure["y"]), fontsize=8)


def _lines(axes: Any, figure: dict[str, Any]) -> None:
    for i, series in enumerate(figure["series"]):
        points = sorted(series["points"], key=lambda p: p["x"])
        axes.plot([p["x"] for p in points], [p["y"] for p in points], marker="o", markersize=3, label=_plain(series["name"]),
                  linestyle=("-", "--", ":")[i // 10 % 3])  # there are ten colours
    axes.set_xlabel(_plain(figure["x"]), fontsize=8)
    axes.set_ylabel(_plain(figure["y"]), fontsize=8)


def _scatter(axes: Any, figure: dict[str, Any]) -> None:
    for i, series in enumerate(figure["series"]):
        for valid, marker in ((True, "o"), (False, "x")):
            points = [p for p in series["points"] if (p.get("valid") is not False) == valid]
            axes.scatter([p["x"] for p in points], [p["y"] for p in points], marker=marker, color=f"C{i % 10}", s=24,
                         label=_plain(series["name"]) if valid else None)
    front = sorted((p for s in figure["series"] for p in s["points"] if p.get("front")), key=lambda p: p["x"])
    axes.step([p["x"] for p in front], [p["y"] for p in front], where="pre", color="0.5", linestyle="--", linewidth=1, label="front")
    values = [float(p["x"]) for s in figure["series"] for p in s["points"]]
    _logarithmic(axes, min(values), max(values))
    axes.set_xlabel(_plain(figure["x"]), fontsize=8)
    axes.set_ylabel(_plain(figure["y"]), fontsize=8)


_KINDS: dict[str, Callable[[Any, dict[str, Any]], None]] = {"bars": _bars, "split": _split, "lines": _lines, "scatter": _scatter}
