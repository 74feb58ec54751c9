"""A small transformer encoder of Caffe layers: the rows of a picture are its words."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.net_spec import layers as L

#: words and their width in a picture, width between layers, heads, width of the layer between, blocks
_WORDS, _PIXELS, _WIDTH, _HEADS, _INNER, _BLOCKS = 28, 28, 64, 4, 128, 2
_HEAD = _WIDTH // _HEADS


def transformer_encoder(batch: int = 1, classes: int = 10) -> Any:
    """The encoder of Vaswani et al., arXiv 1706.03762, with normalisation behind the sums and the mean over words in front of the classes.

    Caffe has no product of two matrices of values, so Q·Kᵀ and A·V are an Eltwise product of tiled blobs and a Reduction over the last axis; layer
    normalisation is MVN over each word and a Scale.

    Parameters
    ----------
    batch, classes : int

    Returns
    -------
    NetParameter
        With the input `data`, (batch, 1, 28, 28), and the output `prob`, (batch, classes).
    """
    n = NetSpec()
    n.data = L.Input(input_param=dict(shape=dict(dim=[batch, 1, _WORDS, _PIXELS])))
    n.words = _shaped(n.data, 0, _WORDS, _PIXELS)
    n.embedded = _product(n.words, _WIDTH)
    top = n.embedded
    for i in range(1, _BLOCKS + 1):
        top = _block(n, f"block{i}", top)
    n.turned = L.Permute(top, permute_param=dict(order=[0, 2, 1]))
    n.mean = L.Reduction(n.turned, reduction_param=dict(operation="MEAN", axis=2))
    n.logits = L.InnerProduct(n.mean, inner_product_param=dict(num_output=classes))
    n.prob = L.Softmax(n.logits)
    message = n.to_proto()
    message.name = "transformer_encoder"
    return message


def _block(n: NetSpec, name: str, bottom: Top) -> Top:
    """Attention and a layer between, each with the sum and normalisation behind it."""
    attended = _attention(n, name, bottom)
    n[f"{name}_sum1"] = L.Eltwise(bottom, attended, eltwise_param=dict(operation="SUM"))
    top = _normalised(n, f"{name}_norm1", n[f"{name}_sum1"])
    n[f"{name}_inner"] = _product(top, _INNER)
    n[f"{name}_relu"] = L.ReLU(n[f"{name}_inner"], in_place=True)
    n[f"{name}_outer"] = _product(n[f"{name}_relu"], _WIDTH)
    n[f"{name}_sum2"] = L.Eltwise(top, n[f"{name}_outer"], eltwise_param=dict(operation="SUM"))
    return _normalised(n, f"{name}_norm2", n[f"{name}_sum2"])


def _attention(n: NetSpec, name: str, bottom: Top) -> Top:
    """softmax(Q Kᵀ / √d) V of every head, and the product behind their join."""
    heads = {}
    for what, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 1, 3]), ("v", [0, 2, 3, 1])):
        n[f"{name}_{what}"] = _product(bottom, _WIDTH)
        n[f"{name}_{what}_split"] = _shaped(n[f"{name}_{what}"], 0, 0, _HEADS, _HEAD)
        n[f"{name}_{what}_heads"] = L.Permute(n[f"{name}_{what}_split"], permute_param=dict(order=order))
        heads[what] = n[f"{name}_{what}_heads"]
    scores = _products(n, f"{name}_scores", _shaped(heads["q"], 0, 0, 0, 1, _HEAD), 3, _WORDS, _shaped(heads["k"], 0, 0, 1, -1, _HEAD), 2, _WORDS)
    n[f"{name}_scaled"] = L.Power(scores, power_param=dict(scale=_HEAD ** -0.5))
    n[f"{name}_weights"] = L.Softmax(n[f"{name}_scaled"], softmax_param=dict(axis=3))
    mixed = _products(n, f"{name}_mixed", _shaped(n[f"{name}_weights"], 0, 0, 0, 1, _WORDS), 3, _HEAD, _shaped(heads["v"], 0, 0, 1, -1, _WORDS), 2,
                      _WORDS)
    n[f"{name}_back"] = L.Permute(mixed, permute_param=dict(order=[0, 2, 1, 3]))
    n[f"{name}_joined"] = _shaped(n[f"{name}_back"], 0, 0, _WIDTH)
    n[f"{name}_projected"] = _product(n[f"{name}_joined"], _WIDTH)
    return n[f"{name}_projected"]


def _products(n: NetSpec, name: str, a: Top, a_axis: int, a_times: int, b: Top, b_axis: int, b_times: int) -> Top:
    """Sums over the last axis of a · b, both tiled along the axis where they have one element."""
    n[f"{name}_a"], n[f"{name}_b"] = a, b
    n[f"{name}_a_tiled"] = L.Tile(n[f"{name}_a"], tile_param=dict(axis=a_axis, tiles=a_times))
    n[f"{name}_b_tiled"] = L.Tile(n[f"{name}_b"], tile_param=dict(axis=b_axis, tiles=b_times))
    n[f"{name}_terms"] = L.Eltwise(n[f"{name}_a_tiled"], n[f"{name}_b_tiled"], eltwise_param=dict(operation="PROD"))
    n[name] = L.Reduction(n[f"{name}_terms"], reduction_param=dict(operation="SUM", axis=4))
    return n[name]


def _normalised(n: NetSpec, name: str, bottom: Top) -> Top:
    n[f"{name}_unit"] = L.MVN(bottom)
    n[f"{name}_words"] = _shaped(n[f"{name}_unit"], 0, 0, _WIDTH)  # MVN gives four axes
    n[name] = L.Scale(n[f"{name}_words"], scale_param=dict(axis=2, bias_term=True))
    return n[name]


def _product(bottom: Top, width: int) -> Top:
    return L.InnerProduct(bottom, inner_product_param=dict(num_output=width, axis=2))


def _shaped(bottom: Top, *dims: int) -> Top:
    return L.Reshape(bottom, reshape_param=dict(shape=dict(dim=list(dims))))
