"""A net that loses whole channels."""
from __future__ import annotations

import numpy as np
import pytest
from pycaffe_acc_tests.prune_tests.pruned_nets import TEXT, files, images, outputs

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.channel_net import ChannelPruner
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.text_format import read_net

UNGROUPED = "\n".join(line for line in TEXT.splitlines() if '"grouped"' not in line) + "\n"


def cut(tmp_path, batches=(), text=UNGROUPED, **options):
    """A pruner after its work, and its rows by name."""
    p = ChannelPruner(*files_of(tmp_path, text), PruneOptions("channel", **options))
    blob = "data" if batches else ""
    rows = p.apply(p.shares(), blob, batches)
    return p, {row.name: row for row in rows}


def files_of(tmp_path, text):
    """Prototxt and weights; layers that `text` lacks have no weights there."""
    model, weights = files(tmp_path)
    if text != TEXT:
        (tmp_path / "net.prototxt").write_text(text)
    return model, weights


def test_the_smaller_net_computes_the_same(tmp_path):
    """As the full one in which what reads the cut channels is zero: through ReLU, Pooling, BatchNorm, Scale, sums, Concat and depthwise layers."""
    p, rows = cut(tmp_path, sparsity=0.5)
    p.save(tmp_path / "p.prototxt", tmp_path / "p.caffemodel")
    small = caffe.Net(str(tmp_path / "p.prototxt"), str(tmp_path / "p.caffemodel"), caffe.TEST)
    assert small.coverage.complete and not small.coverage.unused
    np.testing.assert_allclose(outputs(small, images(6, batch=6)), outputs(p.net, images(6, batch=6)), rtol=1e-4, atol=1e-5)
    shapes = {name: [b.data.shape for b in blobs] for name, blobs in small.params.items()}
    assert shapes["a"] == [(6, 8, 3, 3), (6,)] and shapes["dw"] == [(6, 1, 3, 3)] and shapes["b"] == [(5, 6, 1, 1)] and shapes["c"][0] == (5, 6, 1, 1)
    assert shapes["bn"][0] == shapes["bs"][0] == (5,)
    assert shapes["f"] == [((5 + 6) * 4, 10), (10,)] and shapes["g"] == [(5, 10), (5,)]
    assert rows["first"].left == "'first': first convolution" and rows["g"].zeros == 50 and not rows["g"].left
    layers = {layer.name: layer for layer in read_net(tmp_path / "p.prototxt").message.layer}
    assert layers["dw"].convolution_param.group == layers["dw"].convolution_param.num_output == 6 and not layers["a"].HasField("sparsity")


def test_the_first_convolution_too(tmp_path):
    """When it is asked for; its BatchNorm and Scale follow."""
    p, _ = cut(tmp_path, sparsity=0.5, include_first=True)
    net = p.open()
    assert net.params["first"][0].data.shape == (4, 3, 3, 3) and net.params["norm"][0].data.shape == (4,)
    assert net.params["a"][0].data.shape == (6, 4, 3, 3)


def test_compensation(tmp_path):
    """Answers on other images are closer than those of the plainly cut net."""
    plain, _ = cut(tmp_path, sparsity=0.3)
    better, rows = cut(tmp_path, images(200), sparsity=0.3, compensate=True)
    fresh = images(40, seed=5)
    exact = outputs(ChannelPruner(*files_of(tmp_path, UNGROUPED), PruneOptions("channel")).open(), fresh)
    errors = [np.square(outputs(p.open(), fresh) - exact).sum() for p in (plain, better)]
    assert errors[1] < 0.5 * errors[0]
    assert rows["f"].error is not None and rows["f"].error < 0.5


def test_what_cannot_be_cut_says_why(tmp_path):
    """A grouped convolution reads the sum's channels, so these stay; others go."""
    p, rows = cut(tmp_path, text=TEXT, sparsity=0.5)
    assert rows["c"].zeros and p.open().params["c"][0].data.shape == (10, 6, 1, 1)
    assert next(s.held for s in p.spaces if len(s.makers) == 2) == "read by 'grouped' (Convolution)"
    assert rows["grouped"].left == "nothing was cut" and rows["g"].zeros


def test_kept_layers_keep_their_channels(tmp_path):
    """And those that must go with them."""
    p, rows = cut(tmp_path, sparsity=0.5, keep=("b",))
    net = p.open()
    assert net.params["c"][0].data.shape == (10, 6, 1, 1) and net.params["f"][0].data.shape[0] == (10 + 6) * 4
    assert next(s.held for s in p.spaces if len(s.makers) == 2) == "'b': kept"
    assert rows["a"].zeros


def test_one_channel_stays(tmp_path):
    """At any sparsity."""
    p, _ = cut(tmp_path, sparsity=0.99)
    assert p.open().params["b"][0].data.shape == (1, 1, 1, 1)


def test_quantized_nets_lose_the_channels_ranges(tmp_path):
    """One position and scale an output that stays."""
    types = "bottom_mlu_dtype { type: DT_INT8 position: 0 } blobs_dtype { type: DT_INT8 " + " ".join(f"position: {-k}" for k in range(12)) + " }"
    text = UNGROUPED.replace('name: "a" type: "Convolution"', f'name: "a" type: "Convolution" {types}')
    p, _ = cut(tmp_path, text=text, sparsity=0.5)
    p.save(tmp_path / "p.prototxt", tmp_path / "p.caffemodel")
    layer = next(layer for layer in read_net(tmp_path / "p.prototxt").message.layer if layer.name == "a")
    assert len(layer.blobs_dtype[0].position) == 6 and layer.convolution_param.num_output == 6


def test_nothing_to_cut(tmp_path):
    """A sentence with the reasons."""
    with pytest.raises(CheckError, match="no channel can be cut: .*read by|no channel can be cut: .*an output"):
        ChannelPruner(*files_of(tmp_path, UNGROUPED), PruneOptions("channel", keep=("a", "b", "c", "f")))
