"""How many processors this process may really use."""
from __future__ import annotations

import math
import os
from pathlib import Path

from cnrt.errors import CnrtError, RetCode

_PROC = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def effective_cpus() -> int:
    """The smallest of: processors of the machine, the process's affinity, its cgroup's quota (rounded up); at least 1.

    `PYCAFFE_ACC_CORES` overrides all of it.

    Returns
    -------
    int

    Raises
    ------
    CnrtError
        INVALID: `PYCAFFE_ACC_CORES` is not a positive integer.
    """
    asked = os.environ.get("PYCAFFE_ACC_CORES")
    if asked:
        if not asked.isdecimal() or int(asked) < 1:
            raise CnrtError(RetCode.ERR_INVALID, f"PYCAFFE_ACC_CORES is '{asked}'; it must be a positive integer")
        return int(asked)
    found = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        found = min(found, len(os.sched_getaffinity(0)))
    quota = cgroup_quota()
    if quota is not None:
        found = min(found, math.ceil(quota))
    return max(found, 1)


def pinned_cpus() -> tuple[int, ...]:
    """Processors that helper threads shall stay on, one each: what `PYCAFFE_ACC_PIN` asks for.

    Unset, empty or `0`: none. `1`: all that the process's affinity allows. Otherwise a list such as `2,4-7` (`1,` for processor 1 alone).

    Returns
    -------
    tuple of int

    Raises
    ------
    CnrtError
        INVALID: the list cannot be read, or names a processor twice or one that the process may not use.
    """
    asked = os.environ.get("PYCAFFE_ACC_PIN", "")
    if asked in ("", "0"):
        return ()
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if asked == "1":
        return tuple(allowed)
    cpus: list[int] = []
    for part in filter(None, asked.split(",")):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or dash and not last.isdecimal():
            raise CnrtError(RetCode.ERR_INVALID, f"PYCAFFE_ACC_PIN is '{asked}'; it must be 0, 1 or a list of processors such as 2,4-7")
        cpus += range(int(first), int(last or first) + 1)
    wrong = sorted(set(cpus) - set(allowed)) or sorted({c for c in cpus if cpus.count(c) > 1})
    if wrong or not cpus:
        raise CnrtError(RetCode.ERR_INVALID, f"PYCAFFE_ACC_PIN is '{asked}'; it must name each processor once, out of those this process may use "
                        f"({', '.join(map(str, allowed))}){f', not {wrong[0]}' if wrong else ''}")
    return tuple(cpus)


def cgroup_quota(proc: Path = _PROC, mount: Path = _MOUNT) -> float | None:
    """Processors' worth of time that the process's cgroups grant (version 1 or 2; the tightest of the group and its ancestors).

    Parameters
    ----------
    proc, mount : pathlib.Path
        Where the kernel shows the membership and the groups.

    Returns
    -------
    float or None
        None without a limit, or where there are no cgroups.
    """
    limits: list[float] = []
    for line in _lines(proc):
        parts = line.split(":", 2)
        if len(parts) != 3:
            continue
        hierarchy, controllers, path = parts
        if hierarchy == "0" and not controllers:
            limits += [v for folder in _ancestors(mount, path) if (v := _quota_v2(folder)) is not None]
        elif "cpu" in controllers.split(","):
            for base in (mount / controllers, mount / "cpu"):
                limits += [v for folder in _ancestors(base, path) if (v := _quota_v1(folder)) is not None]
    return min(limits, default=None)


def _ancestors(base: Path, path: str) -> list[Path]:
    folder = base / path.strip("/")
    chain = [folder]
    while folder != base and base in folder.parents:
        folder = folder.parent
        chain.append(folder)
    return chain


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    lines = _lines(path)
    try:
        return int(lines[0]) if lines else None
    except ValueError:
        return None


def _quota_v2(folder: Path) -> float | None:
    lines = _lines(folder / "cpu.max")
    parts = lines[0].split() if lines else []
    if len(parts) != 2 or not all(p.isdigit() for p in parts) or int(parts[1]) == 0:
        return None  # "max 100000": no limit
    return int(parts[0]) / int(parts[1])


def _quota_v1(folder: Path) -> float | None:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    if quota is None or period is None or quota <= 0 or period <= 0:
        return None
    return quota / period
