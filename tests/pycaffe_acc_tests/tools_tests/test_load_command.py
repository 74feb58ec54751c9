"""`load` over the embedded net: scenarios, modes, engines, exit statuses."""
from __future__ import annotations

import json

import pytest

from cnrt.device import chosen_device
from pycaffe_acc.mode import mode
from pycaffe_acc.tools import load
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

NET = ["--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel")]
IMAGES = ["--images", str(FOLDER / "test.txt"), "--preprocess", "raw", "--scale", str(1 / 255)]
SHORT = ["--min-duration", "0.05", "--min-queries", "20"]


def run(capsys, *words):
    """Status and document."""
    status = main(["load", *words, "--json"])
    captured = capsys.readouterr()
    assert captured.err == ""
    return status, json.loads(captured.out)


def refused(capsys, *words):
    """Status and the one line on stderr."""
    status = main(["load", *words])
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("pycaffe-acc: ") and captured.err.count("\n") == 1
    return status, captured.err


@pytest.mark.parametrize(("words", "name"), [
    (["--scenario", "SingleStream"], "p90 latency"), (["--scenario", "multi-stream", "--samples-per-query", "4"], "p99 latency"),
    (["--scenario", "server", "--qps", "400", "--max-batch", "3", "--max-delay-ms", "2", "--latency-bound-ms", "60000", "--instances", "2"],
     "queries per second within the bound"),
    (["--scenario", "OFFLINE", "--max-batch", "5", "--instances", "2", "--threads", "1"], "images per second"),
])
def test_scenarios(capsys, words, name):
    status, document = run(capsys, *NET, *IMAGES, *SHORT, *words, "--check-share", "0.5")
    performance = document["performance"]
    assert status == 0 and document["valid"] and document["heading"] == "MLPerf-style, not MLPerf"
    assert document["images"] == 360 and document["top1"] == pytest.approx(100 * 357 / 360)
    assert performance["metric"]["name"] == name and performance["queries"] >= 20 and performance["seconds"] > 0
    assert performance["checked"] > 0 and performance["mismatches"] == 0 and performance["failures"] == 0
    assert sum(int(k) * v for k, v in performance["batches"].items()) == performance["images"]
    assert document["time"] == "measured on host" and document["seeds"]["seed"] == 0 and document["environment"]["packages"]["numpy"]


def test_find_qps(capsys):
    words = [*NET, *IMAGES, "--scenario", "server", "--find-qps", "--latency-bound-ms", "5", "--min-duration", "0.1", "--min-queries", "20",
             "--device", "MLU100", "--time", "simulated", "--check-share", "0.01"]
    status, document = run(capsys, *words)
    trials = document["search"]["trials"]
    assert status == 0 and document["performance"]["qps"] == max(t["qps"] for t in trials if t["valid"])
    assert document["performance"]["latency_ms"]["p99"] <= 5 and any(not t["valid"] for t in trials)
    status, again = run(capsys, *words, "--qps", "100", "--instances", "2")
    assert status == 0 and again["search"]["trials"][0]["qps"] == 100
    assert 1.5 < again["performance"]["qps"] / document["performance"]["qps"] < 2.5  # two cores, and a short queue


def test_find_qps_by_the_machines_clock(capsys):
    status, document = run(capsys, *NET, *IMAGES, "--scenario", "server", "--find-qps", "--latency-bound-ms", "20", "--percentile", "50",
                           "--min-duration", "0.2", "--min-queries", "20", "--qps", "50")
    trials = document["search"]["trials"]
    assert status == 0 and document["performance"]["qps"] == max(t["qps"] for t in trials if t["valid"]) and trials[0]["qps"] == 50


