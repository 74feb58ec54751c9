"""Position, scale and offset of quantized device tensors; the names with Fix8 are the older ones."""
from __future__ import annotations

from collections.abc import Sequence

from cnml.api.session import vendor_call
from cnml.api.tensors import DeviceTensor, device_tensor
from cnml.errors import CnmlError, Status


def _positive(scale: float) -> float:
    value = float(scale)
    if not 0 < value < float("inf"):
        raise CnmlError(f"failed to set the scale {scale}: it must be positive and finite", Status.DOMAINERR)
    return value


def _by_channel(tensor: DeviceTensor, values: Sequence[float], size: int) -> tuple[DeviceTensor, list[float]]:
    target = device_tensor(tensor)
    if size != target.shape[0] or len(values) < size:
        raise CnmlError(f"failed to set {size} of {len(values)} values by channel: the tensor {target.shape} has {target.shape[0]} filters",
                        Status.LENGTHERR)
    return target, list(values[:size])


@vendor_call
def cnmlSetQuantizedPosition(tensor: DeviceTensor, position: int) -> None:
    """One position for all values."""
    device_tensor(tensor).position = int(position)


@vendor_call
def cnmlGetQuantizedPosition(tensor: DeviceTensor) -> int:
    """The position, 0 until set; the first one of several."""
    value = device_tensor(tensor).quant.position
    return value[0] if isinstance(value, tuple) else value


@vendor_call
def cnmlSetQuantizedScale(tensor: DeviceTensor, scale: float) -> None:
    """One scale for all values; DOMAINERR unless it is positive."""
    device_tensor(tensor).scale = _positive(scale)


@vendor_call
def cnmlGetQuantizedScale(tensor: DeviceTensor) -> float:
    """The scale, 1 until set; the first one of several."""
    value = device_tensor(tensor).scale
    return value[0] if isinstance(value, tuple) else value


@vendor_call
def cnmlSetQuantizedPositionByChannel(tensor: DeviceTensor, positions: Sequence[int], size: int) -> None:
    """A position for each filter (N); LENGTHERR unless `size` is their number."""
    target, values = _by_channel(tensor, positions, size)
    target.position = tuple(int(p) for p in values)


@vendor_call
def cnmlSetQuantizedScaleByChannel(tensor: DeviceTensor, scales: Sequence[float], size: int) -> None:
    """A scale for each filter (N); LENGTHERR unless `size` is their number, DOMAINERR unless all are positive."""
    target, values = _by_channel(tensor, scales, size)
    target.scale = tuple(_positive(s) for s in values)


@vendor_call
def cnmlSetQuant8Param(tensor: DeviceTensor, scale: float, offset: float) -> None:
    """Scale and offset of a QUANT8 tensor: x = (q - offset) * scale."""
    device_tensor(tensor).quant8 = (_positive(scale), float(offset))


@vendor_call
def cnmlGetQuant8Param(tensor: DeviceTensor) -> tuple[float, float]:
    """Scale and offset of a QUANT8 tensor, (1, 0) until set."""
    return device_tensor(tensor).quant8


cnmlSetFix8Position = cnmlSetQuantizedPosition
cnmlGetFix8Position = cnmlGetQuantizedPosition
cnmlSetFix8Scale = cnmlSetQuantizedScale
cnmlGetFix8Scale = cnmlGetQuantizedScale
cnmlSetFix8PositionByChannel = cnmlSetQuantizedPositionByChannel
cnmlSetFix8ScaleByChannel = cnmlSetQuantizedScaleByChannel
