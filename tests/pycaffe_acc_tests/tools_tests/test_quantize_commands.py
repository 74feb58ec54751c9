"""`quantize`, `generate_int8_pt` and `generate_quantized_pt` on the demo net."""
from __future__ import annotations

import json

import pytest

import pycaffe_acc as caffe
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16
from pycaffe_acc.text_format import read_net
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

MODEL, WEIGHTS = str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel")
DEMO = ["--model", MODEL, "--weights", WEIGHTS, "--images", str(FOLDER / "test.txt"), "--preprocess", "raw", "--scale", "0.00392156862745098"]
WEIGHTED = 9  # eight convolutions and a product


def layers(path):
    """The layers of a prototxt by name."""
    return {layer.name: layer for layer in read_net(path).message.layer}


@pytest.fixture
def ini(tmp_path, monkeypatch):
    """A function that writes an ini file for the demo net, with sections changed, and returns its path."""
    monkeypatch.chdir(FOLDER)

    def write(data=f"images_list_path = {FOLDER / 'test.txt'}\nused_images_num = 5", config="use_firstconv = 0", model="", more=""):
        path = tmp_path / "c.ini"
        path.write_text(f"[model]\noriginal_models_path = {model or MODEL}\nsave_model_path = {tmp_path / 'q.prototxt'}\n[data]\n{data}\n"
                        f"[weights]\noriginal_weights_path = {WEIGHTS}\n[preprocess]\nmean = 0\nstd = 0.00392156862745098\nscale = 8, 8\n"
                        f"[config]\n{config}\n{more}")
        return str(path)
    return write


