"""The log: Python's `logging`, with glog's switches.

Everything goes to the loggers `caffe`, `cnml` and `cnrt`, and nothing is shown until somebody asks: an application by configuring `logging`, a script
by `init_log()`, or the environment:

- GLOG_logtostderr=1 shows the log on stderr;
- GLOG_log_dir=FOLDER writes it to `<program>.log.INFO.<time>.<pid>` there;
- GLOG_minloglevel=0…3 leaves out what is below INFO, WARNING, ERROR, FATAL;
- GLOG_v=1 (or more) adds debugging records.

They are read at import and again by each `init_log()`.
"""
from __future__ import annotations

import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pycaffe_acc.errors import CheckError

if TYPE_CHECKING:
    _StreamHandler = logging.StreamHandler[TextIO]
else:
    _StreamHandler = logging.StreamHandler  # Python 3.10 cannot subscript it

LOGGERS = ("caffe", "cnml", "cnrt")
_LEVELS = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
_TRUE = ("1", "t", "true", "y", "yes")
_FORMATTED_TIME = "%m%d %H:%M:%S"
_lock = threading.Lock()
_installed: list[logging.Handler] = []


class GlogFormatter(logging.Formatter):
    """`I1123 19:45:01.123456 12345 file.py:12] message`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line (more when there is a traceback)."""
        letter = "F" if record.levelno >= logging.CRITICAL else record.levelname[0] if record.levelno > logging.DEBUG else "I"
        stamp = time.strftime(_FORMATTED_TIME, time.localtime(record.created))
        microseconds = int((record.created % 1) * 1e6)
        text = f"{letter}{stamp}.{microseconds:06d} {record.thread or 0:5d} {record.filename}:{record.lineno}] {record.getMessage()}"
        return text + "\n" + self.formatException(record.exc_info) if record.exc_info else text


class StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what sys.stderr is at that moment, so that notebooks and tests which replace it see the log."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The current sys.stderr."""
        return sys.stderr


def init_log(level: int | str = 0) -> None:
    """Show the log on stderr, as Caffe does after InitGoogleLogging.

    Parameters
    ----------
    level : int
        Least severity shown: 0 INFO, 1 WARNING, 2 ERROR, 3 FATAL. GLOG_minloglevel raises it.

    Raises
    ------
    CheckError
        For another level.
    """
    _configure(_severity(level, "init_log: level"), to_stderr=True)


def log(message: str) -> None:
    """Write an INFO record to the log."""
    logging.getLogger("caffe").info("%s", message, stacklevel=2)


def configure_from_environment() -> None:
    """Do what the GLOG_ variables say; a variable that cannot be read is ignored with a warning in the log."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        # without any handler Python itself would print warnings to stderr
        if not any(isinstance(h, logging.NullHandler) for h in logger.handlers):
            logger.addHandler(logging.NullHandler())
    _configure(None, to_stderr=os.environ.get("GLOG_logtostderr", "").lower() in _TRUE)


def _severity(value: int | str, what: str) -> int:
    """0..3."""
    if not str(value).strip().isdigit() or int(value) >= len(_LEVELS):
        raise CheckError(f"{what} is '{value}'; it must be 0 (INFO), 1 (WARNING), 2 (ERROR) or 3 (FATAL)")
    return int(value)


def _configure(severity: int | None, to_stderr: bool) -> None:
    """Replace the handlers of an earlier call."""
    complaints: list[str] = []
    minimum = os.environ.get("GLOG_minloglevel")
    if minimum is not None:
        try:
            severity = max(severity or 0, _severity(minimum, "GLOG_minloglevel"))
        except CheckError as e:
            complaints.append(str(e))
    verbose = os.environ.get("GLOG_v", "0").strip()
    handlers: list[logging.Handler] = [StderrHandler()] if to_stderr else []
    folder = os.environ.get("GLOG_log_dir")
    if folder and not to_stderr:
        try:
            handlers.append(_file_handler(Path(folder)))
        except OSError as e:
            complaints.append(f"GLOG_log_dir is '{folder}', where no log can be written: {e}")
    with _lock:
        _install(handlers, severity, verbose=verbose.isdigit() and int(verbose) > 0)
    for complaint in complaints:
        logging.getLogger("caffe").warning("%s", complaint)


def _install(handlers: list[logging.Handler], severity: int | None, verbose: bool) -> None:
    for old in _installed:
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(old)
        old.close()
    _installed[:] = handlers
    level = _LEVELS[severity or 0]
    if verbose and not severity:
        level = logging.DEBUG
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if handlers or severity is not None or verbose:
            logger.setLevel(level)
        for handler in handlers:
            handler.setFormatter(GlogFormatter())
            logger.addHandler(handler)


def _file_handler(folder: Path) -> logging.Handler:
    program = Path(sys.argv[0] if sys.argv and sys.argv[0] else "python").stem or "python"
    return logging.FileHandler(folder / f"{program}.log.INFO.{time.strftime('%Y%m%d-%H%M%S')}.{os.getpid()}", delay=False, encoding="utf-8")


configure_from_environment()
