from __future__ import annotations

import gc
import struct
import weakref

import numpy as np
import pytest
from cnrt_tests.probe_kernels import probe, words

import cnrt
from cnrt import Constant, Function, Instruction, KernelAddress, Param, Queue, Scratch, kernel_table
from cnrt.errors import CnrtError, RetCode


def test_arguments_become_words():
    m = cnrt.get("host").malloc(256)
    constant = np.arange(4, dtype=np.float32)
    seen = []
    with probe(lambda args, i, n: seen.append(words(args, 8))) as name, Queue() as queue:
        f = Function("f", [Instruction(name, (7, -2.5, m, m.at(8), Constant(constant), np.int32(-3), np.float32(0.5), True))])
        queue.run(f)
    (block,) = seen
    assert block[0] == 7 and block[2:6] == [m.address, m.address + 8, constant.ctypes.data, -3] and block[7] == 1
    assert struct.unpack("=d", struct.pack("=q", block[1])) == (-2.5,)
    assert struct.unpack("=d", struct.pack("=q", block[6])) == (0.5,)


def test_params_and_scratch_are_filled_in_for_each_run():
    seen = []
    with probe(lambda args, i, n: seen.append(words(args, 4))) as name, Queue() as one, Queue() as two:
        f = Function("f", [Instruction(name, (Param(0), Param(1, 16), Scratch(100)))])
        assert f.params == 2 and f.scratch_bytes == 128
        a, b = cnrt.get("host").malloc(64), np.zeros(4)
        one.run(f, 1, (a, b))
        one.run(f, 1, (b, 4096))
        two.run(f, 1, (a, b))
    assert seen[0][:2] == [a.address, b.ctypes.data + 16]
    assert seen[1][:2] == [b.ctypes.data, 4112]
    assert seen[0][2:] == seen[1][2:] and seen[0][2] % 64 == 0 and seen[0][3] == 128
    assert seen[0][2] != seen[2][2]  # queues do not share working memory


def test_scratch_holds_a_block_per_task():
    seen = []
    with probe(lambda args, i, n: seen.append((i, n, *words(args, 2)))) as name, Queue() as queue:
        queue.run(Function("f", [Instruction(name, (Scratch(64),))], scratch_bytes=1000), 2)
        tasks = queue.device.tasks(2)
        assert queue._lane.scratch is not None and queue._lane.scratch.nbytes == tasks * 1024
    assert sorted(s[0] for s in seen) == list(range(tasks)) and {s[3] for s in seen} == {1024}


@pytest.mark.parametrize("bad", ["text", None, np.zeros(3), 1 << 63, Param(-1), Scratch(-1)])
def test_bad_arguments_are_named(bad):
    with pytest.raises(CnrtError, match=r"function 'net', instruction 1 \(relu\), argument 2") as e:
        Function("net", [Instruction("a", ()), Instruction("relu", (1, 2, bad))])
    assert e.value.code == RetCode.ERR_INVALID


def test_constants_lie_in_order():
    with pytest.raises(CnrtError):
        Constant(np.zeros((4, 4))[:, 1])


def test_wrong_parameters():
    f = Function("f", [Instruction("executor", (Param(0),))])
    with Queue() as queue:
        for wrong in ((), (1, 2), (np.zeros((4, 4))[:, 1],)):
            for start in (queue.run, queue.invoke):
                with pytest.raises(CnrtError, match="'f'") as e:
                    start(f, 1, wrong)
                assert e.value.code == RetCode.ERR_INVALID


def test_running_on_freed_memory_is_an_error():
    with probe(lambda *_: None) as name, Queue() as queue:
        m = cnrt.get("host").malloc(64)
        f = Function("f", [Instruction(name, (m,))])
        queue.run(f)
        cnrt.get("host").malloc(10).free()
        queue.run(f)
        m.free()
        with pytest.raises(CnrtError, match="'f'") as e:
            queue.run(f)
        assert e.value.code == RetCode.ERR_INVALID_POINTER
        queue.invoke(f)
        with pytest.raises(CnrtError):
            queue.sync()


def test_the_executor_is_no_instruction():
    with Queue() as queue, pytest.raises(CnrtError) as e:
        queue.run(Function("f", [Instruction("executor", (1, 2, 3))]))
    assert e.value.code == RetCode.ERR_INVALID_OP


def test_unknown_kernels():
    with Queue() as queue, pytest.raises(CnrtError, match="no_such_kernel"):
        queue.run(Function("f", [Instruction("no_such_kernel", ())]))


def test_queues_do_not_keep_functions_alive():
    with probe(lambda *_: None) as name, Queue() as queue:
        f = Function("f", [Instruction(name, (Scratch(8),))])
        queue.run(f)
        alive = weakref.ref(f)
        del f
        gc.collect()
        assert alive() is None and len(queue._lane.bindings) == 0


def test_parts_and_empty_functions():
    seen = []
    with probe(lambda args, i, n: seen.append(words(args, 1)[0])) as name, Queue() as queue:
        f = Function("f", [Instruction(name, (k,)) for k in range(5)])
        queue.run(f.part(1, 3))
        queue.run(Function("empty", []))
        queue.run(Function("empty", []), 2)
        assert seen == [1, 2]
        times = queue.profile(f)
        assert seen[2:] == [0, 1, 2, 3, 4] and len(times) == 5 and min(times) > 0


def test_addresses_of_other_kernels_are_known_when_the_function_is_prepared():
    seen = []
    with probe(lambda args, i, n: seen.append(words(args, 2))) as name, probe(lambda args, i, n: None) as other, Queue() as queue:
        f = Function("f", [Instruction(name, (KernelAddress(other), 5))])
        assert f.kernel_names() == [name, other]
        queue.run(f)
        assert seen == [[kernel_table.address(other), 5]]
        with pytest.raises(CnrtError, match="unknown_kernel"):
            Function("f", [Instruction(name, (KernelAddress("unknown_kernel"),))]).prepare()
        with pytest.raises(CnrtError, match="runs tables"):
            Function("f", [Instruction(name, (KernelAddress("executor"),))]).prepare()
