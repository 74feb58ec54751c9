"""The nets that suites bring: the encoder against NumPy, sequences, other runtimes, files."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError, MissingExtraError, MissingFileError, WeightsError
from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.net_spec import NetSpec
from pycaffe_acc.net_spec import layers as L
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.suite import measured as measuring
from pycaffe_acc.suite import peer_net
from pycaffe_acc.suite.measured import end_to_end_in_turns, in_turns
from pycaffe_acc.suite.net_files import ModelFiles, zero_shares
from pycaffe_acc.suite.peer_net import PeerNet
from pycaffe_acc.suite.plan import DevicePlan, ModelPlan, read_suite
from pycaffe_acc.suite.runner import ROW_ERRORS
from pycaffe_acc.suite.sequence_net import SequenceNet
from pycaffe_acc.suite.simulated import card_costs, simulated, simulated_layers
from pycaffe_acc.suite.transformer import transformer_encoder
from pycaffe_acc.tools.demo import FOLDER

SUITE = read_suite("digits")


def encoder(x, weights):
    """Two blocks of four heads in NumPy: x is (N, 28, 28)."""
    def softmax(z):
        e = np.exp(z - z.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def normalised(z):
        return (z - z.mean(-1, keepdims=True)) / (z.std(-1, keepdims=True) + 1e-9)
    h = x @ weights["embedded"].T
    for b in ("block1", "block2"):
        q, k, v = ((h @ weights[f"{b}_{w}"].T).reshape(-1, 28, 4, 16).transpose(0, 2, 1, 3) for w in "qkv")
        attended = (softmax(q @ k.transpose(0, 1, 3, 2) / 4) @ v).transpose(0, 2, 1, 3).reshape(-1, 28, 64) @ weights[f"{b}_projected"].T
        h = normalised(h + attended)
        h = normalised(h + np.maximum(h @ weights[f"{b}_inner"].T, 0) @ weights[f"{b}_outer"].T)
    return softmax(h.mean(1) @ weights["logits"].T)


def test_the_transformer_encoder_is_one(rng):
    net = Net(transformer_encoder(3), TEST)
    fill_seeded(net)
    x = rng.random((3, 1, 28, 28), np.float32)
    net.blobs["data"].data[...] = x
    expected = encoder(x[:, 0].astype(np.float64), {layer.name: layer.blobs[0].data.astype(np.float64) for layer in net.layers if layer.blobs})
    np.testing.assert_allclose(net.forward()["prob"], expected, atol=2e-6)
    assert expected.std() > 0.01


def recurrent(steps=5, width=4, cells=3):
    """A small LSTM net whose last step is classified."""
    n = NetSpec()
    n.data = L.Input(input_param=dict(shape=dict(dim=[steps, 1, width])))
    n.cont = L.Input(input_param=dict(shape=dict(dim=[steps, 1])))
    n.lstm = L.LSTM(n.data, n.cont, recurrent_param=dict(num_output=cells, weight_filler=dict(type="uniform", min=-1, max=1)))
    n.early, n.last = L.Slice(n.lstm, slice_param=dict(axis=0, slice_point=steps - 1), ntop=2)
    n.silence = L.Silence(n.early, ntop=0)
    n.scores = L.InnerProduct(n.last, inner_product_param=dict(num_output=6, axis=2, weight_filler=dict(type="uniform", min=-1, max=1)))
    return Net(n.to_proto(), TEST)


def test_pictures_as_sequences_are_independent_of_each_other(rng):
    net = SequenceNet(recurrent())
    pictures = rng.random((4, 1, 5, 4), np.float32)
    alone = []
    for picture in pictures:
        net.blobs["data"].data[...] = picture
        alone.append(net.forward()["scores"][0].copy())
    net.set_batch(4)
    assert net.blobs["data"].shape == (4, 1, 5, 4) and net.blobs["scores"].shape == (4, 6)
    net.blobs["data"].data[...] = pictures
    together = net.forward()["scores"]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_array_equal(net.forward()["scores"], together)  # no state is left from the first time
    assert np.ptp(together, axis=0).max() > 1e-3


def test_other_nets_are_no_sequence_nets():
    with pytest.raises(CheckError, match="cannot read pictures as sequences"):
        SequenceNet(Net(str(FOLDER / "deploy.prototxt"), TEST))


@pytest.mark.parametrize("runtime", sorted(peer_net.RUNTIMES))
def test_other_runtimes_give_the_same_answers(rng, runtime):
    pytest.importorskip(peer_net.RUNTIMES[runtime][0], reason=f"{runtime} is not installed")
    ours = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"))
    name = ours.inputs[0]
    ours.blobs[name].reshape(3, *ours.blobs[name].shape[1:])
    ours.reshape()
    theirs = PeerNet(runtime, ours, 1)
    x = rng.random(theirs.blobs[name].shape, np.float32)
    theirs.blobs[name].data[...] = ours.blobs[name].data[...] = x
    np.testing.assert_allclose(theirs.forward()[ours.outputs[0]], ours.forward()[ours.outputs[0]], atol=1e-5)
    assert theirs.version and theirs.notifiers is None
    assert set(in_turns({"ours": ours, "theirs": theirs}, 0, rounds=2)) == {"ours", "theirs"}


def test_a_runtime_that_is_missing_or_wrong_says_so(monkeypatch):
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"))

    def wrong(model, threads):
        return lambda x: np.ones((len(x), 10), np.float32)

    def refusing(model, threads):
        raise ValueError("no such operator")
    monkeypatch.setitem(peer_net.RUNTIMES, "absent", ("there_is_no_such_module", "absent", wrong))
    monkeypatch.setitem(peer_net.RUNTIMES, "wrong", ("numpy", "numpy", wrong))
    monkeypatch.setitem(peer_net.RUNTIMES, "refusing", ("numpy", "numpy", refusing))
    with pytest.raises(MissingExtraError, match="absent is not installed"):
        PeerNet("absent", net, 1)
    with pytest.raises(CheckError, match="gives other values"):
        PeerNet("wrong", net, 1)
    with pytest.raises(CheckError, match="refused the exported net .*ValueError: no such operator"):
        PeerNet("refusing", net, 1)


def test_a_runtime_that_breaks_later_costs_its_row_only(monkeypatch):
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"))

    def breaking(model, threads):
        calls = []

        def forward(x):
            calls.append(len(x))
            if len(calls) > 1:
                raise RuntimeError("out of\narena")
            net.forward()
            return np.array(net.blobs[net.outputs[0]].data)
        return forward
    monkeypatch.setitem(peer_net.RUNTIMES, "breaking", ("numpy", "numpy", breaking))
    with pytest.raises(ROW_ERRORS, match="breaking .* failed to run the exported net .*RuntimeError: out of arena"):
        PeerNet("breaking", net, 1).forward()


def test_pruned_and_quantized_files(tmp_path):
    files = ModelFiles(SUITE, SUITE.models[0], FOLDER, tmp_path)
    net = files.net(SUITE.variants["int8-vendor"], 0.6)
    shares, whole = zero_shares(net)
    assert whole == pytest.approx(0.6, abs=0.03) and len(shares) > 1 and net.source.precision == "mlu"
    weighted = [layer for layer in net.source.layers if layer.name in shares]
    assert len(weighted) == len(shares) and all(layer.blobs_dtype and layer.sparsity == pytest.approx(0.6) for layer in weighted)
    assert zero_shares(files.net(SUITE.variants["fp32"]))[1] == 0


def test_compensated_pruning(tmp_path):
    files = ModelFiles(SUITE, SUITE.models[0], FOLDER, tmp_path)
    net = files.net(SUITE.variants["int8"], 0.6, SUITE.prunings["compensated"])
    shares, _ = zero_shares(net)
    assert net.source.precision == "int8" and sorted(shares.values())[-1] == pytest.approx(0.6, abs=0.02)
    dense, pruned = files.net(SUITE.variants["fp32"]), files.net(SUITE.variants["fp32"], 0.6, SUITE.prunings["compensated"])
    kept = [(a.blobs[0].data, b.blobs[0].data) for a, b in zip(dense.layers, pruned.layers, strict=True) if shares.get(a.name, 0) > 0.5]
    assert kept and all((a[b != 0] != b[b != 0]).any() for a, b in kept)  # what is left was set anew


@pytest.mark.parametrize(("changes", "error", "told"), [
    ({"model": "none.prototxt"}, MissingFileError, "none.prototxt"), ({"weights": "none.caffemodel"}, MissingFileError, "none.caffemodel"),
    ({"weights": "bad.caffemodel"}, WeightsError, "cannot be unpacked"), ({"model": "", "zoo": "alexnet2"}, CheckError,
                                                                          "'alexnet2', which there is not")])
def test_files_that_are_not_there(tmp_path, changes, error, told):
    (tmp_path / "bad.caffemodel.xz").write_bytes(b"no archive")
    (tmp_path / "test.txt").write_text("a.png 0\nb.png 1\n", encoding="utf-8")
    (tmp_path / "deploy.prototxt").write_bytes((FOLDER / "deploy.prototxt").read_bytes())
    plan = ModelPlan(**{"name": "m", "title": "m", "images": "test", "variants": ("fp32",), "model": "deploy.prototxt",
                        "weights": "w.caffemodel"} | changes)
    with pytest.raises(error) as e:
        ModelFiles(SUITE, plan, tmp_path, tmp_path).net(SUITE.variants["fp32"])
    assert told in str(e.value)


def test_a_card_gains_by_zeros_and_is_the_same_every_time():
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"), precision="fp16")
    card = DevicePlan("MLU100", ("fp16",), dp=4, threads=4)
    zeros = dict.fromkeys(zero_shares(net)[0], 0.75)
    dense, sparse = simulated(net, {}, card, 10), simulated(net, zeros, card, 10)
    assert simulated(net, {}, card, 10) == dense and sparse["hardware_fps"] >= dense["hardware_fps"]
    assert sum(c.density == 0.25 for c in card_costs(net, zeros, card)) == len(zeros)
    layers = simulated_layers(net, {}, card)
    assert all(x["ms"] > 0 for x in layers) and any(x["gmacs_per_second"] for x in layers)


def test_layers_that_a_card_leaves_to_the_host_are_not_simulated():
    with pytest.raises(CheckError, match="cannot be simulated on MLU100: .*'lstm'"):
        card_costs(recurrent(), {}, DevicePlan("MLU100", ("fp16",)))


def test_turns_go_to_and_fro_over_the_same_images(monkeypatch):
    """The first round tells how many images the fastest net needs, and does not count."""
    nets, seen = {}, []
    for name in ("slow", "fast"):
        nets[name] = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"), threads=1)
    batch = nets["fast"].blobs[nets["fast"].inputs[0]].shape[0]
    speed = {"slow": iter([9.0, 10.0, 12.0, 11.0]), "fast": iter([1000.0, 500.0, 700.0, 600.0])}

    def evaluated(net, images, preprocess, limit):
        name = next(k for k, v in nets.items() if v is net)
        seen.append((name, len(images), [images.where(0), images.where(len(images) - 1)]))
        return {"throughput": {"end_to_end_fps": next(speed[name])}}
    monkeypatch.setattr(measuring, "measured", evaluated)
    images = read_image_list(FOLDER / "test.txt")
    assert end_to_end_in_turns(nets, images, None, rounds=4) == {"slow": 11.0, "fast": 600.0}
    assert [name for name, _, _ in seen] == ["slow", "fast", "fast", "slow", "slow", "fast", "fast", "slow"]
    count = -(-300 // batch) * batch
    assert [n for _, n, _ in seen] == [3 * batch] * 2 + [count] * 6
    assert all(a[2] == b[2] for a, b in zip(seen[::2], seen[1::2], strict=True)) and seen[2][2] != seen[0][2]
