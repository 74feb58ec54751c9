"""What pipelines measure, and the figures that are made of it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pycaffe_acc.evaluation.intervals import Interval, Intervals, percentiles_ms, union_ns
from pycaffe_acc.evaluation.report import Throughput


@dataclass
class Clock:
    """One pipeline's times.

    Attributes
    ----------
    busy : Intervals
        Between the notifiers around each function on the device; what runs at once in one pipeline (slices) counts once.
    batches : Intervals
        From copy-in to copy-out of each batch.
    wait_ns, copy_in_ns, compute_ns, copy_out_ns, post_ns : int
        Of the thread that drives the net; compute is the whole forward, layers on the host included. It waits for images, and (`post_ns`) for a free
        place for results.
    decode_ns, preprocess_ns, judge_ns : int
        Of the threads beside it.
    simulated : bool
        Whether the notifiers' times come from a model of a device.
    """

    busy: Intervals = field(default_factory=Intervals)
    batches: Intervals = field(default_factory=Intervals)
    wait_ns: int = 0
    copy_in_ns: int = 0
    compute_ns: int = 0
    copy_out_ns: int = 0
    post_ns: int = 0
    decode_ns: int = 0
    preprocess_ns: int = 0
    judge_ns: int = 0
    simulated: bool = False


def merged(intervals: Sequence[Interval]) -> list[Interval]:
    """Overlapping intervals made one, in order."""
    out: list[Interval] = []
    for start, end in sorted(intervals):
        if out and start < out[-1][1]:
            out[-1] = out[-1][0], max(end, out[-1][1])
        else:
            out.append((start, end))
    return out


def throughput(clocks: Sequence[Clock], images: int, wall_ns: int) -> Throughput:
    """The figures of a run.

    Parameters
    ----------
    clocks : sequence of Clock
        One of each pipeline.
    images : int
    wall_ns : int

    Returns
    -------
    Throughput
        `hardware_fps_vendor` is the vendor's formula: the mean rate of a busy pipeline times the number of pipelines, as if none ever waited.
    """
    intervals = [interval for clock in clocks for interval in clock.busy]
    total = sum(end - start for start, end in intervals)

    def mean(name: str) -> float:
        return sum(getattr(clock, name) for clock in clocks) / len(clocks)

    decode, preprocess = sum(c.decode_ns for c in clocks), sum(c.preprocess_ns for c in clocks)
    work = max(1, decode + preprocess)
    split = {"decode": mean("wait_ns") * decode / work, "preprocess": mean("wait_ns") * preprocess / work, "copy_in": mean("copy_in_ns"),
             "compute": mean("compute_ns"), "copy_out": mean("copy_out_ns"), "post": mean("post_ns")}
    split["other"] = wall_ns - sum(split.values())
    return Throughput(images, hardware_fps=images / (union_ns(intervals) * 1e-9), hardware_fps_vendor=images / (total * 1e-3) * len(clocks) * 1e6,
                      end_to_end_fps=images / (wall_ns * 1e-9), latency_ms=percentiles_ms([b for c in clocks for b in c.batches]),
                      split_seconds={k: v * 1e-9 for k, v in split.items()},
                      work_seconds={"decode": decode * 1e-9, "preprocess": preprocess * 1e-9, "post": sum(c.judge_ns for c in clocks) * 1e-9},
                      wall_seconds=wall_ns * 1e-9, simulated=any(c.simulated for c in clocks))
