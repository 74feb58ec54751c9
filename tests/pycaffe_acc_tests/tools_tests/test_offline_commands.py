"""`caffe genoff`, `compile` and `run`."""
from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from pycaffe_acc_tests.offline_nets import AVERAGE, BLOCK, MIXED, data, inner, layer, net_of, quantized, values_for

from cnrt import model_file
from cnrt.enums import CoreVersion, DimOrder
from cnrt.model_runner import ModelRunner
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.tools.main import main

#: classes by colour of the image's middle
COLOURS = data(4, 3, 8, 8) + layer("Pooling", "pool", "data", "", AVERAGE) + inner("ip", "pool", 6) + layer("Softmax", "prob", "ip")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """prototxt and weights of a net; the process stands in their folder."""
    def make(text: str) -> tuple[str, str]:
        net = net_of(tmp_path, text)
        net.save(tmp_path / "net.caffemodel")
        return "net.prototxt", "net.caffemodel"

    monkeypatch.chdir(tmp_path)
    return make


def genoff(*words: object) -> int:
    """`caffe genoff` with the net of `files`."""
    return main(["caffe", "genoff", "-model", "net.prototxt", "-weights", "net.caffemodel", *map(str, words)])


def test_genoff_writes_what_the_card_computes(files, capsys, tmp_path):
    model, weights = files(BLOCK)
    assert genoff("-mcore", "MLU100", "-model_parallel", 4) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Offline model is generated!\n") and "file name : offline.cambricon" in out
    assert '[On MLU] [call via func "subnet0"] subnet[1] layers : 1(c1)' in out
    assert re.search(r"^execution time: \d+ us$", err, re.MULTILINE)
    assert {p.name for p in tmp_path.iterdir()} >= {"offline.cambricon", "offline.cambricon_twins"}
    held = model_file.load("offline.cambricon")
    assert (held.core_version, held.model_parallelism) == (CoreVersion.MLU100, 4) and not held.attachments
    assert held.programs["subnet0"].body["precision"] == "mlu"
    net = Net(model, weights, TEST, precision="mlu")
    values = values_for(net)
    np.testing.assert_array_equal(ModelRunner(held).run([values["data"]])[0].reshape(2, 7), net.forward(**values)["prob"])


def test_genoff_names_and_keeps(files, capsys):
    files(MIXED)
    assert genoff("-mcore", "1H8", "-mname", "mixed", "-cpu_info", 1, "-hd_reshape", 3, "-dataorder", "0,1", "-datastrategy", "1,2") == 0
    held = model_file.load("mixed.cambricon")
    assert held.core_version == CoreVersion.CORE_1H8 and "caffe.segments" in held.attachments
    first, second = held.programs["subnet0"], held.programs["subnet1"]
    assert [t.order for t in (*first.inputs, *first.outputs)] == [DimOrder.NHWC] * 2
    assert [t.order for t in (*second.inputs, *second.outputs)] == [DimOrder.NHWC] * 2 + [DimOrder.NCHW]


def test_genoff_with_the_newer_generations_flags(files):
    files(BLOCK)
    assert genoff("-mcore", "MLU270", "-simple_compile", 1, "-batchsize", 5, "-core_number", 16, "-opt_level", 1, "-output_dtype", "FLOAT32") == 0
    held = model_file.load("offline.cambricon")
    assert held.model_parallelism == 16 and held.programs["subnet0"].inputs[0].shape == (5, 3, 12, 12)


@pytest.mark.parametrize(("words", "status", "message"), [
    ([], 2, "-mcore"),
    (["-mcore", "MLU999"], 2, "MLU100, 1H16, 1H8"),
    (["-mcore", "MLU100", "-dataorder", "2,0"], 2, "-dataorder"),
    (["-mcore", "MLU100", "-dataorder", "0"], 2, "-dataorder"),
    (["-mcore", "MLU100", "-hd_reshape", 1], 2, "-hd_reshape is 1"),
    (["-mcore", "MLU100", "-datastrategy", "4,0"], 2, "-datastrategy"),
    (["-mcore", "MLU100", "-opt_level", 3], 2, "-opt_level"),
    (["-mcore", "MLU100", "-output_dtype", "INT4"], 2, "-output_dtype"),
    (["-mcore", "MLU100", "-model_parallel", 33], 3, "from 1 to 32"),
    (["-mcore", "MLU100", "-model_parallel", 3], 3, "model parallelism 3"),
    (["-mcore", "MLU270", "-simple_compile", 1, "-core_number", 0], 3, "-core_number 0"),
    (["-mcore", "MLU270", "-simple_compile", 1, "-batchsize", 0], 3, "-batchsize 0"),
    (["-mcore", "MLU100", "-mname", "none/x"], 3, "none/x"),
])
def test_genoff_refuses(files, words, status, message, capsys, tmp_path):
    files(BLOCK)
    assert genoff(*words) == status
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err
    assert not [p for p in tmp_path.iterdir() if "cambricon" in p.name]


def test_genoff_needs_a_model_and_weights(capsys):
    assert main(["caffe", "genoff", "-mcore", "MLU100"]) == 2
    assert main(["caffe", "genoff", "-mcore", "MLU100", "-model", "m"]) == 2
    assert "need model weights" in capsys.readouterr().err


