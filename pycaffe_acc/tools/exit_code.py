"""What the process's exit status says."""
from __future__ import annotations

from enum import IntEnum

from cnml.errors import CnmlError, Status
from cnrt.errors import CnrtError
from pycaffe_acc.errors import CaffeError, UnsupportedLayerError
from pycaffe_acc.evaluation.report import ReportError


class ExitCode(IntEnum):
    """Stable, so that scripts can rely on it."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    BAD_INPUT = 3
    UNSUPPORTED = 4


class UsageError(CaffeError):
    """Options that contradict each other or lack a partner."""


class NotInThisVersionError(CaffeError):
    """Something that is planned, and not here yet."""


#: what ends a verb with one sentence; anything else is a defect and shows its traceback
EXPECTED = (CaffeError, CnmlError, CnrtError, ReportError, OSError)


def exit_code(error: BaseException) -> ExitCode:
    """The status that belongs to an exception of `EXPECTED`."""
    if isinstance(error, UsageError):
        return ExitCode.USAGE
    if isinstance(error, (UnsupportedLayerError, NotInThisVersionError)):
        return ExitCode.UNSUPPORTED
    if isinstance(error, CnmlError) and error.status is Status.UNSUPPORT:
        return ExitCode.UNSUPPORTED
    return ExitCode.BAD_INPUT
