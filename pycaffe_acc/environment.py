"""What this process runs on: the block that belongs under every measured number."""
from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from cnrt.cpu import cgroup_quota, effective_cpus
from pycaffe_acc.mode import default_threads
from pycaffe_acc.version import VERSION

PACKAGES = ("numpy", "numba", "llvmlite", "protobuf", "Pillow", "tqdm", "lmdb", "h5py", "matplotlib", "onnx")
VARIABLES = ("PYCAFFE_ACC_", "NUMBA_", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GLOG_",
             "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION")


def versions() -> dict[str, str | None]:
    """Version of each package that matters; None for one that is not installed."""
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def memory_bytes() -> int | None:
    """Physical memory of the machine; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def environment() -> dict[str, Any]:
    """Versions, processor, thread counts and the variables that change behaviour.

    Returns
    -------
    dict
        Values that JSON can hold.
    """
    return {
        "pycaffe_acc": VERSION,
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "system": platform.platform(),
        "machine": platform.machine(),
        "cpu": cpu_name(),
        "cpus": os.cpu_count(),
        "cpus_usable": effective_cpus(),
        "cgroup_quota": cgroup_quota(),
        "threads": default_threads(),
        "memory_bytes": memory_bytes(),
        "packages": versions(),
        "variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith(VARIABLES)},
    }
