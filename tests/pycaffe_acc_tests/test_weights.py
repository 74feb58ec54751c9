"""Weights into layers by name."""

from __future__ import annotations

import logging
import os
from types import SimpleNamespace

import numpy as np
import pytest

from pycaffe_acc.errors import MissingFileError, WeightsError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.weights import Coverage, load_weights, read_caffemodel, read_weights, save_caffemodel
from pycaffe_acc.weights_file import write_binary


class FakeBlob:
    """What the loader needs of a parameter."""

    def __init__(self, *shape: int, array: np.ndarray | None = None):
        self.array = np.full(shape, -1, np.float32) if array is None else array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def assign(self, values: np.ndarray) -> None:
        self.array[...] = values


def layer(name: str, *shapes: tuple[int, ...], kind: str = "InnerProduct") -> SimpleNamespace:
    return SimpleNamespace(name=name, type=kind, blobs=[FakeBlob(*s) for s in shapes])


def stored(*layers: tuple[str, list], kind: str = "InnerProduct"):
    """A NetParameter with layers (name, blobs); a blob is an array, or keyword arguments of BlobProto."""
    net = caffe_pb2.NetParameter(name="net")
    for name, blobs in layers:
        message = net.layer.add(name=name, type=kind)
        for blob in blobs:
            if isinstance(blob, dict):
                dims = blob.pop("dims", None)
                added = message.blobs.add(**blob)
                if dims is not None:
                    added.shape.dim.extend(dims)
            else:
                blob = np.asarray(blob, np.float32)
                added = message.blobs.add(data=blob.ravel())
                added.shape.SetInParent()
                added.shape.dim.extend(blob.shape)
    return net


def test_by_name_only():
    net = [layer("a", (2,), (1, 2)), layer("b", (3,)), layer("c"), layer("d", (1,))]
    coverage = load_weights(net, stored(("b", [[1, 2, 3]]), ("z", [[0]]), ("c", []), ("x", []), ("a", [[4, 5], [[6, 7]]])))
    np.testing.assert_array_equal(net[0].blobs[0].array, [4, 5])
    np.testing.assert_array_equal(net[0].blobs[1].array, [[6, 7]])
    np.testing.assert_array_equal(net[1].blobs[0].array, [1, 2, 3])
    np.testing.assert_array_equal(net[3].blobs[0].array, [-1])
    assert sorted(coverage.loaded) == ["a", "b"] and coverage.never_initialised == ["d"] and coverage.unused == ["z"] and not coverage.complete


def test_last_of_a_repeated_name_wins():
    net = [layer("a", (1,)), layer("a", (1,))]
    load_weights(net, stored(("a", [[1]]), ("a", [[2]])))
    assert (net[0].blobs[0].array[0], net[1].blobs[0].array[0]) == (2, -1)


@pytest.mark.parametrize(
    ("shape", "legacy", "fits"),
    [
        ((2, 3), (1, 1, 2, 3), True),
        ((6,), (1, 1, 1, 6), True),
        ((), (1, 1, 1, 1), True),
        ((1, 6, 1, 1), (1, 6, 1, 1), True),
        ((2, 3), (2, 3, 1, 1), False),
        ((6,), (1, 6, 1, 1), False),
        ((1, 1, 1, 2, 3), (1, 1, 2, 3), False),
    ],
)
def test_old_shapes(shape, legacy, fits):
    n, c, h, w = legacy
    data = np.arange(n * c * h * w)
    net, source = [layer("a", shape)], stored(("a", [dict(num=n, channels=c, height=h, width=w, data=data)]))
    if fits:
        load_weights(net, source)
        np.testing.assert_array_equal(net[0].blobs[0].array.ravel(), data)
    else:
        with pytest.raises(WeightsError, match="blob 0 of layer 'a'"):
            load_weights(net, source)


def test_half_precision_and_superfluous_axes_of_nvcaffe():
    raw = np.array([1.5, 2.5], "<f2").tobytes()
    net = [layer("a", (2,))]
    load_weights(net, stored(("a", [dict(raw_data_type=caffe_pb2.FLOAT16, raw_data=raw, dims=[1, 2, 1, 1])])))
    np.testing.assert_array_equal(net[0].blobs[0].array, [1.5, 2.5])
    with pytest.raises(WeightsError):
        load_weights(net, stored(("a", [np.ones((1, 2, 1, 1))])))


