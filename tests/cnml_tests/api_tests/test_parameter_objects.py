from __future__ import annotations

import inspect

import pytest
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import tensor

from cnml import api
from cnml.api.enums import PoolMode, PoolStrategyMode
from cnml.api.parameter_objects import PARAMETERS, fields_of
from cnml.errors import Status


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_every_constructor_takes_its_fields(library, name):
    """In the vendor's order, by position or by name."""
    create, (kind, text) = getattr(api, f"cnmlCreate{name}"), PARAMETERS[name]
    fields = fields_of(text)
    assert list(inspect.signature(create).parameters) == [f.name for f in fields]
    numbers = [(1.5, 2.5) if f.type == "floats" else (1, 2) if f.type == "ints" else 1 for f in fields]
    made = create(*numbers)
    assert made.kind == kind and [made.values[f.name] for f in fields] == numbers
    assert create(**dict(zip([f.name for f in fields], numbers, strict=True))).values == made.values
    getattr(api, f"cnmlDestroy{kind}")(made)
    refused(Status.INVALIDARG, "it was destroyed", getattr(api, f"cnmlDestroy{kind}"), made)


def test_numbers_become_members(library):
    made = api.cnmlCreatePoolOpParam(3, 3, 2, 2, 0, 0, 1, 1, 1, 0, 1)
    assert made.values["pool_mode"] is PoolMode.MAX and made.values["strategy_mode"] is PoolStrategyMode.KFULL and made.values["real"] is True


def test_bad_fields(library):
    refused(Status.BADTYPEID, "9 as PoolMode", api.cnmlCreatePoolOpParam, 3, 3, 2, 2, 0, 0, 1, 1, 9, 0, True)
    refused(Status.BADCAST, "pooled_h of RoiPoolOpParam from 'x'", api.cnmlCreateRoiPoolOpParam, "x", 2, 1.0)
    refused(Status.BADCAST, "pooled_w", api.cnmlCreateRoiPoolOpParam, 2, float("inf"), 1.0)
    refused(Status.BADCAST, "biases", api.cnmlCreateYoloDetectOpParam, 3, 2, 1, 0.5, 0.4, 7, 2)
    with pytest.raises(TypeError):
        api.cnmlCreateRoiPoolOpParam(2, 2)


def test_an_operator_keeps_its_copy(library):
    param = api.cnmlCreateAddPadOpParam(2, 2, 0.0)
    x, y = tensor((1, 1, 2, 2)), tensor((1, 1, 4, 4))
    op = api.cnmlCreateAddPadOp(param, x, y)
    api.cnmlDestroyAddPadOpParam(param)
    api.cnmlCheckBaseOpRunnable(op, 3)
    refused(Status.INVALIDARG, "it was destroyed", api.cnmlCreateAddPadOp, param, x, y)
    other = api.cnmlCreateRoiPoolOpParam(2, 2, 1.0)
    refused(Status.INVALIDARG, "it must come from cnmlCreateAddPadOpParam or cnmlCreateAddPadOp4Param", api.cnmlCreateAddPadOp, other, x, y)
    refused(Status.INVALIDARG, "must come from", api.cnmlCreateAddPadOp, None, x, y)
