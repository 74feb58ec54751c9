"""convert_imageset, compute_image_mean and extract_features: what they write is read back by the Data layer and by eval's reader."""
from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pycaffe_acc as caffe
from pycaffe_acc import filler, lmdb_writer
from pycaffe_acc.datum import datum_pixels, parse_datum
from pycaffe_acc.evaluation.lmdb_images import LmdbImages
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.lmdb_cursor import open_lmdb
from pycaffe_acc.mean_file import read_mean_file
from pycaffe_acc.tools.main import main

NAMES = ["a.png", "sub/with blank.png", "gray.jpeg", "d.jpg"]


@pytest.fixture
def pictures(tmp_path, rng):
    """Four pictures of two sizes and their list, in which a fifth is missing."""
    (tmp_path / "img" / "sub").mkdir(parents=True)
    for name, size in zip(NAMES, [(9, 12, 3), (9, 12, 3), (16, 8), (9, 12, 3)], strict=True):
        Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(tmp_path / "img" / name)
    rows = [f"{name} {i - 1}\n" for i, name in enumerate(NAMES)]
    (tmp_path / "list.txt").write_text("".join([*rows[:2], "none.png 9\n", *rows[2:]]))
    return tmp_path


def convert(folder: Path, *flags: str, status: int = 0) -> str:
    """Run convert_imageset into folder/db; the database's path."""
    assert main(["convert_imageset", *flags, f"{folder / 'img'}/", str(folder / "list.txt"), str(folder / "db")]) == status
    return str(folder / "db")


def stored(path):
    """Key → Datum."""
    with open_lmdb(path).environment.begin() as transaction:
        return {bytes(k).decode(): parse_datum(bytes(v), "d") for k, v in transaction.cursor()}


def read_net(folder: Path, source: str, batch: int, transform: str = ""):
    """A net of one Data layer."""
    text = (f'layer {{ name: "d" type: "Data" top: "data" top: "label" data_param {{ source: "{source}" backend: LMDB batch_size: {batch} }} '
            f"transform_param {{ {transform} }} }}")
    (folder / "read.prototxt").write_text(text)
    return caffe.Net(str(folder / "read.prototxt"), caffe.TEST)


def test_keys_labels_and_lines(pictures, capsys):
    datums = stored(convert(pictures))
    assert [(k, d.label) for k, d in datums.items()] == [("00000000_a.png", -1), ("00000001_sub/with blank.png", 0), ("00000003_gray.jpeg", 1),
                                                         ("00000004_d.jpg", 2)]
    for name, datum in zip(NAMES, datums.values(), strict=True):
        np.testing.assert_array_equal(datum_pixels(datum, name), decode_bgr(str(pictures / "img" / name)).transpose(2, 0, 1))
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == "" and lines[0] == "A total of 5 images." and lines[-2:] == ["Processed 4 files.",
                                                                                       "1 images could not be read and were left out"]
    assert re.match(r"Could not open or find file .*img/none.png: ", lines[1]) and len(lines) == 4


@pytest.mark.parametrize("encoded", [False, True])
def test_the_data_layer_and_evaluation_read_it(pictures, encoded):
    source = convert(pictures, "-resize_height", "10", "-resize_width=14", *(["--encoded", "--encode_type=png"] if encoded else []))
    expected = np.stack([resize_bilinear(decode_bgr(str(pictures / "img" / n)), (10, 14)) for n in NAMES])
    net = read_net(pictures, source, 4)
    net.forward()
    np.testing.assert_array_equal(net.blobs["data"].data, expected.transpose(0, 3, 1, 2))
    assert net.blobs["label"].data.tolist() == [-1, 0, 1, 2]
    images = LmdbImages(source)
    assert len(images) == 4 and images.labels.tolist() == [-1, 0, 1, 2]
    for i in range(4):
        np.testing.assert_array_equal(images.read(i, 3), expected[i])


def test_gray(pictures):
    for datum, name in zip(stored(convert(pictures, "-gray")).values(), NAMES, strict=True):
        assert datum.channels == 1
        np.testing.assert_array_equal(datum_pixels(datum, name)[0], decode_bgr(str(pictures / "img" / name), gray=True))


def test_encoded_without_a_change_keeps_the_files(pictures):
    for datum, name in zip(stored(convert(pictures, "-encoded")).values(), NAMES, strict=True):
        assert datum.encoded and datum.data == (pictures / "img" / name).read_bytes()


