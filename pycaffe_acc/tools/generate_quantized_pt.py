"""`generate_quantized_pt`: the MLU270 tool that writes a quantized prototxt, in 8 or 16 bits."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.quantize.vendor_ranges import COMMON
from pycaffe_acc.tools.calibration_command import run_calibration

NAME = "generate_quantized_pt"
HELP = "the vendor's calibration tool (MLU270): generate_quantized_pt -ini_file FILE -blobs_dtype INT8|INT16"


def run(words: Sequence[str]) -> int:
    """Calibrate; a list in the ini file wins over a database."""
    return run_calibration(words, NAME, {"mode": COMMON, "blobs_dtype": "INT8", "top_dtype": "FLOAT16"}, database_first=False)
