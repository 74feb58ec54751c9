from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnrt
from cnrt.devices.null import Null
from cnrt.errors import CnrtError, RetCode
from cnrt.memory import Account, Memory


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5000)), max_size=40))
def test_live_blocks_are_aligned_and_never_overlap(steps):
    account = Account("test", [1 << 20])
    live: list[Memory] = []
    for free, size in steps:
        if free and live:
            live.pop(size % len(live)).free()
        else:
            live.append(Memory(size, account))
    for i, m in enumerate(live):
        assert m.address % 64 == 0
        m.array(np.uint8)[...] = i % 251
    spans = sorted((m.address, m.address + m.nbytes) for m in live)
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    assert all((m.array(np.uint8) == i % 251).all() for i, m in enumerate(live))
    assert account.used[0] == sum(-(-max(m.nbytes, 1) // 64) * 64 for m in live) <= account.peak[0]
    for m in live:
        m.free()
    assert account.used == [0]


def test_too_much_is_refused_before_anything_is_allocated():
    account = Account("card", [1000, 1 << 60])
    with pytest.raises(CnrtError, match="card") as e:
        Memory(1001, account)
    assert e.value.code == RetCode.ERR_NOMEM and account.used == [0, 0]
    with pytest.raises(CnrtError) as e:  # within the account, but more than any machine has
        Memory(1 << 58, account, 1)
    assert e.value.code == RetCode.ERR_NOMEM and account.used == [0, 0]


def test_views_stay_inside():
    m = cnrt.get("host").malloc(100)
    assert m.array(np.float32).shape == (25,)
    assert m.array(np.int64, (3, 4), 4).shape == (3, 4)
    assert m.array(np.float32, ()).shape == () and m.array(np.float32, 3).shape == (3,)
    outside = ((np.float32, 26), (np.float32, (5, 6)), (np.uint8, 1, 100), (np.uint8, 1, -1), (np.uint8, (-1, -1)), (np.float64, (1 << 62, 4)))
    for args in outside:
        with pytest.raises(CnrtError) as e:
            m.array(*args)
        assert e.value.code == RetCode.ERR_OUT_RANGE
    assert m.at(100).offset == 100
    with pytest.raises(CnrtError):
        m.at(101)


def test_copies():
    m = cnrt.get("host").malloc(64)
    values = np.arange(8, dtype=np.int32)
    m.copy_in(values, 32)
    out = np.empty(8, np.int32)
    m.copy_out(out, 32)
    np.testing.assert_array_equal(out, values)
    m.copy_in(b"abcd")
    assert bytes(m.array(np.uint8, 4)) == b"abcd"
    m.fill(255, 2)
    assert m.array(np.uint8, 3).tolist() == [255, 255, ord("c")]
    m.copy_in(np.arange(16, dtype=np.float32).reshape(4, 4)[:, ::2])
    assert m.array(np.float32, 4).tolist() == [0, 2, 4, 6]
    with pytest.raises(CnrtError):
        m.copy_in(np.zeros(17, np.float32))


def test_use_after_free():
    m = cnrt.get("host").malloc(64)
    kept = m.array(np.uint8)
    m.free()
    kept[...] = 1  # the bytes live as long as the array
    for use in (lambda: m.address, lambda: m.array(np.uint8), m.free, lambda: m.copy_in(b"a")):
        with pytest.raises(CnrtError) as e:
            use()
        assert e.value.code == RetCode.ERR_INVALID_POINTER


def test_a_forgotten_block_is_given_back():
    account = Account("test", [None])
    m = Memory(1000, account)
    assert account.used == [1024]
    del m
    gc.collect()
    assert account.used == [0] and account.peak == [1024]
    account.reset_peak()
    assert account.peak == [0]


def test_wrapped_arrays():
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    m = Memory.wrap(a)
    assert m.address == a.ctypes.data and m.nbytes == 24
    m.array(np.float32)[5] = 9
    assert a[1, 2] == 9
    with pytest.raises(CnrtError):
        Memory.wrap(a.T)


def test_without_a_channel_the_roomiest_is_taken():
    device = Null(0)
    assert [device.malloc(100).channel for _ in range(1)] == [0]
    blocks = [device.malloc(100) for _ in range(4)]
    assert sorted(b.channel for b in blocks) == [0, 1, 2, 3]
    limited = Account("card", [500, 1000])
    assert limited.roomiest() == 1


def test_negative_sizes():
    with pytest.raises(CnrtError) as e:
        Memory(-1)
    assert e.value.code == RetCode.ERR_INVALID
