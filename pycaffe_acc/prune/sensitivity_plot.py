"""A sensitivity scan as a picture."""
from __future__ import annotations

import os
from typing import Any

import numpy as np

from cnrt.whole_file import whole_file
from pycaffe_acc.prune.sensitivity import Sensitivities
from pycaffe_acc.quantize.report_plot import check_format, pyplot

_MOST_DB = 60.0  # what is better is drawn as that


def plot_sensitivities(found: Sensitivities, path: str | os.PathLike[str], title: str) -> None:
    """Draw the error of the scores for every layer and sparsity, and the layers' curves.

    Parameters
    ----------
    found : Sensitivities
    path : str or Path
        Its suffix is the format.
    title : str

    Raises
    ------
    MissingExtraError, CheckError, OSError
    """
    suffix, plt = check_format(path), pyplot()
    names = [layer.name for layer in found.layers]
    figure, (table, curves) = plt.subplots(2, 1, figsize=(max(8, 0.25 * len(names)), 9), layout="constrained")
    values = np.array([[min(max(db, 0.0), _MOST_DB) for db in layer.scores_db] for layer in found.layers]).T
    image = table.imshow(values, aspect="auto", cmap="RdYlGn", vmin=0, vmax=_MOST_DB)
    table.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    table.set_yticks(range(len(found.sparsities)), [f"{s:g}" for s in found.sparsities])
    table.set_ylabel("sparsity of the layer")
    table.set_title(f"{title}: one layer pruned by {found.method}, {found.images} images")
    figure.colorbar(image, ax=table, label="scores, signal to error in dB")
    _curves(curves, found)
    with whole_file(path) as part, part.open("wb") as out:
        figure.savefig(out, format=suffix, dpi=120)
    plt.close(figure)


def _curves(axes: Any, found: Sensitivities) -> None:
    """The most sensitive layers are named."""
    for rank, layer in enumerate(found.worst_first()):
        known = not any(np.isnan(layer.top1))
        axes.plot(found.sparsities, layer.top1 if known else [min(db, _MOST_DB) for db in layer.scores_db], marker=".",
                  label=layer.name if rank < 8 else None, alpha=1.0 if rank < 8 else 0.3)
    axes.set_xlabel("sparsity of the layer")
    axes.set_ylabel("scores, dB" if np.isnan(found.top1) else f"top-1 % (unpruned {found.top1:.2f})")
    axes.legend(fontsize=7)
