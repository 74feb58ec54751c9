"""Lines as glog prints them: on stderr, with its prefix when the environment's log_prefix is true."""
from __future__ import annotations

import datetime
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: flags of glog that every program built with it takes; where lines go is fixed here, so they change nothing
GLOG_FLAGS: dict[str, str | int | float | bool] = {"logtostderr": False, "alsologtostderr": False, "minloglevel": 0, "v": 0, "log_dir": ""}


def glog(message: str, severity: str = "I") -> None:
    """Write a line, or several that stay together.

    Parameters
    ----------
    message : str
    severity : str
        I, W, E or F. Lines below GLOG_minloglevel are left out.
    """
    try:
        lowest = int(os.environ.get("GLOG_minloglevel", "0"))
    except ValueError:
        lowest = 0
    if "IWEF".index(severity) < lowest:
        return
    prefix = ""
    if os.environ.get("log_prefix", "").lower() in ("true", "1"):
        prefix = f"{severity}{datetime.datetime.now():%m%d %H:%M:%S.%f} {threading.get_native_id():>5} caffe.py] "
    # in one piece, so that lines of several threads do not run into each other
    sys.stderr.write("".join(f"{prefix}{line}\n" for line in message.split("\n")))
    sys.stderr.flush()


class _Lines(logging.Handler):
    """Records of the log as lines of glog."""

    def emit(self, record: logging.LogRecord) -> None:
        glog(record.getMessage(), "F" if record.levelno >= logging.CRITICAL else record.levelname[0])


@contextmanager
def shown_log(level: int = logging.INFO) -> Iterator[None]:
    """Show the package's log among a tool's own lines.

    Parameters
    ----------
    level : int
        Least level shown.
    """
    logger = logging.getLogger("caffe")
    before, handler = logger.level, _Lines(level)
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > level:
        logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
