from __future__ import annotations

import logging
import threading

import pytest

import pycaffe_acc as caffe
from cnrt.device import chosen_device, get
from pycaffe_acc import mode
from pycaffe_acc.tools.demo import FOLDER


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


@pytest.fixture
def cpu_afterwards():
    """The process-wide newest mode is CPU again when a test ends."""
    yield
    caffe.set_mode_cpu()


def test_modes_by_name(cpu_afterwards):
    for name, expected in (("mfus", "MFUS"), ("MLU", "MLU"), ("", "CPU"), ("mFuS", "MFUS"), ("cpu", "CPU")):
        mode.set_mode(name)
        assert mode.mode() == expected
    with pytest.raises(caffe.CheckError, match="'GPU'; it must be CPU, MLU or MFUS"):
        mode.set_mode("GPU")


def test_a_mode_binds_the_thread_to_the_card_and_cpu_takes_that_back(cpu_afterwards):
    before = chosen_device()
    caffe.set_mode_mfus()
    assert chosen_device() is get("MLU100")
    caffe.set_rt_core("MLU270")
    assert chosen_device() is get("MLU270")
    caffe.set_rt_core("MLU100")
    caffe.set_mode_cpu()
    assert chosen_device() is before


def test_a_net_runs_in_the_mode_it_was_built_in(cpu_afterwards):
    built = {"CPU": digits()}
    caffe.set_mode_mfus()
    built["MFUS"] = digits()
    caffe.set_mode_mlu()
    built["MLU"] = digits()
    for setter in (caffe.set_mode_cpu, caffe.set_mode_mfus, caffe.set_mode_mlu):
        setter()
        for name, net in built.items():
            if name == mode.mode():
                net.forward()
            else:
                with pytest.raises(caffe.CheckError, match=f"Caffe mode has changed since init! It was built in mode {name}"):
                    net.forward()


def test_threads_without_a_mode_of_their_own_run_any_net_and_build_in_the_newest(cpu_afterwards):
    net = digits()
    caffe.set_mode_mfus()
    seen = []

    def work():
        seen.append(net.forward()["prob"].shape)
        seen.append(digits().source.precision)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(1, 10), "mlu"]


def digits():
    """The embedded net."""
    return caffe.Net(str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel"), caffe.TEST)
