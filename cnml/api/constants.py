"""Constant data: weights, biases, means."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml.api.enums import TensorType
from cnml.api.forms import held, read_host
from cnml.api.session import vendor_call
from cnml.api.tensors import CpuTensor, DeviceTensor, cpu_tensor, device_tensor
from cnml.errors import CnmlError, Status


@vendor_call
def cnmlBindConstData(tensor: DeviceTensor, cpu: CpuTensor, data: Any) -> None:
    """Attach constant data to a tensor. The values are copied now and converted to the tensor's type when an operator is compiled.

    Parameters
    ----------
    tensor : DeviceTensor
        Of type FILTER or CONST.
    cpu : CpuTensor
        How `data` lies; as many elements as the tensor.
    data : C-ordered ndarray or bytes-like

    Raises
    ------
    CnmlError
        INVALIDARG for a tensor of another type, LENGTHERR for another number of elements.
    """
    target, source = device_tensor(tensor), cpu_tensor(cpu)
    if target.type not in (TensorType.FILTER, TensorType.CONST):
        raise CnmlError(f"failed to bind constant data to {target!r}: its type must be FILTER or CONST", Status.INVALIDARG)
    values = read_host(source, data)[0]
    if values.size != int(np.prod(target.shape, dtype=np.int64)):
        raise CnmlError(f"failed to bind {values.size} values to {target!r}: it has {int(np.prod(target.shape, dtype=np.int64))}", Status.LENGTHERR)
    target.constant = np.array(values, np.float32, order="C").reshape(target.shape)


@vendor_call
def cnmlUpdateWeight(tensor: DeviceTensor, name: str) -> None:
    """Give the data bound last to the compiled operators that use the tensor; from their next run on they compute with it.

    Parameters
    ----------
    tensor : DeviceTensor
    name : str
        As `cnmlSetWeightName` set it.

    Raises
    ------
    CnmlError
        INVALIDARG for another name, or without data.
    """
    target = device_tensor(tensor)
    if target.weight_name != name:
        raise CnmlError(f"failed to update the weight '{name}' of {target!r}: its name is '{target.weight_name}'", Status.INVALIDARG)
    constant_values(target, f"cnmlUpdateWeight '{name}'")
    for program in list(target.programs):
        program.reload(target)


def constant_values(tensor: DeviceTensor, where: str) -> np.ndarray:
    """The bound data as the tensor's type holds it.

    Returns
    -------
    (N, C, H, W) float32 ndarray

    Raises
    ------
    CnmlError
        INVALIDARG if there is none, naming `where`.
    """
    if tensor.constant is None:
        raise CnmlError(f"failed to compile {where}: {tensor!r} has no data; call cnmlBindConstData first", Status.INVALIDARG)
    return held(tensor, tensor.constant)
