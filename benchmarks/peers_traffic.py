"""How many bytes a group of fused layers must move at least."""
from __future__ import annotations

import pycaffe_acc as caffe


def traffic(net: caffe.Net, group: str) -> int | None:
    """Inputs, weights and outputs in float32, each once.

    Parameters
    ----------
    net : caffe.Net
    group : str
        Names of layers with + between them, as `Net.profile` gives them.

    Returns
    -------
    int or None
        None for a group whose layers are not the net's (conversions of layout).
    """
    layers = group.split("+")
    if any(name not in net.layer_dict for name in layers):
        return None
    outside: set[str] = set()
    made: set[str] = set()
    for name in layers:
        outside |= set(net.bottom_names[name]) - made
        made |= set(net.top_names[name])
    results = set(net.top_names[layers[-1]])
    weights = sum(b.count for name in layers if net.layer_dict[name].type in ("Convolution", "Deconvolution", "InnerProduct", "LSTM")
                  for b in net.params.get(name, []))
    return 4 * (sum(net.blobs[b].count for b in (*outside, *results)) + weights)
