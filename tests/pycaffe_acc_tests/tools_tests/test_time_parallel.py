"""`time` with slices, pipelines and cards."""
from __future__ import annotations

import json

import pytest
from pycaffe_acc_tests.evaluation_tests.known_net import KnownNet

from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.forward_times import time_together
from pycaffe_acc.tools.main import main

NET = ["time", "--model", str(FOLDER / "deploy.prototxt"), "--iterations", "3", "--batch", "4"]


@pytest.mark.parametrize(("words", "shape"), [
    ([], None), (["--threads", "1"], (1, 1, 1, 1)), (["--threads", "2"], (1, 1, 2, 2)), (["--dp", "2"], (1, 2, 1, 2)),
    (["--mp", "2", "--threads", "2"], (2, 1, 2, 2)), (["--device", "MLU100", "--threads", "2", "--dp", "2", "--mp", "4"], (2, 2, 4, 8))])
def test_shapes(capsys, words, shape):
    assert main([*NET, *words, "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert shape in (None, (got["pipelines"], got["dp"], got["mp"], got["threads"])) and got["batch"] == 4
    assert 0 < got["min_ms"] <= got["median_ms"] and got["forwards_per_second"] > 0
    assert got["layers"] and got["time"] == ("simulated" if "--device" in words else "measured")
    assert all(("simulated" in row["kernel"]) == ("--device" in words) for row in got["layers"])


def timed(capsys, *words):
    assert main([*NET, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_rates_of_slices_are_those_of_the_whole_batch(capsys):
    whole, sliced = timed(capsys, "--dp", "1"), timed(capsys, "--dp", "2")
    assert sliced["macs"] == whole["macs"] and (whole["layers_batch"], sliced["layers_batch"]) == (4, 2)
    assert sliced["gflops"] == pytest.approx(2e-6 * whole["macs"] / sliced["median_ms"])
    assert sliced["weight_sparsity"]["macs"] == whole["weight_sparsity"]["macs"]
    assert sum(row["macs"] for row in sliced["layers"]) * 2 == sliced["macs"]
    assert main([*NET, "--dp", "2"]) == 0
    assert "(one of 2 slices, with 2 of the batch's 4)" in capsys.readouterr().out


def test_pipelines_of_a_card_share_its_cores(capsys):
    """A channel has eight cores, so of 16 pipelines that are bound to it half wait."""
    card = ["--device", "MLU100", "--no-layers"]
    alone, spread, crowded = (timed(capsys, *card, *words) for words in ([], ["--threads", "16"], ["--threads", "16", "--channel", "0"]))
    assert alone["median_ms"] <= spread["median_ms"] < 1.5 * alone["median_ms"] and crowded["median_ms"] > 1.9 * alone["median_ms"]
    assert crowded["forwards_per_second"] == pytest.approx(16e3 / crowded["median_ms"], rel=0.01)


@pytest.mark.parametrize(("words", "status", "text"), [
    (["--dp", "3"], 3, "data parallelism 3 does not divide"), (["--dp", "64"], 2, "at most 32"), (["--device", "null"], 2, "does not compute"),
    (["--device", "MLU100", "--dp", "64"], 2, "code 632007"), (["--device", "MLU100", "--precision", "fp32"], 2, "FP16 and INT8")])
def test_refusals(capsys, words, status, text):
    assert main([*NET, *words]) == status
    assert text in capsys.readouterr().err


def test_nets_at_once_overlap():
    nets = [KnownNet(1, 0.01) for _ in range(3)]
    times = time_together(nets, 5)
    assert len(times.milliseconds) == 15 and min(times.milliseconds) >= 10 and not times.simulated and [n.forwards for n in nets] == [6] * 3
    assert times.forwards_per_second > 1.5 * time_together(nets[:1], 5).forwards_per_second


def test_an_error_of_a_thread_is_raised():
    with pytest.raises(RuntimeError, match="the engine broke"):
        time_together([KnownNet(1), KnownNet(1, fails_at=3)], 5)
