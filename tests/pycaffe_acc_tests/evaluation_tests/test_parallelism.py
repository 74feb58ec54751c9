"""Data and model parallelism, pipelines, batches and queue depths: the same scores image for image as one image after the other."""
from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from cnrt.device import set_current_device
from pycaffe_acc.evaluation.evaluate import Settings, evaluate
from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.offline import compile_offline
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.preprocess import preprocess_profile
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.model_arguments import set_batch
from pycaffe_acc.tools.parallel_arguments import layout, on_device, pipelines

COUNT = 37  # the last batch is never full
#: dp, mp, threads, batch, fifo size
SHAPES = [(1, 1, 1, 1, 1), (1, 2, 1, 1, 2), (2, 1, 1, 8, 2), (4, 1, 1, 8, 1), (2, 2, 1, 6, 4), (1, 1, 3, 5, 2), (2, 1, 2, 4, 3), (2, 2, 4, 2, 1)]


def options(device="host", dp=None, mp=None, threads=None, batch=None):
    return SimpleNamespace(device=device, dp=dp, mp=mp, threads=threads, channel=None, batch=batch)


def one_by_one(net, source, output, dataset, preprocess, count):
    """Scores of each image with a batch of one on one core."""
    set_batch(net, 1)
    net.threads = 1
    rows = []
    for i in range(count):
        net.blobs[source].data[0] = preprocess.apply(dataset.read(i, net.blobs[source].shape[1]), net.blobs[source].shape)
        rows.append(net.forward()[output][0].copy())
    return np.stack(rows)


def scores(nets, source, dataset, preprocess, fifo_size, count=COUNT):
    shape = nets[0].blobs[source].shape
    outcome = evaluate(nets, source, dataset, lambda pixels: preprocess.apply(pixels, shape),
                       settings=Settings(count, fifo_size=fifo_size, keep_scores=True))
    assert outcome.stopped is None and not outcome.failures and sorted(outcome.scores) == list(range(count))
    return np.stack([outcome.scores[i] for i in range(count)])


@pytest.fixture(scope="module")
def digits():
    """The embedded net with 8-bit parameters, its images and their preprocessing."""
    preprocess, dataset = preprocess_profile("raw", scale=1 / 255), read_image_list(FOLDER / "test.txt")
    quantizer = Quantizer(str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel"), find_method("absmax"))
    shape = quantizer.net.blobs["data"].shape
    quantizer.calibrate("data", [np.stack([preprocess.apply(dataset.read(i, 1), shape) for i in range(24)])])
    quantizer.finish()
    return SimpleNamespace(quantizer=quantizer, dataset=dataset, preprocess=preprocess)


@pytest.fixture(scope="module", params=["int8", "mlu", "fp32"])
def expected(request, digits):
    net = digits.quantizer.open(request.param)
    return request.param, one_by_one(net, "data", net.outputs[0], digits.dataset, digits.preprocess, COUNT)


@pytest.mark.parametrize(("dp", "mp", "threads", "batch", "fifo_size"), SHAPES)
def test_online(digits, expected, dp, mp, threads, batch, fifo_size):
    precision, wanted = expected
    net = digits.quantizer.open(precision)
    set_batch(net, batch)
    args = options("host", dp, mp, threads)
    nets = pipelines(args, layout(args), net)
    assert len(nets) == threads and nets[0].threads == dp * mp
    got = scores(nets, "data", digits.dataset, digits.preprocess, fifo_size)
    if precision == "fp32":  # other batches take other kernels, whose sums round differently
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    else:
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(("dp", "mp", "threads", "batch", "fifo_size"), [(1, 1, 4, 3, 2), (2, 2, 4, 4, 2), (8, 1, 4, 8, 1)])
def test_on_a_virtual_card(digits, dp, mp, threads, batch, fifo_size, tmp_path):
    digits.quantizer.save(tmp_path / "q.prototxt")
    wanted = one_by_one(digits.quantizer.open("mlu"), "data", "prob", digits.dataset, digits.preprocess, COUNT)
    args = options("MLU100", dp, mp, threads, batch)
    cores = layout(args)
    with on_device(args, cores):
        net = Net(str(tmp_path / "q.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"))
        nets = pipelines(args, cores, net)
        assert [n._queue.channel for n in nets] == [i % 4 for i in range(threads)]
        got = scores(nets, "data", digits.dataset, digits.preprocess, fifo_size)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("device", ["host", "MLU100"])
@pytest.mark.parametrize(("dp", "mp", "threads", "fifo_size"), [(1, 1, 1, 2), (2, 2, 1, 2), (4, 1, 3, 1)])
def test_offline(digits, tmp_path, device, dp, mp, threads, fifo_size):
    digits.quantizer.save(tmp_path / "q.prototxt")
    net = Net(str(tmp_path / "q.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"), precision="mlu")
    wanted = one_by_one(net, "data", "prob", digits.dataset, digits.preprocess, COUNT)
    set_batch(net, 2)
    compile_offline(net, mp).save(tmp_path / "q")
    args = options(device, dp, None, threads)
    cores = layout(args, mp)
    try:
        with on_device(args, cores):
            offline = OfflineNet(tmp_path / "q.cambricon", cores.model, data_parallel=dp)
            assert offline.blobs["data"].shape[0] == 2 * dp
            got = scores(pipelines(args, cores, offline), "data", digits.dataset, digits.preprocess, fifo_size)
    finally:
        set_current_device(None)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.slow
def test_squeezenet(data_dir, tmp_path):
    """SqueezeNet v1.1 in INT8, bit for bit."""
    folder = data_dir / "models" / "squeezenet_v1.1"
    preprocess, dataset = preprocess_profile("caffe-tool"), read_image_list(data_dir / "imagenet1000" / "val.txt", data_dir / "imagenet1000" / "img")
    quantizer = Quantizer(str(folder / "deploy.prototxt"), str(folder / "squeezenet_v1.1.caffemodel"), find_method("absmax"))
    shape = quantizer.net.blobs["data"].shape
    quantizer.calibrate("data", [np.stack([preprocess.apply(dataset.read(i, 3), shape) for i in range(4)])])
    quantizer.finish()
    count = 13
    net = quantizer.open("int8")
    wanted = one_by_one(net, "data", net.outputs[0], dataset, preprocess, count)
    for dp, mp, threads, batch, fifo_size in SHAPES[1:]:
        net = quantizer.open("int8")
        set_batch(net, batch)
        args = options("host", dp, mp, threads)
        got = scores(pipelines(args, layout(args), net), "data", dataset, preprocess, fifo_size, count)
        np.testing.assert_array_equal(got, wanted, err_msg=f"dp {dp}, mp {mp}, {threads} threads, batch {batch}, {fifo_size} buffers")
