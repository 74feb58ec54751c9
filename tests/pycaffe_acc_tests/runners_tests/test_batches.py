from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.runners.batches import batches
from pycaffe_acc.runners.figures import Figure
from pycaffe_acc.runners.pixels import Preparation


@pytest.fixture
def figures(tmp_path):
    """Five images whose pixels are their number, with a missing and a broken one between."""
    found = []
    for i in range(5):
        Image.fromarray(np.full((6, 4 + i, 3), i, np.uint8)).save(tmp_path / f"{i}.png")
        found.append(Figure(f"{i}.png", tmp_path / f"{i}.png", i))
    (tmp_path / "broken.png").write_bytes(b"no image")
    found.insert(1, Figure("none.png", tmp_path / "none.png", 9))
    found.insert(4, Figure("broken.png", tmp_path / "broken.png", 9))
    return found


def test_full_batches_and_copies_at_the_end(figures):
    said = []
    first, second = batches(figures, 3, Preparation((3, 2, 2)), said.append)
    assert said == ["failed to read none.png", "failed to read broken.png"]
    assert first.names == ["0.png", "1.png", "2.png"] and second.names == ["3.png", "4.png", "null"]
    assert second.labels == [3, 4, -1] and second.sizes == [(6, 7), (6, 8), (6, 8)]
    assert second.values.shape == (3, 3, 2, 2) and second.values[:, 0, 0, 0].tolist() == [3, 4, 4]


def test_nothing_to_read(figures):
    assert list(batches([figures[1]], 3, Preparation((3, 2, 2)), lambda line: None)) == []
    assert list(batches([], 3, Preparation((3, 2, 2)), lambda line: None)) == []
