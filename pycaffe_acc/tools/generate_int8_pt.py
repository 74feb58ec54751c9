"""`generate_int8_pt`: the MLU100 tool that writes a quantized prototxt."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.calibration_command import run_calibration

NAME = "generate_int8_pt"
HELP = "the vendor's calibration tool (MLU100): generate_int8_pt -ini_file FILE"


def run(words: Sequence[str]) -> int:
    """Calibrate; a database in the ini file wins over a list."""
    return run_calibration(words, NAME, {}, database_first=True)
