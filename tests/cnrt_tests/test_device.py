from __future__ import annotations

import os
import threading

import pytest

import cnrt
from cnrt import device as devices
from cnrt.cpu import effective_cpus
from cnrt.devices.host import memory_limit
from cnrt.devices.mlu100 import Mlu100
from cnrt.devices.virtual_card import GIB
from cnrt.errors import CnrtError, RetCode


def test_kinds():
    assert cnrt.kinds() == ("Atlas300", "Hanguang800", "MLU100", "MLU270", "TPUv1", "host", "null")
    with pytest.raises(CnrtError, match="MLU100, MLU270, TPUv1, host, null") as e:
        cnrt.get("GPU")
    assert e.value.code == RetCode.ERR_NODEV


def test_a_device_is_one_object():
    assert cnrt.get("MLU100") is cnrt.get("MLU100:0")
    with pytest.raises(CnrtError):
        cnrt.get("MLU100:1")
    with pytest.raises(CnrtError):
        cnrt.get("MLU100:one")


def test_cards_can_be_more(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_CARDS", "3")
    assert cnrt.get("MLU100", 2).ordinal == 2
    monkeypatch.setenv("PYCAFFE_ACC_CARDS", "none")
    with pytest.raises(CnrtError):
        Mlu100.count()


def test_a_kind_registers_once():
    with pytest.raises(CnrtError) as e:
        devices.device_kind("host")(Mlu100)
    assert e.value.code == RetCode.ERR_EXIST


def test_the_host_has_the_cores_it_may_use():
    assert cnrt.get("host").spec.cores == effective_cpus()
    assert cnrt.get("host").spec.channels == 1


def test_the_rules_of_the_mlu100():
    card = Mlu100(0)
    assert (card.spec.cores, card.spec.channels) == (32, 4)
    for dp, mp in ((1, 1), (8, 4), (32, 1), (1, 32), (16, 2)):
        card.check_parallelism(dp, mp)
    for dp, mp in ((3, 1), (1, 0), (64, 1), (8, 8), (32, 2), (-1, 1)):
        with pytest.raises(CnrtError) as e:
            card.check_parallelism(dp, mp)
        assert e.value.code == RetCode.ERR_INVALID
    card.check_cores(32)
    for cores in (0, 33):
        with pytest.raises(CnrtError):
            card.check_cores(cores)
    with pytest.raises(CnrtError, match="channel 2") as e:
        card.malloc(2 * GIB + 1, 2)
    assert e.value.code == RetCode.ERR_NOMEM
    with pytest.raises(CnrtError) as e:
        card.malloc(1, 4)
    assert e.value.code == RetCode.ERR_OUT_RANGE
    card.set_stack(100)
    assert card.stack_mb == 100
    for wrong in (0, 513):
        with pytest.raises(CnrtError):
            card.set_stack(wrong)
    assert card.time_source == "simulated MLU100" and cnrt.get("null").time_source == "host"


def test_the_host_takes_any_parallelism():
    cnrt.get("host").check_parallelism(3, 50)
    cnrt.get("host").check_cores(1000)
    with pytest.raises(CnrtError):
        cnrt.get("host").check_cores(0)


def test_device_and_channel_belong_to_the_thread():
    seen = []

    def other():
        seen.append((cnrt.current_device().kind, devices.current_channel()))
        cnrt.set_current_device(cnrt.get("MLU100"))
        cnrt.set_current_channel(3)
        memory = cnrt.current_device().malloc(10)
        queue = cnrt.Queue()
        seen.append((memory.channel, queue.channel, queue.device.kind))
        with pytest.raises(CnrtError):
            cnrt.set_current_channel(4)
        cnrt.set_current_channel(-1)
        seen.append(devices.current_channel())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [("host", -1), (3, 3, "MLU100"), -1]
    assert cnrt.current_device().kind == "host"


def test_the_host_has_the_machines_memory(monkeypatch):
    assert cnrt.get("host").spec.memory_bytes_per_channel > 1 << 28
    monkeypatch.delattr(os, "sysconf")
    assert memory_limit() is None


def test_the_base_class_runs_nothing():
    with pytest.raises(TypeError):
        devices.Device.make_spec()
