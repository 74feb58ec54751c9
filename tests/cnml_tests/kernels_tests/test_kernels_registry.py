from __future__ import annotations

import importlib
import sys

import pytest

from cnml import kernels
from cnml.kernels import compile_all, find, kernel
from cnrt import kernel_table
from cnrt.errors import CnrtError, RetCode


def test_all_files_are_listed_and_can_be_imported():
    assert "executor" in kernels.MODULES and list(kernels.MODULES) == sorted(kernels.MODULES)
    kernels.load_all()
    assert {"executor", "softmax_f32"} <= set(kernel_table.names())


def test_a_kernel_stays_a_python_function():
    from cnml.kernels.softmax_f32 import softmax_f32
    assert softmax_f32.py_func is softmax_f32 and softmax_f32.kernel_name == "softmax_f32"


def test_a_kernel_is_found_by_its_files_name_first():
    assert kernels._likely_first("softmax_f32")[0] == "softmax_f32"
    assert find("softmax_f32") is kernel_table.registered("softmax_f32")
    assert find("no_such_kernel") is None


def test_two_kernels_of_one_name_are_refused():
    with pytest.raises(CnrtError) as e:
        @kernel("executor")
        def other(args, task_id, task_dim):
            pass
    assert e.value.code == RetCode.ERR_EXIST


def test_a_file_may_be_imported_again():
    module = importlib.import_module("cnml.kernels.softmax_f32")
    importlib.reload(module)
    assert sys.modules["cnml.kernels.softmax_f32"] is module


def test_compile_all_gives_addresses():
    found = compile_all(["executor", "softmax_f32", "executor"])
    assert list(found) == ["executor", "softmax_f32"] and all(found.values())
    assert compile_all(["executor", "softmax_f32"], processes=2) == found