@pytest.mark.parametrize(
    ("blobs", "words"),
    [
        (
            [np.ones((4, 4))],
            r"cannot copy blob 0 of layer 'a' \(InnerProduct\) from net 'net': the file's shape is \(4, 4\) \(16 elements\), "
            r"the net's \(3, 4\) \(12 elements\)",
        ),
        ([np.ones((3, 4)), np.ones(3)], "the file has 2 blobs for it, the net 1"),
        ([], "the file has 0 blobs for it, the net 1"),
        ([np.ones((4, 3))], r"the file's shape is \(4, 3\)"),
        ([dict(dims=[3, 4], data=[1, 2])], r"blob 0 of layer 'a'.*2 are stored"),
    ],
)
def test_what_does_not_fit_is_refused_as_a_whole(blobs, words):
    net, source = [layer("b", (1,)), layer("a", (3, 4))], stored(("b", [[5]]), ("a", blobs))
    with pytest.raises(WeightsError, match=words):
        load_weights(net, source)
    assert net[0].blobs[0].array[0] == -1, "nothing is copied when anything is wrong"
    coverage = load_weights(net, source, strict=False)
    assert coverage.loaded == ["b"] and len(coverage.skipped) == 1 and not coverage.complete
    assert net[0].blobs[0].array[0] == 5 and (net[1].blobs[0].array == -1).all()


def test_layer_without_blobs_in_the_net():
    with pytest.raises(WeightsError, match="the file has 1 blobs for it, the net 0"):
        load_weights([layer("a")], stored(("a", [[1]])))


def batch_norm(n: int) -> list:
    return [[1, 2], [3, 4], [5], [6, 7], [8, 9]][:n]


def test_batch_norm_of_three_and_five_blobs():
    five = layer("bn", (2,), (2,), (1,), (2,), (2,), kind="BatchNorm")
    load_weights([five], stored(("bn", batch_norm(3)), kind="BatchNorm"))
    assert [b.array.tolist() for b in five.blobs] == [[1, 2], [3, 4], [5], [-1, -1], [-1, -1]]
    load_weights([five], stored(("bn", batch_norm(5)), kind="BatchNorm"))
    assert [b.array.tolist() for b in five.blobs] == batch_norm(5)
    three = layer("bn", (2,), (2,), (1,), kind="BatchNorm")
    with pytest.raises(WeightsError, match="scale_bias: true"):
        load_weights([three], stored(("bn", batch_norm(5)), kind="BatchNorm"))
    load_weights([three], stored(("bn", [*batch_norm(3), [1, 1], [0, 0]]), kind="BatchNorm"))
    assert three.blobs[0].array.tolist() == [1, 2]


def test_shared_blobs_count_as_initialised():
    first = layer("a", (2,))
    second = SimpleNamespace(name="b", type="InnerProduct", blobs=[FakeBlob(array=first.blobs[0].array)])
    assert load_weights([first, second], stored(("a", [[1, 2]]))).complete


def test_warning_names_what_was_left_out(caplog):
    with caplog.at_level(logging.WARNING, "caffe"):
        load_weights([layer(f"l{i}", (1,)) for i in range(12)], stored(("l0", [[1]])))
        assert "11 layers of the net not in the file, left at initial values (l1, l2, l3, l4, l5, l6, l7, l8 and 3 more)" in caplog.text
        caplog.clear()
        load_weights([layer("l0", (1,))], stored(("l0", [[1]]), ("z", [[1]])))
        assert not caplog.text


def test_coverage_in_words():
    assert str(Coverage(["a"], source="x.caffemodel")) == "x.caffemodel: 1 layer loaded."
    words = str(Coverage(["a", "b"], ["c"], ["d"], ["layer e: why."], "f"))
    assert (
        words
        == "f: 2 layers loaded; 1 layer of the net not in the file, left at initial values (c); "
        "1 layer of the file not in the net (d); 1 layer did not fit (layer e: why.)."
    )


