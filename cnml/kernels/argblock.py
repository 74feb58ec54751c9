"""How a kernel reads its argument block and sees memory.

Every function here has two forms of one meaning: compiled, it is a load or an array over an address; called from plain Python (a kernel's
`py_func` under a debugger) it does the same through ctypes.
"""
from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numba.core import cgutils, types
from numba.core.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array, populate_array


def word(args: int, i: int) -> int:
    """Word `i` of the block at address `args`, as int64."""
    return ctypes.c_int64.from_address(int(args) + 8 * int(i)).value


def real(args: int, i: int) -> float:
    """Word `i` of the block at address `args`, as float64."""
    return ctypes.c_double.from_address(int(args) + 8 * int(i)).value


def _view(address: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= 0:
        return np.empty(shape, dtype)
    return np.frombuffer((ctypes.c_uint8 * size).from_address(int(address)), dtype).reshape(shape)


def f32_at(address: int, n: int) -> np.ndarray:
    """The (n,) float32 at `address`."""
    return _view(address, (n,), np.float32)


def f64_at(address: int, n: int) -> np.ndarray:
    """The (n,) float64 at `address`."""
    return _view(address, (n,), np.float64)


def i8_at(address: int, n: int) -> np.ndarray:
    """The (n,) int8 at `address`."""
    return _view(address, (n,), np.int8)


def u8_at(address: int, n: int) -> np.ndarray:
    """The (n,) uint8 at `address`."""
    return _view(address, (n,), np.uint8)


def u16_at(address: int, n: int) -> np.ndarray:
    """The (n,) uint16 at `address`; also how float16 is seen."""
    return _view(address, (n,), np.uint16)


def i32_at(address: int, n: int) -> np.ndarray:
    """The (n,) int32 at `address`."""
    return _view(address, (n,), np.int32)


def i64_at(address: int, n: int) -> np.ndarray:
    """The (n,) int64 at `address`."""
    return _view(address, (n,), np.int64)


def f32_nd(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 array of `shape`, in C order, at `address`."""
    return _view(address, shape, np.float32)


def f64_nd(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The float64 array of `shape`, in C order, at `address`."""
    return _view(address, shape, np.float64)


def i8_nd(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The int8 array of `shape`, in C order, at `address`."""
    return _view(address, shape, np.int8)


def u8_nd(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The uint8 array of `shape`, in C order, at `address`."""
    return _view(address, shape, np.uint8)


def u16_nd(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The uint16 array of `shape`, in C order, at `address`."""
    return _view(address, shape, np.uint16)


def i32_nd(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The int32 array of `shape`, in C order, at `address`."""
    return _view(address, shape, np.int32)


def i64_nd(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The int64 array of `shape`, in C order, at `address`."""
    return _view(address, shape, np.int64)


def _compile_load(function: Any, result: types.Type) -> None:
    @type_callable(function)
    def typing(context: Any) -> Any:
        def typer(args: types.Type, i: types.Type) -> types.Type | None:
            return result if isinstance(args, types.Integer) and isinstance(i, types.Integer) else None
        return typer

    @lower_builtin(function, types.Integer, types.Integer)
    def lowering(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        base, i = (context.cast(builder, a, t, types.int64) for a, t in zip(args, sig.args, strict=True))
        typ = context.get_data_type(result)
        address = builder.add(base, builder.mul(i, context.get_constant(types.int64, 8)))
        return builder.load(builder.inttoptr(address, cgutils.voidptr_t), align=8, typ=typ)


def _array(context: Any, builder: Any, sig: Any, address: Any, extents: list[Any]) -> Any:
    """An array structure without an owner, in C order."""
    array_type = sig.return_type
    array = make_array(array_type)(context, builder)
    item = context.get_constant(types.int64, context.get_abi_sizeof(context.get_data_type(array_type.dtype)))
    strides = [item]
    for extent in reversed(extents[1:]):
        strides.insert(0, builder.mul(strides[0], extent, flags=["nsw"]))
    data = builder.inttoptr(context.cast(builder, address, sig.args[0], types.uint64), array.data.type)
    populate_array(array, data=data, shape=extents, strides=strides, itemsize=item, meminfo=None, parent=None)
    return array._getvalue()


def _compile_vector(function: Any, dtype: types.Type) -> None:
    @type_callable(function)
    def typing(context: Any) -> Any:
        def typer(address: types.Type, n: types.Type) -> types.Type | None:
            return types.Array(dtype, 1, "C") if isinstance(address, types.Integer) and isinstance(n, types.Integer) else None
        return typer

    @lower_builtin(function, types.Integer, types.Integer)
    def lowering(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _array(context, builder, sig, args[0], [context.cast(builder, args[1], sig.args[1], types.int64)])


def _compile_grid(function: Any, dtype: types.Type) -> None:
    @type_callable(function)
    def typing(context: Any) -> Any:
        def typer(address: types.Type, shape: types.Type) -> types.Type | None:
            if not isinstance(address, types.Integer) or not isinstance(shape, types.BaseTuple):
                return None
            return types.Array(dtype, len(shape), "C") if all(isinstance(t, types.Integer) for t in shape.types) else None
        return typer

    @lower_builtin(function, types.Integer, types.BaseTuple)
    def lowering(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        extents = [context.cast(builder, builder.extract_value(args[1], i), t, types.int64) for i, t in enumerate(sig.args[1].types)]
        return _array(context, builder, sig, args[0], extents)


_compile_load(word, types.int64)
_compile_load(real, types.float64)
for _vector, _grid, _dtype in ((f32_at, f32_nd, types.float32), (f64_at, f64_nd, types.float64), (i8_at, i8_nd, types.int8),
                               (u8_at, u8_nd, types.uint8), (u16_at, u16_nd, types.uint16), (i32_at, i32_nd, types.int32),
                               (i64_at, i64_nd, types.int64)):
    _compile_vector(_vector, _dtype)
    _compile_grid(_grid, _dtype)
