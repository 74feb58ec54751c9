"""Strides of 1x1 convolutions as a pooling of the codes they read."""
from __future__ import annotations

from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, OnnxNode


def subsample(g: OnnxGraph) -> None:
    """Where all readers of a value that went through codes are 1x1 convolutions with the same strides, one MaxPool of 1x1 windows takes the strides.

    The convolutions then read each of its elements and compute the same. OpenVINO moves such strides forward itself, but to between a QuantizeLinear
    and its DequantizeLinear, which it then no longer takes for a pair: the convolutions end up in floats.

    Parameters
    ----------
    g : OnnxGraph
        Its nodes are changed.
    """
    readers: dict[str, list[OnnxNode]] = {}
    for node in g.nodes:
        for value in node.inputs:
            readers.setdefault(value, []).append(node)
    nodes: list[OnnxNode] = []
    for node in g.nodes:
        nodes.append(node)
        for value in node.outputs:
            strides = {_strides(reader, value) for reader in readers.get(value, ())} if value in g.coded else {()}
            if len(strides) == 1 and max(chosen := strides.pop(), default=1) > 1:
                made = OnnxNode("MaxPool", [value], [g.value()], node.layer, {"kernel_shape": [1] * len(chosen), "strides": list(chosen)})
                nodes.append(made)
                for reader in readers[value]:
                    reader.inputs[0] = made.outputs[0]
                    reader.attributes["strides"] = [1] * len(chosen)
    g.nodes[:] = nodes


def _strides(node: OnnxNode, value: str) -> tuple[int, ...]:
    """Those of a convolution of 1x1 windows without padding that reads a value as its data; else nothing."""
    a = node.attributes
    if node.op != "Conv" or node.inputs[0] != value or value in node.inputs[1:] or max(a["kernel_shape"]) > 1 or any(a["pads"]):
        return ()
    return tuple(a["strides"])
