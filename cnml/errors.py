"""What cnml raises: one exception with the vendor's status codes."""
from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """`cnmlStatus_t` of the MLU100 generation."""

    NODEVICE = -1
    SUCCESS = 0
    DOMAINERR = 1
    INVALIDARG = 2
    LENGTHERR = 3
    OUTOFRANGE = 4
    RANGEERR = 5
    OVERFLOWERR = 6
    UNDERFLOWERR = 7
    INVALIDPARAM = 8
    BADALLOC = 9
    BADTYPEID = 10
    BADCAST = 11
    UNSUPPORT = 12


class CnmlError(RuntimeError):
    """A failed check of an operator.

    Parameters
    ----------
    message : str
        One sentence: operator, actual value, rule.
    status : Status
        The vendor's code, INVALIDPARAM unless told.
    """

    def __init__(self, message: str, status: Status = Status.INVALIDPARAM):
        super().__init__(message)
        self.status = status


def expect(condition: bool, operator: object, actual: str, rule: str) -> None:
    """Raise `CnmlError` naming the operator unless `condition` holds.

    Parameters
    ----------
    condition : bool
    operator : Operator
        Its `kind` and `name` open the sentence.
    actual : str
        What was found ("kernel size 3 x 0").
    rule : str
        What must hold ("must be positive").
    """
    if not condition:
        kind, name = getattr(operator, "kind", type(operator).__name__), getattr(operator, "name", "")
        raise CnmlError(f"failed to reshape {kind} '{name}' with {actual}: {rule}")
