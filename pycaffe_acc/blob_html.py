"""How a notebook shows a blob: shape, statistics, and a picture of what looks like one."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.html_parts import html_block, html_picture, html_table, html_text

#: planes in a picture, and the most pixels on a side of it
_PLANES, _SIDE = 16, 512
_NUMBERS = 8


def blob_html(kind: str, name: str, values: np.ndarray) -> str:
    """A blob as HTML.

    Parameters
    ----------
    kind : str
        What it is called: Blob, ParameterBlob.
    name : str
        Escaped.
    values : ndarray of float32
    """
    shape = " x ".join(map(str, values.shape)) or "scalar"
    title = f"{kind} '{name}': {shape}, {values.dtype}"
    if not values.size:
        return html_block(title, html_text("holds nothing"))
    good = values[np.isfinite(values)].astype(np.float64)
    numbers = ["-"] * 4 if not good.size else [f"{v:.6g}" for v in (good.min(), good.max(), good.mean(), good.std())]
    row = [values.size, *numbers, f"{100 * np.count_nonzero(values == 0) / values.size:.1f} %", int(np.isnan(values).sum()),
           int(np.isinf(values).sum())]
    first = ", ".join(f"{v:.6g}" for v in values.ravel()[:_NUMBERS]) + (", …" if values.size > _NUMBERS else "")
    return html_block(title, html_table(("values", "least", "largest", "mean", "deviation", "zeros", "NaN", "infinite"), [row], left=0),
                      html_text(f"begins with {first}"), _picture(values))


def _picture(values: np.ndarray) -> str:
    """The first item's planes side by side, each stretched from its least value (black) to its largest (white)."""
    if values.ndim != 4 or min(values.shape[2:]) < 3 or not values.shape[1]:
        return ""
    step = max(1, -(-max(values.shape[2:]) // _SIDE))
    planes = [_gray(p) for p in values[0, :_PLANES, ::step, ::step]]
    columns = max(1, min(len(planes), int(np.ceil(np.sqrt(len(planes)))), 2 * _SIDE // planes[0].shape[1]))
    planes += [np.full_like(planes[0], 255)] * (-len(planes) % columns)
    rows = [np.hstack([np.pad(p, 1, constant_values=255) for p in planes[i:i + columns]]) for i in range(0, len(planes), columns)]
    shown = f"item 0, channels 0 to {min(_PLANES, values.shape[1]) - 1} of {values.shape[1]}, each from its least value to its largest"
    return html_text(shown) + html_picture(np.vstack(rows), shown)


def _gray(plane: np.ndarray) -> np.ndarray:
    finite = np.where(np.isfinite(plane), plane, np.nan).astype(np.float64)
    if np.isnan(finite).all():
        return np.zeros(plane.shape, np.uint8)
    low, high = np.nanmin(finite), np.nanmax(finite)
    return np.nan_to_num((finite - low) * (255 / (high - low if high > low else 1.0))).round().astype(np.uint8)
