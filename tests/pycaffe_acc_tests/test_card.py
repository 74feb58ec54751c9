"""The vendor's setters and what nets take from them."""
from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc import card
from pycaffe_acc.tools.demo import FOLDER

NET = """name: "four"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 4 dim: 3 dim: 6 dim: 6 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
"""


@pytest.fixture(autouse=True)
def defaults():
    """Every test begins and ends with the settings of a new process."""
    def reset():
        caffe.set_mode_cpu()
        card.reset()
    reset()
    yield
    reset()


@pytest.fixture
def four(tmp_path):
    """A net with a batch of four."""
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return str(path)


@pytest.mark.parametrize(("setter", "good", "bad", "message"), [
    (caffe.set_rt_core, ["MLU100", "1H8", "1H16", "MLU270", "VENTI"], ["", "mlu100", "MLU220", "TPU"], "virtual cards for MLU100"),
    (caffe.set_parallel, [1, 7, 32], [0, -1, 33, "8", 2.0, True], "whole number from 1 to 32"),
    (caffe.set_channel_id, [0, 3], [-1, 4], "whole number from 0 to 3"),
    (caffe.set_core_number, [1, 32], [0, 33], "whole number from 1 to 32"),
    (caffe.set_batch_size, [1, 65535], [0, 65536], "whole number from 1 to 65535"),
    (caffe.set_bang_op, [0, 1], [2, None], "from 0 to 1"),
    (card.set_reshape_mode, ["ALWAYS", "setuponly"], ["", "NEVER"], "must be SETUPONLY or ALWAYS"),
])
def test_values(setter, good, bad, message):
    for value in good:
        setter(value)
    for value in bad:
        with pytest.raises(caffe.CheckError, match=message):
            setter(value)


def test_the_product_of_the_parallelisms_is_at_most_the_cards_cores():
    caffe.set_parallel(8)
    card.set_model_parallel(4)
    with pytest.raises(caffe.CheckError, match="8 times model parallelism 8 is 64; a card has 32 cores"):
        card.set_model_parallel(8)
    with pytest.raises(caffe.CheckError, match="16 times"):
        caffe.set_parallel(16)


def test_numpy_integers_count_as_whole_numbers():
    caffe.set_parallel(np.int64(4))
    assert card.settings("MFUS").data_parallel == 4


def test_a_channel_is_said_in_the_log(caplog):
    with caplog.at_level(logging.INFO, logger="caffe"):
        caffe.set_channel_id(3)
        card.set_mlu_device(0)
    assert [r.getMessage() for r in caplog.records] == ["Using MLU Channel 3", "Using MLU device 0"] and caplog.records[0].levelname == "WARNING"


def test_a_thread_has_its_own_values_and_inherits_the_newest():
    caffe.set_parallel(2)
    seen = []

    def work():
        seen.append(card.settings("MLU").data_parallel)
        caffe.set_parallel(4)
        seen.append(card.settings("MLU").data_parallel)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [2, 4] and card.settings("MLU").data_parallel == 2


def test_no_such_card(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_CARDS", "2")
    card.set_mlu_device(1)
    with pytest.raises(caffe.CheckError, match="from 0 to 1"):
        card.set_mlu_device(2)


def test_a_net_takes_card_channel_and_cores(four):
    caffe.set_mode_mfus()
    caffe.set_parallel(4)
    caffe.set_channel_id(2)
    net = caffe.Net(four, caffe.TEST)
    assert (net._device.name, net._queue.channel, net.threads, net.source.precision) == ("MLU100:0", 2, 4, "mlu")
    assert net.forward()["conv"].shape == (4, 4, 4, 4)
    assert caffe.Net(four, caffe.TEST, threads=1, precision="fp16").threads == 1


def test_data_parallelism_must_divide_the_batch(four):
    caffe.set_mode_mfus()
    caffe.set_parallel(8)
    with pytest.raises(caffe.CheckError, match="a batch of 4, which data parallelism 8 does not divide"):
        caffe.Net(four, caffe.TEST)
    caffe.set_parallel(2)
    net = caffe.Net(four, caffe.TEST)
    net.forward()
    net.blobs["data"].reshape(3, 3, 6, 6)
    with pytest.raises(caffe.CheckError, match="a batch of 3"):
        net.forward()


def test_data_parallelism_that_no_card_has(four):
    caffe.set_mode_mfus()
    caffe.set_parallel(3)
    with pytest.raises(caffe.CheckError, match="data parallelism 3 on MLU100:0"):
        caffe.Net(four, caffe.TEST)


def test_cores_that_the_card_has_not(four):
    caffe.set_mode_mfus()
    caffe.set_rt_core("MLU270")
    caffe.set_core_number(32)
    with pytest.raises(caffe.CheckError, match="32 cores of MLU270:0: it has 16"):
        caffe.Net(four, caffe.TEST)


def test_the_simple_flag_gives_nets_the_batch_size(four):
    caffe.set_mode_mfus()
    caffe.set_batch_size(6)
    assert caffe.Net(four, caffe.TEST).blobs["data"].shape == (4, 3, 6, 6)
    caffe.set_simple_flag(True)
    net = caffe.Net(four, caffe.TEST)
    assert net.forward()["conv"].shape == (6, 4, 4, 4)


def test_the_end_of_the_library(four, caplog):
    caffe.set_mode_mfus()
    net = caffe.Net(four, caffe.TEST)
    net.forward()
    with caplog.at_level(logging.WARNING, logger="caffe"):
        caffe.exit_mlu_lib()
    assert "1 nets for the card are still there and can run no more: four" in caplog.text
    for call in (net.forward, lambda: caffe.Net(four, caffe.TEST)):
        with pytest.raises(caffe.CheckError, match=r"exit_mlu_lib\(\) ended it"):
            call()
    del net
    caplog.clear()
    caffe.set_mode_mfus()
    net = caffe.Net(four, caffe.TEST)
    net.forward()
    del net
    caffe.exit_mlu_lib()
    assert caplog.text == ""


def test_values_do_not_depend_on_parallelism_or_channel():
    images = np.random.default_rng(0).random((4, 1, 8, 8), dtype=np.float32)
    results = []
    for parallel, channel in ((1, 0), (4, 3)):
        caffe.set_mode_mfus()
        caffe.set_parallel(1)
        caffe.set_channel_id(channel)
        net = caffe.Net(str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel"), caffe.TEST)
        net.blobs["data"].reshape(4, 1, 8, 8)
        caffe.set_parallel(parallel)
        results.append(net.clone().forward_all(data=images)["prob"])
    np.testing.assert_array_equal(results[0], results[1])
