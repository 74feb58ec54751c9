"""The findings of the paper as checks: which hold for the rows of a report, and by how much."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pycaffe_acc.suite.figures import Row, compared_end_to_end_fps, hardware_fps, sparse_lines
from pycaffe_acc.suite.plan import HOST
from pycaffe_acc.suite.rows import OURS

#: where decoding and preparing take this share of the time or more, they dominate
_DOMINATES = 0.75
#: a gain of no more than this much is none, where decoding dominates
_NO_GAIN = 1.10
#: points: what INT8 costs cannot be told where one image is more than that
_TELLING = 1.0
#: measured gains that differ by less than this share do not differ: no such case decides anything
NOISE = 0.10


def findings(rows: list[Row], noise: float = NOISE) -> list[dict[str, Any]]:
    """All findings that are asked of a report.

    Parameters
    ----------
    rows : list of dict
        As the schema has them, judged.
    noise : float
        Measured gains that differ by less than this share decide nothing; 0 lets every case decide.

    Returns
    -------
    list of dict
        With `holds` None where there are no rows to judge by.
    """
    ours = [r for r in rows if r["runtime"] == OURS]
    devices = sorted({r["device"] for r in ours if r["calibration"] is None and r["precision"] == "fp16"}, key=lambda d: d != HOST)
    found = [_fp16_is_free(ours), _int8_costs(ours)]
    for device in devices:
        here = [r for r in ours if r["device"] == device and r["throughput"] is not None]
        found += [_int8_is_faster(device, here), _end_to_end_gains_less(device, here, noise), _gain_vanishes(device, here),
                  _sparsity_speeds_up(device, here), _end_to_end_flattens(device, here, noise)]
    return [*found, _sparsity_costs(ours)]


def _finding(name: str, claim: str, device: str, time: str, cases: list[dict[str, Any]], words: Callable[[], str],
             holds: bool | None = None) -> dict[str, Any]:
    judged = [c["holds"] for c in cases if c["holds"] is not None]
    verdict = None if not judged and holds is None else all(judged) if holds is None else holds
    return {"id": name, "claim": claim, "device": device, "time": time, "holds": verdict, "cases": cases,
            "figures": words() if cases else "there are no rows to judge it by"}


def _case(name: str, value: str, holds: bool | None) -> dict[str, Any]:
    return {"name": name, "value": value, "holds": holds}


def _time(device: str) -> str:
    return "measured" if device == HOST else "simulated"


def _nets(rows: list[Row]) -> list[Row]:
    """One row a net, with an accuracy."""
    found: dict[tuple[str, str, float, str | None], Row] = {}
    for r in rows:
        if r["accuracy"] is not None:
            found.setdefault((r["model"], r["variant"], r["sparsity"], r["pruning"]), r)
    return list(found.values())


def _fp16_is_free(rows: list[Row]) -> dict[str, Any]:
    chosen = [r for r in _nets(rows) if r["precision"] == "fp16" and not r["sparsity"] and r["accuracy"]["delta_fp32"] is not None]
    cases = [_case(r["title"], f"{r['accuracy']['delta_fp32']:+.2f} points of {r['accuracy']['images']} images",
                   abs(r["accuracy"]["delta_fp32"]) <= 0.5 + _image(r)) for r in chosen]
    return _finding("fp16-accuracy", "FP16 keeps the accuracy of FP32 (within half a point and an image)", "any", "none", cases,
                    lambda: f"largest change {max(abs(r['accuracy']['delta_fp32']) for r in chosen):.2f} points over {len(chosen)} networks")


def _image(row: Row) -> float:
    """What one image is, in points."""
    return 100.0 / float(row["accuracy"]["images"])


def _int8_costs(rows: list[Row]) -> dict[str, Any]:
    chosen = [r for r in _nets(rows) if r["calibration"] is not None and not r["sparsity"] and r["accuracy"]["delta_fp16"] is not None
              and _image(r) <= _TELLING]
    cases, words, spread = [], [], []
    for variant in dict.fromkeys(r["variant"] for r in chosen):
        mine = [r for r in chosen if r["variant"] == variant]
        lost = [_lost(r) for r in mine]
        cases += [_case(f"{r['title']}, {r['variant_title']}", f"{_lost(r):+.2f} points lost", None) for r in mine]
        words.append(f"{mine[0]['variant_title']}: {min(lost):+.2f} to {max(lost):+.2f} points lost, mean {sum(lost) / len(lost):+.2f}, "
                     f"{sum(r['accuracy']['valid'] is True for r in mine)} of {len(mine)} networks keep the bound")
        if len(mine) > 1:  # one network does not show that networks differ
            spread.append((_mean(lost) > 0.0 and max(lost) - min(lost) > 4 * max(map(_image, mine)), mine[0]["calibration"]["method"]))
    # the paper speaks of the vendor's tools
    judged = [holds for holds, method in spread if method == "vendor"] or [holds for holds, _ in spread]
    return _finding("int8-accuracy", "INT8 costs accuracy, by amounts that depend on the network (the vendor's method)", "any", "none", cases,
                    lambda: "; ".join(words), all(judged) if judged else None)


def _lost(row: Row) -> float:
    """Points of top-1 below FP16; never minus zero."""
    return 0.0 - float(row["accuracy"]["delta_fp16"])


def _pairs(rows: list[Row]) -> list[tuple[Row, Row]]:
    """Dense FP16 beside dense INT8 of the same model; of several INT8 variants each."""
    half = {r["model"]: r for r in rows if r["precision"] == "fp16" and not r["sparsity"]}
    return [(half[r["model"]], r) for r in rows if r["calibration"] is not None and not r["sparsity"] and r["model"] in half]


def _gain(pair: tuple[Row, Row], value: Callable[[Row], float | None]) -> float:
    before, after = value(pair[0]), value(pair[1])
    return (after or 0.0) / (before or 1.0)


def _int8_is_faster(device: str, rows: list[Row]) -> dict[str, Any]:
    pairs = _pairs(rows)
    gains = [_gain(p, hardware_fps) for p in pairs]
    cases = [_case(f"{b['title']}, {b['variant_title']}", f"{g:.2f} x", g > 1.0) for (_, b), g in zip(pairs, gains, strict=True)]
    return _finding(f"int8-hardware-{device}", "INT8 raises hardware FPS for every network", device, _time(device), cases,
                    lambda: f"{min(gains):.2f} to {max(gains):.2f} times FP16, {sum(g > 1 for g in gains)} of {len(gains)} above 1")


def _end_to_end_gains_less(device: str, rows: list[Row], noise: float) -> dict[str, Any]:
    pairs = _pairs(rows)
    both = [(_gain(p, hardware_fps), _gain(p, compared_end_to_end_fps)) for p in pairs]
    cases = [_case(f"{b['title']}, {b['variant_title']}", f"hardware {h:.2f} x, end to end {e:.2f} x", _smaller(device, e, h, noise))
             for (_, b), (h, e) in zip(pairs, both, strict=True)]
    return _finding(f"int8-end-to-end-{device}", "The end-to-end gain of INT8 is smaller than the hardware gain", device, _time(device), cases,
                    lambda: f"end to end {_mean([e for _, e in both]):.2f} times FP16 in the mean, hardware {_mean([h for h, _ in both]):.2f}; "
                            f"{_tally(cases, noise)}")


def _smaller(device: str, whole: float, hardware: float, noise: float) -> bool | None:
    """Whether the end-to-end gain is the smaller one; of measured ones, None where the clock cannot tell."""
    if device == HOST and abs(whole / hardware - 1.0) < noise:
        return None
    return whole < hardware


def host_share(row: Row) -> float:
    """Share of the time that goes into decoding and preparing images, or into waiting for it."""
    split = row["throughput"]["split_seconds"]
    return sum(split.get(k, 0.0) for k in ("decode", "preprocess", "convert")) / max(sum(split.values()), 1e-12)


def _gain_vanishes(device: str, rows: list[Row]) -> dict[str, Any]:
    pairs = [p for p in _pairs(rows) if host_share(p[0]) >= _DOMINATES]
    gains = [_gain(p, compared_end_to_end_fps) for p in pairs]
    cases = [_case(f"{b['title']}, {b['variant_title']}", f"{100 * host_share(a):.0f} % decoding and preparing in FP16, end to end {g:.2f} x",
                   g <= _NO_GAIN)
             for (a, b), g in zip(pairs, gains, strict=True)]
    return _finding(f"gain-vanishes-{device}", f"Where decoding and preparing take {_DOMINATES:.0%} of the time or more, INT8 gains at most "
                    f"{_NO_GAIN - 1:.0%} end to end", device, _time(device), cases,
                    lambda: f"{len(gains)} such nets, end to end {min(gains):.2f} to {max(gains):.2f} times FP16")


def _curves(rows: list[Row], value: Callable[[Row], float | None]) -> dict[str, list[tuple[float, float]]]:
    """Net → (sparsity, value) in order, the dense net first."""
    found = {}
    for name, line in sparse_lines(rows).items():
        points = [(float(r["sparsity"]), v) for r in line if (v := value(r)) is not None]
        if len(points) > 1 and points[0][0] == 0.0:
            found[name] = points
    return found


def _sparsity_speeds_up(device: str, rows: list[Row]) -> dict[str, Any]:
    curves = _curves(rows, hardware_fps)
    gains = {k: c[-1][1] / c[0][1] for k, c in curves.items()}
    cases = [_case(k, f"{g:.2f} x at sparsity {curves[k][-1][0]:g}", g > 1.02) for k, g in gains.items()]
    return _finding(f"sparsity-hardware-{device}", "Hardware FPS rises with sparsity", device, _time(device), cases,
                    lambda: f"{min(gains.values()):.2f} to {max(gains.values()):.2f} times the dense net at the highest sparsity")


def _end_to_end_flattens(device: str, rows: list[Row], noise: float) -> dict[str, Any]:
    hardware, whole = _curves(rows, hardware_fps), _curves(rows, compared_end_to_end_fps)
    cases = []
    for k, c in whole.items():
        if k in hardware:
            h, e = (x[-1][1] / x[0][1] for x in (hardware[k], c))
            cases.append(_case(k, f"hardware {h:.2f} x, end to end {e:.2f} x at sparsity {c[-1][0]:g}", _smaller(device, e, h, noise)))
    return _finding(f"sparsity-end-to-end-{device}", "End-to-end FPS flattens with sparsity: it gains less than hardware FPS", device,
                    _time(device), cases,
                    lambda: f"end to end {_tally(cases, noise)} nets")


def _sparsity_costs(rows: list[Row]) -> dict[str, Any]:
    curves = _curves(_nets(rows), lambda r: float(r["accuracy"]["top1"]))
    cases = []
    for k, c in curves.items():
        rises = max((b[1] - a[1] for a, b in zip(c, c[1:], strict=False)), default=0.0)
        cases.append(_case(k, f"{c[0][1]:.2f} % dense, {c[-1][1]:.2f} % at sparsity {c[-1][0]:g}; largest rise on the way {max(rises, 0.0):.2f}",
                           c[-1][1] < c[0][1]))
    return _finding("sparsity-accuracy", "Accuracy falls with sparsity", "any", "none", cases,
                    lambda: f"falls for {sum(bool(c['holds']) for c in cases)} of {len(cases)} nets, pruned without training")


def _tally(cases: list[dict[str, Any]], noise: float) -> str:
    smaller, same = (sum(c["holds"] is verdict for c in cases) for verdict in (True, None))
    return f"smaller for {smaller}{f', the same within {noise:.0%} for {same}' if same else ''} of {len(cases)}"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
