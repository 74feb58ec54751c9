"""Fixtures of the tests of scripts."""
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(scope="module")
def scripts_on_path():
    """Scripts and their modules are found by their names, as when they are run."""
    sys.path.insert(0, str(SCRIPTS))
    yield
    sys.path.remove(str(SCRIPTS))


@pytest.fixture
def cifar(tmp_path, rng):
    """64 pictures as five binary batches: the folder, the pictures, the labels."""
    images, labels = rng.integers(0, 256, (64, 3, 32, 32), np.uint8), rng.integers(0, 10, 64)
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for i, numbers in enumerate(np.array_split(np.arange(64), 5), 1):
        records = np.hstack([labels[numbers, None].astype(np.uint8), images[numbers].reshape(len(numbers), -1)])
        records.tofile(folder / f"data_batch_{i}.bin")
    return folder, images, labels