def test_accuracy_and_performance_apart(capsys, tmp_path):
    answers = ["--answers", str(tmp_path / "answers.json")]
    status, first = run(capsys, *NET, *IMAGES, *answers, "--mode", "accuracy")
    assert status == 0 and first["performance"] is None and first["harness_us_per_query"] is None
    status, second = run(capsys, *NET, *IMAGES, *SHORT, *answers, "--mode", "performance", "--check-share", "1")
    assert status == 0 and second["top1"] == first["top1"] and second["performance"]["checked"] == second["performance"]["queries"]
    status, error = refused(capsys, *NET, *IMAGES, *answers, "--mode", "performance", "--limit", "50")
    assert status == 3 and "made with images 360; this run has 50" in error


def test_answers_that_changed_make_it_invalid(capsys, tmp_path):
    path = tmp_path / "answers.json"
    assert run(capsys, *NET, *IMAGES, "--answers", str(path), "--mode", "accuracy")[0] == 0
    document = json.loads(path.read_text())
    document["classes"] = [c[::-1] for c in document["classes"]]
    path.write_text(json.dumps(document))
    status, found = run(capsys, *NET, *IMAGES, *SHORT, "--answers", str(path), "--mode", "performance")
    assert status == 1 and not found["valid"] and found["performance"]["mismatches"] > 0 and "answers differ" in found["reasons"][0]


def test_an_engine_that_fails_once(capsys, monkeypatch):
    def warm(engines, sample, sizes):
        right, calls = engines[0].answer, []

        def answer(samples):
            calls.append(samples)
            if len(calls) == 372:  # in the timed run: the accuracy run has 360 calls
                raise OSError("out of luck")
            return right(samples)

        engines[0].answer = answer
        return {"compile": 0.0}

    monkeypatch.setattr(load, "warm", warm)
    status, found = run(capsys, *NET, *IMAGES, *SHORT)
    performance = found["performance"]
    assert status == 1 and not found["valid"] and performance["failures"] == 1 and performance["queries"] >= 20
    assert performance["failure_list"][0]["query"] == 11 and performance["failure_list"][0]["reason"] == "OSError: out of luck"


def test_ctrl_c_prints_what_there_is(capsys, monkeypatch):
    def warm(engines, sample, sizes):
        right, calls = engines[0].answer, []

        def answer(samples):
            calls.append(samples)
            if len(calls) == 370:
                raise KeyboardInterrupt
            return right(samples)

        engines[0].answer = answer
        return {"compile": 0.0}

    monkeypatch.setattr(load, "warm", warm)
    status, found = run(capsys, *NET, *IMAGES, "--min-duration", "3600")
    assert status == 130 and found["performance"]["queries"] == 9 and "interrupted" in found["reasons"][0]


def test_bounds_are_status_1(capsys):
    status, found = run(capsys, *NET, *IMAGES, *SHORT, "--min-top1", "99.9")
    assert status == 1 and found["reasons"] == ["top-1 is 99.167 %; the bound is 99.9 %"]
    status, found = run(capsys, *NET, *IMAGES, *SHORT, "--latency-bound-ms", "0.000001")
    assert status == 1 and "the bound is 1e-06 ms" in found["reasons"][0]


