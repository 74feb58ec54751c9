"""What a caller says of one input or output of a function: the MLU270 generation's parameter descriptors."""
from __future__ import annotations

from collections.abc import Sequence

from cnrt.data_desc import TensorSpec
from cnrt.enums import DataType
from cnrt.errors import CnrtError, RetCode

_MOST_AXES = 8


class ParamDesc:
    """`cnrtParamDesc_t`: a shape in the order of device memory, a type and a name, each unknown until it is set.

    Attributes
    ----------
    shape : tuple of int or None
    dtype : DataType or None
    name : str
    number : int
        Its place in the array that it was made in; 0 for one alone.
    """

    def __init__(self, number: int = 0):
        self.number = number
        self.shape: tuple[int, ...] | None = None
        self.dtype: DataType | None = None
        self.name = ""
        self.destroyed = False

    def set_shape(self, dims: Sequence[int]) -> None:
        """Set the extents.

        Raises
        ------
        CnrtError
            INVALID for none, more than eight, or one that is not positive.
        """
        shape = tuple(int(d) for d in dims)
        if not 1 <= len(shape) <= _MOST_AXES or min(shape) < 1:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to describe a parameter with shape {shape}: it must be 1 to {_MOST_AXES} positive extents")
        self.shape = shape

    def describe(self, spec: TensorSpec) -> None:
        """Take what a function says of it."""
        self.shape, self.dtype, self.name = spec.stored_shape, spec.dtype, self.name or spec.name

    def check(self, spec: TensorSpec, what: str) -> None:
        """Compare with what a function takes; unknown types are not compared.

        Raises
        ------
        CnrtError
            INVALID without a shape, for another shape, and for another type.
        """
        if self.shape is None:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to take the descriptor of {what}: it has no shape; call cnrtSetShapeToParamDesc")
        if self.shape != spec.stored_shape:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to take the shape {list(self.shape)} for {what} '{spec.name}': the model was compiled for "
                            f"{list(spec.stored_shape)} and its shapes are fixed; compile it for this batch")
        if self.dtype is not None and self.dtype is not spec.dtype:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to take {self.dtype.name} for {what} '{spec.name}': the device keeps {spec.dtype.name}")


def param_desc(value: object) -> ParamDesc:
    """A descriptor that lives.

    Raises
    ------
    CnrtError
        INVALID for anything else.
    """
    if not isinstance(value, ParamDesc):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use {value!r} as a parameter descriptor: it must come from cnrtCreateParamDesc")
    if value.destroyed:
        raise CnrtError(RetCode.ERR_INVALID, "failed to use a parameter descriptor: it was destroyed")
    return value
