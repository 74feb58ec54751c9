"""Figures of a card: all simulated, the same every time, and those of the model asked without a run."""
from __future__ import annotations

import json
import re

import pytest

import pycaffe_acc as caffe
from cnrt.card_model import card_model
from cnrt.cost import Launch
from cnrt.device import set_current_device
from cnrt.notifier import duration_us
from cnrt.simulation import simulate
from pycaffe_acc import card
from pycaffe_acc.card_costs import net_costs, net_feed
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.simulated import simulated_throughput
from pycaffe_acc.tools.card_timings import card_timings
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

DEMO = ["--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel")]
IMAGES = ["--images", str(FOLDER / "test.txt"), "--preprocess", "raw", "--scale", str(1 / 255), "--limit", "60", "--batch", "4"]
EVAL = ["eval", *DEMO, *IMAGES, "--json"]
SIMULATED = ("hardware_fps", "hardware_fps_vendor", "end_to_end_fps", "latency_ms", "split_seconds", "work_seconds", "wall_seconds", "core_use")


@pytest.fixture
def card_net(tmp_path):
    """The embedded net on a card, batch 8 in 4 slices on channel 1."""
    prototxt = tmp_path / "net.prototxt"
    prototxt.write_text(re.sub(r"dim: 1\b", "dim: 8", (FOLDER / "deploy.prototxt").read_text(), count=1))
    try:
        caffe.set_mode_mfus()
        caffe.set_parallel(4)
        caffe.set_channel_id(1)
        yield caffe.Net(str(prototxt), caffe.TEST, weights=str(FOLDER / "digits.caffemodel"))
    finally:
        caffe.set_mode_cpu()
        card.reset()
        set_current_device(None)


def evaluated(capsys, *more):
    assert main([*EVAL, *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_same_run_takes_the_same_time(capsys):
    runs = [evaluated(capsys, "--device", "MLU100", "--threads", "2", "--dp", "2", "--decode-threads", str(n)) for n in (1, 3)]
    assert [{k: r[k] for k in SIMULATED} for r in runs[:1]] == [{k: r[k] for k in SIMULATED} for r in runs[1:]]
    got = runs[0]
    assert got["time"] == "simulated" and got["simulated"] and sum(got["split_seconds"].values()) == pytest.approx(got["wall_seconds"])
    assert got["hardware_fps"] >= got["end_to_end_fps"] and got["latency_ms"]["p50"] <= got["latency_ms"]["p99"]


def test_more_of_the_card_is_faster(capsys):
    one, slices, threads = (evaluated(capsys, "--device", "MLU100", *words)["hardware_fps"] for words in ([], ["--dp", "4"], ["--threads", "4"]))
    assert one < slices < threads and threads > 2 * one
    assert evaluated(capsys)["time"] == "measured"


def test_notifiers_and_the_model_agree(card_net):
    card_net.notifiers = []
    card_net.forward()
    took = sum(duration_us(*pair) for pair in card_net.notifiers)
    assert all(a.simulated for a, _ in card_net.notifiers)
    costs, launch = net_costs(card_net), card_net.source.card.launch
    assert launch == Launch(4, 1, whole=True)
    model = simulate(costs, card_model("MLU100"), launch, batch=8, batches=1)
    assert took == pytest.approx(1e6 * model.hardware_seconds, abs=1e-2)
    rows = card_timings(card_net)
    assert sum(r.milliseconds for r in rows) + 1e3 * card_model("MLU100").launch_seconds == pytest.approx(took / 1e3, rel=1e-4)
    assert all(r.note.startswith("simulated, bound by ") for r in rows) and len(card_timings(card_net, fusion=False)) > len(rows)


def test_what_goes_in_and_out(card_net):
    feed = net_feed(card_net, pixels=True)
    assert (feed.in_host_bytes, feed.in_card_bytes, feed.out_host_bytes, feed.out_card_bytes, feed.pixels) == (256, 128, 40, 20, 64)
    assert net_feed(card_net, bytes_in=True).in_host_bytes == 64 and net_feed(card_net).pixels == 0


def test_host_nets_are_not_simulated():
    net = caffe.Net(str(FOLDER / "deploy.prototxt"), caffe.TEST, weights=str(FOLDER / "digits.caffemodel"))
    with pytest.raises(CheckError, match="whose times are measured"):
        simulated_throughput([net], net.inputs[0], net.outputs[0], 10)
    with pytest.raises(CheckError, match="is not for a card"):
        card_timings(net)


def test_layer_by_layer_is_slower_than_fused(caplog, capsys):
    times = {}
    for mode in ("MFUS", "MLU"):
        assert main(["caffe", "time", f"-model={FOLDER / 'deploy.prototxt'}", "-iterations=1", f"-mmode={mode}", "-phase=TEST"]) == 0
        times[mode] = float(re.search(r"Average Forward pass: (\S+) ms", capsys.readouterr().err).group(1))
    assert times["MLU"] > 2 * times["MFUS"]  # a launch for every layer
