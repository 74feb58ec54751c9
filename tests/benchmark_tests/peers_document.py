"""A made-up result of benchmarks/peers.py."""
from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def load(name: str) -> Any:
    """A module of the benchmarks folder, which is no package: its files are run as scripts."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return importlib.import_module(name)


def engine(milliseconds: float, not_taken: str = "") -> dict[str, Any]:
    """One engine's entry."""
    return {"median_ms": milliseconds, "min_ms": milliseconds, "rounds_ms": [milliseconds], "forwards": 1, "difference": 0.0,
            "note": "its ONNX importer", "not_taken": not_taken, "cpu_ms_after_turn": None}


def setting(threads: int, batch: int, failures: dict[str, str] | None = None, **times: float) -> dict[str, Any]:
    """One setting with engines' times."""
    return {"threads": threads, "batch": batch, "engines": {k: engine(v) for k, v in times.items()}, "failures": failures or {},
            "limit_gflops": 100.0, "limit_rounds": [100.0], "others": 0.01, "load_average": [0.5, 0.4, 0.3]}


def network(name: str, *settings: dict[str, Any], gflop: float = 1.0) -> dict[str, Any]:
    """One network with two layers."""
    layers = [{"name": "c", "kind": "Convolution", "note": "winograd F(4x4)", "macs": 4 * 10**8, "ms": 4.0, "bytes": 4 * 10**6},
              {"name": "p", "kind": "InnerProduct", "note": "direct", "macs": 10**8, "ms": 4.0, "bytes": 4 * 10**8},
              {"name": "s", "kind": "Softmax", "note": "", "macs": 0, "ms": 2.0, "bytes": 100}]
    return {"network": name, "net_name": name, "input": [3, 8, 8], "gflop": gflop, "layers": layers, "limit_gflops": 110.0, "memory_gbytes": 30.0,
            "settings": list(settings)}


def document(*networks: dict[str, Any]) -> dict[str, Any]:
    """All of it."""
    environment = {"pycaffe_acc": "0", "python": "3", "packages": {"numpy": "1", "numba": "2", "llvmlite": "3"}, "cpu": "Some CPU", "cpus": 4,
                   "cpus_usable": 2, "system": "Linux", "peers": {"openvino": "1", "opencv": "4"}}
    return {"started": "2000-01-01 00:00", "finished": "2000-01-01 00:15", "options": {"rounds": 9, "seconds": 9.0}, "environment": environment,
            "networks": list(networks)}
