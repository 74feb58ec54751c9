from __future__ import annotations

import logging
import threading

import pytest

import pycaffe_acc as caffe
from pycaffe_acc import mode


def test_gpu_is_told_once_and_runs_on_the_host(caplog, monkeypatch):
    monkeypatch.setattr(mode, "_told_gpu", False)
    with caplog.at_level(logging.INFO, logger="caffe"):
        caffe.set_mode_gpu()
        caffe.set_mode_gpu()
    assert caplog.text.count("no GPU backend") == 1 and mode.mode() == "CPU"
    caffe.set_mode_cpu()
    assert mode.mode() == "CPU"


def test_a_thread_inherits_the_newest_device_and_keeps_its_own():
    caffe.set_device(3)
    seen = []

    def work():
        seen.append(mode.device())
        caffe.set_device(5)
        seen.append(mode.device())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [3, 5] and mode.device() == 3
    caffe.set_device(0)
    with pytest.raises(caffe.CheckError, match="at least 0"):
        caffe.set_device(-1)


def test_threads_from_the_environment(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_NUM_THREADS", "3")
    assert mode.default_threads() == 3
    for bad in ("0", "-1", "two", ""):
        monkeypatch.setenv("PYCAFFE_ACC_NUM_THREADS", bad)
        with pytest.raises(caffe.CheckError, match="at least 1"):
            mode.default_threads()
    monkeypatch.delenv("PYCAFFE_ACC_NUM_THREADS")
    assert mode.default_threads() >= 1


@pytest.mark.parametrize("setter", [caffe.set_mode_mlu, caffe.set_mode_mfus])
def test_the_cards_modes_are_refused(setter):
    with pytest.raises(caffe.CheckError, match="not in this version"):
        setter()
