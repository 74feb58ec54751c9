"""Loss and accuracy layers: parameters and refusals that the stored cases do not show."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.blob_conversion import array_to_blobproto


def net(tmp_path, layer, a="dim: 2 dim: 3", b="dim: 2"):
    path = tmp_path / "net.prototxt"
    source = f"layer {{ name: 'a' type: 'Input' top: 'a' top: 'b' input_param {{ shape {{ {a} }} shape {{ {b} }} }} }}\n"
    path.write_text(f"{source}layer {{ name: 'l' {layer} }}")
    return caffe.Net(str(path), caffe.TEST)


def test_infogain_matrix_from_a_file(tmp_path, rng):
    path = tmp_path / "h.binaryproto"
    path.write_bytes(array_to_blobproto(np.eye(3)).SerializeToString())
    n = net(tmp_path, f"type: 'InfogainLoss' bottom: 'a' bottom: 'b' top: 'loss' infogain_loss_param {{ source: '{path}' }}")
    m = net(tmp_path, "type: 'SoftmaxWithLoss' bottom: 'a' bottom: 'b' top: 'loss'")
    x = rng.standard_normal((2, 3)).astype(np.float32)
    for each in (n, m):
        each.blobs["a"].data[...] = x
        each.blobs["b"].data[...] = [1, 2]
    np.testing.assert_allclose(n.forward()["loss"], m.forward()["loss"], rtol=1e-5)


@pytest.mark.parametrize("layer,words", [
    ("type: 'InfogainLoss' bottom: 'a' bottom: 'b' top: 'o'", "neither a third bottom nor"),
    ("type: 'InfogainLoss' bottom: 'a' bottom: 'b' top: 'o' top: 'p' infogain_loss_param { source: 'x' }", "2 tops and 1 loss weights"),
    ("type: 'SoftmaxWithLoss' bottom: 'a' bottom: 'b' top: 'o' top: 'p'", "has 2 tops"),
    ("type: 'ContrastiveLoss' bottom: 'a' bottom: 'b' top: 'o'", "takes exactly 3"),
    ("type: 'Accuracy' bottom: 'a' bottom: 'b' top: 'o' accuracy_param { axis: 2 }", "axis 2"),
    ("type: 'Tile' bottom: 'a' top: 'o'", "no `tiles`"),
    ("type: 'Tile' bottom: 'a' top: 'o' tile_param { tiles: 0 }", "tiles is 0"),
    ("type: 'Embed' bottom: 'b' top: 'o' embed_param { input_dim: 3 }", "num_output is 0"),
    ("type: 'Filter' bottom: 'a' bottom: 'b' top: 'o' top: 'p'", "one top for each bottom but the last"),
])
def test_refused(tmp_path, layer, words):
    with pytest.raises(caffe.CheckError, match=f"layer 'l'.*{words}"):
        net(tmp_path, layer)


def test_missing_and_broken_matrix(tmp_path):
    layer = "type: 'InfogainLoss' bottom: 'a' bottom: 'b' top: 'o' infogain_loss_param { source: '%s' }"
    with pytest.raises(caffe.MissingFileError, match="infogain matrix of layer 'l'"):
        net(tmp_path, layer % (tmp_path / "none"))
    (tmp_path / "bad").write_bytes(b"\xff\xff\xff")
    with pytest.raises(caffe.CaffeError, match="is no BlobProto"):
        net(tmp_path, layer % (tmp_path / "bad"))


def test_bad_label_names_the_layer(tmp_path):
    n = net(tmp_path, "type: 'SoftmaxWithLoss' bottom: 'a' bottom: 'b' top: 'loss'")
    n.blobs["b"].data[...] = [0, 3]
    with pytest.raises(RuntimeError, match="'l': label 1 is 3"):
        n.forward()


def test_mvn_of_five_axes(tmp_path):
    with pytest.raises(caffe.CheckError, match="at most four axes"):
        net(tmp_path, "type: 'MVN' bottom: 'a' top: 'o'", a="dim: 1 dim: 2 dim: 3 dim: 4 dim: 5")
