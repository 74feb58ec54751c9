"""Rows of a report: what is to be measured, by name, and how a result becomes a row."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pycaffe_acc.suite.plan import HOST, VENDOR, DevicePlan, ModelPlan, Pruning, Suite, Variant
from pycaffe_acc.version import VERSION
from pycaffe_acc.zoo.checksum import digests

SEEDED = "seeded weights"
OURS = "pycaffe-acc"


@dataclass(frozen=True)
class NetPlan:
    """A net of a model: what gives one set of answers.

    Attributes
    ----------
    model : ModelPlan
    variant : Variant
    sparsity : float
    pruning : Pruning
    runtime : str
        `OURS`, or another runtime on the exported FP32 net.
    """

    model: ModelPlan
    variant: Variant
    sparsity: float = 0.0
    runtime: str = OURS
    pruning: Pruning = VENDOR

    @property
    def name(self) -> str:
        """Unlike any other of the suite."""
        parts = [self.model.name, self.variant.name]
        if self.sparsity:
            parts.append(f"s{self.sparsity:g}" + ("" if self.pruning.method == "vendor" else f"-{self.pruning.name}"))
        if self.runtime != OURS:
            parts.append(self.runtime)
        return ".".join(parts)

    def row_id(self, device: DevicePlan) -> str:
        """The name of its row on a device."""
        return f"{self.name}@{device.name}"


def net_plans(suite: Suite, model: ModelPlan) -> Iterator[NetPlan]:
    """The nets of a model that a device of the suite wants, dense ones first."""
    for name in model.variants:
        if any(d.runs(model.name, name) for d in suite.devices):
            yield NetPlan(model, suite.variants[name])
    for pruning in model.prunings:
        for sparsity in model.sparsities:
            for name in model.sparse_variants:
                if any(d.runs(model.name, name, sparsity) for d in suite.devices):
                    yield NetPlan(model, suite.variants[name], sparsity, pruning=suite.prunings[pruning])


def peer_plans(suite: Suite, model: ModelPlan) -> Iterator[NetPlan]:
    """The same model in other runtimes, on the host, in FP32."""
    single = next((v for v in suite.variants.values() if v.precision == "fp32" and v.name in model.variants), None)
    if suite.host is not None and single is not None:
        for runtime in model.runtimes:
            yield NetPlan(model, single, 0.0, runtime)


def file_digest(path: Path) -> str:
    """The digest of a file's bytes; empty for what is no file."""
    if not path.is_file():
        return ""
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest(path: Path, size: int, changed_ns: int) -> str:
    return digests(path, ("sha256",))["sha256"]


def circumstances(suite: Suite, net: NetPlan, limit: int | None, data: Path) -> dict[str, Any]:
    """Everything that would change a net's answers; of lists of images the list, not the pictures."""
    images = {name: asdict(suite.images[name]) for name in (net.model.images, net.model.calibration) if name}
    named = [net.model.model, net.model.weights, *(text for i in images.values() for text in (i["list"], i["dataset"].partition(":")[2]))]
    files = {name: file_digest(data / name) for name in named if name}
    return {"files": files, "version": VERSION, "model": asdict(net.model), "variant": asdict(net.variant), "sparsity": net.sparsity,
            "runtime": net.runtime, "pruning": asdict(net.pruning) if net.sparsity else None, "limit": limit, "spread": True,
            "seed": suite.seed, "images": images}


def report_row(suite: Suite, net: NetPlan, device: DevicePlan, result: dict[str, Any], throughput: dict[str, Any] | None) -> dict[str, Any]:
    """A row as the report's schema has it, without what only other rows can tell (`judged`).

    Parameters
    ----------
    suite : Suite
    net : NetPlan
    device : DevicePlan
    result : dict
        Of `measured`, with `batch`, `threads`, `zeros`, `seconds`.
    throughput : dict or None
    """
    trained, host = net.model.trained, device.name == HOST
    accuracy = None
    if trained:
        accuracy = result["accuracy"] | {"data": net.model.images, "delta_fp16": None, "delta_fp32": None, "bound": "", "valid": None}
        if not host:
            accuracy["from"] = f"{net.variant.precision} arithmetic of this package, which computes the card's values"
    calibration = {"method": net.variant.method, "bias_correction": net.variant.bias_correction, "weight_rounding": net.variant.weight_rounding,
                   "images": net.model.calibration} if net.variant.method else None
    return {"id": net.row_id(device), "model": net.model.name, "title": net.model.title, "weights": "trained" if trained else "seeded",
            "variant": net.variant.name, "variant_title": net.variant.title, "precision": net.variant.precision, "calibration": calibration,
            "sparsity": net.sparsity, "pruning": net.pruning.title if net.sparsity else None, "zeros": result.get("zeros"), "device": device.name,
            "runtime": net.runtime, "runtime_version": result.get("runtime_version", VERSION), "time": "measured" if host else "simulated",
            "batch": result["batch"] if host else device.dp, "dp": device.dp, "mp": device.mp,
            "threads": result["threads"] if host else device.threads,
            "accuracy": accuracy, "accuracy_reason": "" if trained else SEEDED,
            "claim": "no accuracy claim" if not trained else "accuracy and throughput" if throughput else "accuracy",
            "throughput": throughput, "seeds": {"suite": suite.seed}, "seconds": result.get("seconds", 0.0)}


def judged(suite: Suite, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their distances to FP16 and FP32, and whether they keep the suite's bound: the dense nets of the same model over as many images.

    Parameters
    ----------
    suite : Suite
    rows : list of dict

    Returns
    -------
    list of dict
        New rows, in the same order.
    """
    tops: dict[tuple[str, str, int], float] = {}
    for row in rows:
        if row["accuracy"] is not None and not row["sparsity"] and row["calibration"] is None and row["runtime"] == OURS:
            tops[row["model"], row["precision"], row["accuracy"]["images"]] = row["accuracy"]["top1"]
    out = []
    for row in rows:
        accuracy = row["accuracy"]
        if accuracy is not None:
            half, single = (tops.get((row["model"], p, accuracy["images"])) for p in ("fp16", "fp32"))
            least = None if half is None else half * (1 - suite.within / 100)
            accuracy = accuracy | {
                "delta_fp16": None if half is None else accuracy["top1"] - half, "delta_fp32": None if single is None else accuracy["top1"] - single,
                "bound": "" if least is None else f"top-1 of at least {least:.2f} %, {100 - suite.within:g} % of FP16's",
                "valid": None if least is None else accuracy["top1"] >= least - 1e-9}
        out.append(row | {"accuracy": accuracy})
    return out