def test_shuffle_changes_the_order_and_loses_nothing(pictures, capsys):
    (pictures / "list.txt").write_text("".join(f"a.png {i}\n" for i in range(40)))
    filler.set_random_seed(3)
    labels = [d.label for d in stored(convert(pictures, "-shuffle")).values()]
    assert sorted(labels) == list(range(40)) != labels
    assert "Shuffling data" in capsys.readouterr().err


def test_check_size(pictures, capsys):
    convert(pictures, "-check_size", status=3)
    assert re.search(r"gray.jpeg' has the shape \(3, 16, 8\) and the first \(3, 9, 12\)", capsys.readouterr().err)
    assert not (pictures / "db").exists()
    convert(pictures, "-check_size", "-resize_height=4", "-resize_width=4")


def test_one_extent_alone_has_no_effect(pictures, capsys):
    assert next(iter(stored(convert(pictures, "-resize_height=4")).values())).height == 9
    assert "one alone has no effect" in capsys.readouterr().err


def test_no_image_at_all(pictures, capsys):
    assert main(["convert_imageset", str(pictures / "img"), str(pictures / "list.txt"), str(pictures / "db")]) == 3
    assert "a folder must end with a slash" in capsys.readouterr().err
    assert not (pictures / "db").exists()


def test_mean_image(pictures, capsys):
    source = convert(pictures, "-resize_height=6", "-resize_width=5")
    capsys.readouterr()
    target = str(pictures / "mean.binaryproto")
    assert main(["compute_image_mean", "--backend=lmdb", source, target]) == 0
    captured = capsys.readouterr()
    expected = np.mean([resize_bilinear(decode_bgr(str(pictures / "img" / n)), (6, 5)) for n in NAMES], 0, dtype=np.float64)
    assert captured.out == "" and captured.err.splitlines()[:4] == ["Starting iteration", "Processed 4 files.", f"Write to {target}",
                                                                    "Number of channels: 3"]
    printed = [float(x) for x in re.findall(r"^mean_value channel \[\d\]: (\S+)$", captured.err, re.MULTILINE)]
    assert printed == pytest.approx(expected.mean((0, 1)), rel=1e-5)
    np.testing.assert_allclose(read_mean_file(target), expected.transpose(2, 0, 1), rtol=1e-6)
    blob = caffe.proto.caffe_pb2.BlobProto.FromString(Path(target).read_bytes())
    assert (blob.num, blob.channels, blob.height, blob.width) == (1, 3, 6, 5) and not blob.HasField("shape")
    net = read_net(pictures, source, 4, f'mean_file: "{target}"')
    net.forward()
    np.testing.assert_allclose(net.blobs["data"].data.mean(0), 0, atol=1e-4)
    assert main(["compute_image_mean", source]) == 0


FEATURES = """layer { name: "d" type: "Data" top: "data" top: "label" data_param { source: "SOURCE" backend: LMDB batch_size: 3 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 6 } }
layer { name: "sum" type: "Reduction" bottom: "fc" top: "sum" }
"""


@pytest.fixture
def features(pictures):
    """A net over a database, and weights."""
    source = convert(pictures, "-resize_height=6", "-resize_width=5")
    (pictures / "net.prototxt").write_text(FEATURES.replace("SOURCE", source))
    assert main(["create_fake_caffemodel", str(pictures / "net.prototxt"), str(pictures / "w.caffemodel")]) == 0
    return pictures


