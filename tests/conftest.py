"""Fixtures of every test: external data, seeds, the hypothesis profile."""
from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# the same examples on every machine; compiling a kernel inside an example takes longer than any deadline
settings.register_profile("project", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow,
                                                                                             HealthCheck.function_scoped_fixture])
settings.load_profile("project")

SEED = 20190917


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of external models, images and golden outputs that PYCAFFE_ACC_DATA names.

    Skips without it; fails instead when PYCAFFE_ACC_REQUIRE_DATA=1.
    """
    value = os.environ.get("PYCAFFE_ACC_DATA", "")
    if value and Path(value).is_dir():
        return Path(value)
    reason = f"PYCAFFE_ACC_DATA is '{value}'; it must name the folder of external models and golden outputs"
    if os.environ.get("PYCAFFE_ACC_REQUIRE_DATA") == "1":
        pytest.fail(reason + " (PYCAFFE_ACC_REQUIRE_DATA=1 makes this a failure)")
    pytest.skip(reason)


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(SEED)


@pytest.fixture(autouse=True)
def _seed() -> None:
    """Caffe's fillers draw from numpy's global generator: every test starts it afresh."""
    np.random.seed(SEED)
    random.seed(SEED)
