"""Ratios, geometric means and Markdown of the results of `peers.py`. Needs nothing that is measured."""
from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

PEERS = ("openvino", "onnxruntime", "opencv")
TITLES = {"ours_fp16": "ours FP16", "ours_fp32": "ours FP32", "openvino": "OpenVINO", "onnxruntime": "onnxruntime", "opencv": "OpenCV"}
Document = dict[str, Any]


def precision(document: Document) -> str:
    """Of all engines but `own`: "FP32" or "INT8"."""
    return str(document.get("precision", "fp32")).upper()


def own(document: Document) -> str:
    """Our engine of another precision that runs beside."""
    return "ours_fp32" if precision(document) == "INT8" else "ours_fp16"


def title(document: Document, engine: str) -> str:
    """An engine's name for people."""
    return f"ours {precision(document)}" if engine == "ours" else TITLES[engine]


def operations(document: Document) -> str:
    """The unit of 10^9 operations."""
    return "Gop" if precision(document) == "INT8" else "GFLOP"


def geometric_mean(values: Iterable[float]) -> float:
    """exp of the mean logarithm; NaN of nothing."""
    logs = [math.log(v) for v in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def median_ms(setting: Document, engine: str) -> float | None:
    """An engine's time at a setting; None if it was left out."""
    found = setting["engines"].get(engine)
    return None if found is None else float(found["median_ms"])


def best_peer(setting: Document) -> tuple[str, float] | None:
    """The fastest peer and its milliseconds; None if all were left out."""
    times = [(setting["engines"][p]["median_ms"], p) for p in PEERS if p in setting["engines"]]
    return (min(times)[1], min(times)[0]) if times else None


def ratio(setting: Document, engine: str) -> float | None:
    """An engine's time by ours; "best" is the fastest peer."""
    if engine == "best":
        best = best_peer(setting)
        time = None if best is None else best[1]
    else:
        time = median_ms(setting, engine)
    return None if time is None else time / setting["engines"]["ours"]["median_ms"]


def least_ratio(setting: Document) -> float | None:
    """The best peer's shortest forward by our shortest: what is left of the ratio when other load on the machine is not."""
    times = [setting["engines"][p]["min_ms"] for p in PEERS if p in setting["engines"]]
    return min(times) / setting["engines"]["ours"]["min_ms"] if times else None


def share_of_limit(network: Document, setting: Document, engine: str = "ours") -> float | None:
    """Operations of direct convolutions in an engine's time, by what the multiply-add loop reached in the same run."""
    time = median_ms(setting, engine)
    return None if time is None else network["gflop"] * setting["batch"] / (time / 1e3) / setting["limit_gflops"]


def settings(document: Document) -> list[tuple[int, int]]:
    """(threads, batch) of everything measured, in order."""
    return sorted({(s["threads"], s["batch"]) for n in document["networks"] for s in n["settings"]}, key=lambda s: (s[1], s[0]))


def rows(document: Document, threads: int, batch: int) -> list[tuple[Document, Document]]:
    """(network, its setting) for all networks that have it."""
    return [(n, s) for n in document["networks"] for s in n["settings"] if (s["threads"], s["batch"]) == (threads, batch)]


def summary(document: Document) -> list[Document]:
    """For each setting: geometric means of the ratios over the networks, and the network where we are worst."""
    found = []
    for threads, batch in settings(document):
        pairs = rows(document, threads, batch)
        ratios = {e: {n["network"]: r for n, s in pairs if (r := ratio(s, e)) is not None} for e in ("best", *PEERS, own(document))}
        worst = min(ratios["best"], key=lambda k: ratios["best"][k], default="")
        found.append({"threads": threads, "batch": batch, "networks": len(pairs), "means": {e: geometric_mean(r.values()) for e, r in ratios.items()},
                      "compared": {e: len(r) for e, r in ratios.items()}, "ratios": ratios, "worst": worst,
                      "least_mean": geometric_mean(r for _, s in pairs if (r := least_ratio(s)) is not None),
                      "worst_ratio": ratios["best"].get(worst, math.nan)})
    return found


def markdown_table(head: list[str], body: list[list[str]]) -> str:
    """A table; the first column is text, the others are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _number(value: float | None, form: str) -> str:
    return "–" if value is None or math.isnan(value) else format(value, form)


def _milliseconds(value: float | None) -> str:
    return _number(value, ".0f" if value is not None and value >= 1000 else ".1f" if value is not None and value >= 100 else ".2f")


def summary_table(document: Document) -> str:
    """The geometric means of all settings."""
    head = ["threads, batch", "networks", "**best peer / ours**", "by shortest times", *(f"{TITLES[p]} / ours" for p in PEERS),
            f"{TITLES[own(document)]} / {precision(document)}", "worst network"]
    body = [[f"{s['threads']}, {s['batch']}", str(s["networks"]), f"**{_number(s['means']['best'], '.2f')}**", _number(s["least_mean"], ".2f"),
             *(_number(s["means"][p], ".2f") + ("" if s["compared"][p] == s["networks"] else f" (of {s['compared'][p]})") for p in PEERS),
             _number(s["means"][own(document)], ".2f"), f"{s['worst']} {_number(s['worst_ratio'], '.2f')}"] for s in summary(document)]
    return markdown_table(head, body)


def setting_table(document: Document, threads: int, batch: int) -> str:
    """Medians of all engines on all networks at a setting."""
    engines = ("ours", own(document), *PEERS)
    head = ["network", operations(document), *(title(document, e) for e in engines), "best peer / ours", "ours, of the limit"]
    body = []
    for n, s in rows(document, threads, batch):
        best = best_peer(s)
        times = [_milliseconds(median_ms(s, e)) for e in engines]
        if best is not None:
            at = 2 + PEERS.index(best[0])
            times[at] = f"*{times[at]}*"
        body.append([n["network"], f"{n['gflop'] * batch:.2f}", *times, _number(ratio(s, "best"), ".2f"), _number(share_of_limit(n, s), ".0%")])
    return markdown_table(head, body)


def failures(document: Document) -> list[str]:
    """One line for every engine that was left out, and for every importer that was not taken."""
    found: dict[str, list[str]] = {}
    for n in document["networks"]:
        for s in n["settings"]:
            where = f"{s['threads']} threads, batch {s['batch']}"
            for engine, reason in s["failures"].items():
                found.setdefault(f"{title(document, engine)} was left out on {n['network']}: {reason}", []).append(where)
            for engine, e in s["engines"].items():
                if e["not_taken"]:
                    name = title(document, engine)
                    found.setdefault(f"{name} on {n['network']} runs by {e['note']}, since with {e['not_taken']}", []).append(where)
    return [f"{what} ({'; '.join(where)})." for what, where in found.items()]


def machine_lines(document: Document) -> list[str]:
    """Processor, versions, date, load, limits."""
    e, networks = document["environment"], document["networks"]
    packages = {"pycaffe-acc": e["pycaffe_acc"], "Python": e["python"], **{k: e["packages"][k] for k in ("numpy", "numba", "llvmlite")},
                **{TITLES[k]: v for k, v in e["peers"].items()}}
    limit, memory = max(n["limit_gflops"] for n in networks), max(n["memory_gbytes"] for n in networks)
    every = [s for n in networks for s in n["settings"]]
    loads = [s["load_average"][0] for s in every if s["load_average"]]
    others = [s["others"] for s in every if s["others"] is not None]
    registers = "products of bytes and their sums" if precision(document) == "INT8" else "FP32 multiply-adds"
    lines = [f"Processor: {e['cpu']}, {e['cpus_usable']} of {e['cpus']} CPUs usable; {e['system']}.",
             f"Versions: {', '.join(f'{k} {v}' for k, v in packages.items())}.",
             f"Date: {document['started']} to {document['finished']} (UTC).",
             f"Limits of one core, measured before each network: {limit:.1f} {operations(document)}/s of {registers} in registers, "
             f"{memory:.1f} GB/s read from memory."]
    if loads and others:
        lines.append(f"Load average (1 min) {min(loads):.1f} to {max(loads):.1f}; other processes took {min(others):.0%} to {max(others):.0%} of the "
                     f"processors while a setting was measured (median {sorted(others)[len(others) // 2]:.0%}).")
    return lines


def notes(document: Document) -> list[str]:
    """How each peer has the networks, where that is the same or not."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for n in document["networks"]:
        for s in n["settings"]:
            for engine, e in s["engines"].items():
                found.setdefault((engine, e["note"]), {})[n["network"]] = None
    return [f"{title(document, engine)}: {note} ({', '.join(networks)})." for (engine, note), networks in sorted(found.items())]


def markdown(document: Document) -> str:
    """The whole report."""
    parts = [f"# Ours and the native CPU runtimes, {precision(document)}\n", "\n".join(f"- {line}" for line in machine_lines(document)),
             "\n## Geometric means\n", summary_table(document)]
    for threads, batch in settings(document):
        parts += [f"\n## {threads} thread{'s' * (threads > 1)}, batch {batch} (milliseconds, medians; seeded weights)\n",
                  setting_table(document, threads, batch)]
    left_out = failures(document)
    if left_out:
        parts += ["\n## Left out\n", "\n".join(f"- {line}" for line in left_out)]
    if precision(document) == "INT8":
        parts += ["\n## What each engine runs\n", "\n".join(f"- {line}" for line in notes(document))]
    return "\n".join(parts) + "\n"
