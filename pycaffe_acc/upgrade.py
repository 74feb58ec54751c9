"""Old nets and solvers → today's form: V0 and V1 layers, `input` fields, old data transforms, BatchNorm's learning rates."""
from __future__ import annotations

import logging
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.upgrade_dialect import has_vendor_fields, rename_vendor_fields
from pycaffe_acc.upgrade_v0 import upgrade_v0_layers
from pycaffe_acc.upgrade_v1 import move_transform_fields, upgrade_v1_layer

_log = logging.getLogger("caffe")


def generation(message: Any) -> str:
    """Which form a net has.

    Parameters
    ----------
    message : NetParameter

    Returns
    -------
    str
        "V0", "V1", or "V2" (today's; also for a net without layers).
    """
    if any(layer.HasField("layer") for layer in message.layers):
        return "V0"
    return "V1" if message.layers else "V2"


def needs_upgrade(message: Any) -> bool:
    """Whether `upgrade_net` would change a NetParameter."""
    return bool(message.layers or message.input or any(_old_batch_norm(layer) or has_vendor_fields(layer) for layer in message.layer))


def upgrade_net(message: Any) -> Any:
    """Bring a net to today's form, in place. A net that has it already is left as it is.

    Parameters
    ----------
    message : NetParameter
        From a prototxt or a caffemodel; blobs move along.

    Returns
    -------
    NetParameter
        The same object.

    Raises
    ------
    CheckError
        For a mixture of forms, an unknown V0 type, input shapes that do not fit the inputs.
    """
    if message.layers:
        if message.layer:
            raise CheckError(f"net '{message.name}' has both 'layer' ({len(message.layer)}) and 'layers' ({len(message.layers)}) blocks; "
                             "they are the new and the old form of the same thing. Rewrite the 'layers' blocks")
        _log.info("net '%s' has the old form %s; it is upgraded on the fly", message.name, generation(message))
        upgrade_v0_layers(message)
        for old in message.layers:
            move_transform_fields(old)
            upgrade_v1_layer(old, message.layer.add())
        message.ClearField("layers")
    _upgrade_inputs(message)
    for layer in message.layer:
        rename_vendor_fields(layer)
        if _old_batch_norm(layer):
            for spec in layer.param:
                spec.lr_mult = 0
                spec.decay_mult = 0
    return message


def _old_batch_norm(layer: Any) -> bool:
    """Old BatchNorm layers had to switch learning off themselves, with exactly three param entries; others stay as they are and are checked."""
    return layer.type == "BatchNorm" and len(layer.param) == 3 and any(spec.lr_mult or spec.decay_mult for spec in layer.param)


def _upgrade_inputs(message: Any) -> None:
    """`input`, `input_shape`, `input_dim` → a layer of type Input in front."""
    names, shapes, dims = list(message.input), message.input_shape, list(message.input_dim)
    if names and (shapes or dims):
        first = caffe_pb2.LayerParameter(name="input", type="Input", top=names)
        if shapes:
            if len(shapes) not in (1, len(names)):
                raise CheckError(f"net '{message.name}' has {len(names)} inputs and {len(shapes)} input_shape blocks; "
                                 "give one for each input, or one for all")
            first.input_param.shape.extend(shapes)
        else:
            if len(dims) != 4 * len(names):
                raise CheckError(f"net '{message.name}' has {len(names)} inputs and {len(dims)} input_dim values; "
                                 "there must be four for each input (or input_shape blocks)")
            for i in range(len(names)):
                first.input_param.shape.add().dim.extend(dims[4 * i:4 * i + 4])
        message.layer.insert(0, first)
    for field in ("input", "input_shape", "input_dim"):
        message.ClearField(field)


_SOLVERS = {caffe_pb2.SolverParameter.SGD: "SGD", caffe_pb2.SolverParameter.NESTEROV: "Nesterov", caffe_pb2.SolverParameter.ADAGRAD: "AdaGrad",
            caffe_pb2.SolverParameter.RMSPROP: "RMSProp", caffe_pb2.SolverParameter.ADADELTA: "AdaDelta", caffe_pb2.SolverParameter.ADAM: "Adam"}


def upgrade_solver(message: Any) -> Any:
    """Bring a solver to today's form, in place: `solver_type` → `type`.

    Parameters
    ----------
    message : SolverParameter

    Returns
    -------
    SolverParameter
        The same object.

    Raises
    ------
    CheckError
        When both are given.
    """
    if message.HasField("solver_type"):
        if message.HasField("type"):
            old = _SOLVERS[message.solver_type].upper()
            raise CheckError(f"the solver has type \"{message.type}\" and the old solver_type {old}; remove solver_type")
        message.type = _SOLVERS[message.solver_type]
        message.ClearField("solver_type")
    for name in ("net_param", "train_net_param"):
        if message.HasField(name):
            upgrade_net(getattr(message, name))
    for net in message.test_net_param:
        upgrade_net(net)
    return message
