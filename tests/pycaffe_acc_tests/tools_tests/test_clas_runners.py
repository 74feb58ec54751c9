"""The vendor's four classification runners over the embedded net."""
from __future__ import annotations

import json
import re

import pytest

from cnrt.device import chosen_device
from pycaffe_acc import card
from pycaffe_acc.mode import mode
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

WEIGHTS, LABELS = str(FOLDER / "digits.caffemodel"), str(FOLDER / "labels.txt")
IMAGES = 21
#: divides pixels by 255: a scale counts only where there is a mean
PIXELS = ["-meanvalue", "0", "-scale", str(1 / 255)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A list of digits, the net with a batch of 2, offline models of it for both generations."""
    folder = tmp_path_factory.mktemp("runners")
    lines = (FOLDER / "test.txt").read_text().splitlines()[:IMAGES]
    (folder / "list").write_text("".join(f"{FOLDER / line}\n" for line in lines))
    text = (FOLDER / "deploy.prototxt").read_text()
    (folder / "net.prototxt").write_text(re.sub(r"dim: 1\b", "dim: 4", text, count=1))
    for core in ("MLU100", "MLU270"):
        names = ["-model", str(folder / "net.prototxt"), "-weights", WEIGHTS, "-mname", str(folder / core)]
        assert main(["caffe", "genoff", *names, "-mcore", core]) == 0
    return folder


def words(folder, name, *more):
    """The command line of a runner."""
    given = (["-model", str(folder / "net.prototxt"), "-weights", WEIGHTS] if "online" in name
             else ["-offlinemodel", str(folder / "MLU100.cambricon")])
    return [name, *given, "-images", str(folder / "list"), "-labels", LABELS, *PIXELS, *map(str, more)]


def rankings(err):
    """What each image's best class and score were."""
    return dict(re.findall(r"^----- top5 for (\S+)\n(.*)$", err, re.MULTILINE))


def test_offline_multicore(folder, capsys):
    before = chosen_device()
    assert main(words(folder, "clas_offline_multicore", "-threads", 2, "-dataparallel", 2, "-fifosize", 3)) == 0
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == "" and chosen_device() is before
    assert lines[:3] == [f"there are {IMAGES} figures in {folder / 'list'}", "Using MLU device 0", f"load file: {folder / 'MLU100.cambricon'}"]
    assert lines[3:8] == ["input blob num is 1", "shape 8", "shape 1", "shape 8", "shape 8"]
    assert lines[8:10] == ["output shape 8", "output shape 10"]
    end = lines[lines.index("Accuracy thread id : 0"):]
    patterns = ["Accuracy thread id : 0", r"accuracy1: \S+ \(\d+/11\)", r"accuracy5: \S+ \(\d+/11\)", "Accuracy thread id : 1",
                r"accuracy1: \S+ \(\d+/10\)", r"accuracy5: \S+ \(\d+/10\)", r"Total execution time: \S+ us", "Global accuracy : ",
                r"accuracy1: 1 \(21/21\)", r"accuracy5: 1 \(21/21\)", r"Hardware fps: \S+", r"End2end throughput fps: \S+",
                r"Images per second of the time in which a function ran: \S+", "MLU100 is a virtual card: these figures of speed are simulated, .*"]
    assert len(end) == len(patterns)
    for line, pattern in zip(end, patterns, strict=True):
        assert re.fullmatch(pattern, line), line
    assert sum(line.startswith(" execution time: ") for line in lines) == 4  # 11 and 10 images in batches of 8
    assert len(rankings(captured.err)) == IMAGES
    assert re.search(r"^----- top5 for \S+\n(\d\.\d{4} - \S+\n){5}", captured.err, re.MULTILINE)


@pytest.mark.parametrize("name", ["clas_offline_multicore", "clas_online_multicore"])
def test_simulated_speed_is_the_same_every_time(folder, capsys, name):
    ends = []
    for fifo in (2, 2):
        assert main(words(folder, name, "-threads", 2, "-dataparallel", 2, "-fifosize", fifo)) == 0
        lines = capsys.readouterr().err.splitlines()
        ends.append(lines[lines.index("Global accuracy : "):] + [line for line in lines if line.startswith(("Total", " execution time"))])
    assert sorted(ends[0]) == sorted(ends[1])
    rates = {line.split(": ")[0]: float(line.split(": ")[1]) for line in ends[0] if " fps: " in line}
    assert rates["Hardware fps"] > rates["End2end throughput fps"] > 0


@pytest.mark.parametrize(("name", "options", "hardware"), [
    ("clas_offline_singlecore", ["-dataparallel", 4], True),
    ("clas_online_multicore", ["-threads", 3, "-dataparallel", 2], True),
    ("clas_online_multicore", ["-mmode", "MLU"], True),
    ("clas_online_singlecore", [], False),
    ("clas_online_singlecore", ["-mmode", "MLU"], False),
    ("clas_online_singlecore", ["-mmode", "CPU"], False),
])
def test_all_of_them_agree(folder, capsys, name, options, hardware):
    assert main(words(folder, "clas_offline_multicore")) == 0
    expected = rankings(capsys.readouterr().err)
    assert main(words(folder, name, *options)) == 0
    err = capsys.readouterr().err
    assert mode() == "CPU" and card.settings().data_parallel == 1
    assert "Global accuracy : \naccuracy1: 1 (21/21)\naccuracy5: 1 (21/21)\n" in err
    assert ("Hardware fps: " in err) == hardware and "End2end throughput fps: " in err
    assert ("figures of speed are simulated" in err) == ("CPU" not in options)
    found = rankings(err)
    if {"MLU", "CPU"} & set(options):  # other arithmetic: FP32, or a rounding behind each layer
        assert found.keys() == expected.keys() and all(found[k].split(" - ")[1] == expected[k].split(" - ")[1] for k in found)
    else:
        assert found == expected


def test_threads_on_two_cards(folder, capsys, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_CARDS", "2")
    assert main(words(folder, "clas_offline_multicore", "-threads", 2, "-mludevice", "0,1")) == 0
    err = capsys.readouterr().err
    assert "Using MLU device 0\nUsing MLU device 1\n" in err and "Accuracy thread id : 3\n" in err and "accuracy1: 1 (21/21)" in err
    assert main(words(folder, "clas_online_multicore", "-threads", 2, "-mludevice", "1,0")) == 0
    err = capsys.readouterr().err
    assert "Using MLU device 1\n" in err and "Using MLU device 0\n" in err and "Accuracy thread id : 3\n" in err and "accuracy1: 1 (21/21)" in err


def test_the_newer_generation(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("OUTPUT_JSON_FILE", str(tmp_path / "result.json"))
    monkeypatch.setenv("OUTPUT_E2E", "ON")
    given = words(folder, "clas_offline_multicore", "-threads", 2, "-preprocess_option", 0, "-simple_compile", 1)
    given[given.index(str(folder / "MLU100.cambricon"))] = str(folder / "MLU270.cambricon")
    assert main(given) == 0
    err = capsys.readouterr().err
    assert re.search(r"^Global accuracy : \ntop1: 1 \(21/21\)\ntop5: 1 \(21/21\)\nthroughput: \S+\nEnd2end throughput fps: \S+\n"
                     r"Latency: \d+\.\d\d$", err, re.MULTILINE)
    document = json.loads((tmp_path / "result.json").read_text())["output"]
    assert document["accuracy"] == {"top1": "100.00", "top5": "100.00", "meanAp": "-1.00"}
    assert float(document["performance"]["hardwareFps"]) > 0 and float(document["performance"]["endToEndTime"]) > 0
    assert main(words(folder, "clas_online_multicore", "-mcore", "MLU270", "-core_number", 4, "-batchsize", 6)) == 0
    err = capsys.readouterr().err
    assert "input blob num is 1\nshape 6\n" in err and "top1: 1 (21/21)" in err


def test_raw_pixels_ignore_mean_and_scale(folder, capsys):
    assert main(words(folder, "clas_offline_singlecore", "-int8", 1)) == 0
    raw = rankings(capsys.readouterr().err)
    assert main([w for w in words(folder, "clas_offline_singlecore") if w not in PIXELS]) == 0
    assert rankings(capsys.readouterr().err) == raw


def test_the_log_in_a_folder(folder, capsys, tmp_path):
    assert main(words(folder, "clas_offline_singlecore", "-logdir", tmp_path)) == 0
    assert "Global accuracy" not in capsys.readouterr().err
    assert "Global accuracy : \n" in (tmp_path / "clas_offline_singlecore.log").read_text()


@pytest.mark.parametrize(("name", "options", "status", "message"), [
    ("clas_offline_multicore", ["-labels", str(FOLDER / "test.txt")], 3, "360 lines, and an image's results are 10 values"),
    ("clas_offline_multicore", ["-labels", ""], 2, "needs -labels"),
    ("clas_offline_multicore", ["-images", "none.txt"], 3, "none.txt"),
    ("clas_offline_multicore", ["-offlinemodel", WEIGHTS], 3, "digits.caffemodel"),
    ("clas_offline_multicore", ["-offlinemodel", "none.cambricon"], 3, "none.cambricon"),
    ("clas_offline_multicore", ["-dataparallel", "3"], 3, "data parallelism 3"),
    ("clas_offline_multicore", ["-mludevice", "1"], 3, "device 1"),
    ("clas_offline_multicore", ["-mludevice", "x"], 2, "numbers of cards"),
    ("clas_offline_multicore", ["-batchsize", "16"], 3, "compiled for batches of 4"),
    ("clas_offline_multicore", ["-yuv", "1"], 3, "-yuv 1 feeds frames of one channel and 3 H / 2 rows"),
    ("clas_offline_multicore", ["-yuv", "2"], 2, "-yuv is 2"),
    ("clas_offline_multicore", ["-threads", "0"], 2, "-threads is 0"), ("clas_offline_multicore", ["-threads", "999"], 2, "256 at most"),
    ("clas_offline_multicore", ["-dataparallel", "64"], 3, "code 632007"),
    ("clas_offline_multicore", ["-meanvalue", "1,2"], 3, "2 mean values for an input of 1 channels"),
    ("clas_offline_multicore", ["-meanfile", "mean.npy"], 3, "exclude each other"),
    ("clas_offline_multicore", ["-preprocess_option", "7"], 3, "must be one of 0, 1, 2, 3, 4"),
    ("clas_offline_multicore", ["-functype", "1H4"], 2, "1H8 or 1H16"),
    ("clas_offline_multicore", ["extra"], 2, "takes flags only"),
    ("clas_online_multicore", ["-mmode", "CPU"], 2, "runs on the card only"),
    ("clas_online_multicore", ["-dataparallel", "8"], 3, "a batch of 4"),
    ("clas_online_singlecore", ["-mmode", "GPU"], 2, "'GPU'"),
])
def test_refusals(folder, capsys, name, options, status, message):
    assert main(words(folder, name, *options)) == status
    captured = capsys.readouterr()
    assert message in captured.err and "Traceback" not in captured.err
    assert mode() == "CPU"


def test_help(capsys):
    assert main(["clas_offline_multicore", "-help"]) == 0
    assert "-dataparallel (1)" in capsys.readouterr().out
    assert main(["clas_offline_multicore"]) == 2


@pytest.mark.parametrize("name", ["clas_offline_multicore", "clas_online_multicore", "clas_offline_singlecore"])
def test_a_trace(folder, capsys, tmp_path, name):
    more = ["-threads", 2] if "multi" in name else []
    assert main(words(folder, name, *more, "-trace", tmp_path / "t.json")) == 0
    capsys.readouterr()
    rows = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    kinds = {r["pid"]: r["args"]["name"] for r in rows if r["name"] == "process_name"}
    names = {r["args"]["name"]: kinds[r["pid"]] for r in rows if r["name"] == "thread_name"}
    assert set(names.values()) == {"queues", "cores", "channels", "host threads"} and "channel 0 of MLU100:0" in names
    assert not more or {"pipeline 1 provide", "pipeline 1 run", "pipeline 1 judge", "channel 1 of MLU100:0"} <= set(names)
    steps = {r["name"] for r in rows if r["ph"] == "X" and kinds[r["pid"]] == "host threads"}
    assert steps == {"decode", "preprocess", "copy in", "forward", "copy out", "judge"}


def test_what_ends_a_run_early_leaves_its_figures(folder, capsys, monkeypatch):
    """As if Ctrl-C came when the program waits for its pipelines."""
    from pycaffe_acc.runners.pipeline import Pipeline
    wait, calls = Pipeline.join, []

    def join(self):
        calls.append(self)
        if len(calls) == 1:
            while not self.tally.hits.images:
                pass
            raise KeyboardInterrupt
        wait(self)

    monkeypatch.setattr(Pipeline, "join", join)
    assert main(words(folder, "clas_offline_multicore")) == 130
    err = capsys.readouterr().err
    seen = re.search(r"ended early \(KeyboardInterrupt\); all figures are of the (\d+) images until then", err)
    assert seen and f"accuracy1: 1 ({seen[1]}/{seen[1]})" in err and "Hardware fps: " in err and err.endswith("pycaffe-acc: interrupted\n")


def test_a_trace_in_no_folder(folder, capsys):
    assert main(words(folder, "clas_offline_multicore", "-trace", "no/such/folder/t.json")) == 2
    assert "folder that exists" in capsys.readouterr().err
