from __future__ import annotations

import threading

import numpy as np
import pytest
from cnrt_tests import tiny_model

import cnrt
from cnrt import Queue
from cnrt.device import set_current_channel, set_current_device
from cnrt.devices.mlu100 import Mlu100
from cnrt.enums import FunctionType
from cnrt.errors import CnrtError, RetCode
from cnrt.launch import InitFuncParam, InvokeFuncParam, LaunchFunction


@pytest.fixture
def card():
    card = Mlu100(0)
    before = cnrt.current_device()
    set_current_device(card)
    with tiny_model.kernels():
        yield card
    set_current_device(before)


def loaded(dp=1, muta=False, **model):
    f = LaunchFunction()
    f.extract(tiny_model.model(**model), "subnet0")
    f.init_memory(InitFuncParam(muta, dp))
    return f


def run(f, queue, x, dp, kind=0, invoke=None):
    source, result = f.inputs()[0], f.outputs()[0]
    a, b = (queue.device.malloc(d.device_nbytes(dp)) for d in (source, result))
    source.to_device(x, a, dp)
    f.invoke(queue, [a, b], kind, invoke)
    queue.sync()
    out = np.empty_like(x)
    result.to_host(b, out, dp)
    return out


@pytest.mark.parametrize("dp, mp", [(1, 1), (2, 1), (8, 4), (32, 1), (1, 32), (4, 2)])
def test_every_parallelism_gives_the_same_values(card, rng, dp, mp):
    x = rng.standard_normal((dp, *tiny_model.SHAPE)).astype(np.float32)
    with Queue(card) as queue:
        np.testing.assert_array_equal(run(loaded(dp, model_parallelism=mp), queue, x, dp), tiny_model.expected(x))


def test_a_fixed_function_keeps_its_parallelism_and_a_mutable_one_does_not(card, rng):
    x = rng.standard_normal((4, *tiny_model.SHAPE)).astype(np.float32)
    with Queue(card) as queue:
        with pytest.raises(CnrtError, match="mutable") as e:
            run(loaded(2), queue, x, 4, invoke=InvokeFuncParam(4))
        assert e.value.code == RetCode.ERR_INVALID
        f = loaded(1, muta=True)
        before = f.nbytes
        np.testing.assert_array_equal(run(f, queue, x, 4, invoke=InvokeFuncParam(4)), tiny_model.expected(x))
        np.testing.assert_array_equal(run(f, queue, x[:2], 2, invoke=InvokeFuncParam(2)), tiny_model.expected(x[:2]))
        assert f.nbytes == before + 3 * 128
        with pytest.raises(CnrtError):
            run(f, queue, x[:3], 3, invoke=InvokeFuncParam(3))


@pytest.mark.parametrize("dp, mp", [(3, 1), (0, 1), (64, 1), (16, 4)])
def test_the_cards_parallelism(card, dp, mp):
    with pytest.raises(CnrtError) as e:
        loaded(dp, model_parallelism=mp)
    assert e.value.code == RetCode.ERR_INVALID and card.account.used == [0] * 4


def test_types_offer_cores(card, rng):
    x = rng.standard_normal((4, *tiny_model.SHAPE)).astype(np.float32)
    with Queue(card) as queue:
        f = loaded(4)
        for kind in (0, FunctionType.UNION1, FunctionType.UNION8, FunctionType.MUTABLE):
            np.testing.assert_array_equal(run(f, queue, x, 4, kind), tiny_model.expected(x))
        for kind, code in ((FunctionType.BLOCK, RetCode.ERR_INVALID), (99, RetCode.ERR_INVALID_TYPE)):
            with pytest.raises(CnrtError) as e:
                run(f, queue, x, 4, kind)
            assert e.value.code == code


