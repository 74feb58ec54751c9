"""Write the convolutions of a net, as our own shape inference sees them at batch 1, to a file of `benchmarks/shapes`.

    python benchmarks/write_shapes.py NAME NET.prototxt "Title of the network"

One line a layer: name, Cin, H, W, Cout, kh, kw, stride, pad, group; a stride or pad that differs by axis is written vertical,horizontal.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import pycaffe_acc as caffe
from pycaffe_acc.layer_types.convolution import Convolution

SHAPES = Path(__file__).parent / "shapes"


def pair(values: tuple[int, ...]) -> str:
    """One number where both axes agree."""
    return str(values[0]) if values[0] == values[1] else f"{values[0]},{values[1]}"


def lines(net: caffe.Net) -> list[str]:
    """One line for each convolution of an image."""
    rows = []
    for name, layer in net.layer_dict.items():
        bottoms = [net.blobs[b].shape for b in net.bottom_names[name]]
        if not isinstance(layer.engine, Convolution) or len(bottoms[0]) != 4:
            continue
        g, (_, c, h, w) = layer.engine.geometry(tuple(bottoms[0])), bottoms[0]
        h, w = (size + end - pad for size, end, pad in zip((h, w), g.pad_end, g.pad, strict=True))  # as if the longer padding were input
        kernel = f"{g.num_output:4} {g.kernel[0]:2} {g.kernel[1]:2} {pair(g.stride):>3} {pair(g.pad):>3} {g.group:5}"
        rows.append(f"{name:<29} {c:4} {h:4} {w:4}  {kernel}")
    return rows


def main() -> None:
    """Write one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("model")
    parser.add_argument("title")
    options = parser.parse_args()
    net = caffe.Net(options.model, caffe.TEST)
    for name in net.inputs:
        net.blobs[name].reshape(1, *net.blobs[name].shape[1:])
    net.reshape()
    text = [f"# {options.title}: convolutions at batch 1", "# name                      Cin    H    W  Cout kh kw   s   p group", *lines(net)]
    (SHAPES / f"{options.name}.txt").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
