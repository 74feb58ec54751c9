"""Blobs in notebooks."""
from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from pycaffe_acc_tests.html_check import EVIL, inert

from pycaffe_acc.blob_html import blob_html
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.tools.demo import FOLDER


def picture(page):
    """The pixels of the first picture in a page."""
    found = re.search(r"base64,([^\"]+)", page)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))))


def test_statistics():
    words = inert(blob_html("Blob", "x", np.array([[-1, 0, 4, np.nan, np.inf, 0]], np.float32)))
    for expected in ("Blob 'x': 1 x 6, float32", "-1", "4", "0.75", "33.3 %", "begins with -1, 0, 4, nan, inf, 0"):
        assert expected in words


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 4, 4), (5,), (1, 1, 3, 3), (2, 40, 7, 5), (1, 3, 2000, 3), (1, 2, 3, 4, 5), (1, 17, 3, 900)])
def test_every_shape_is_shown(shape):
    page = blob_html("Blob", "x", np.ones(shape, np.float32))
    assert inert(page) and len(page) < 300_000


def test_planes_are_stretched():
    values = np.zeros((1, 2, 3, 3), np.float32)
    values[0, 0, 0, 0], values[0, 1, 2, 2] = 5.0, -2.0
    pixels = picture(blob_html("Blob", "x", values))
    assert pixels.shape == (5, 10) and pixels[1, 1] == 255 and pixels[2, 2] == 0 and pixels[3, 8] == 0 and pixels[1, 6] == 255


def test_nothing_finite_is_black():
    assert picture(blob_html("Blob", "x", np.full((1, 1, 4, 4), np.nan, np.float32)))[1:-1, 1:-1].max() == 0


@pytest.mark.parametrize("name", EVIL)
def test_html_in_names_is_text(name):
    inert(blob_html("Blob", name, np.zeros((1, 3, 4, 4), np.float32)))


def test_blobs_of_a_net_show_the_newest_values_and_stay_fused():
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"))
    net.blobs["data"].data[...] = np.linspace(0, 1, 64).reshape(1, 1, 8, 8)
    scores = net.forward()["prob"].copy()
    assert f"{scores[0, 0]:.6g}" in inert(net.blobs["prob"]._repr_html_())
    hidden = net.blobs["res3/conv1"]
    shown = hidden._repr_html_()
    assert not hidden._looked and "<img" in shown
    assert f"{hidden.data.max():.6g}" in inert(shown)
    weights = inert(net.params["fc10"][0]._repr_html_())
    assert "ParameterBlob" in weights and "10 x 32" in weights and f"{net.params['fc10'][0].data.max():.6g}" in weights
