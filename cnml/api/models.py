"""Offline models: compiled operators under symbols."""
from __future__ import annotations

import os
from typing import Any

from cnml.api import base_ops, fusion
from cnml.api.base_ops import BaseOp
from cnml.api.fusion import FusionOp
from cnml.api.program import Program
from cnml.api.session import Handle, handle, unsupported, vendor_call
from cnml.errors import CnmlError, Status

_SAVE = "offline files are written by `caffe genoff` and `pycaffe-acc compile`"


class ApiModel(Handle):
    """A container of compiled operators.

    Attributes
    ----------
    name : str
    programs : dict of str to Program
        By symbol, in order.
    """

    noun = "model"

    def __init__(self, name: str):
        super().__init__()
        self.name = name
        self.programs: dict[str, Program] = {}

    def __repr__(self) -> str:
        return f"ApiModel({self.name!r}, {', '.join(self.programs) or 'empty'})"


def _model(value: Any) -> ApiModel:
    return handle(value, ApiModel, "cnmlCreateModel")


def _add(model: ApiModel, program: Program, symbol: str) -> None:
    if symbol in _model(model).programs:
        raise CnmlError(f"failed to add '{symbol}' to {model!r}: the symbol is taken", Status.INVALIDARG)
    model.programs[symbol] = program


def _filled(model: ApiModel) -> ApiModel:
    if not _model(model).programs:
        raise CnmlError(f"failed to save {model!r}: it has no operators", Status.INVALIDARG)
    return model


@vendor_call
def cnmlCreateModel(name: str) -> ApiModel:
    """An empty model."""
    return ApiModel(str(name))


@vendor_call
def cnmlDestroyModel(model: ApiModel) -> None:
    """End a model's life; its operators stay."""
    _model(model).destroy()
    model.programs = {}


@vendor_call
def cnmlAddBaseOpToModel(model: ApiModel, op: BaseOp, symbol: str) -> None:
    """Put a compiled operator into a model; INVALIDARG before it is compiled, or for a symbol that is taken."""
    _add(model, base_ops.compiled(op), symbol)


@vendor_call
def cnmlAddFusionOpToModel(model: ApiModel, op: FusionOp, symbol: str) -> None:
    """Put a compiled chain into a model; INVALIDARG before it is compiled, or for a symbol that is taken."""
    _add(model, fusion.compiled(op), symbol)


@vendor_call
def cnmlSaveModel(model: ApiModel, fname: str | os.PathLike[str]) -> None:
    """Not built: UNSUPPORT; INVALIDARG for a model without operators."""
    _filled(model)
    raise unsupported("cnmlSaveModel", _SAVE)


@vendor_call
def cnmlSaveModelToMem(model: ApiModel) -> bytes:
    """Not built: UNSUPPORT; INVALIDARG for a model without operators."""
    _filled(model)
    raise unsupported("cnmlSaveModelToMem", _SAVE)
