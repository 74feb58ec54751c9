"""A suite's images: which ones, and as large as photographs."""
from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.errors import CheckError
from pycaffe_acc.suite.image_set import open_images
from pycaffe_acc.suite.photographs import Photographs
from pycaffe_acc.suite.plan import ImageSet
from pycaffe_acc.suite.schema_check import SchemaError, check, schema


@pytest.fixture
def pictures(tmp_path):
    """Six smooth pictures of two sizes, with their number as label."""
    lines = []
    for i in range(6):
        rows, columns = np.mgrid[:20, :30 + i % 2] / 30.0
        rgb = np.stack([40.0 * i + 0 * rows, 200 * rows, 255 * columns / 1.1], 2)
        Image.fromarray(rgb.astype(np.uint8)).save(tmp_path / f"{i}.png")
        lines.append(f"{i}.png {i}")
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.mark.parametrize(("choice", "labels"), [({}, [0, 1, 2, 3, 4, 5]), ({"only_every": 2}, [0, 2, 4]), ({"not_every": 3}, [1, 2, 4, 5]),
                                                ({"not_every": 3, "limit": 3}, [1, 2, 4])])
def test_chosen_images(pictures, choice, labels):
    assert open_images(ImageSet("list.txt", **choice), pictures).labels.tolist() == labels


def test_a_choice_that_leaves_nothing(pictures):
    with pytest.raises(CheckError, match="leaves no images"):
        open_images(ImageSet("list.txt", limit=0), pictures)


def test_photographs_show_the_same_and_are_large(pictures):
    small = open_images(ImageSet("list.txt", only_every=2), pictures)
    large = open_images(ImageSet("list.txt", only_every=2, enlarged=4), pictures)
    assert isinstance(large, Photographs) and len(large) == 3 and large.labels.tolist() == [0, 2, 4]
    assert large.name.endswith("(enlarged 4 times, JPEG)") and large.where(1).endswith("2.png")
    for i in range(3):
        a, b = small.read(i, 3), large.read(i, 3)
        assert b.shape == (80, 120, 3) and b.dtype == np.uint8
        assert np.abs(b.reshape(20, 4, 30, 4, 3).mean((1, 3)) - a).mean() < 3
        assert large.read(i, 1).shape == (80, 120, 1)
    assert Image.open(io.BytesIO(large._files[0])).format == "JPEG"


def test_the_schema_knows_how_large(pictures):
    table = {"schema": "pycaffe-acc/suite/1", "name": "n", "about": "", "variants": {}, "devices": [{"name": "host", "variants": ["a"]}],
             "models": [{"name": "m", "zoo": "alexnet", "images": "i"}]}
    check(table | {"images": {"i": {"list": "l", "enlarged": 8}}}, schema("suite"))
    with pytest.raises(SchemaError, match="enlarged"):
        check(table | {"images": {"i": {"list": "l", "enlarged": 1}}}, schema("suite"))
