"""Pictures of the results of `sparse.py`: how much faster the convolutions of a net are, over the share of zeros."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from peers_plots import STYLE, plt, save

#: column of the sums → what it is called, colour
CURVES = {"sparse_to_direct": ("sparse, to dense direct", "#d1752c"), "chosen_to_dense": ("as chosen, to the best dense (Winograd)", "#0068b5")}


def plot_sparse(document: list[dict[str, Any]], path: Path) -> None:
    """A panel for each net.

    Parameters
    ----------
    document : list of dict
        Of `sparse.py`.
    path : Path
        .png or .svg.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(document), figsize=(4.6 * len(document), 3.2), squeeze=False, layout="constrained")
        for axis, found in zip(axes[0], document, strict=True):
            zeros = [100 * s["zeros"] for s in found["sums"]]
            for key, (title, colour) in CURVES.items():
                axis.plot(zeros, [s[key] for s in found["sums"]], marker="o", markersize=3, linewidth=1.2, color=colour, label=title)
            axis.axhline(1.0, color="#333333", linewidth=0.8)
            axis.set_title(f"{found['net']}, {found['precision']}")
            axis.set_xlabel("zeros in the weights, %")
            axis.set_yscale("log", base=2)
            axis.yaxis.set_major_formatter(lambda y, _: f"{y:g}x")
        axes[0][0].set_ylabel("times as fast")
        axes[0][0].legend()
        save(figure, path)
