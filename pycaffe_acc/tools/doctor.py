"""`doctor`: the environment, to be pasted into a bug report."""
from __future__ import annotations

import argparse
from typing import Any

from cnml import compile_cache, cpu
from cnrt import device as devices
from pycaffe_acc.environment import environment
from pycaffe_acc.layer import layer_types
from pycaffe_acc.tools.console import emit

NAME = "doctor"
HELP = "show versions, processor, threads, cache: the block for a bug report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace) -> int:
    """Collect and print."""
    facts: dict[str, Any] = environment()
    folder = compile_cache.cache_folder()
    kept = sum(1 for _ in folder.rglob("*.nbc")) if folder is not None else 0
    isa = cpu.isa()
    facts |= {"isa": isa.name, "vector_lanes": isa.lanes, "kernel_cache": None if folder is None else str(folder), "kernels_cached": kept,
              "device_kinds": list(devices.kinds()), "layer_types": len(layer_types())}
    emit(args, facts, "\n".join(_lines(facts)))
    return 0


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in facts.items():
        if isinstance(value, dict):
            shown = ", ".join(f"{k} {v if v is not None else '(not installed)'}" for k, v in value.items()) or "none"
        elif isinstance(value, list):
            shown = ", ".join(map(str, value))
        elif key == "memory_bytes" and value is not None:
            shown = f"{value / 2**30:.1f} GiB"
        else:
            shown = "none" if value is None else str(value)
        lines.append(f"{key:16} {shown}")
    return lines
