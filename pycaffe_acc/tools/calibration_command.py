"""What generate_int8_pt and generate_quantized_pt share: flags, lines, calling the calibration."""
from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16
from pycaffe_acc.quantize.generate import generate
from pycaffe_acc.quantize.settings import read_settings
from pycaffe_acc.quantize.vendor_ranges import COMMON
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value, parse_flags
from pycaffe_acc.tools.glog import GLOG_FLAGS, glog

FLAGS: dict[str, Value] = {"ini_file": "", "model": "", "weights": "", "outputmodel": "", "iterations": 1}
_BLOBS = {"INT8": DT_INT8, "INT16": DT_INT16}
_TOPS = {"FLOAT16": False, "FLOAT32": True}
_MODES = (COMMON, "scale", "int8_channel")


def run_calibration(words: Sequence[str], name: str, more_flags: dict[str, Value], database_first: bool) -> int:
    """Parse the flags and calibrate.

    Parameters
    ----------
    words : sequence of str
        The command line without the program.
    name : str
        The program.
    more_flags : dict
        Its flags besides `FLAGS`: any of `blobs_dtype`, `top_dtype`, `mode`.
    database_first : bool
        See `read_settings`.

    Returns
    -------
    int
        An exit status: 0, or 1 after the usage that a call without words prints.

    Raises
    ------
    UsageError
        For unknown flags, words that are none, and values that a flag does not have.
    CaffeError
    """
    flags: dict[str, Value] = {**FLAGS, **more_flags}
    if not words or words[0] in ("-help", "--help", "-h"):
        print(f"command line brew\nUsage: {name} -ini_file FILE [optional]\n"
              "  optional, in the place of what the ini file says: -model P -weights W -outputmodel Q; with all three of them no ini file is needed, "
              f"and the net's own data layer is used\nflags: {', '.join(f'-{flag}' for flag in flags)}")
        return 0 if words else 1
    given, positional = parse_flags(words, {**flags, **GLOG_FLAGS})
    if positional:
        raise UsageError(f"{name} takes flags only and got {positional}; flags: {', '.join(f'-{flag}' for flag in flags)}")
    dtype, float_tops = _choice(given, "blobs_dtype", _BLOBS, "INT8"), _choice(given, "top_dtype", _TOPS, "FLOAT16")
    mode = str(given.get("mode", COMMON))
    if mode not in _MODES:
        raise UsageError(f"-mode is '{mode}'; it must be one of {', '.join(_MODES)}")
    ini = str(given["ini_file"])
    if ini:
        glog("Use CPU.")
        glog(f"ini_file path : {ini}")
    with _shown_warnings():
        settings = read_settings(ini, {k: str(given[k]) for k in ("model", "weights", "outputmodel")}, int(given["iterations"]),
                                 database_first)
        iterations = generate(settings, dtype, mode, bool(float_tops))
    glog(f"Output file is {settings.output}, iteration: {iterations}")
    return 0


class _Lines(logging.Handler):
    """Records as lines of glog."""

    def emit(self, record: logging.LogRecord) -> None:
        glog(record.getMessage(), "W")


@contextmanager
def _shown_warnings() -> Iterator[None]:
    """Warnings of the log on stderr, where the tools' other lines go."""
    handler = _Lines(logging.WARNING)
    logger = logging.getLogger("caffe")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _choice(given: dict[str, Value], flag: str, table: Mapping[str, int], default: str) -> int:
    text = str(given.get(flag, default))
    if text.upper() not in table:
        raise UsageError(f"-{flag} is '{text}', which is not supported; it must be {' or '.join(table)}")
    return table[text.upper()]
