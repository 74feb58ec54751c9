"""The list of methods and the folder."""
from __future__ import annotations

from pathlib import Path

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize import methods
from pycaffe_acc.quantize.method import METHODS, find_method


def test_every_file_is_a_method():
    """With what a method must hold."""
    files = {p.stem for p in Path(methods.__path__[0]).glob("*.py")} - {"__init__"}
    assert set(METHODS) == files == {"absmax", "kl", "mse", "percentile", "vendor"}
    for name in METHODS:
        method = find_method(name)
        assert method.HELP and isinstance(method.SETTLED, bool) and callable(method.collector)


@pytest.mark.parametrize("name", ["kl2 ", "__init__", "", "os"])
def test_unknown_methods(name):
    """The known ones are listed."""
    with pytest.raises(CheckError, match=f"unknown quantization method '{name}'; known methods: .*absmax"):
        find_method(name)
