from __future__ import annotations

import pytest

from cnml.errors import CnmlError
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_choice import CHOICES, choose_winograd, plan_chosen, winograd_cost
from cnml.kernels.winograd_plan_f32 import cut_vectors, forms_of


def image(channels, size, outputs, **changes):
    return Conv2dShape(1, channels, size, size, outputs, (3, 3), (1, 1), (1, 1))._replace(**changes)


@pytest.mark.parametrize(("s", "tags"), [
    (image(256, 56, 256), ("4x4_3x3", "6x6_3x3")), (image(512, 14, 512), ("4x4_3x3",)), (image(128, 4, 128), ("2x2_3x3",)),
    (image(96, 27, 256, kernel=(5, 5), pad=(2, 2), group=2), ("2x2_5x5", "4x4_5x5")), (image(192, 17, 192, kernel=(1, 7), pad=(0, 3)), ("1x4_1x7",)),
    (image(192, 17, 192, kernel=(7, 1), pad=(3, 0)), ("4x1_7x1",)), (image(64, 2, 64), ()), (image(3, 224, 64), ()),
    (image(64, 56, 64, stride=(2, 2)), ()), (image(64, 56, 64, dilation=(2, 2)), ()), (image(64, 56, 64, kernel=(7, 7)), ()),
    (image(64, 56, 64, group=64), ())])
def test_chosen(monkeypatch, s, tags):
    monkeypatch.delenv("PYCAFFE_ACC_CONV", raising=False)
    form = choose_winograd(s).form
    assert form is None if not tags else form is not None and form.tag in tags


def test_small_maps_keep_the_accurate_forms():
    for size in (7, 14, 17):
        form = choose_winograd(image(512, size, 512)).form
        assert form is not None
        assert form.count <= 36


def test_override(monkeypatch):
    s = image(64, 2, 64)
    for name in CHOICES[2:]:
        monkeypatch.setenv("PYCAFFE_ACC_CONV", name)
        form, reason = choose_winograd(s)
        assert form is not None
        assert (form.tag, reason) == (f"{name[-1]}x{name[-1]}_3x3", "PYCAFFE_ACC_CONV asks for it")
    assert getattr(choose_winograd(image(64, 20, 64, kernel=(5, 5))).form, "tag", "") == "4x4_5x5"  # no larger tiles for 5x5
    assert choose_winograd(image(3, 224, 64)).form is None
    monkeypatch.setenv("PYCAFFE_ACC_CONV", "direct")
    assert choose_winograd(image(512, 14, 512)) == (None, "PYCAFFE_ACC_CONV asks for it")


def test_unknown_override(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_CONV", "winograd")
    with pytest.raises(CnmlError, match="PYCAFFE_ACC_CONV is 'winograd'; it must be one of auto, direct, winograd2, winograd4, winograd6"):
        choose_winograd(image(64, 56, 64))


def test_reason_names_the_products(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_CONV", raising=False)
    plan = plan_chosen(image(256, 14, 256))
    assert plan is not None
    assert plan.reason.startswith("winograd F(4x4,3x3): 36 products of 16 x 256 x 256, all tiles transformed at a time, est. 0.")


def test_more_tasks_cost_less_each():
    s = image(256, 56, 256)
    assert all(winograd_cost(s, f, 2) < winograd_cost(s, f, 1) < 2 * winograd_cost(s, f, 2) for f in forms_of(s))


@pytest.mark.parametrize(("count", "widths", "parts"), [(8, (4, 3, 2), [4, 4]), (9, (4, 3, 2), [4, 3, 2]), (13, (4, 3, 2), [4, 4, 3, 2]),
                                                        (5, (4, 3, 2), [3, 2]), (1, (4, 3, 2), [2]), (3, (2, 1), [2, 1]), (2, (2, 1), [2])])
def test_no_vector_stays_empty(count, widths, parts):
    assert cut_vectors(count, widths) == parts
