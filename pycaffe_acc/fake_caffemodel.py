"""Seeded weights for a net whose trained ones are not at hand: the same on every machine, and of sizes that keep activations finite."""
from __future__ import annotations

import math
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net

#: the factor that BatchNorm's mean and variance are stored with
FACTOR = 2.0
_WEIGHTED = ("Convolution", "Deconvolution", "InnerProduct")


def seeded_blob(key: str, layer: str, kind: str, index: int, shape: tuple[int, ...], gain: float = 1.0) -> np.ndarray:
    """The values of one weight blob.

    One generator a blob, seeded with the CRC-32 of "key|layer|index", so that no blob depends on another. Convolution, Deconvolution and
    InnerProduct: weights normal with deviation sqrt(2 / fan-in) times gain, biases normal with deviation 0.1. BatchNorm: mean 0.1 · normal and
    variance uniform in 0.5..1.5, both times the stored factor 2. Scale: factor uniform in 0.5..1, offset 0.1 · normal. Blobs of other layers:
    slopes (PReLU) uniform in 0..0.5, factors (Normalize) as Scale's, those with several axes as weights, those with one as biases.

    Parameters
    ----------
    key, layer, kind : str
        Of the net; the layer's name and type.
    index : int
        Of the blob.
    shape : tuple of int
    gain : float
        Factor of the weights.

    Returns
    -------
    float32 ndarray of `shape`
    """
    rng = np.random.RandomState(zlib.crc32(f"{key}|{layer}|{index}".encode()))
    n = math.prod(shape)
    factor = kind in ("Scale", "Normalize") and index == 0 or kind == "BatchNorm" and index == 3
    if kind == "BatchNorm" and index == 0:
        values = rng.standard_normal(n) * 0.1 * FACTOR
    elif kind == "BatchNorm" and index == 1:
        values = (rng.random_sample(n) + 0.5) * FACTOR
    elif kind == "BatchNorm" and index == 2:
        values = np.full(n, FACTOR)
    elif factor:
        values = rng.random_sample(n) * 0.5 + 0.5
    elif kind == "PReLU":
        values = rng.random_sample(n) * 0.5
    elif n and (len(shape) > 1 or kind in _WEIGHTED and index == 0):
        values = rng.standard_normal(n) * (math.sqrt(2.0 / (n // shape[0])) * (gain if index == 0 else 1.0))
    else:
        values = rng.standard_normal(n) * 0.1
    return values.astype(np.float32).reshape(shape)


def fill_fake(net: Net, seed: int = 0, key: str | None = None, gains: Mapping[str, float] | None = None) -> None:
    """Give every layer of a net its seeded weights; a blob that layers share has those of the first.

    Parameters
    ----------
    net : Net
    seed : int
        Other seeds give other weights.
    key : str, optional
        Stands for the net in the generators' seeds; default: the net's name.
    gains : mapping of str to float, optional
        Layer → factor of its weights (a classifier's, so that its logits have a useful range).

    Raises
    ------
    CheckError
        For a gain of a layer without weights.
    """
    gains = gains or {}
    for name in gains:
        if name not in net.params:
            raise CheckError(f"gain {gains[name]} is for a layer '{name}', which the net '{net.name}' does not have or which has no weights")
    text = (net.name if key is None else key) + (f"#{seed}" if seed else "")
    done: set[int] = set()
    for name, blobs in net.params.items():
        for index, blob in enumerate(blobs):
            address = blob.data.__array_interface__["data"][0]
            if address not in done:
                done.add(address)
                blob.data[...] = seeded_blob(text, name, net.layer_dict[name].type, index, tuple(blob.shape), gains.get(name, 1.0))


def create_fake_caffemodel(model: str | os.PathLike[str] | Any, out: str | os.PathLike[str], seed: int = 0, key: str | None = None,
                           gains: Mapping[str, float] | None = None) -> Path:
    """Write a .caffemodel with seeded weights for a net.

    Parameters
    ----------
    model : str, Path or NetParameter
        The net.
    out : str or Path
        Written whole or not at all.
    seed, key, gains
        See `fill_fake`.

    Returns
    -------
    pathlib.Path
        `out`.

    Raises
    ------
    CaffeError, OSError
    """
    net = Net(model if hasattr(model, "DESCRIPTOR") else str(model), TEST)
    fill_fake(net, seed, key, gains)
    net.save(Path(out))
    return Path(out)
