"""Labelled images from lists, idx files, archives and databases."""
from __future__ import annotations

import gzip

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.errors import CaffeError, CheckError, MissingFileError
from pycaffe_acc.evaluation.array_images import read_idx, read_mnist, read_npz
from pycaffe_acc.evaluation.dataset import open_dataset
from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.evaluation.labels import check_labels, read_labels


def idx(array):
    """An array as idx bytes."""
    return b"\0\0\x08" + bytes([array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture
def pictures(tmp_path, rng):
    """Two colour pictures, one gray, and their list."""
    (tmp_path / "img").mkdir()
    arrays = [rng.integers(0, 256, (6, 5, 3), np.uint8), rng.integers(0, 256, (4, 4, 3), np.uint8), rng.integers(0, 256, (3, 7), np.uint8)]
    names = ["a.png", "with space.png", "gray.png"]
    for name, array in zip(names, arrays, strict=True):
        Image.fromarray(array).save(tmp_path / "img" / name)
    (tmp_path / "list.txt").write_text("".join(f"{n} {i}\n" for i, n in enumerate(names)) + "\n")
    return tmp_path, arrays


def test_a_list_gives_bgr(pictures):
    folder, arrays = pictures
    images = read_image_list(folder / "list.txt", folder / "img")
    assert len(images) == 3 and images.labels.tolist() == [0, 1, 2] and images.name == "list.txt"
    for i in (0, 1):
        assert np.array_equal(images.read(i, 3), arrays[i][:, :, ::-1])
    assert np.array_equal(images.read(2, 1)[:, :, 0], arrays[2])
    assert np.array_equal(images.read(2, 3), np.repeat(arrays[2][:, :, None], 3, 2))


def test_pycaffe_reading_gives_the_same_pixels(pictures):
    folder, _ = pictures
    tool, pycaffe = (read_image_list(folder / "list.txt", folder / "img", as_pycaffe=flag) for flag in (False, True))
    for i in range(3):
        assert np.array_equal(tool.read(i, 3), pycaffe.read(i, 3))


def test_pictures_lie_beside_the_list_unless_told(pictures):
    folder, _ = pictures
    (folder / "img" / "own.txt").write_text("a.png 3")
    assert read_image_list(folder / "img" / "own.txt").read(0, 3).shape == (6, 5, 3)


@pytest.mark.parametrize(("text", "place"), [("a.png x\n", ":1:"), ("a.png 1\nalone\n", ":2:"), ("a.png -1\n", ":1:")])
def test_a_malformed_line_is_named(tmp_path, text, place):
    (tmp_path / "l.txt").write_text(text)
    with pytest.raises(CheckError, match=place):
        read_image_list(tmp_path / "l.txt")


def test_bad_lists(tmp_path):
    with pytest.raises(MissingFileError, match="image list"):
        read_image_list(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(CheckError, match="names no images"):
        read_image_list(tmp_path / "empty.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\xfd 1")
    with pytest.raises(CheckError, match="UTF-8"):
        read_image_list(tmp_path / "binary.txt")
    (tmp_path / "l.txt").write_text("a.png 1")
    with pytest.raises(MissingFileError, match="image folder"):
        read_image_list(tmp_path / "l.txt", tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="a.png"):
        read_image_list(tmp_path / "l.txt").read(0, 3)


def test_mnist_plain_and_packed(tmp_path, rng):
    pixels, labels = rng.integers(0, 256, (5, 4, 3), np.uint8), np.arange(5, dtype=np.uint8)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pixels)))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
    images = read_mnist(tmp_path)
    assert images.labels.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(images.read(3, 1)[:, :, 0], pixels[3])
    with pytest.raises(CheckError, match="1 channels and the net's input has 3"):
        images.read(0, 3)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(labels[:4]))
    with pytest.raises(CheckError, match="one each"):
        read_mnist(tmp_path)
    with pytest.raises(MissingFileError):
        read_mnist(tmp_path / "img")


@pytest.mark.parametrize("data", [b"", b"\0\0\x08", b"\0\0\x09\x01\0\0\0\x01a", b"\0\0\x08\x01\0\0\0\x05abc",
                                  b"\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"])
def test_damaged_idx_files_are_refused(tmp_path, data):
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(CheckError):
        read_idx(tmp_path / "f")


