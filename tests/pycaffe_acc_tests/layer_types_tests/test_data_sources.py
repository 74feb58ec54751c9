"""Data, ImageData, HDF5Data, HDF5Output: what is read from and written to files."""
from __future__ import annotations

import gc

import h5py
import lmdb
import numpy as np
import pytest
from PIL import Image

import pycaffe_acc as caffe
from pycaffe_acc import lmdb_cursor
from pycaffe_acc.layer_types import hdf5_data, hdf5_output
from pycaffe_acc.proto import caffe_pb2


def net(tmp_path, text, phase=caffe.TEST, **kwargs):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return caffe.Net(str(path), phase, **kwargs)


def write_db(path, images, encode=False):
    """Datum records 00000, 00001, … with labels 0, 1, …"""
    with lmdb.open(str(path), map_size=1 << 20) as env, env.begin(write=True) as t:
        for i, a in enumerate(images):
            if encode:
                Image.fromarray(a.transpose(1, 2, 0)[:, :, ::-1]).save(path / "x.png")
                d = caffe_pb2.Datum(encoded=True, data=(path / "x.png").read_bytes(), label=i)
            else:
                d = caffe_pb2.Datum(channels=a.shape[0], height=a.shape[1], width=a.shape[2], data=a.tobytes(), label=i)
            t.put(b"%05d" % i, d.SerializeToString())


def data_layer(source, batch=2, backend="LMDB", extra=""):
    param = f"data_param {{ source: '{source}' batch_size: {batch} backend: {backend} }}"
    return f"layer {{ name: 'd' type: 'Data' top: 'data' top: 'label' {param} {extra} }}"


@pytest.fixture
def images(rng):
    return [rng.integers(0, 256, (3, 4, 5), dtype=np.uint8) for _ in range(3)]


@pytest.mark.parametrize("encode", [False, True])
def test_lmdb_wraps_around(tmp_path, images, encode):
    write_db(tmp_path, images, encode)
    n = net(tmp_path, data_layer(tmp_path))
    assert n.blobs["data"].shape == (2, 3, 4, 5) and n.blobs["label"].shape == (2,)
    for order in ((0, 1), (2, 0), (1, 2)):
        n.forward()
        np.testing.assert_array_equal(n.blobs["label"].data, order)
        np.testing.assert_array_equal(n.blobs["data"].data, [images[i] for i in order])


def test_two_nets_share_a_database(tmp_path, images):
    write_db(tmp_path, images)
    a = net(tmp_path, data_layer(tmp_path))
    b = a.clone()
    a.forward()
    np.testing.assert_array_equal(b.forward()["label"], [0, 1])
    del a, b
    gc.collect()
    assert str(tmp_path) not in lmdb_cursor._open


def test_vendor_mirrors_what_is_not_encoded(tmp_path, images):
    write_db(tmp_path, images)
    got = net(tmp_path, data_layer(tmp_path), vendor_exact=True).forward()["data"]
    np.testing.assert_array_equal(got[0], images[0][:, :, ::-1])


def test_vendor_leaves_encoded_images(tmp_path, images):
    write_db(tmp_path, images, encode=True)
    got = net(tmp_path, data_layer(tmp_path), vendor_exact=True).forward()["data"]
    np.testing.assert_array_equal(got[0], images[0])


def test_images_of_several_sizes(tmp_path, rng):
    sizes = [(3, 4, 5), (3, 7, 6), (3, 4, 5)]
    images = [rng.integers(0, 256, s, dtype=np.uint8) for s in sizes]
    write_db(tmp_path, images)
    n = net(tmp_path, data_layer(tmp_path, batch=1) + "layer { name: 'p' type: 'Power' bottom: 'data' top: 'out' power_param { scale: 2 } }\n"
            "layer { name: 's' type: 'Silence' bottom: 'label' }")
    for image in images:
        np.testing.assert_array_equal(n.forward()["out"][0], 2.0 * image)
    with pytest.raises(caffe.CheckError, match=r"record '00001' has the shape \(3, 7, 6\)"):
        net(tmp_path, data_layer(tmp_path, batch=2)).forward()
    cropped = net(tmp_path, data_layer(tmp_path, batch=3, extra="transform_param { crop_size: 3 scale: 0.5 }")).forward()["data"]
    np.testing.assert_array_equal(cropped[1], 0.5 * images[1][:, 2:5, 1:4])


