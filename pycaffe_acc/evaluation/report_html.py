"""How a notebook shows an evaluation: accuracy and throughput in one table."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pycaffe_acc.html_parts import html_block, html_table, html_text

_COLUMNS = (("model", "model"), ("precision", "precision"), ("batch", "batch"), ("threads", "threads"), ("images", "images"), ("top1", "top-1 %"),
            ("top5", "top-5 %"), ("hardware_fps", "hardware FPS"), ("hardware_fps_vendor", "vendor FPS"), ("end_to_end_fps", "end-to-end FPS"))
_POINTS = ("p50", "p90", "p99")


def report_html(document: Mapping[str, Any]) -> str:
    """A report as HTML.

    Parameters
    ----------
    document : dict
        What `Report.to_dict` gives.
    """
    head = [title for _, title in _COLUMNS] + [f"{p} ms" for p in _POINTS] + ["valid"]
    rows = [[_cell(row.get(key)) for key, _ in _COLUMNS] + [_cell((row.get("latency_ms") or {}).get(p)) for p in _POINTS]
            + [{True: "yes", False: "NO", None: "-"}[row.get("valid")]] for row in document["rows"]]
    notes = [f"preprocessing {row['preprocess']}" for row in document["rows"] if row.get("preprocess")]
    notes += [f"times are {row['time']} on {row.get('device')}" for row in document["rows"] if row.get("time")]
    notes += [f"bound: {row['bound']}" for row in document["rows"] if row.get("bound")]
    environment = document.get("environment") or {}
    if environment.get("cpu"):
        notes.append(f"{environment['cpu']}, {environment.get('cpus_usable')} CPUs")
    return html_block("Accuracy and throughput", html_table(head, rows, left=2), *(html_text(n) for n in dict.fromkeys(notes)))


def _cell(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, float) else value
