"""PositionScale: kernel against reference."""
from __future__ import annotations

import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.position_scale import PositionScale


def test_matches_reference(rng):
    check_operator(PositionScale(rng.random((4, 5))), [rng.standard_normal((2, 3, 4, 5))])


def test_refuses(rng):
    with pytest.raises(CnmlError, match="height and width"):
        PositionScale(rng.random((4, 5))).reshape([(1, 2, 5, 4)], [])
