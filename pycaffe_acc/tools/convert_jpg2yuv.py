"""`convertJpg2Yuv`: a picture as a frame of video pixels, for the runners' -yuv 1."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.runners.video_pixels import frame_of
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value, parse_flags
from pycaffe_acc.tools.glog import GLOG_FLAGS, glog

NAME = "convertJpg2Yuv"
HELP = "write a picture as YUV420SP beside it: convertJpg2Yuv IMAGE [-width W -height H]"

FLAGS: dict[str, Value] = {"width": 0, "height": 0, **GLOG_FLAGS}
USAGE = """Convert a picture to a frame of video pixels (YUV420SP, V before U), IMAGE.yuv, a line feed behind each byte.
usage: convertJpg2Yuv IMAGE [flags]

  -width W  -height H     resize first, when both are given; both must be even"""


def run(words: Sequence[str]) -> int:
    """Read, convert, write.

    Raises
    ------
    UsageError, CaffeError
    """
    if not words or words[0] in ("-help", "--help", "-h"):
        print(USAGE)
        return 0 if words else 2
    flags, names = parse_flags(words, FLAGS)
    if len(names) != 1:
        raise UsageError(f"convertJpg2Yuv takes one IMAGE, and got {names}")
    width, height = int(flags["width"]), int(flags["height"])
    pixels = decode_bgr(names[0], upright=False)
    if width > 0 and height > 0:
        pixels = resize_bilinear(pixels, (height, width))
        glog(f"The image has been resized: {width}x{height}")
    if pixels.shape[0] % 2 or pixels.shape[1] % 2:
        raise CheckError(f"'{names[0]}' has {pixels.shape[1]} x {pixels.shape[0]} pixels; a frame in YUV420SP has an even width and height, so give "
                         "-width and -height")
    frame = frame_of(pixels)
    target = Path(f"{names[0]}.yuv")
    with whole_file(target) as part:
        part.write_bytes(np.stack([frame, np.full_like(frame, ord("\n"))], axis=-1).tobytes())
    glog(f"JPG had been converted to yuv data: {target} (height {frame.shape[0]}, width {frame.shape[1]})")
    return 0
