from __future__ import annotations

import logging
import threading

import pytest
from cnml_tests.api_tests.refusal import refused

from cnml import api
from cnml.api import session
from cnml.errors import Status
from cnrt.api import cnrtInit, cnrtMalloc
from cnrt.errors import CnrtError, RetCode


def test_nothing_works_before_the_start(library):
    api.cnmlExit()
    refused(Status.NODEVICE, "call cnmlInit first", api.cnmlCreateTensor, 0, 2, 1, 1, 1, 1)
    refused(Status.NODEVICE, "call cnmlInit first", api.cnmlExit)
    with pytest.raises(CnrtError) as e:
        cnrtMalloc(64)
    assert e.value.code == RetCode.ERR_INIT, "cnmlExit ended the runtime that cnmlInit had started"


def test_a_runtime_that_runs_already_stays(library):
    api.cnmlExit()
    cnrtInit(0)
    api.cnmlInit(0)
    api.cnmlExit()
    assert cnrtMalloc(64).nbytes == 64


def test_bad_flags(library):
    api.cnmlExit()
    refused(Status.INVALIDARG, "flags 7", api.cnmlInit, 7)


def test_the_end_counts_what_is_left(library, caplog):
    kept = api.cnmlCreateTensor(0, 2, 1, 1, 1, 1)
    gone = api.cnmlCreateTensor(0, 2, 1, 1, 1, 1)
    api.cnmlDestroyTensor(gone)
    with caplog.at_level(logging.WARNING):
        api.cnmlExit()
    assert "1 objects were not destroyed" in caplog.text
    api.cnmlInit(0)
    refused(Status.INVALIDARG, "it was destroyed", api.cnmlGetTensorShape, kept)


def test_a_destroyed_handle(library):
    tensor = api.cnmlCreateTensor(0, 2, 1, 1, 1, 1)
    api.cnmlDestroyTensor(tensor)
    refused(Status.INVALIDARG, "it was destroyed", api.cnmlDestroyTensor, tensor)
    refused(Status.INVALIDARG, "must come from cnmlCreateTensor", api.cnmlGetTensorShape, "tensor")


def test_the_thread_says_whether_its_nets_are_quantized(library):
    assert not session.quantized_thread()
    api.cnmlSetQuantizedThreadContext(True)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(session.quantized_thread()))
    thread.start()
    thread.join()
    assert session.quantized_thread() and seen == [False]
    api.cnmlSetFix8ThreadContext(False)
    assert not session.quantized_thread()


def test_the_version_is_a_number(library):
    assert api.cnmlGetVersion() == 40201


def test_failures_of_the_runtime_have_the_librarys_status(library):
    refused(Status.BADALLOC, "cnmlMalloc: ", api.cnmlMalloc, 1 << 60)
    refused(Status.INVALIDARG, "cnmlMallocBatch: .*parallelism 3", api.cnmlMallocBatch, 64, 3)


def test_a_name_that_the_library_has_not():
    with pytest.raises(AttributeError, match="cnml_support"):
        _ = api.cnmlCreateWonderOp
