"""A call that must fail."""
from __future__ import annotations

from typing import Any

import pytest

from cnml.errors import CnmlError, Status


def refused(status: Status, words: str, call: Any, *args: Any) -> None:
    """The call raises `CnmlError` with a status and a sentence in which `words` (a regular expression) stand."""
    with pytest.raises(CnmlError, match=words) as e:
        call(*args)
    assert e.value.status == status, e.value