@pytest.mark.parametrize("make,words", [
    (lambda p: data_layer(p / "none"), "could not open LMDB"),
    (lambda p: data_layer(p, backend="LEVELDB"), "is an LMDB; write `backend: LMDB`"),
    (lambda p: data_layer(p / "none", backend="LEVELDB"), r"copy the records .*pip install pycaffe-acc\[data\]"),
    (lambda p: data_layer(p, batch=0), "batch_size is 0"),
    (lambda p: data_layer(""), "has no source"),
    (lambda p: data_layer(p, extra="transform_param { crop_size: 9 }"), "crop is 9 x 9"),
    (lambda p: data_layer(p, extra="transform_param { mean_file: 'x' mean_value: 1 }"), "mean_file and mean_value"),
])
def test_data_refused(tmp_path, images, make, words):
    write_db(tmp_path, images)
    with pytest.raises(caffe.CaffeError, match=words):
        net(tmp_path, make(tmp_path))


def test_databases_that_are_none(tmp_path):
    with lmdb.open(str(tmp_path / "empty")):
        pass
    with pytest.raises(caffe.CheckError, match="is empty"):
        net(tmp_path, data_layer(tmp_path / "empty"))
    (tmp_path / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(caffe.CheckError, match="could not be opened as an LMDB"):
        net(tmp_path, data_layer(tmp_path))
    with lmdb.open(str(tmp_path / "bad")) as env, env.begin(write=True) as t:
        t.put(b"k", b"\xff\xff\xff")
    with pytest.raises(caffe.CaffeError, match="record 'k'.*no Datum"):
        net(tmp_path, data_layer(tmp_path / "bad"))


def test_packages_that_are_missing(tmp_path, images, monkeypatch):
    write_db(tmp_path, images)
    monkeypatch.setattr(lmdb_cursor, "lmdb", None)
    monkeypatch.setattr(hdf5_data, "h5py", None)
    monkeypatch.setattr(hdf5_output, "h5py", None)
    for text in (data_layer(tmp_path), "layer { name: 'h' type: 'HDF5Data' top: 'x' hdf5_data_param { source: 'l' batch_size: 1 } }",
                 "layer { name: 'i' type: 'DummyData' top: 'x' top: 'y' dummy_data_param { shape { dim: 1 } } }\n"
                 "layer { name: 'o' type: 'HDF5Output' bottom: 'x' bottom: 'y' hdf5_output_param { file_name: 'f' } }"):
        with pytest.raises(caffe.MissingExtraError, match=r"pip install pycaffe-acc\[data\]"):
            net(tmp_path, text)


# ---- ImageData ------------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path, rng):
    arrays = [rng.integers(0, 256, (6, 8, 3), dtype=np.uint8) for _ in range(3)]
    for i, a in enumerate(arrays):
        Image.fromarray(a).save(tmp_path / f"im {i}.png")
    (tmp_path / "list.txt").write_text("".join(f"im {i}.png {10 * i}\n" for i in range(3)))
    return [a[:, :, ::-1].transpose(2, 0, 1) for a in arrays]


def image_data(folder, batch=2, extra="", rest=""):
    return (f"layer {{ name: 'd' type: 'ImageData' top: 'data' top: 'label' image_data_param {{ source: '{folder}/list.txt' root_folder: '{folder}/' "
            f"batch_size: {batch} {extra} }} {rest} }}")


def test_image_list_wraps_around(tmp_path, pictures):
    n = net(tmp_path, image_data(tmp_path))
    for order in ((0, 1), (2, 0)):
        n.forward()
        np.testing.assert_array_equal(n.blobs["label"].data, [10 * i for i in order])
        np.testing.assert_array_equal(n.blobs["data"].data, [pictures[i] for i in order])


def test_shuffled_and_skipped(tmp_path, pictures):
    caffe.set_random_seed(5)
    n = net(tmp_path, image_data(tmp_path, batch=3, extra="shuffle: true"))
    seen = {tuple(n.forward()["label"]) for _ in range(12)}
    assert len(seen) > 2 and all(sorted(s) == [0, 10, 20] for s in seen)
    starts = {float(net(tmp_path, image_data(tmp_path, batch=1, extra="rand_skip: 3")).forward()["label"][0]) for _ in range(20)}
    assert starts == {0, 10, 20}


def test_crop_and_resize(tmp_path, pictures):
    got = net(tmp_path, image_data(tmp_path, rest="transform_param { crop_size: 4 mean_value: 3 }")).forward()["data"]
    np.testing.assert_array_equal(got[0], pictures[0][:, 1:5, 2:6] - 3.0)
    assert net(tmp_path, image_data(tmp_path, extra="new_height: 3 new_width: 5")).forward()["data"].shape == (2, 3, 3, 5)
    assert net(tmp_path, image_data(tmp_path, extra="is_color: false")).forward()["data"].shape == (2, 1, 6, 8)


@pytest.mark.parametrize("listing,extra,words", [
    ("im 0.png 1\nnone.png 2\n", "", "none.png"),
    ("im 0.png 1\nim 1.png x\n", "", "line 2"),
    ("\n", "", "is empty"),
    (None, "", "could not open image list"),
    ("im 0.png 1\n", "new_height: 3", "give both or none"),
    ("im 0.png 1\n", "rand_skip: 100000", "must leave some"),
])
def test_image_data_refused(tmp_path, pictures, listing, extra, words):
    (tmp_path / "list.txt").unlink()
    if listing is not None:
        (tmp_path / "list.txt").write_text(listing)
    caffe.set_random_seed(1)
    with pytest.raises(caffe.CaffeError, match=words):
        net(tmp_path, image_data(tmp_path, extra=extra)).forward()


def test_image_sizes_within_a_batch(tmp_path, pictures):
    Image.fromarray(np.zeros((3, 3, 3), np.uint8)).save(tmp_path / "im 1.png")
    with pytest.raises(caffe.CheckError, match=r"'im 1.png' gives the shape \(3, 3, 3\)"):
        net(tmp_path, image_data(tmp_path)).forward()


# ---- HDF5 -----------------------------------------------------------------------------------------------------------------------------------------


def hdf5_layer(folder, batch=3, extra="", rest=""):
    param = f"hdf5_data_param {{ source: '{folder}/list.txt' batch_size: {batch} {extra} }}"
    return f"layer {{ name: 'h' type: 'HDF5Data' top: 'x' top: 'y' {param} {rest} }}"


@pytest.fixture
def files(tmp_path):
    for k in range(2):
        with h5py.File(tmp_path / f"{k}.h5", "w") as f:
            f["x"] = np.arange(10.0 * k, 10.0 * k + 4).reshape(4, 1) * np.ones((1, 2))
            f["y"] = np.arange(10 * k, 10 * k + 4)
    (tmp_path / "list.txt").write_text(f"{tmp_path}/0.h5\n{tmp_path}/1.h5\n")
    return tmp_path


def test_hdf5_goes_from_file_to_file(files):
    n = net(files, hdf5_layer(files))
    assert [list(n.forward()["y"]) for _ in range(3)] == [[0, 1, 2], [3, 10, 11], [12, 13, 0]]
    assert n.blobs["x"].data.shape == (3, 2)
    np.testing.assert_array_equal(n.blobs["x"].data[:, 0], [12, 13, 0])


def test_hdf5_shuffles_files_and_rows(files):
    caffe.set_random_seed(2)
    n = net(files, hdf5_layer(files, batch=8, extra="shuffle: true"))
    seen = {tuple(n.forward()["y"]) for _ in range(6)}
    assert len(seen) > 2 and all(sorted(s) == [0, 1, 2, 3, 10, 11, 12, 13] for s in seen)


def edit(path, name, value):
    with h5py.File(path, "a") as f:
        if name in f:
            del f[name]
        if value is not None:
            f[name] = value


@pytest.mark.parametrize("name,value,words", [
    ("y", None, "no dataset 'y'"),
    ("y", np.arange(3), "rows; the numbers must be equal"),
    ("y", 3, "is a scalar"),
    ("y", np.array([b"a", b"b", b"c", b"d"]), "must hold numbers"),
])
def test_hdf5_refused(files, name, value, words):
    edit(files / "0.h5", name, value)
    with pytest.raises(caffe.CheckError, match=words):
        net(files, hdf5_layer(files))


def test_hdf5_files_that_are_wrong(files):
    with pytest.raises(caffe.CheckError, match="transform_param"):
        net(files, hdf5_layer(files, rest="transform_param { scale: 2 }"))
    edit(files / "1.h5", "x", np.zeros((4, 3)))
    n = net(files, hdf5_layer(files, batch=5))
    with pytest.raises(caffe.CheckError, match=r"rows of shape \(3,\)"):
        n.forward()
    (files / "0.h5").write_bytes(b"no file")
    with pytest.raises(caffe.CheckError, match="could not be read as HDF5"):
        net(files, hdf5_layer(files))
    (files / "0.h5").unlink()
    with pytest.raises(caffe.MissingFileError, match="HDF5 file of layer 'h'"):
        net(files, hdf5_layer(files))
    (files / "list.txt").write_text("\n")
    with pytest.raises(caffe.CheckError, match="names no HDF5 file"):
        net(files, hdf5_layer(files))
    (files / "list.txt").unlink()
    with pytest.raises(caffe.MissingFileError, match="list of HDF5 files"):
        net(files, hdf5_layer(files))


def output_net(folder, name, shape="dim: 2 dim: 3"):
    fill = f"dummy_data_param {{ shape {{ {shape} }} shape {{ dim: 2 }} data_filler {{ type: 'uniform' }} }}"
    return (f"layer {{ name: 'i' type: 'DummyData' top: 'a' top: 'b' {fill} }}\n"
            f"layer {{ name: 'o' type: 'HDF5Output' bottom: 'a' bottom: 'b' hdf5_output_param {{ file_name: '{name}' }} }}")


def test_hdf5_output(tmp_path):
    n = net(tmp_path, output_net(tmp_path, tmp_path / "out.h5"))
    n.forward()
    with h5py.File(tmp_path / "out.h5") as f:
        np.testing.assert_array_equal(f["data"][...], n.blobs["a"].data.reshape(2, 3, 1, 1))
        assert f["label"].shape == (2, 1, 1, 1)
    with pytest.raises(caffe.CheckError, match="a batch is in"):
        n.forward()


def test_hdf5_output_refused(tmp_path):
    with pytest.raises(caffe.CheckError, match="no file_name"):
        net(tmp_path, output_net(tmp_path, ""))
    with pytest.raises(caffe.CheckError, match="does not exist"):
        net(tmp_path, output_net(tmp_path, tmp_path / "none" / "x.h5"))
    with pytest.raises(caffe.CheckError, match="same number of items"):
        net(tmp_path, output_net(tmp_path, tmp_path / "x.h5", "dim: 3"))
    with pytest.raises(caffe.CheckError, match="at most four"):
        net(tmp_path, output_net(tmp_path, tmp_path / "x.h5", "dim: 2 dim: 1 dim: 1 dim: 1 dim: 1"))
    n = net(tmp_path, output_net(tmp_path, tmp_path / "folder"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(caffe.CheckError, match="could not be written"):
        n.forward()