def test_damaged_gzip_is_refused(tmp_path):
    (tmp_path / "f.gz").write_bytes(gzip.compress(idx(np.zeros(100, np.uint8)))[:-12])
    with pytest.raises(CheckError, match="gzip"):
        read_idx(tmp_path / "f.gz")


def test_npz_is_rgb_and_given_as_bgr(tmp_path, rng):
    pixels = rng.integers(0, 256, (4, 3, 5, 6), np.uint8)
    np.savez(tmp_path / "c.npz", images=pixels, labels=np.arange(4))
    images = open_dataset(f"cifar10:{tmp_path / 'c.npz'}")
    assert len(images) == 4
    assert np.array_equal(images.read(2, 3), pixels[2, ::-1].transpose(1, 2, 0))


def test_bad_archives(tmp_path):
    with pytest.raises(MissingFileError):
        read_npz(tmp_path / "none.npz")
    np.savez(tmp_path / "names.npz", x=np.zeros(1))
    with pytest.raises(CheckError, match="'images' and 'labels'"):
        read_npz(tmp_path / "names.npz")
    (tmp_path / "bytes.npz").write_bytes(b"PK nonsense")
    with pytest.raises(CheckError):
        read_npz(tmp_path / "bytes.npz")
    np.savez(tmp_path / "objects.npz", images=np.array([{}], object), labels=np.zeros(1))
    with pytest.raises(CheckError):
        read_npz(tmp_path / "objects.npz")
    np.savez(tmp_path / "float.npz", images=np.zeros((1, 3, 2, 2), np.float32), labels=np.zeros(1))
    with pytest.raises(CheckError, match="uint8"):
        read_npz(tmp_path / "float.npz")


def test_lmdb_records(tmp_path, rng):
    lmdb = pytest.importorskip("lmdb")
    from pycaffe_acc.proto import caffe_pb2
    pixels = rng.integers(0, 256, (3, 3, 4, 5), np.uint8)
    with lmdb.open(str(tmp_path / "db")) as env, env.begin(write=True) as transaction:
        for i, image in enumerate(pixels):
            datum = caffe_pb2.Datum(channels=3, height=4, width=5, data=image.tobytes(), label=7 - i)
            transaction.put(b"%08d" % i, datum.SerializeToString())
        png = tmp_path / "x.png"
        Image.fromarray(pixels[0].transpose(1, 2, 0)).save(png)
        transaction.put(b"00000003", caffe_pb2.Datum(encoded=True, data=png.read_bytes(), label=1).SerializeToString())
        transaction.put(b"00000004", caffe_pb2.Datum(channels=3, height=9, width=9, data=b"short", label=0).SerializeToString())
    images = open_dataset(f"lmdb:{tmp_path / 'db'}")
    assert images.labels.tolist() == [7, 6, 5, 1, 0]
    for i in range(3):
        assert np.array_equal(images.read(i, 3), pixels[i].transpose(1, 2, 0))
    assert np.array_equal(images.read(3, 3), pixels[0].transpose(1, 2, 0)[:, :, ::-1])
    with pytest.raises(CheckError, match="record 4 says .* and has 5"):
        images.read(4, 3)
    with pytest.raises(CheckError, match="channels"):
        images.read(0, 1)
    with pytest.raises(MissingFileError):
        open_dataset(f"lmdb:{tmp_path / 'nothing'}")


@pytest.mark.parametrize("spec", ["mnist", "mnist:", "svhn:x", ""])
def test_an_unknown_dataset_names_the_known_ones(spec):
    with pytest.raises(CaffeError, match="mnist, cifar10, lmdb, list"):
        open_dataset(spec)


def test_labels(tmp_path):
    (tmp_path / "l.txt").write_text("cat\ndog, hound\n")
    names = read_labels(tmp_path / "l.txt")
    assert names == ["cat", "dog, hound"]
    check_labels(names, 2, "l.txt")
    with pytest.raises(CheckError, match="2 lines for the net's 3 classes"):
        check_labels(names, 3, "l.txt")
    with pytest.raises(MissingFileError):
        read_labels(tmp_path / "none")
    (tmp_path / "b.txt").write_bytes(b"\xff")
    with pytest.raises(CheckError):
        read_labels(tmp_path / "b.txt")
