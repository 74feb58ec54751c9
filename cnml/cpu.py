"""Which instruction set the kernels are made for."""
from __future__ import annotations

import importlib
import os
from functools import cache
from typing import NamedTuple

from cnml.errors import CnmlError, Status


class Isa(NamedTuple):
    """One family of vector instructions.

    Attributes
    ----------
    name : str
        avx512, avx2 or generic.
    lanes : int
        float32 values in a vector.
    registers : int
        Vector registers a tile may use.
    needs : tuple of str
        LLVM feature names that must all be there.
    """

    name: str
    lanes: int
    registers: int
    needs: tuple[str, ...]


#: best first; the last needs nothing
ISAS: tuple[Isa, ...] = (
    Isa("avx512", 16, 32, ("avx512f", "avx512bw", "avx512dq", "avx512vl", "fma", "f16c")),
    Isa("avx2", 8, 16, ("avx2", "fma", "f16c")),
    Isa("generic", 4, 16, ()),
)

#: CPU names of `NUMBA_CPU_NAME` that have each instruction set (Numba then compiles for that name, whatever the host is)
_NAMED: dict[str, tuple[str, ...]] = {
    "avx512": ("skylake-avx512", "cascadelake", "cooperlake", "icelake-client", "icelake-server", "sapphirerapids", "znver4", "znver5", "x86-64-v4"),
    "avx2": ("haswell", "broadwell", "skylake", "znver1", "znver2", "znver3", "alderlake", "x86-64-v3"),
}


def _features() -> frozenset[str]:
    """LLVM names of the features that Numba compiles for in this process."""
    name = os.environ.get("NUMBA_CPU_NAME", "")
    listed = os.environ.get("NUMBA_CPU_FEATURES", "")
    if listed:
        return frozenset(f[1:] for f in listed.split(",") if f.startswith("+"))
    if name and name != "host":
        for isa in ISAS:
            if name in _NAMED.get(isa.name, ()):
                return frozenset(f for other in ISAS[ISAS.index(isa):] for f in (*isa.needs, *other.needs))
        return frozenset()
    # not before somebody asks: a program that only reads nets needs no compiler
    host = importlib.import_module("llvmlite.binding").get_host_cpu_features()
    return frozenset(f for f, there in host.items() if there)


@cache
def has(feature: str) -> bool:
    """Whether code compiled in this process may use an LLVM feature ("avx512vnni", "f16c")."""
    return feature in _features()


@cache
def isa() -> Isa:
    """The instruction set of this process.

    The best one that the CPU has (`NUMBA_CPU_NAME` counts as the CPU when set), unless `PYCAFFE_ACC_ISA` names one.

    Raises
    ------
    CnmlError
        The named set is unknown, or the CPU lacks it.
    """
    there = _features()
    wanted = os.environ.get("PYCAFFE_ACC_ISA", "")
    if not wanted:
        return next(i for i in ISAS if there.issuperset(i.needs))
    for i in ISAS:
        if i.name == wanted:
            missing = sorted(set(i.needs) - there)
            if missing:
                raise CnmlError(f"PYCAFFE_ACC_ISA is '{wanted}' but this CPU lacks {', '.join(missing)}; unset it or choose one of "
                                f"{', '.join(o.name for o in ISAS if there.issuperset(o.needs))}", Status.UNSUPPORT)
            return i
    raise CnmlError(f"PYCAFFE_ACC_ISA is '{wanted}'; it must be one of {', '.join(i.name for i in ISAS)}", Status.INVALIDARG)


def converts_half() -> bool:
    """Whether the instruction set of this process has conversions between half precision and float32."""
    return "f16c" in isa().needs


@cache
def dot_kind() -> str:
    """How this process multiplies unsigned by signed bytes: "vnni" (an instruction for four products and their sum), "pairs" (16-bit products, two at
    a time) or "plain" (32-bit products).
    """
    lanes = isa().lanes
    if lanes == 16 and has("avx512vnni") or lanes == 8 and (has("avxvnni") or has("avx512vnni") and has("avx512vl")):
        return "vnni"
    return "pairs" if lanes >= 8 else "plain"
