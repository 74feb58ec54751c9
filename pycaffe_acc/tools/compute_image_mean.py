"""`compute_image_mean`: mean image and mean values of a database."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.mean_image import channel_means, mean_blob, mean_image
from pycaffe_acc.tools.database_backend import check_backend
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value, parse_flags
from pycaffe_acc.tools.glog import GLOG_FLAGS, glog
from pycaffe_acc.weights_file import write_binary

NAME = "compute_image_mean"
HELP = "mean image of an LMDB as .binaryproto, and mean of each channel: compute_image_mean [-backend lmdb] INPUT_DB [OUTPUT_FILE]"

FLAGS: dict[str, Value] = {"backend": "lmdb", **GLOG_FLAGS}
USAGE = """Compute the mean image of a database of Datum records.
usage: compute_image_mean [flags] INPUT_DB [OUTPUT_FILE]

  OUTPUT_FILE     gets the mean image as .binaryproto
  -backend lmdb   the only kind"""

_REPORT_EVERY = 10000


def run(words: Sequence[str]) -> int:
    """Add, divide, write, print.

    Raises
    ------
    UsageError, CaffeError
    """
    if not words or words[0] in ("-help", "--help", "-h"):
        print(USAGE)
        return 0 if words else 2
    flags, names = parse_flags(words, FLAGS)
    if len(names) not in (1, 2):
        raise UsageError(f"compute_image_mean takes INPUT_DB [OUTPUT_FILE], and got {names}")
    check_backend(str(flags["backend"]))
    glog("Starting iteration")
    mean, count = mean_image(names[0], _report)
    if count % _REPORT_EVERY:
        glog(f"Processed {count} files.")
    if len(names) == 2:
        glog(f"Write to {names[1]}")
        write_binary(names[1], mean_blob(mean))
    glog(f"Number of channels: {len(mean)}")
    for c, value in enumerate(channel_means(mean)):
        glog(f"mean_value channel [{c}]: {value:g}")
    return 0


def _report(count: int) -> None:
    if count % _REPORT_EVERY == 0:
        glog(f"Processed {count} files.")
