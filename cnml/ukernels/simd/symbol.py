"""Names for code that other compiled code calls."""
from __future__ import annotations

import llvmlite.binding as llvm


def define(name: str, address: int) -> None:
    """Let the linker find compiled code: functions compiled or loaded later may call it by name."""
    llvm.add_symbol(name, address)
