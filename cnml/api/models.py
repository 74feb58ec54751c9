"""Offline models: compiled operators under symbols, saved for `cnrtLoadModel`.

A function of a saved model takes and gives float32 in the order NHWC, whatever the tensors' types were; `cnrtGetInputDataDesc` gives descriptors that
convert.
"""
from __future__ import annotations

import os
from typing import Any

from cnml.api import base_ops, fusion
from cnml.api.base_ops import STACK_MB, BaseOp
from cnml.api.fusion import FusionOp
from cnml.api.program import Program
from cnml.api.session import Handle, handle, vendor_call
from cnml.errors import CnmlError, Status
from cnrt import model_file
from cnrt.enums import CoreVersion
from cnrt.model import Model


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


def _offline(model: ApiModel) -> Model:
    if not _model(model).programs:
        raise CnmlError(f"failed to save {model!r}: it has no operators", Status.INVALIDARG)
    cores = {p.cores for p in model.programs.values()}
    if len(cores) > 1:
        raise CnmlError(f"failed to save {model!r}: its operators were compiled for {sorted(cores)} cores; a model has one model parallelism",
                        Status.INVALIDARG)
    return Model.of([p.offline(symbol) for symbol, p in model.programs.items()], cores.pop(), STACK_MB, CoreVersion.CORE_1H16)


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
    """Write a model file; it takes its name only when it is complete.

    Raises
    ------
    CnmlError
        INVALIDARG for a model without operators, or a file that cannot be written; UNSUPPORT, naming it, for an operator that only the host can run.
    """
    model_file.save(_offline(model), fname)


@vendor_call
def cnmlSaveModelToMem(model: ApiModel) -> bytes:
    """The bytes of a model file, for `cnrtLoadModelFromMem`; errors as `cnmlSaveModel`."""
    return model_file.to_bytes(_offline(model))