def test_functions_lie_on_the_threads_channel(card):
    set_current_channel(2)
    f = loaded(2)
    used = list(card.account.used)
    assert used[2] > 0 and used[0] == used[1] == used[3] == 0 and f.nbytes == 120 + 2 * 128
    g = f.copy()
    assert card.account.used == [0, 0, 2 * used[2], 0] and g.nbytes == f.nbytes
    set_current_channel(3)
    loaded(1, model_parallelism=2)  # more than one core per image: the channel has no effect
    assert card.account.used[3] == 0
    f.release()
    g.release()
    assert f.nbytes == 0


def test_copies_double_the_memory(card):
    f = loaded(2)
    used = sum(card.account.used)
    g = f.copy()
    assert sum(card.account.used) == 2 * used
    f.release()
    assert sum(card.account.used) == used
    with Queue(card) as queue:
        x = np.ones((2, *tiny_model.SHAPE), np.float32)
        np.testing.assert_array_equal(run(g, queue, x, 2), tiny_model.expected(x))
    assert LaunchFunction().copy().template is None


def test_too_small_a_stack(card):
    with pytest.raises(CnrtError, match="cnrtSetStackMem") as e:
        loaded(stack_mb=100)
    assert e.value.code == RetCode.ERR_NORES
    card.set_stack(150)
    loaded(stack_mb=100)


def test_too_little_memory(card):
    hog = [card.malloc(2 << 30, c) for c in range(4)]
    before = list(card.account.used)
    with pytest.raises(CnrtError) as e:
        loaded()
    assert e.value.code == RetCode.ERR_NOMEM and card.account.used == before
    del hog


def test_misuse(card, rng):
    x = rng.standard_normal((1, *tiny_model.SHAPE)).astype(np.float32)
    empty = LaunchFunction()
    with Queue(card) as queue, Queue(cnrt.get("host")) as other:
        for use in (empty.inputs, lambda: empty.init_memory(InitFuncParam()), lambda: empty.invoke(queue, [])):
            with pytest.raises(CnrtError) as e:
                use()
            assert e.value.code == RetCode.ERR_FUNC_CALL
        empty.extract(tiny_model.model(), "subnet0")
        with pytest.raises(CnrtError, match="cnrtInitFunctionMemory_V2") as e:
            run(empty, queue, x, 1)
        assert e.value.code == RetCode.ERR_FUNC_CALL
        with pytest.raises(CnrtError, match="subnet0") as e:
            empty.extract(tiny_model.model(), "subnet1")
        assert e.value.code == RetCode.ERR_NO_EXIST
        f = loaded()
        good, small, foreign = card.malloc(120), card.malloc(119), cnrt.get("host").malloc(120)
        freed = card.malloc(120)
        freed.free()
        for params, code in (([good], RetCode.ERR_INVALID), ([good, small], RetCode.ERR_OUT_RANGE), ([good, foreign], RetCode.ERR_INVALID_POINTER),
                             ([freed, good], RetCode.ERR_INVALID_POINTER), ([good, x], RetCode.ERR_INVALID_POINTER)):
            with pytest.raises(CnrtError) as e:
                f.invoke(queue, params)
            assert e.value.code == code
        with pytest.raises(CnrtError) as e:
            f.invoke(other, [good, good])
        assert e.value.code == RetCode.ERR_INVALID


def test_four_threads_on_four_channels(card, rng):
    x = rng.standard_normal((4, 2, *tiny_model.SHAPE)).astype(np.float32)
    first = loaded(2)
    results, errors = [None] * 4, []

    def work(i):
        try:
            set_current_device(card)
            set_current_channel(i)
            f = LaunchFunction()
            f.template, f.model_parallelism, f.stack_mb = first.template, 1, 1
            f.init_memory(InitFuncParam(False, 2))
            with Queue() as queue:
                assert queue.channel == i
                for _ in range(5):
                    results[i] = run(f, queue, x[i], 2)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert errors == []
    np.testing.assert_array_equal(np.stack(results), np.stack([tiny_model.expected(a) for a in x]))
    assert [(u.core, u.channel, u.functions) for u in card.core_uses() if u.functions] == [(8 * i + k, i, 5) for i in range(4) for k in range(2)]