@pytest.mark.parametrize("method", ["absmax", "vendor"])
def test_quantize(tmp_path, capsys, method):
    """The report, the file, and a net that still knows its digits."""
    out, weights = tmp_path / "q.prototxt", tmp_path / "q.caffemodel"
    status = main(["quantize", *DEMO, "--limit", "30", "--method", method, "--out", str(out), "--out-weights", str(weights), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert status == 0 and report["images"] == 30 and report["method"] == method
    assert sum(row["weights"] is not None for row in report["layers"]) == WEIGHTED
    conv = layers(out)["conv1"]
    assert conv.blobs_dtype[0].type == DT_INT8 and len(conv.blobs_dtype[0].position) == (16 if method == "absmax" else 1)
    assert conv.bottom_mlu_dtype[0].position[0] == (-7 if method == "absmax" else -6)  # pixels in 0..1, to 255 or to 127
    assert list(conv.bottom_mlu_dtype[0].scale) == ([pytest.approx(255 / 128)] if method == "absmax" else [])
    assert main(["eval", "--model", str(out), "--weights", str(weights), *DEMO[4:], "--limit", "50", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["top1"] == 98.0


def test_pixels_into_the_first_convolution(tmp_path, capsys):
    """The net takes them raw, and is the same net."""
    out = tmp_path / "q.prototxt"
    assert main(["quantize", *DEMO, "--limit", "8", "--first-convolution", "--dtype", "int16", "--out", str(out)]) == 0
    assert "9 layers with weights" in capsys.readouterr().out
    conv = layers(out)["conv1"]
    assert conv.convolution_param.std == pytest.approx(1 / 255) and conv.blobs_dtype[0].type == DT_INT16
    assert conv.bottom_mlu_dtype[0].position[0] == -14
    raw = ["--images", str(FOLDER / "test.txt"), "--preprocess", "raw", "--limit", "50", "--json"]
    assert main(["eval", "--model", str(out), "--weights", WEIGHTS, *raw]) == 0
    assert json.loads(capsys.readouterr().out)["top1"] == 98.0


@pytest.mark.parametrize(("words", "status", "rule"), [
    (["--images", "no.txt"], 3, "could not open image list 'no.txt'"),
    ([], 2, "give one of them"),
    (["--images", "x", "--dataset", "list:x"], 2, "give one of them"),
    (["--images", str(FOLDER / "test.txt"), "--first-convolution", "--std", "1,2"], 2, "one std for all"),
    (["--images", str(FOLDER / "test.txt"), "--first-convolution", "--scale", "0"], 2, "multiplied by 0"),
])
def test_refusals_of_quantize(tmp_path, capsys, words, status, rule):
    """A sentence, and no file."""
    assert main(["quantize", "--model", MODEL, "--weights", WEIGHTS, "--out", str(tmp_path / "q"), *words]) == status
    assert rule in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_missing_model(tmp_path, capsys):
    """Named before anything is read."""
    assert main(["quantize", "--model", "no.prototxt", "--weights", WEIGHTS, "--images", "x", "--out", str(tmp_path / "q")]) == 3
    assert "could not open prototxt 'no.prototxt'" in capsys.readouterr().err


@pytest.mark.parametrize("tool", ["generate_int8_pt", "generate_quantized_pt"])
def test_the_vendors_lines(tool, ini, tmp_path, capsys):
    """As the tools print them."""
    path = ini()
    assert main([tool, "-ini_file", path]) == 0
    assert capsys.readouterr().err.splitlines() == ["Use CPU.", f"ini_file path : {path}", f"Output file is {tmp_path / 'q.prototxt'}, iteration: 5"]
    found = layers(tmp_path / "q.prototxt")
    assert list(found["data"].input_param.shape[0].dim) == [1, 1, 8, 8]
    assert list(found["conv1"].bottom_mlu_dtype[0].position) == [-6]
    net = caffe.Net(str(tmp_path / "q.prototxt"), caffe.TEST, weights=WEIGHTS)
    assert net.inputs == ["data"]


def test_warnings_are_lines(ini, capsys):
    """Unknown keys, a word for use_firstconv, a mode that writes nothing."""
    assert main(["generate_quantized_pt", "-ini_file", ini(config="use_firstconv = yes", more="colour = BGR"), "-mode", "scale"]) == 0
    errors = capsys.readouterr().err
    for words in ("unknown keys are ignored: config.colour", "which counts as 0", "mode 'scale' gives empty entries"):
        assert words in errors


def test_black_images(ini, tmp_path, capsys):
    """Position 0 and a warning that names the layer."""
    from PIL import Image
    Image.new("L", (8, 8)).save(tmp_path / "black.png")
    (tmp_path / "list").write_text(f"{tmp_path / 'black.png'} 0\n")
    assert main(["generate_int8_pt", "-ini_file", ini(data=f"images_folder_path = {tmp_path / 'list'}\nused_images_num = 2")]) == 0
    assert "only zeros reached 'conv1'" in capsys.readouterr().err
    assert list(layers(tmp_path / "q.prototxt")["conv1"].bottom_mlu_dtype[0].position) == [0]


@pytest.mark.parametrize(("changes", "rule"), [
    ({"data": "images_list_path = no_list"}, "could not open image list 'no_list'"),
    ({"data": "images_db_path = no_db"}, "could not open LMDB 'no_db'"),
    ({"model": "no.prototxt"}, "could not open prototxt 'no.prototxt'"),
    ({"config": ""}, "use_firstconv is missing"),
])
def test_missing_files_and_keys(ini, tmp_path, capsys, changes, rule):
    """A sentence, and no file."""
    assert main(["generate_quantized_pt", "-ini_file", ini(**changes)]) == 3
    assert rule in capsys.readouterr().err and not (tmp_path / "q.prototxt").exists()


def test_an_unreadable_image(ini, tmp_path, capsys):
    """By its name."""
    (tmp_path / "x.png").write_bytes(b"no image")
    (tmp_path / "list").write_text(f"{tmp_path / 'x.png'} 0\n")
    assert main(["generate_int8_pt", "-ini_file", ini(data=f"images_list_path = {tmp_path / 'list'}")]) == 3
    assert "x.png" in capsys.readouterr().err


def test_another_size_than_the_weights(ini, tmp_path, capsys):
    """The ini file's size counts, and a fully connected layer notices."""
    text = (FOLDER / "deploy.prototxt").read_text().replace("global_pooling: true", "kernel_size: 2")
    (tmp_path / "n.prototxt").write_text(text)
    assert main(["generate_int8_pt", "-ini_file", ini(model=tmp_path / "n.prototxt")]) == 3
    assert "layer 'fc10'" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "rule"), [(["-mode", "other"], "-mode is 'other'; it must be one of"), (["extra"], "takes flags only"),
                                             (["-nosuch", "1"], "unknown command line flag"), (["-blobs_dtype", "INT4"], "INT8 or INT16"),
                                             (["-iterations", "x"], "illegal value")])
def test_bad_flags(words, rule, capsys):
    """Usage errors."""
    assert main(["generate_quantized_pt", *words]) == 2
    assert rule in capsys.readouterr().err


def test_usage(capsys):
    """Without words: the usage and 1, as the vendor's tools; -help: 0."""
    assert main(["generate_int8_pt"]) == 1
    assert "-ini_file" in capsys.readouterr().out
    assert main(["generate_quantized_pt", "-help"]) == 0
    assert "-blobs_dtype" in capsys.readouterr().out


def test_flags_without_an_ini_file(tmp_path, capsys):
    """A net with its own data layer keeps it; the layer's iterations count."""
    text = (FOLDER / "deploy.prototxt").read_text()
    data = ('layer { name: "data" type: "ImageData" top: "data" top: "label" include { phase: TEST } transform_param { scale: 0.00392156862745098 } '
            f'image_data_param {{ source: "{FOLDER / "test.txt"}" root_folder: "{FOLDER}/" batch_size: 2 is_color: false iterations: 3 }} }}\n')
    (tmp_path / "n.prototxt").write_text(data + text[text.index('layer {\n  name: "conv1"'):])
    out = tmp_path / "q.prototxt"
    assert main(["generate_int8_pt", "-model", str(tmp_path / "n.prototxt"), "-weights", WEIGHTS, "-outputmodel", str(out), "-iterations", "9"]) == 0
    assert capsys.readouterr().err == f"Output file is {out}, iteration: 3\n"
    message = read_net(out).message
    assert message.name == "default" and message.layer[0].type == "ImageData" and not message.layer[0].include
