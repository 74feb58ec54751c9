"""Lines as glog prints them: on stderr, with its prefix when the environment's log_prefix is true."""
from __future__ import annotations

import datetime
import os
import sys
import threading

#: flags of glog that every program built with it takes; where lines go is fixed here, so they change nothing
GLOG_FLAGS: dict[str, str | int | float | bool] = {"logtostderr": False, "alsologtostderr": False, "minloglevel": 0, "v": 0, "log_dir": ""}


def glog(message: str, severity: str = "I") -> None:
    """Write a line.

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
    print(prefix + message, file=sys.stderr, flush=True)
