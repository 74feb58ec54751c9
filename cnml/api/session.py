"""Start and end of the library, what belongs to the calling thread, and how failures are told."""
from __future__ import annotations

import functools
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from cnml.errors import CnmlError, Status
from cnrt.api import session as runtime
from cnrt.device import Device
from cnrt.errors import CnrtError, RetCode

log = logging.getLogger(__name__)

#: what a failure of the runtime is called here; everything else is INVALIDARG
_STATUS = {RetCode.ERR_NOMEM: Status.BADALLOC, RetCode.ERR_NODEV: Status.NODEVICE, RetCode.ERR_INIT: Status.NODEVICE,
           RetCode.ERR_OUT_RANGE: Status.OUTOFRANGE, RetCode.ERR_INVALID_TYPE: Status.BADTYPEID, RetCode.ERR_UNSUPPORTED: Status.UNSUPPORT}

_state: dict[str, Any] = {"started": False, "runtime": False}
_thread = threading.local()
_live: weakref.WeakSet[Handle] = weakref.WeakSet()

Call = TypeVar("Call", bound=Callable[..., Any])


class Handle:
    """Base of what the vendor hands out as an opaque pointer: usable until it is destroyed.

    Attributes
    ----------
    destroyed : bool
    """

    noun = "object"

    def __init__(self) -> None:
        self.destroyed = False
        _live.add(self)

    def destroy(self) -> None:
        """End its life.

        Raises
        ------
        CnmlError
            INVALIDARG the second time.
        """
        self.check()
        self.destroyed = True
        _live.discard(self)

    def check(self) -> None:
        """INVALIDARG if it was destroyed."""
        if self.destroyed:
            raise CnmlError(f"failed to use {self!r}: it was destroyed", Status.INVALIDARG)


def vendor_call(call: Call) -> Call:
    """A function of the interface: refused before `cnmlInit`, failures of the runtime told with the library's status."""
    @functools.wraps(call)
    def checked(*args: Any, **kwargs: Any) -> Any:
        require_init()
        try:
            return call(*args, **kwargs)
        except CnrtError as e:
            raise CnmlError(f"{call.__name__}: {e.message}", _STATUS.get(e.code, Status.INVALIDARG)) from e
        except MemoryError as e:
            raise CnmlError(f"{call.__name__}: the machine has not that much memory ({e})", Status.BADALLOC) from e
    return checked  # type: ignore[return-value]


def handle(value: Any, kind: type, maker: str) -> Any:
    """`value` if it is a living handle of a kind.

    Parameters
    ----------
    value : object
    kind : type
        Subclass of `Handle`.
    maker : str
        The function that makes such handles, for the message.

    Raises
    ------
    CnmlError
        INVALIDARG.
    """
    if not isinstance(value, kind):
        raise CnmlError(f"failed to use {value!r} as a {kind.noun}: it must come from {maker}",  # type: ignore[attr-defined]
                        Status.INVALIDARG)
    value.check()  # type: ignore[attr-defined]
    return value


def unsupported(what: str, why: str) -> CnmlError:
    """The error of something that the vendor has and this package has not."""
    return CnmlError(f"failed to use {what}: {why}", Status.UNSUPPORT)


def require_init() -> None:
    """NODEVICE before `cnmlInit`."""
    if not _state["started"]:
        raise CnmlError("failed to use the operator library: call cnmlInit first", Status.NODEVICE)


def current_card() -> Device:
    """The calling thread's card."""
    return runtime.current_card()


def cnmlInit(flag: int = 0) -> None:
    """Start the library, and the runtime unless it runs already.

    Parameters
    ----------
    flag : int
        As for `cnrtInit`: 0, or 1 for a fake device, which runs nothing.

    Raises
    ------
    CnmlError
        INVALIDARG for other flags, NODEVICE for an unknown kind of card.
    """
    try:
        runtime.require_init()
    except CnrtError:
        try:
            runtime.cnrtInit(flag)
        except CnrtError as e:
            raise CnmlError(f"cnmlInit: {e.message}", _STATUS.get(e.code, Status.INVALIDARG)) from e
        _state["runtime"] = True
    _state["started"] = True


def cnmlExit() -> None:
    """End the library, and the runtime if `cnmlInit` started it. Operators and tensors should be destroyed before; a log line counts those that were
    not, and they cannot be used any more.
    """
    require_init()
    left = list(_live)
    if left:
        log.warning("cnmlExit: %d objects were not destroyed, among them %r", len(left), left[0])
    for one in left:
        one.destroyed = True
    _live.clear()
    _state["started"] = False
    if _state["runtime"]:
        runtime.cnrtDestroy()
        _state["runtime"] = False


def cnmlGetVersion() -> int:
    """major * 10000 + minor * 100 + patch, that of the runtime."""
    return runtime.cnrtGetVersion()


@vendor_call
def cnmlSetQuantizedThreadContext(mode: bool) -> None:
    """Say that the nets compiled by this thread from now on have INT8 operators.

    Values do not depend on it: an operator computes in INT8 when its own switch is on.
    """
    _thread.quantized = bool(mode)


@vendor_call
def cnmlSetFix8ThreadContext(mode: bool) -> None:
    """The older name of `cnmlSetQuantizedThreadContext`."""
    _thread.quantized = bool(mode)


def quantized_thread() -> bool:
    """What `cnmlSetQuantizedThreadContext` set in this thread; False until then."""
    return getattr(_thread, "quantized", False)
