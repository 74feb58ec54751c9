"""Windows between given borders."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.fractional_pool import FractionalPool


@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_through_a_graph(method, rng):
    check_operator(FractionalPool(method, (0, 2, 5), (0, 1, 3, 4), True), [rng.standard_normal((2, 3, 5, 4))])


def test_definition():
    x = np.arange(12.0).reshape(1, 1, 3, 4)
    assert FractionalPool("MAX", (0, 1, 3), (0, 3, 4)).reference([x], [])[0].tolist() == [[[[2, 3], [10, 11]]]]
    assert FractionalPool("AVE", (0, 3), (0, 1, 4), True).reference([x], [])[0].tolist() == [[[[4.5, 6]]]]


@pytest.mark.parametrize("rows, columns", [((0, 2), (0, 4)), ((1, 3), (0, 4)), ((0, 2, 2, 3), (0, 4)), ((0,), (0, 4))])
def test_refusals(rows, columns):
    with pytest.raises(CnmlError):
        FractionalPool("MAX", rows, columns).reshape([(1, 1, 3, 4)], [])
    with pytest.raises(CnmlError):
        FractionalPool("MIN", (0, 3), (0, 4)).reshape([(1, 1, 3, 4)], [])
