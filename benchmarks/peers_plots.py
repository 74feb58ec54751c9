"""Pictures of the results of `peers.py`: ratios, and where each layer lies under the roofline."""
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
from peers_tables import PEERS, TITLES, own, precision, ratio, rows, settings

from cnrt.whole_file import whole_file

mpl.use("Agg")
from matplotlib import pyplot as plt

STYLE = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.grid": True,
         "grid.color": "#e4e4e4", "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False, "svg.hashsalt": "peers"}
COLOURS = {"openvino": "#0068b5", "onnxruntime": "#d1752c", "opencv": "#5b9a3f", "ours_fp16": "#7d4fa1", "ours_fp32": "#7d4fa1"}
MARKS = {"openvino": "o", "onnxruntime": "s", "opencv": "^", "ours_fp16": "D", "ours_fp32": "D"}
GROUPS = {"winograd": "#b8336a", "convolution": "#0068b5", "product": "#d1752c", "other": "#8a8a8a"}
GROUP_TITLES = {"winograd": "convolution, Winograd", "convolution": "convolution, direct", "product": "InnerProduct", "other": "other"}


def save(figure: Any, path: Path) -> None:
    """Write a picture whole."""
    with whole_file(path) as part:
        figure.savefig(part, format=path.suffix[1:], dpi=110, metadata={"Software": None} if path.suffix == ".png" else None)
    plt.close(figure)


def plot_ratios(document: dict[str, Any], path: Path) -> None:
    """Each engine's time by ours, a panel a setting.

    Parameters
    ----------
    document : dict
        Of `peers.py`.
    path : Path
        .png or .svg.
    """
    panels = settings(document)
    columns = min(2, len(panels))
    lines = math.ceil(len(panels) / columns)
    with plt.rc_context(STYLE):
        most = max(len(rows(document, *p)) for p in panels)
        figure, axes = plt.subplots(lines, columns, figsize=(5 * columns, lines * (1.1 + 0.24 * most)), sharex=True, squeeze=False,
                                    layout="constrained")
        for axis in axes.flat[len(panels):]:
            axis.set_visible(False)
        every = [r for p in panels for _, s in rows(document, *p) for e in MARKS if (r := ratio(s, e)) is not None]
        for axis, (threads, batch) in zip(axes.flat, panels, strict=False):
            axis.set_xlim(0.9 * min(every), 1.1 * max(every))
            _ratio_panel(axis, rows(document, threads, batch), own(document), f"{threads} thread{'s' * (threads > 1)}, batch {batch}")
        for axis in axes[-1]:
            axis.set_xlabel(f"time by ours in {precision(document)} (right of 1: slower than ours)")
        marks = {e: m for axis in axes.flat for m, e in zip(*axis.get_legend_handles_labels(), strict=True)}
        figure.legend(marks.values(), marks.keys(), loc="outside upper center", ncols=4)
        save(figure, path)


def _ratio_panel(axis: Any, pairs: list[Any], other: str, title: str) -> None:
    for engine in (*PEERS, other):
        points = [(r, y) for y, (_, s) in enumerate(pairs) if (r := ratio(s, engine)) is not None]
        if points:
            axis.scatter(*zip(*points, strict=True), s=22, marker=MARKS[engine], color=COLOURS[engine], label=TITLES[engine], zorder=3, alpha=0.9)
    axis.axvline(1, color="#333333", linewidth=1)
    axis.set_xscale("log", base=2)
    axis.set_xticks([0.5, 0.7, 1, 1.5, 2, 3, 4, 6, 8])
    axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    axis.set_yticks(range(len(pairs)), [n["network"] for n, _ in pairs])
    axis.set_ylim(len(pairs) - 0.5, -0.5)
    axis.set_title(title, loc="left")


def group_of(row: dict[str, Any]) -> str:
    """How a layer is coloured."""
    if row["kind"] in ("Convolution", "Deconvolution", "SeparableConvolution"):
        return "winograd" if row["note"].startswith("winograd") else "convolution"
    return "product" if row["kind"] == "InnerProduct" else "other"


def roofline_points(network: dict[str, Any]) -> list[tuple[float, float, float, str]]:
    """(operations a byte, GFLOP/s, share of the time, group) of every layer with multiply-adds."""
    total = sum(r["ms"] for r in network["layers"])
    return [(2 * r["macs"] / r["bytes"], 2e-6 * r["macs"] / r["ms"], r["ms"] / total, group_of(r)) for r in network["layers"]
            if r["macs"] and r["bytes"] and r["ms"] > 0]


def plot_rooflines(document: dict[str, Any], path: Path) -> None:
    """A panel a network: GFLOP/s over operations a byte of each layer at one thread, batch 1, under the two measured limits.

    Parameters
    ----------
    document : dict
        Of `peers.py`.
    path : Path
        .png or .svg.
    """
    networks = document["networks"]
    columns = min(4, len(networks))
    lines = math.ceil(len(networks) / columns)
    points = {n["network"]: roofline_points(n) for n in networks}
    every = [p for found in points.values() for p in found]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(lines, columns, figsize=(2.9 * columns, 0.5 + 2.1 * lines), sharex=True, sharey=True, squeeze=False,
                                    layout="constrained")
        for axis in axes.flat[len(networks):]:
            axis.set_visible(False)
        left, right = 0.7 * min(p[0] for p in every), 1.5 * max(p[0] for p in every)
        low, high = min(p[1] for p in every), max(p[1] for p in every)
        for axis, n in zip(axes.flat, networks, strict=False):
            limit, slope = n["limit_gflops"], n["memory_gbytes"]
            axis.plot([left, limit / slope, max(right, limit / slope)], [left * slope, limit, limit], color="#333333", linewidth=1)
            for group, colour in GROUPS.items():
                chosen = [p for p in points[n["network"]] if p[3] == group]
                if chosen:
                    x, y, share, _ = zip(*chosen, strict=True)
                    axis.scatter(x, y, s=[6 + 250 * v for v in share], color=colour, alpha=0.55, linewidth=0, label=GROUP_TITLES[group], zorder=3)
            axis.set(xscale="log", yscale="log", ylim=(max(0.7 * low, 1), 1.6 * high))
            axis.set_title(n["network"], loc="left")
        for axis in axes[-1]:
            axis.set_xlabel("operations a byte")
        for line in axes:
            line[0].set_ylabel("GFLOP/s")
        marks = {title: mark for axis in axes.flat for mark, title in zip(*axis.get_legend_handles_labels(), strict=True)}
        legend = figure.legend(marks.values(), marks.keys(), loc="outside upper center", ncols=4)
        for handle in legend.legend_handles:
            handle.set_sizes([30])
        save(figure, path)
