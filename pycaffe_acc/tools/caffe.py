"""`caffe`: the caffe binary's commands with its flags and its lines."""
from __future__ import annotations

from collections.abc import Callable, Sequence

from pycaffe_acc.tools import caffe_device_query, caffe_genoff, caffe_test, caffe_time
from pycaffe_acc.tools.exit_code import NotInThisVersionError, UsageError
from pycaffe_acc.tools.gflags import Value, parse_flags

NAME = "caffe"
HELP = "the caffe binary: caffe test|time|genoff|device_query -flag value…"

#: BVLC's and the vendor's flags; those of other commands are accepted everywhere, as gflags does
FLAGS: dict[str, Value] = {
    "model": "", "weights": "", "iterations": 50, "phase": "", "level": 0, "stage": "", "gpu": "", "solver": "", "snapshot": "",
    "sigint_effect": "stop", "sighup_effect": "snapshot", "mcore": "", "mmode": "", "mreshape": "SETUPONLY", "mludevice": 0, "model_parallel": 1,
    "data_parallel": 1, "mname": "offline", "hd_reshape": 0, "datastrategy": "-1,-1", "dataorder": "0,0", "cpu_info": 0, "batchsize": 1,
    "core_number": 1, "simple_compile": 0, "Bangop": 0,
    "output_dtype": "INVALID", "opt_level": 1, "logtostderr": False, "alsologtostderr": False, "minloglevel": 0, "v": 0, "log_dir": "",
}

USAGE = """command line brew
usage: caffe <command> <args>

commands:
  test            score a model
  time            benchmark model execution time
  genoff          write an offline model
  device_query    show diagnostic information about the device
flags: """ + ", ".join(f"-{name}" for name in FLAGS)

COMMANDS: dict[str, Callable[[dict[str, Value]], int]] = {"test": caffe_test.run, "time": caffe_time.run, "genoff": caffe_genoff.run,
                                                            "device_query": caffe_device_query.run}
_REFUSED = {"train": "computes gradients, and training is not part of this package; it runs trained nets"}


def run(words: Sequence[str]) -> int:
    """Parse the flags and call the command.

    Raises
    ------
    UsageError, NotInThisVersionError
    """
    if not words or words[0] in ("-help", "--help", "-h"):
        print(USAGE)
        return 0 if words else 2
    flags, commands = parse_flags(words, FLAGS)
    if len(commands) != 1:
        raise UsageError(f"caffe takes one command and got {commands}; commands: {', '.join((*COMMANDS, *_REFUSED))}")
    command = commands[0]
    if command in _REFUSED:
        raise NotInThisVersionError(f"caffe {command} {_REFUSED[command]}")
    if command not in COMMANDS:
        raise UsageError(f"unknown action '{command}'; commands: {', '.join((*COMMANDS, *_REFUSED))}")
    return COMMANDS[command](flags)