def test_text_and_plot(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    assert main(["load", *NET, *IMAGES, *SHORT, "--plot", str(tmp_path / "latency.png")]) == 0
    text = capsys.readouterr().out
    assert text.startswith("MLPerf-style, not MLPerf") and "preprocessing raw" in text and text.rstrip().endswith("VALID")
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")


def test_only_the_resident_images_are_asked_for(capsys):
    _, found = run(capsys, *NET, *IMAGES, *SHORT, "--resident", "7", "--limit", "30")
    assert found["resident"] == 7 and found["images"] == 30


def test_offline_models_and_cards(capsys, tmp_path):
    before = chosen_device(), mode()
    assert main(["compile", *NET, "--out", str(tmp_path / "digits"), "--batch", "4"]) == 0
    capsys.readouterr()
    offline = ["--model", str(tmp_path / "digits.cambricon"), *IMAGES, *SHORT]
    status, found = run(capsys, *offline, "--scenario", "server", "--qps", "300", "--max-delay-ms", "5")
    assert status == 0 and found["batch"] == found["max_batch"] == 4 and found["precision"] == "fp32" and found["performance"]["filling_share"] > 0
    for words in (offline, [*NET, *IMAGES, *SHORT]):
        status, found = run(capsys, *words, "--scenario", "offline", "--device", "MLU100", "--instances", "2")
        assert status == 0 and found["performance"]["mismatches"] == 0 and found["top1"] > 98
        assert found["time"].startswith("host time (MLU100 is a virtual card")
    status, simulated = run(capsys, *offline, "--scenario", "server", "--qps", "300", "--device", "MLU100", "--time", "simulated")
    assert status == 0 and simulated["simulated"] and simulated["performance"]["service_ms"]["min"] == simulated["performance"]["service_ms"]["max"]
    assert found["precision"] == "mlu" and (chosen_device(), mode()) == before
    status, error = refused(capsys, *offline, "--device", "MLU270")
    assert status == 3 and "was compiled for MLU100" in error
    assert refused(capsys, *offline, "--precision", "fp16")[0] == 2


def test_simulated_time_is_said_to_be_simulated_and_repeatable(capsys):
    words = [*NET, *IMAGES, *SHORT, "--device", "MLU100", "--time", "simulated", "--instances", "4", "--max-batch", "4", "--scenario", "server"]
    found = [run(capsys, *words, "--qps", "2000", "--latency-bound-ms", "50") for _ in range(2)]
    assert [status for status, _ in found] == [0, 0]
    one, two = (document for _, document in found)
    assert one["performance"] == two["performance"] and one["performance"]["checked"] > 0
    assert one["simulated"] and one["time"].startswith("simulated MLU100") and one["harness_us_per_query"] is None
    assert main(["load", *words, "--qps", "2000"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("MLPerf-style, not MLPerf: SIMULATED Server") and "times are simulated MLU100" in text


@pytest.mark.parametrize(("words", "expected"), [
    (["--time", "simulated"], "the time of a virtual card"),
    (["--scenario", "server", "--qps", "0"], "the rate is 0 queries per second; it must be above 0"),
    (["--scenario", "server", "--qps", "-3"], "the rate is -3"), (["--scenario", "server"], "Server needs a rate"),
    (["--scenario", "server", "--find-qps", "--latency-bound-ms", "5000"], "cannot show which rate"), (["--qps", "5"], "no use for a rate"),
    (["--scenario", "server", "--find-qps"], "give both"), (["--find-qps", "--latency-bound-ms", "5"], "give both"),
    (["--instances", "2"], "--threads"), (["--mode", "performance"], "--answers"), (["--mode", "accuracy", "--plot", "a.png"], "--plot"),
    (["--device", "TPU"], "virtual cards MLU100, MLU270"), (["--device", "MLU100", "--threads", "2"], "core slots of the host"),
    (["--check-share", "2"], "check_share"), (["--max-delay-ms", "3"], "in Server only"), (["--dataset", "list:x"], "either by --images"),
])
def test_usage_is_status_2(capsys, words, expected):
    status, error = refused(capsys, *NET, *IMAGES, *words)
    assert status == 2 and expected in error


def test_a_bound_that_always_holds_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        main(["load", *NET, *IMAGES, "--min-top1", "nan"])
    assert end.value.code == 2 and "'nan' is not a number from 0 to 100" in capsys.readouterr().err


def test_bad_files_are_status_3(capsys, tmp_path):
    assert refused(capsys, "--model", str(tmp_path / "none.cambricon"), *IMAGES)[0] == 3
    assert refused(capsys, "--model", str(tmp_path / "none.cambricon"), *IMAGES, "--device", "MLU100")[0] == 3
    assert refused(capsys, "--model", str(tmp_path / "none.prototxt"), "--weights", NET[3], *IMAGES)[0] == 3
    (tmp_path / "list.txt").write_text("none.png 0\n")
    status, error = refused(capsys, *NET, "--images", str(tmp_path / "list.txt"))
    assert status == 3 and "none.png" in error
    assert refused(capsys, "--model", NET[1], *IMAGES)[0] == 2
