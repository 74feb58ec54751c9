from __future__ import annotations

import threading

from cnrt.errors import CnrtError, RetCode, error_text, last_error


def test_codes_are_the_vendors():
    assert RetCode.ERR_NOMEM == 632008
    assert RetCode.ERR_QUEUE == 632025
    assert RetCode.ERR_INVALID_DATADESC == 632038
    assert RetCode.ERR_UNKNOWN == 999991
    gap = [c for c in range(632006, 632044) if c not in {int(r) for r in RetCode}]
    assert gap == []


def test_every_code_has_a_text():
    for code in RetCode:
        assert error_text(code)
    assert error_text(RetCode.ERR_NOSYS) == "Function not implemenmted"
    assert error_text(RetCode.ERR_INVALID) == "Invalid argument"
    assert error_text(5) == error_text(RetCode.ERR_UNKNOWN)


def test_last_error_belongs_to_the_thread():
    CnrtError(RetCode.ERR_BUSY, "busy")
    seen = []
    thread = threading.Thread(target=lambda: seen.append(last_error()))
    thread.start()
    thread.join()
    assert seen == [RetCode.SUCCESS]
    assert last_error() == RetCode.ERR_BUSY


def test_the_message_shows_sentence_and_code():
    error = CnrtError(RetCode.ERR_NODEV, "failed to find device 7")
    assert str(error) == "failed to find device 7 (ERR_NODEV, code 632009)"
