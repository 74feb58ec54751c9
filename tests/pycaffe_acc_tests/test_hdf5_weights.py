"""Weights as HDF5, honest and hostile."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from pycaffe_acc.errors import MissingExtraError, WeightsError
from pycaffe_acc.hdf5_weights import load_hdf5, save_hdf5
from pycaffe_acc.weights import load_weights, read_caffemodel, read_weights

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


class FakeBlob:
    """What the loader needs of a parameter."""

    def __init__(self, array: np.ndarray):
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def assign(self, values: np.ndarray) -> None:
        self.array[...] = values


def layer(name: str, *arrays: np.ndarray, kind: str = "Convolution") -> SimpleNamespace:
    return SimpleNamespace(name=name, type=kind, blobs=[FakeBlob(a) for a in arrays])


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    generator = np.random.default_rng(3)
    return [generator.normal(size=s).astype(np.float32) for s in shapes]


def zeros(net: list) -> list:
    return [layer(lay.name, *(np.zeros_like(b.array) for b in lay.blobs), kind=lay.type) for lay in net]


def test_round_trip(tmp_path):
    net = [
        layer("conv1", *arrays((2, 3, 1, 1), (2,))),
        layer("inception/3a", *arrays((4,))),
        layer("inception/3b/1x1", *arrays((1, 2), ())),
        layer("relu"),
        layer("empty", np.zeros((0, 3), np.float32)),
    ]
    save_hdf5(tmp_path / "a.h5", net, write_diff=True)
    with h5py.File(tmp_path / "a.h5") as file:
        assert set(file) == {"data", "diff"} and set(file["data/conv1"]) == {"0", "1"} and not np.any(file["diff/conv1/0"][()])
    other = zeros(net)
    coverage = load_weights(other, tmp_path / "a.h5")
    assert coverage.complete and not coverage.unused
    for a, b in zip(net, other, strict=True):
        for x, y in zip(a.blobs, b.blobs, strict=True):
            np.testing.assert_array_equal(x.array, y.array)
    assert set(load_hdf5(tmp_path / "a.h5")) == {"conv1", "inception/3a", "inception/3b/1x1", "relu", "empty"}


def test_shared_blobs_are_stored_once(tmp_path):
    w, b1, b2 = arrays((2, 2), (2,), (2,))
    net = [layer("a", w, b1), layer("b", w, b2), layer("c", w)]
    save_hdf5(tmp_path / "a.h5", net)
    with h5py.File(tmp_path / "a.h5") as file:
        assert {n: set(file["data"][n]) for n in "abc"} == {"a": {"0", "1"}, "b": {"1"}, "c": set()}
    shared = np.zeros((2, 2), np.float32)
    other = [layer("a", shared, np.zeros(2, np.float32)), layer("b", shared, np.zeros(2, np.float32)), layer("c", shared)]
    assert load_weights(other, tmp_path / "a.h5").complete
    np.testing.assert_array_equal(shared, w)
    np.testing.assert_array_equal(other[1].blobs[1].array, b2)
    with pytest.raises(WeightsError, match="blob 0 is not in the file, and the layer does not share it"):
        load_weights([layer("b", np.zeros((2, 2), np.float32), np.zeros(2, np.float32))], tmp_path / "a.h5")
    with pytest.raises(WeightsError, match="blob 0 is not in the file"):
        load_weights([layer("c", np.zeros((2, 2), np.float32))], tmp_path / "a.h5")


def test_batch_norm_of_three_blobs_into_five(tmp_path):
    save_hdf5(tmp_path / "a.h5", [layer("bn", *arrays((2,), (2,), (1,)), kind="BatchNorm")])
    five = layer("bn", *(np.ones(n, np.float32) for n in (2, 2, 1, 2, 2)), kind="BatchNorm")
    load_weights([five], tmp_path / "a.h5")
    assert five.blobs[3].array.tolist() == [1, 1]


@pytest.mark.parametrize("dtype", ["<f8", "<f2", "<i4", "|u1", ">f4"])
def test_other_number_types_and_compression(dtype, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data/c/0", data=np.arange(6).astype(dtype).reshape(2, 3), chunks=(1, 3), compression="gzip")
    net = [layer("c", np.zeros((2, 3), np.float32))]
    load_weights(net, tmp_path / "a.h5")
    np.testing.assert_array_equal(net[0].blobs[0].array, np.arange(6).reshape(2, 3))


def outside(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.ones(3, np.float32)
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    return tmp_path


def soft_link(file, folder):
    file["data/c/0"] = h5py.SoftLink("/elsewhere")


def external_link(file, folder):
    file["data/c/0"] = h5py.ExternalLink(str(folder / "secret.h5"), "/x")


def external_data_link(file, folder):
    file["data"] = h5py.ExternalLink(str(folder / "secret.h5"), "/")


def external_storage(file, folder):
    file.create_dataset("data/c/0", (3,), "f4", external=[(str(folder / "secret.bin"), 0, 12)])


def virtual_dataset(file, folder):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "x", (3,))
    file.create_virtual_dataset("data/c/0", layout)


def strings(file, folder):
    file["data/c/0"] = ["a", "b", "c"]


def compound(file, folder):
    file["data/c/0"] = np.zeros(3, [("a", "f4")])


def no_dataspace(file, folder):
    file["data/c/0"] = h5py.Empty("f4")


def chunk_bomb(file, folder):
    file.create_dataset("data/c/0", (3,), "f4", maxshape=(None,), chunks=(1 << 28,), compression="gzip")


def odd_name(file, folder):
    file["data/c/weights"] = np.ones(3, np.float32)


def data_is_a_dataset(file, folder):
    file["data"] = np.ones(3, np.float32)


def nothing(file, folder):
    file["weights/c/0"] = np.ones(3, np.float32)


def loop(file, folder):
    file.create_group("data/c")
    file["data/c/d"] = file["data"]


@pytest.mark.parametrize(
    "make",
    [
        soft_link,
        external_link,
        external_data_link,
        external_storage,
        virtual_dataset,
        strings,
        compound,
        no_dataspace,
        chunk_bomb,
        odd_name,
        data_is_a_dataset,
        nothing,
        loop,
    ],
)
def test_hostile_files_are_refused(make, tmp_path):
    folder, path = outside(tmp_path), tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        make(file, folder)
    target = np.zeros(3, np.float32)
    with pytest.raises(WeightsError) as caught:
        load_weights([layer("c", target)], path)
    assert str(path) in str(caught.value) and not target.any()


def test_shape_bombs_are_refused_unread(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data/c/0", (1 << 30, 1 << 10), "f4", chunks=(1 << 10, 1 << 4), fillvalue=1)
    with pytest.raises(WeightsError, match=r"the file's shape is \(1073741824, 1024\)"):
        load_weights([layer("c", np.zeros(3, np.float32))], tmp_path / "a.h5")


def test_damaged_files(tmp_path):
    path = tmp_path / "a.h5"
    save_hdf5(path, [layer("conv1", *arrays((20, 3, 3, 3), (20,))), layer("ip", *arrays((10, 30)))])
    data, generator, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(60):
        changed = bytearray(data)
        for _ in range(4):
            changed[generator.integers(8, len(changed))] ^= 1 << int(generator.integers(8))
        if generator.random() < 0.3:
            del changed[generator.integers(100, len(changed)) :]
        path.write_bytes(changed)
        try:
            load_weights(
                [layer("conv1", *(np.zeros(s, np.float32) for s in ((20, 3, 3, 3), (20,)))), layer("ip", np.zeros((10, 30), np.float32))], path
            )
        except WeightsError:
            refused += 1
    assert refused > 5


def test_without_h5py(tmp_path, monkeypatch):
    path = tmp_path / "a.h5"
    save_hdf5(path, [layer("a", *arrays((1,)))])
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"pycaffe-acc\[data\]"):
        read_weights(path)


def test_hdf5_is_no_net(tmp_path):
    path = tmp_path / "a.h5"
    save_hdf5(path, [layer("a", *arrays((1,)))])
    with pytest.raises(WeightsError, match="HDF5 file, which holds arrays and no net"):
        read_caffemodel(path)


def test_a_dataset_that_changes_between_look_and_read(tmp_path):
    path = tmp_path / "a.h5"
    save_hdf5(path, [layer("a", *arrays((2,)))])
    weights = read_weights(path)
    save_hdf5(path, [layer("a", *arrays((3,)))])
    with pytest.raises(WeightsError, match="changed its shape"):
        weights.layers[0].blobs[0].array()
    path.write_bytes(b"gone")
    with pytest.raises(WeightsError, match="no readable HDF5"):
        weights.layers[0].blobs[0].array()


def test_published_files(data_dir):
    weights = read_weights(data_dir / "models" / "cifar10_hdf5" / "cifar10_quick_iter_5000.caffemodel.h5")
    shapes = {lay.name: [b.shape for b in lay.blobs] for lay in weights.layers if lay.blobs}
    assert shapes == {
        "conv1": [(32, 3, 5, 5), (32,)],
        "conv2": [(32, 32, 5, 5), (32,)],
        "conv3": [(64, 32, 5, 5), (64,)],
        "ip1": [(64, 1024), (64,)],
        "ip2": [(10, 64), (10,)],
    }
