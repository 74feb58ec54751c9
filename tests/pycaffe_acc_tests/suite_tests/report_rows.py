"""Rows of invented nets, for tests of what is made of rows."""
from __future__ import annotations

from typing import Any


def throughput(hardware: float, whole: float, decode: float = 0.1, turns: float | None = None) -> dict[str, Any]:
    """A throughput whose time is decoding for the share `decode` and computing for the rest."""
    return {"images": 100, "hardware_fps": hardware, "hardware_fps_vendor": hardware, "end_to_end_fps": whole, "in_turn_fps": turns,
            "latency_ms": {"p50": 1.0, "p90": 2.0, "p99": 3.0}, "split_seconds": {"decode": decode, "compute": 1 - decode}, "split_of": "wall time",
            "wall_seconds": 1.0}


def accuracy(top1: float) -> dict[str, Any]:
    """Over 100 images, not judged."""
    return {"top1": top1, "top5": 99.0, "images": 100, "hits1": int(top1), "hits5": 99, "data": "pictures", "preprocess": "raw", "delta_fp16": None,
            "delta_fp32": None, "bound": "", "valid": None}


def row(model: str, variant: str, top1: float | None, hardware: float, whole: float, sparsity: float = 0.0, device: str = "host",
        decode: float = 0.1, runtime: str = "pycaffe-acc", turns: float | None = None) -> dict[str, Any]:
    """A row; without top-1, one of seeded weights."""
    precision = {"fp32": "fp32", "fp16": "fp16", "int8": "int8", "vendor": "mlu"}[variant]
    method = {"int8": "mse", "vendor": "vendor"}.get(variant)
    name = ".".join([model, variant, *([f"s{sparsity:g}"] if sparsity else []), *([runtime] if runtime != "pycaffe-acc" else [])])
    return {"id": f"{name}@{device}", "model": model, "title": model.title(), "weights": "seeded" if top1 is None else "trained", "variant": variant,
            "variant_title": variant.upper(), "precision": precision, "calibration": {"method": method} if method else None, "sparsity": sparsity,
            "pruning": "vendor" if sparsity else None, "zeros": sparsity, "device": device, "runtime": runtime, "runtime_version": "1",
            "time": "measured" if device == "host" else "simulated", "batch": 10, "dp": 1, "mp": 1, "threads": 2,
            "accuracy": None if top1 is None else accuracy(top1), "accuracy_reason": "seeded weights" if top1 is None else "",
            "claim": "no accuracy claim" if top1 is None else "accuracy and throughput", "throughput": throughput(hardware, whole, decode, turns),
            "seeds": {"suite": 0}, "seconds": 1.0}


def paper() -> list[dict[str, Any]]:
    """Rows that behave as the paper found, on both devices."""
    rows = []
    for device in ("host", "MLU100"):
        for model, lost, decode in (("alpha", 1, 0.1), ("beta", 9, 0.8)):
            end = 1.3 if decode < 0.5 else 1.02
            rows += [row(model, "fp32", 80, 90, 60, device=device, decode=decode), row(model, "fp16", 80, 100, 70, device=device, decode=decode),
                     row(model, "vendor", 80 - lost, 180, 70 * end, device=device, decode=decode)]
            rows += [row(model, "fp16", 80 - 40 * s, 100 * (1 + s), 70 * (1 + 0.2 * s), s, device, decode) for s in (0.5, 0.9)]
    return rows
