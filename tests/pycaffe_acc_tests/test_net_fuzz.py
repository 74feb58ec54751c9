"""Damaged descriptions and weights end in this package's exceptions or in a net that runs."""
from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

import pycaffe_acc as caffe

NET = """
name: 'fuzz'
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 4 dim: 12 dim: 10 } } }
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' param { lr_mult: 1 } param { lr_mult: 2 }
        convolution_param { num_output: 8 kernel_size: 3 pad: 1 stride: 1 group: 2 dilation: 1 weight_filler { type: 'xavier' } bias_term: true } }
layer { name: 'bn' type: 'BatchNorm' bottom: 'conv' top: 'conv' batch_norm_param { eps: 0.001 use_global_stats: true } }
layer { name: 'scale' type: 'Scale' bottom: 'conv' top: 'conv' scale_param { axis: 1 bias_term: true } }
layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' relu_param { negative_slope: 0.1 } }
layer { name: 'pool' type: 'Pooling' bottom: 'conv' top: 'pool' pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 } }
layer { name: 'lrn' type: 'LRN' bottom: 'pool' top: 'lrn' lrn_param { local_size: 3 alpha: 0.1 beta: 0.75 norm_region: ACROSS_CHANNELS } }
layer { name: 'up' type: 'Deconvolution' bottom: 'lrn' top: 'up' convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 } }
layer { name: 'crop' type: 'Crop' bottom: 'up' bottom: 'data' top: 'crop' crop_param { axis: 2 offset: 0 } }
layer { name: 'sum' type: 'Eltwise' bottom: 'crop' bottom: 'data' top: 'sum' eltwise_param { operation: SUM coeff: 1 coeff: -1 } }
layer { name: 'slice' type: 'Slice' bottom: 'sum' top: 'a' top: 'b' slice_param { axis: 1 slice_point: 1 } }
layer { name: 'cat' type: 'Concat' bottom: 'b' bottom: 'a' top: 'cat' concat_param { axis: 1 } }
layer { name: 'perm' type: 'Permute' bottom: 'cat' top: 'perm' permute_param { order: 0 order: 2 order: 3 order: 1 } }
layer { name: 'flat' type: 'Flatten' bottom: 'perm' top: 'flat' flatten_param { axis: 1 end_axis: -1 } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'flat' top: 'ip' inner_product_param { num_output: 6 axis: 1 transpose: false } }
layer { name: 'shape' type: 'Reshape' bottom: 'ip' top: 'shape' reshape_param { shape { dim: 0 dim: 2 dim: -1 } } }
layer { name: 'prob' type: 'Softmax' bottom: 'shape' top: 'prob' softmax_param { axis: 2 } }
"""
NUMBERS = ["0", "-1", "1", "2", "7", "100", "65536", "2147483647", "4294967295", "-2147483648", "1e30", "nan", "0.5", "true", "MAX", "'x'"]


def mutate(text: str, rng: random.Random) -> str:
    """A damaged copy: a number, a line, a token or some characters changed."""
    kind = rng.randrange(5)
    if kind == 0:
        spots = list(re.finditer(r": (-?[0-9.]+)", text))
        spot = rng.choice(spots)
        return text[:spot.start(1)] + rng.choice(NUMBERS) + text[spot.end(1):]
    if kind == 1:
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        lines[at:at + 1] = rng.choice([[], [lines[at]] * 2, [rng.choice(lines)]])
        return "\n".join(lines)
    if kind == 2:
        words = sorted(set(re.findall(r"'\w+'|\w+:|\w+", text)))
        return text.replace(rng.choice(words), rng.choice(words), rng.choice([1, 1, -1]))
    at, n = rng.randrange(len(text)), rng.randrange(1, 12)
    if kind == 3:
        return text[:at] + text[at + n:]
    return text[:at] + "".join(chr(rng.choice([*range(32, 127), 10, 0, 0xe9])) for _ in range(n)) + text[at:]


def build_and_run(path: Path) -> bool:
    """Whether the net of a file builds; it must then run or refuse with one of our exceptions."""
    try:
        net = caffe.Net(str(path), caffe.TEST)
        if sum(b.count for b in net.blobs.values()) < 1_000_000:
            net.forward()
    except caffe.CaffeError as e:
        assert str(e)
        return False
    return True


def run_prototxts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, number: int) -> int:
    monkeypatch.setenv("PYCAFFE_ACC_MAX_BYTES", str(64 << 20))
    path, built = tmp_path / "net.prototxt", 0
    for seed in range(first, first + number):
        path.write_text(mutate(NET, random.Random(seed)), encoding="utf-8")
        built += build_and_run(path)
    return built


def test_the_sound_net_runs(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    assert build_and_run(path)


def test_prototxts(tmp_path, monkeypatch):
    assert 20 < run_prototxts(tmp_path, monkeypatch, 0, 300) < 300


@pytest.mark.slow
def test_many_prototxts(tmp_path, monkeypatch):
    assert run_prototxts(tmp_path, monkeypatch, 300, 1700) > 100


def run_weights(tmp_path: Path, first: int, number: int) -> tuple[int, int]:
    """(loaded, refused) over weight files with one to four flipped bits."""
    net_path, path = tmp_path / "net.prototxt", tmp_path / "net.caffemodel"
    net_path.write_text(NET)
    net = caffe.Net(str(net_path), caffe.TEST)
    net.save(str(path))
    sound = path.read_bytes()
    loaded = 0
    for seed in range(first, first + number):
        rng = random.Random(seed)
        data = bytearray(sound)
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            net.copy_from(str(path))
            loaded += 1
        except caffe.CaffeError as e:
            assert str(e)
    return loaded, number - loaded


@pytest.mark.filterwarnings("ignore")
def test_weights(tmp_path):
    loaded, refused = run_weights(tmp_path, 0, 400)
    assert loaded and refused


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_many_weights(tmp_path):
    loaded, refused = run_weights(tmp_path, 400, 4600)
    assert loaded and refused
