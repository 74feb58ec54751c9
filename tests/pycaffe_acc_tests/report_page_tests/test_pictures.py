"""Figures by matplotlib: one PNG and one SVG each, whatever their names hold."""
from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from PIL import Image
from pycaffe_acc_tests.report_page_tests.hostile import document

from pycaffe_acc.report_page.pictures import write_pictures


def test_pictures(tmp_path):
    report = document()
    kinds = {}
    for figure in report["figures"]:  # one of each kind is enough
        kinds.setdefault(figure["kind"], figure)
    kinds["bars"]["title"] = r"$\frac{1}{$ <b>"
    written = write_pictures({"figures": list(kinds.values())}, tmp_path / "figures")
    assert set(kinds) == {"bars", "lines", "scatter", "split"} and len(written) == 8
    for path in written:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert image.width > 500 and len(image.convert("L").getcolors(1 << 20)) > 10  # something is drawn
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
