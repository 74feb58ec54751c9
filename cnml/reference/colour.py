"""Planar video pixels (YUV 4:2:0, chroma interleaved) as RGB."""
from __future__ import annotations

import numpy as np

#: channels of the four-channel forms; "0" is zero, "A" is 255
FORMS = {"RGB0": "RGB0", "BGR0": "BGR0", "ARGB": "ARGB"}


def yuv_to_rgb(x: np.ndarray, swapped: bool, form: str) -> np.ndarray:
    """BT.601 in the range of video (Y 16..235): R = 1.164 (Y - 16) + 1.596 (V - 128) and so on, halves up, held in 0..255.

    Computed in thousandths, which are exact for whole numbers.

    Parameters
    ----------
    x : (N, 1, 3 H / 2, W) ndarray
        H rows of Y, then H / 2 rows of pairs (U, V) for 2 x 2 pixels each.
    swapped : bool
        Pairs are (V, U): NV21.
    form : {"RGB0", "BGR0", "ARGB"}

    Returns
    -------
    (N, 4, H, W) float64 ndarray of whole numbers
    """
    n, _, rows, width = x.shape
    height = rows * 2 // 3
    data = np.asarray(x, np.float64)[:, 0]
    luma = 1164 * (data[:, :height] - 16)
    pairs = data[:, height:].reshape(n, height // 2, width // 2, 2)
    u, v = (pairs[..., i].repeat(2, axis=1).repeat(2, axis=2) - 128 for i in ((1, 0) if swapped else (0, 1)))
    planes = {"R": luma + 1596 * v, "G": luma - 813 * v - 391 * u, "B": luma + 2018 * u}
    planes.update({"0": np.zeros_like(luma), "A": np.full_like(luma, 255_000)})
    return np.stack([np.clip(np.floor((planes[c] + 500) / 1000), 0, 255) for c in FORMS[form]], axis=1)


def yuv_to_gray(x: np.ndarray) -> np.ndarray:
    """The rows of Y: (N, 1, 3 H / 2, W) becomes (N, 1, H, W)."""
    return x[:, :, :x.shape[2] * 2 // 3]