def test_older_generations_by_their_bytes():
    net = caffe_pb2.NetParameter()
    net.layers.add(name="v1", type=14).blobs.add(num=1, channels=1, height=1, width=2, data=[1, 2])
    inner = net.layers.add().layer
    inner.name, inner.type = "v0", "innerproduct"
    inner.blobs.add(num=1, channels=1, height=1, width=1, data=[3])
    target = [layer("v1", (2,)), layer("v0", (1,))]
    assert load_weights(target, net.SerializeToString()).complete
    assert target[0].blobs[0].array.tolist() == [1, 2] and target[1].blobs[0].array.tolist() == [3]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"<!DOCTYPE html>", "web page"),
        (b'name: "net"\nlayer {', "looks like a prototxt"),
        (b"\x1f\x8b\x08\x00aaaa", "compressed"),
        (b"\x0a\x01a", "holds no layer"),
        (b"\xff" * 50, "longer than ten bytes"),
        (b"\x89HDF\r\n\x1a\nrubbish", "is no readable HDF5 file"),
    ],
)
def test_files_that_are_no_weights(data, words, tmp_path):
    path = tmp_path / "net.caffemodel"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=words) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)
    with pytest.raises(WeightsError) if data not in (b"\x0a\x01a",) else pytest.MonkeyPatch.context():
        read_caffemodel(path)


def test_other_sources():
    with pytest.raises(MissingFileError):
        read_weights("no such file.caffemodel")
    with pytest.raises(WeightsError, match="not a int"):
        read_weights(3)
    weights = read_weights(stored(("a", [[1]])))
    assert read_weights(weights) is weights and weights.source == "net 'net'"


def test_too_large_a_file(tmp_path, monkeypatch):
    path = tmp_path / "a.caffemodel"
    path.write_bytes(bytes(100))
    monkeypatch.setattr("pycaffe_acc.weights_file.MAX_BYTES", 50)
    with pytest.raises(WeightsError, match="has 100 bytes.*HDF5"):
        read_weights(path)
    with pytest.raises(WeightsError, match="save_hdf5"):
        save_caffemodel(tmp_path / "b.caffemodel", [layer("a", (20,))], stored(("a", [])))
    assert [p.name for p in tmp_path.iterdir()] == ["a.caffemodel"]


def test_names_that_are_no_utf8(tmp_path):
    path = tmp_path / "a.caffemodel"
    path.write_bytes(stored(("name", [[1]])).SerializeToString().replace(b"name", b"n\xe4me"))
    with pytest.raises(WeightsError, match="UTF-8|utf-8"):
        read_caffemodel(path)
    assert load_weights([layer("b", (1,))], path).never_initialised == ["b"]


def test_saving(tmp_path):
    path = tmp_path / "out.caffemodel"
    message = stored(("a", [[9, 9, 9]]), ("relu", []))
    message.layer[0].inner_product_param.num_output = 3
    message.force_backward = True
    message.input.append("data")
    net = [layer("a", (2, 2), ()), layer("relu"), layer("other", (1,))]
    net[0].blobs[0].array[...] = [[1, 2], [3, 4]]
    save_caffemodel(path, net, message)
    saved = read_caffemodel(path)
    assert saved.name == "net" and saved.force_backward and list(saved.input) == ["data"] and [lay.name for lay in saved.layer] == ["a", "relu"]
    assert saved.layer[0].inner_product_param.num_output == 3
    assert [(list(b.shape.dim), list(b.data)) for b in saved.layer[0].blobs] == [([2, 2], [1, 2, 3, 4]), ([], [-1])]
    assert (path.stat().st_mode & 0o777) == (0o666 & ~_umask())
    write_binary(tmp_path / "again.caffemodel", saved)
    assert read_caffemodel(tmp_path / "again.caffemodel") == saved


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.caffemodel"
    path.write_bytes(b"old")
    broken = SimpleNamespace(name="a", type="X", blobs=[SimpleNamespace(array=np.array(["text"]))])
    with pytest.raises(ValueError):
        save_caffemodel(path, [broken], stored(("a", [])))
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["out.caffemodel"]


@pytest.mark.slow
def test_published_weights_are_what_protobuf_reads(data_dir):
    n = 0
    for path in sorted((data_dir / "models").rglob("*.caffemodel")):
        message = read_caffemodel(path)
        old = {lay.name: lay.blobs for lay in message.layers}
        for lay in read_weights(path).layers:
            blobs = old[lay.name] if lay.name in old else next(m.blobs for m in message.layer if m.name == lay.name)
            assert len(lay.blobs) == len(blobs)
            for a, b in zip(lay.blobs, blobs, strict=True):
                want = np.array(b.data, np.float32) if not b.raw_data else np.frombuffer(b.raw_data, "<f2").astype(np.float32)
                np.testing.assert_array_equal(a.array().ravel(), want)
                n += 1
    assert n > 1500
