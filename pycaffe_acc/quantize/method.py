"""What a quantization method is, and the methods there are: one file each in `pycaffe_acc/quantize/methods`."""
from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Protocol

from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize import methods
from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.observed_net import ObservedNet

METHODS = tuple(sorted(m.name for m in pkgutil.iter_modules(methods.__path__)))


class Collector(Protocol):
    """What a method learns about a net from calibration images, in memory that does not grow with them."""

    def see(self) -> None:
        """Look at the net after a forward; CheckError for values that are not finite."""

    def write(self, index: int, layer: Any) -> bool:
        """Put the dtype fields of layer `index` of the net into a message of that layer; False where it has none. CheckError for a useless range."""


class Method(Protocol):
    """A module of `pycaffe_acc/quantize/methods`.

    Attributes
    ----------
    HELP : str
        Half a line for the command line.
    SETTLED : bool
        See `ObservedNet`.
    """

    HELP: str
    SETTLED: bool

    def collector(self, net: ObservedNet, dtype: int, options: CalibrationOptions) -> Collector:
        """A fresh collector; dtype is DT_INT8 or DT_INT16."""


def find_method(name: str) -> Method:
    """A method by its name.

    Raises
    ------
    CheckError
        Listing the known ones.
    """
    if name not in METHODS:
        raise CheckError(f"unknown quantization method '{name}'; known methods: {', '.join(METHODS)}")
    return importlib.import_module(f"{methods.__name__}.{name}")  # type: ignore[return-value]
