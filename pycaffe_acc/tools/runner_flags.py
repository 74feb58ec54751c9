"""The flags that the vendor's runners share, and what they mean."""
from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from pycaffe_acc.runners.engine import Engine
from pycaffe_acc.runners.means import channel_means
from pycaffe_acc.runners.pixels import Preparation
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value, parse_flags
from pycaffe_acc.tools.glog import GLOG_FLAGS
from pycaffe_acc.tools.trace_argument import traced

#: both generations'; -channel_dup, -opt_level, -output_dtype, -Bangop, -functype and -apiversion choose among ways to the same values
COMMON: dict[str, Value] = {
    "images": "", "labels": "", "labelmapfile": "", "meanfile": "", "meanvalue": "", "scale": 1.0, "int8": -1, "fix8": 0, "yuv": 0, "threads": 1,
    "dataparallel": 1, "fifosize": 2, "mludevice": "0", "logdir": "", "apiversion": 2, "functype": "1H16", "batchsize": 1, "core_number": 1,
    "simple_compile": 1, "opt_level": 1, "channel_dup": 1, "Bangop": 0, "output_dtype": "INVALID", "preprocess_option": 0, "trace": "",
}
OFFLINE: dict[str, Value] = {**COMMON, "offlinemodel": ""}
ONLINE: dict[str, Value] = {**COMMON, "model": "", "weights": "", "mmode": "MFUS", "mcore": "MLU100", "modelparallel": 1, "datastrategy": "-1,-1",
                            "mreshape": "SETUPONLY"}
_CHANNELS = 4
#: twice what the vendor's card was swept with
_MOST_THREADS = 256


def read_flags(words: Sequence[str], name: str, known: dict[str, Value], needed: Sequence[str]) -> dict[str, Value] | None:
    """Parse and check a runner's flags.

    Parameters
    ----------
    words : sequence of str
    name : str
        The program.
    known : dict
    needed : sequence of str
        Flags without which it cannot run.

    Returns
    -------
    dict or None
        None after -help was answered.

    Raises
    ------
    UsageError
    """
    if not words or words[0] in ("-help", "--help", "-h"):
        print(f"usage: {name} {' '.join(f'-{flag} FILE' for flag in needed)} [-flag value...]\nflags: "
              + ", ".join(f"-{flag} ({value!r})" for flag, value in known.items()))
        if not words:
            raise UsageError(f"{name} needs {', '.join(f'-{flag}' for flag in needed)}")
        return None
    flags, positional = parse_flags(words, {**known, **GLOG_FLAGS})
    if positional:
        raise UsageError(f"{name} takes flags only and got {positional}")
    missing = [flag for flag in needed if not flags[flag]]
    if missing:
        raise UsageError(f"{name} needs {', '.join(f'-{flag}' for flag in missing)}")
    for flag in ("threads", "fifosize", "dataparallel", "batchsize", "core_number"):
        if int(flags[flag]) < 1:
            raise UsageError(f"-{flag} is {flags[flag]}; it must be at least 1")
    if int(flags["threads"]) > _MOST_THREADS:
        raise UsageError(f"-threads is {flags['threads']}; each is a pipeline of three threads, and there can be {_MOST_THREADS} at most")
    if str(flags["functype"]) not in ("1H8", "1H16"):
        raise UsageError(f"-functype is '{flags['functype']}'; it must be 1H8 or 1H16")
    if int(flags["apiversion"]) not in (1, 2):
        raise UsageError(f"-apiversion is {flags['apiversion']}; it must be 1 or 2")
    if int(flags["yuv"]) not in (0, 1):
        raise UsageError(f"-yuv is {flags['yuv']}; it must be 0 or 1")
    return flags


def device_numbers(flags: dict[str, Value]) -> list[int]:
    """-mludevice: numbers with commas between.

    Raises
    ------
    UsageError
    """
    words = str(flags["mludevice"]).split(",")
    if not all(w.strip().isdecimal() for w in words):
        raise UsageError(f"-mludevice is '{flags['mludevice']}'; it must be numbers of cards with commas between, like 0,1")
    return [int(w) for w in words]


def places(flags: dict[str, Value]) -> list[tuple[int, int]]:
    """Card and channel of each pipeline: -threads of them on every card, in turn."""
    devices = device_numbers(flags)
    total = int(flags["threads"]) * len(devices)
    return [(devices[i % len(devices)], i // len(devices) % _CHANNELS) for i in range(total)]


def preparation(flags: dict[str, Value], engine: Engine) -> Preparation:
    """What becomes of images: -meanvalue, -meanfile, -scale, -int8 or -fix8, -preprocess_option; with -yuv 1, nothing.

    Raises
    ------
    CheckError
        For means that do not fit, or an unknown option.
    """
    shape = engine.shape[1:]
    if int(flags["yuv"]):
        return Preparation(shape, video=True)
    return Preparation(shape, channel_means(str(flags["meanvalue"]), str(flags["meanfile"]), shape[0]), float(flags["scale"]), is_raw(flags),
                       int(flags["preprocess_option"]))


def is_raw(flags: dict[str, Value]) -> bool:
    """Whether pictures go to the card as bytes: -int8, or -fix8 where that is not given, or -yuv."""
    return bool(int(flags["fix8"]) if int(flags["int8"]) == -1 else int(flags["int8"])) or bool(int(flags["yuv"]))


@contextmanager
def log_folder(flags: dict[str, Value], name: str) -> Iterator[None]:
    """Send a program's lines to a file in -logdir instead of stderr, and write a trace of what runs meanwhile where -trace says.

    Raises
    ------
    UsageError
        When the trace's folder is not there.
    OSError
        When a file cannot be written.
    """
    with traced(str(flags["trace"])), _log_folder(str(flags["logdir"]), name):
        yield


@contextmanager
def _log_folder(folder: str, name: str) -> Iterator[None]:
    if not folder:
        yield
        return
    path = Path(folder) / f"{name}.log"
    print(f"{name}: the log is {path}", file=sys.stderr)
    with path.open("w", encoding="utf-8") as stream, redirect_stderr(stream):
        yield