def test_genoff_of_a_quantized_net(files, tmp_path):
    model, weights = files(quantized(BLOCK))
    assert genoff("-mcore", "MLU100", "-mname", "int8") == 0
    net = Net(model, weights, TEST, precision="mlu")
    values = values_for(net)
    got = ModelRunner("int8.cambricon").run([values["data"]])[0].reshape(2, 7)
    np.testing.assert_array_equal(got, net.forward(**values)["prob"])
    plain = Net(model, weights, TEST, precision="fp16")
    assert not np.array_equal(got, plain.forward(**values)["prob"])


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_compile_says_what_it_wrote(files, precision, capsys, tmp_path):
    model, weights = files(MIXED)
    out = str(tmp_path / "out.cambricon")
    assert main(["compile", "--model", model, "--weights", weights, "--out", out, "--precision", precision, "--batch", "3", "--cpu-info",
                 "--model-parallel", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(tmp_path / "out.cambricon") and told["bytes"] == (tmp_path / "out.cambricon").stat().st_size
    assert (told["precision"], told["model_parallelism"], told["stack_mb"]) == (precision, 2, 1)
    assert [s["symbol"] for s in told["segments"]] == [None, "subnet0", None, "subnet1", None]
    assert "stochastic" in told["segments"][2]["on_cpu_because"]["p1"]
    assert model_file.load(told["file"]).programs["subnet0"].inputs[0].shape == (3, 3, 12, 12)
    assert main(["compile", "--model", model, "--weights", weights, "--out", "out"]) == 0
    assert "description in out.cambricon_twins" in capsys.readouterr().out


@pytest.fixture
def images(tmp_path):
    """Ten one-coloured images with labels, and their list."""
    from PIL import Image
    rng = np.random.default_rng(3)
    lines = []
    for i in range(10):
        Image.fromarray(np.full((9, 9, 3), rng.integers(0, 256, 3), np.uint8)).save(tmp_path / f"{i}.png")
        lines.append(f"{i}.png {i % 6}")
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "classes.txt").write_text("\n".join("abcdef") + "\n")
    return ["--images", "list.txt", "--labels", "classes.txt", "--preprocess", "raw"]


def test_run_measures_what_eval_measures(files, images, capsys):
    model, weights = files(COLOURS)
    for precision in ("fp32", "fp16"):
        assert main(["compile", "--model", model, "--weights", weights, "--out", "m", "--precision", precision, "--json"]) == 0
        assert main(["eval", "--model", model, "--weights", weights, "--precision", precision, *images, "--json"]) == 0
        assert main(["run", "m.cambricon", *images, "--threads", "1", "--json"]) == 0
        _, online, offline = (json.loads("{" + part) for part in re.split(r"(?m)^\{", capsys.readouterr().out)[1:])
        for name in ("images", "top1", "top5", "batch", "precision", "preprocess", "schema", "time"):
            assert offline[name] == online[name], name
        assert offline["images"] == 10 and offline["model"] == "m.cambricon" and offline["threads"] == 1
        for name in ("hardware_fps", "hardware_fps_vendor", "end_to_end_fps"):
            assert offline[name] > 0
        assert offline["latency_ms"].keys() == online["latency_ms"].keys() and offline["split_seconds"].keys() == online["split_seconds"].keys()


def test_run_stops_at_a_limit_and_a_bound(files, images, capsys):
    model, weights = files(COLOURS)
    assert main(["compile", "--model", model, "--weights", weights, "--out", "m"]) == 0
    assert main(["run", "m.cambricon", *images, "--limit", "3", "--min-top1", "100.5"]) == 1
    out = capsys.readouterr().out
    assert "top-1 of at least 100.5 %" in out and "NO" in out and "hardware FPS" in out and "end-to-end FPS" in out


def test_run_refuses(files, images, capsys, tmp_path):
    model, weights = files(COLOURS)
    assert main(["compile", "--model", model, "--weights", weights, "--out", "m"]) == 0
    damaged = bytearray(Path("m.cambricon").read_bytes())
    damaged[-70] ^= 1
    Path("bad.cambricon").write_bytes(damaged)
    (tmp_path / "few.txt").write_text("a\nb\n")
    for words, status, message in ((["none.cambricon", *images], 3, "none.cambricon"), (["bad.cambricon", *images], 3, "damaged"),
                                   (["m.cambricon"], 2, "--images"), (["m.cambricon", *images, "--labels", "few.txt"], 3, "few.txt")):
        assert main(["run", *words]) == status
        err = capsys.readouterr().err
        assert message in err and "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_squeezenet_offline_on_imagenet(data_dir, capsys, tmp_path, precision):
    """The same hits as online, from a file."""
    folder, pictures = data_dir / "models/squeezenet_v1.1", data_dir / "imagenet1000"
    net = ["--model", str(folder / "deploy.prototxt"), "--weights", str(folder / "squeezenet_v1.1.caffemodel")]
    rest = ["--images", str(pictures / "val.txt"), "--root", str(pictures / "img"), "--limit", "200", "--json"]
    assert main(["compile", *net, "--out", str(tmp_path / "m"), "--precision", precision, "--batch", "10"]) == 0
    capsys.readouterr()
    found = []
    for words in (["eval", *net, "--precision", precision, "--batch", "10"], ["run", str(tmp_path / "m.cambricon")]):
        assert main([*words, *rest]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert [found[0][k] for k in ("images", "top1", "top5")] == [found[1][k] for k in ("images", "top1", "top5")] and found[0]["images"] == 200
