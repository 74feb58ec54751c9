"""Selectors of layers that stay in floating point."""
from __future__ import annotations

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.keep_float import kept_in_float

LAYERS = [caffe_pb2.LayerParameter(name=n, type=t) for n, t in (
    ("data", "Input"), ("conv1", "Convolution"), ("pool", "Pooling"), ("a,b", "Convolution"), ("last", "ReLU"), ("fc6", "InnerProduct"),
    ("fc7", "InnerProduct"))]


@pytest.mark.parametrize(("selectors", "kept"), [
    ([], set()), (["conv1"], {1}), (["conv1", "pool"], {1, 2}), (["conv1,pool"], {1, 2}), ([" conv1 , pool"], {1, 2}), (["a,b"], {3}),
    (["first"], {1}), (["last"], {4}), (["first,fc7"], {1, 6}), (["regex:.*fc.*"], {5, 6}), (["regex:fc[6,7]"], {5, 6}), (["regex:fc.{1,2}"], {5, 6}),
    (["types=Convolution"], {1, 3}), (["types=Pooling, InnerProduct"], {2, 5, 6}), (["first,types=InnerProduct"], {1, 5, 6}),
    (["pool,regex:a.*"], {2, 3})])
def test_selectors(selectors, kept):
    """Names, lists, the outermost layers with weights, patterns, types; a layer's own name comes first."""
    assert kept_in_float(selectors, LAYERS) == kept


def test_the_last_with_weights():
    """Where no layer is called so."""
    assert kept_in_float(["last"], LAYERS[:4]) == {3}


@pytest.mark.parametrize(("selector", "rule"), [
    ("conv2", "no layer 'conv2'; did you mean conv1"), ("zzz", "no layer 'zzz'; `pycaffe-acc summary`"), ("regex:fc", "matches no layer's name as a "
     "whole"), ("regex:(", "is not a regular expression"), ("types=Conv", "no layer of the type 'Conv'; its types: Convolution"), ("", "empty word"),
    ("types=", "no layer of the type ''")])
def test_selectors_of_nothing(selector, rule):
    """Each is an error: a typing mistake must not quantize the layer that was meant."""
    with pytest.raises(CheckError, match=rule):
        kept_in_float([selector], LAYERS)


def test_nets_without_weights():
    """There is no first one."""
    with pytest.raises(CheckError, match="no layer with weights"):
        kept_in_float(["first"], [LAYERS[0], LAYERS[2]])
