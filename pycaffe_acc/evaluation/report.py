"""What an evaluation says: accuracy and throughput in one row, or nothing."""
from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from pycaffe_acc.evaluation.report_html import report_html

SCHEMA = "pycaffe-acc/eval/1"
SPLIT = ("decode", "preprocess", "copy_in", "compute", "copy_out", "post")


class ReportError(ValueError):
    """A row that would mislead: throughput without accuracy, numbers from different images, simulated beside measured."""


@dataclass(frozen=True)
class Accuracy:
    """Top-1 and top-5 over a number of labelled images.

    Attributes
    ----------
    images, hits1, hits5 : int
    """

    images: int
    hits1: int
    hits5: int

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ReportError("accuracy over no images means nothing; the list must name at least one")
        if not 0 <= self.hits1 <= self.hits5 <= self.images:
            raise ReportError(f"{self.hits1} top-1 hits, {self.hits5} top-5 hits and {self.images} images contradict each other")

    @property
    def top1(self) -> float:
        """Percent."""
        return 100.0 * self.hits1 / self.images

    @property
    def top5(self) -> float:
        """Percent."""
        return 100.0 * self.hits5 / self.images


@dataclass(frozen=True)
class Throughput:
    """Images per second by the three definitions, and the latency of one invocation.

    Attributes
    ----------
    images : int
        Images that were evaluated (padding of the last batch is not counted, its time is).
    hardware_fps : float
        images / union of the device-busy intervals.
    hardware_fps_vendor : float
        The vendor's formula: images / sum of the intervals in µs x threads x 1e6.
    end_to_end_fps : float
        images / wall time from the first file read to the last result.
    latency_ms : dict
        p50, p90, p99 of one batch from copy-in to copy-out.
    split_seconds : dict
        Where the wall time went, by the names in `SPLIT` and "other"; sums to `wall_seconds`. decode and preprocess are the time the device waited
        for them, not the time the worker threads spent.
    work_seconds : dict
        Seconds the worker threads spent in decode and preprocess.
    wall_seconds : float
    simulated : bool
        True when a model of a device gave the times, False when a clock did.
    """

    images: int
    hardware_fps: float
    hardware_fps_vendor: float
    end_to_end_fps: float
    latency_ms: dict[str, float]
    split_seconds: dict[str, float]
    work_seconds: dict[str, float]
    wall_seconds: float
    simulated: bool = False

    def __post_init__(self) -> None:
        for name in ("hardware_fps", "hardware_fps_vendor", "end_to_end_fps", "wall_seconds"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ReportError(f"{name} is {value}; it must be a positive number")
        total = sum(self.split_seconds.values())
        if abs(total - self.wall_seconds) > 0.01 * self.wall_seconds:
            raise ReportError(f"the time split sums to {total:.6f} s and the wall time is {self.wall_seconds:.6f} s; they must agree within 1 %")


@dataclass(frozen=True)
class Row:
    """One configuration of one model.

    Attributes
    ----------
    model : str
    configuration : dict
        Precision, batch, threads, device, preprocessing: everything that changes a number.
    accuracy : Accuracy or None
    throughput : Throughput or None
    delta_fp32, delta_fp16 : float or None
        Top-1 minus that of the same model in FP32 / FP16 on the same images, in percentage points; None when it was not measured.
    bound : str
        The accuracy constraint in words; empty without one.
    valid : bool or None
        Whether the constraint holds; None without one.
    failed : list of dict
        Images of the list that could not be used: number, image, reason. All figures are of the others.
    stopped : str or None
        What ended the run early; all figures are of the images until then.
    core_use : list of dict
        For each core that worked: core, channel, functions, busy_seconds, and share of the wall time. In simulated time where the
        throughput is.
    weight_sparsity : dict or None
        Zeros in the weights, those that the kernels skipped (`pycaffe_acc.net_sparsity`), and the rates of multiply-accumulates at the hardware FPS,
        `dense_equivalent_gflops` and `computed_gflops`; None where the kernels are not known, or the run was stopped.

    Raises
    ------
    ReportError
        When there is a throughput without accuracy, or over other images.
    """

    model: str
    configuration: dict[str, Any]
    accuracy: Accuracy | None
    throughput: Throughput | None = None
    delta_fp32: float | None = None
    delta_fp16: float | None = None
    bound: str = ""
    valid: bool | None = None
    failed: list[dict[str, Any]] = field(default_factory=list)
    stopped: str | None = None
    core_use: list[dict[str, Any]] = field(default_factory=list)
    weight_sparsity: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.throughput is not None and self.accuracy is None:
            raise ReportError(f"the row of '{self.model}' has throughput but no accuracy; measure both on the same images")
        if self.throughput is not None and self.accuracy is not None and self.throughput.images != self.accuracy.images:
            raise ReportError(f"the row of '{self.model}' has throughput over {self.throughput.images} images and accuracy over "
                              f"{self.accuracy.images}; "
                              "measure both on the same images")
        if self.accuracy is not None and not self.configuration.get("preprocess"):
            raise ReportError(f"the row of '{self.model}' has an accuracy but does not say how the images were prepared")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; top1 and top5 in percent."""
        out: dict[str, Any] = {"model": self.model, **self.configuration}
        if self.accuracy is not None:
            out |= {"images": self.accuracy.images, "top1": self.accuracy.top1, "top5": self.accuracy.top5}
        out |= {"delta_fp32": self.delta_fp32, "delta_fp16": self.delta_fp16, "bound": self.bound, "valid": self.valid}
        out |= {"failed": self.failed, "stopped": self.stopped}
        if self.weight_sparsity is not None:
            out |= {"weight_sparsity": self.weight_sparsity}
        if self.throughput is not None:
            out |= {"core_use": self.core_use}
            out |= {k: v for k, v in asdict(self.throughput).items() if k != "images"}
            out["time"] = "simulated" if self.throughput.simulated else "measured"
        return out


@dataclass
class Report:
    """Rows with the circumstances they share.

    Attributes
    ----------
    environment : dict
        Versions, CPU, thread counts.
    compile_seconds, warmup_seconds, load_seconds : float
        Before the clock of every other figure started.
    """

    environment: dict[str, Any]
    load_seconds: float = 0.0
    compile_seconds: float = 0.0
    warmup_seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Append a row.

        Raises
        ------
        ReportError
            When its times are simulated and another row's are measured, or the reverse.
        """
        kinds = {r.throughput.simulated for r in (*self.rows, row) if r.throughput is not None}
        if len(kinds) > 1:
            raise ReportError("simulated and measured times must not stand in one table; make a report for each")
        self.rows.append(row)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON. The first row's fields are also at the top level."""
        out: dict[str, Any] = {"schema": SCHEMA}
        if self.rows:
            out |= self.rows[0].to_dict()
        out |= {"load_seconds": self.load_seconds, "compile_seconds": self.compile_seconds, "warmup_seconds": self.warmup_seconds,
                "rows": [r.to_dict() for r in self.rows], "environment": self.environment}
        return out

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return report_html(self.to_dict())
