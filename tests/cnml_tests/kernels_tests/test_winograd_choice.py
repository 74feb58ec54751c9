from __future__ import annotations

import pytest

from cnml.errors import CnmlError
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_choice import CHOICES, choose_winograd, plan_chosen, winograd_cost
from cnml.kernels.winograd_plan_f32 import cut_vectors


def image(channels, size, outputs, **changes):
    return Conv2dShape(1, channels, size, size, outputs, (3, 3), (1, 1), (1, 1))._replace(**changes)


@pytest.mark.parametrize(("s", "m"), [
    (image(256, 56, 256), (4, 6)), (image(512, 14, 512), (4,)), (image(128, 4, 128), (2,)), (image(64, 2, 64), (0,)), (image(3, 224, 64), (0,)),
    (image(64, 56, 64, stride=(2, 2)), (0,)), (image(64, 56, 64, dilation=(2, 2)), (0,)), (image(64, 56, 64, kernel=(5, 5)), (0,)),
    (image(64, 56, 64, group=64), (0,))])
def test_chosen(monkeypatch, s, m):
    monkeypatch.delenv("PYCAFFE_ACC_CONV", raising=False)
    assert choose_winograd(s).m in m


def test_small_maps_keep_the_accurate_tiles():
    assert all(choose_winograd(image(512, size, 512)).m != 6 for size in (7, 14, 28))


def test_override(monkeypatch):
    s = image(64, 2, 64)
    for name in CHOICES[1:]:
        monkeypatch.setenv("PYCAFFE_ACC_CONV", name)
        assert choose_winograd(s) == (0 if name == "direct" else int(name[-1]), "PYCAFFE_ACC_CONV asks for it")
    monkeypatch.setenv("PYCAFFE_ACC_CONV", "winograd4")
    assert choose_winograd(image(3, 224, 64)).m == 0


def test_unknown_override(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_CONV", "winograd")
    with pytest.raises(CnmlError, match="PYCAFFE_ACC_CONV is 'winograd'; it must be one of auto, direct, winograd2, winograd4, winograd6"):
        choose_winograd(image(64, 56, 64))


def test_reason_names_the_products(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_CONV", raising=False)
    plan = plan_chosen(image(256, 14, 256))
    assert plan is not None
    assert plan.reason.startswith("winograd F(4x4): 36 products of 16 x 256 x 256, all tiles transformed at a time, est. 0.")


def test_more_tasks_cost_less_each():
    s = image(256, 56, 256)
    assert all(winograd_cost(s, m, 2) < winograd_cost(s, m, 1) < 2 * winograd_cost(s, m, 2) for m in (2, 4, 6))


@pytest.mark.parametrize(("count", "widths", "parts"), [(8, (4, 3, 2), [4, 4]), (9, (4, 3, 2), [4, 3, 2]), (13, (4, 3, 2), [4, 4, 3, 2]),
                                                        (5, (4, 3, 2), [3, 2]), (1, (4, 3, 2), [2]), (3, (2, 1), [2, 1]), (2, (2, 1), [2])])
def test_no_vector_stays_empty(count, widths, parts):
    assert cut_vectors(count, widths) == parts