def test_extract_features(features, capsys):
    words = [str(features / "w.caffemodel"), str(features / "net.prototxt"), "conv,fc,label"]
    targets = [str(features / t) for t in ("one", "two", "three")]
    capsys.readouterr()
    assert main(["extract_features", *words, ",".join(targets), "3", "lmdb", "GPU", "DEVICE_ID=0", "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)["blobs"]
    assert [(r["blob"], r["database"], r["records"], r["shape"]) for r in report] == [
        ("conv", targets[0], 9, [4, 4, 3]), ("fc", targets[1], 9, [6]), ("label", targets[2], 9, [])]
    assert "Extracted features of 9 query images for feature blob fc" in captured.err
    assert captured.err.splitlines()[-1] == "Successfully extracted the features!"
    net = caffe.Net(words[1], caffe.TEST, weights=words[0])
    expected: dict[str, list[np.ndarray]] = {"conv": [], "fc": [], "label": []}
    for _ in range(3):
        net.forward()
        for name, values in expected.items():
            values.append(net.blobs[name].data.copy())
    for name, target, shape in (("conv", targets[0], (9, 4, 4, 3)), ("fc", targets[1], (9, 6, 1, 1)), ("label", targets[2], (9, 1, 1, 1))):
        reader = read_net(features, target, 9)
        reader.forward()
        np.testing.assert_array_equal(reader.blobs["data"].data, np.concatenate(expected[name]).reshape(shape))
    assert list(stored(targets[1])) == [f"{i:010d}" for i in range(9)]


@pytest.mark.parametrize(("blobs", "targets", "kind", "status", "message"), [
    ("fc", "a", "leveldb", 4, "leveldb is not supported"),
    ("fc", "a", "hdf5", 2, "unknown kind of database 'hdf5'"),
    ("fc,conv", "a", "lmdb", 2, "one database for each blob"),
    ("fc,conv", "a,a", "lmdb", 2, "must differ"),
    ("fc,none", "a,b", "lmdb", 3, "unknown feature blob name 'none'"),
    ("sum", "a", "lmdb", 3, "blob 'sum' has the shape ()"),
    ("fc", "db", "lmdb", 3, "exists already"),
])
def test_extract_features_refuses(features, capsys, monkeypatch, blobs, targets, kind, status, message):
    monkeypatch.chdir(features)
    before = sorted(p.name for p in features.iterdir())
    assert main(["extract_features", "w.caffemodel", "net.prototxt", blobs, targets, "1", kind]) == status
    assert message in capsys.readouterr().err
    assert sorted(p.name for p in features.iterdir()) == before


@pytest.mark.parametrize(("words", "status", "message"), [
    (["convert_imageset", "root/", "none.txt", "db"], 3, "none.txt"),
    (["convert_imageset", "-backend", "leveldb", "r/", "l", "d"], 4, "leveldb is not supported"),
    (["convert_imageset", "-backend=rocks", "r/", "l", "d"], 2, "unknown kind of database 'rocks'"),
    (["convert_imageset", "-encode_type=gif", "r/", "l", "d"], 2, "-encode_type gif is unknown"),
    (["convert_imageset", "-color", "r/", "l", "d"], 2, "unknown command line flag 'color'"),
    (["convert_imageset", "r/", "l"], 2, "ROOTFOLDER/ LISTFILE DB_NAME"),
    (["compute_image_mean", "none"], 3, "none"),
    (["compute_image_mean", "-backend", "leveldb", "d"], 4, "leveldb is not supported"),
    (["compute_image_mean", "a", "b", "c"], 2, "INPUT_DB [OUTPUT_FILE]"),
    (["extract_features", "none.caffemodel", "none.prototxt", "fc", "db", "1", "lmdb"], 3, "none.prototxt"),
])
def test_refusals(words, status, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == status
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err and not list(tmp_path.iterdir())


def test_a_malformed_list_is_status_3(pictures, capsys):
    (pictures / "list.txt").write_text("a.png 0\nb.png x\n")
    convert(pictures, status=3)
    assert "line 2 of" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["convert_imageset", "compute_image_mean"])
def test_usage(command, capsys):
    assert main([command]) == 2
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.count(f"usage: {command}") == 2


def test_without_lmdb(pictures, capsys, monkeypatch):
    monkeypatch.setattr(lmdb_writer, "lmdb", None)
    convert(pictures, status=3)
    assert "pip install 'pycaffe-acc[data]'" in capsys.readouterr().err


def test_photographs(data_dir, tmp_path):
    """Real JPEG files with colours: 256 x 256 records whose mean is that of natural images."""
    files = sorted((data_dir / "imagenet1000" / "img").iterdir())[::25]
    (tmp_path / "img").mkdir()
    for file in files:
        shutil.copyfile(file, tmp_path / "img" / file.name)
    (tmp_path / "list.txt").write_text("".join(f"{f.name} {i}\n" for i, f in enumerate(files)))
    source = convert(tmp_path, "-resize_height=256", "-resize_width=256", "-check_size")
    assert main(["compute_image_mean", source, str(tmp_path / "mean.binaryproto")]) == 0
    mean = read_mean_file(tmp_path / "mean.binaryproto")
    assert mean.shape == (3, 256, 256) and len(files) >= 30
    images = LmdbImages(source)
    np.testing.assert_allclose(mean, np.mean([images.read(i, 3) for i in range(len(files))], 0).transpose(2, 0, 1), rtol=1e-5)
    # blue is darkest and red brightest, as in Caffe's own 104, 117, 123
    assert 80 < mean[0].mean() < mean[1].mean() < mean[2].mean() < 150
