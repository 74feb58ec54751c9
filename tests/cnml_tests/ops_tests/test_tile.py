"""Tile: kernel against reference."""
from __future__ import annotations

import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.tile import Tile


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
@pytest.mark.parametrize("tiles", [1, 2, 5])
def test_four_axes(axis, tiles, rng):
    check_operator(Tile(axis, tiles), [rng.standard_normal((2, 3, 4, 5))], rtol=0, atol=0)


def test_other_ranks(rng):
    check_operator(Tile(0, 3), [rng.standard_normal(7)], rtol=0, atol=0)
    check_operator(Tile(4, 3), [rng.standard_normal((2, 1, 2, 3, 2))], rtol=0, atol=0)


def test_no_tiles():
    with pytest.raises(CnmlError, match="at least one"):
        Tile(0, 0).reshape([(2,)], [])
