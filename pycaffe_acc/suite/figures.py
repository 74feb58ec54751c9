"""The figures of a report as data: which rows are in them, and along which axes. Measured and simulated times never meet in one."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pycaffe_acc.suite.plan import HOST
from pycaffe_acc.suite.rows import OURS

Row = dict[str, Any]
#: what a measured hardware FPS is compared by
_ASKED = "share of zero weights asked for"
_IN_TURN = "inputs in memory, the nets of a model taking turns"


def figures(rows: list[Row]) -> list[dict[str, Any]]:
    """All figures that the rows are enough for.

    Parameters
    ----------
    rows : list of dict
        As the schema has them, judged.

    Returns
    -------
    list of dict
    """
    ours = [r for r in rows if r["runtime"] == OURS]
    dense = [r for r in ours if not r["sparsity"]]
    main = _main_devices(dense)
    found: list[dict[str, Any] | None] = [_float_accuracy(dense), _int8_loss(dense)]
    for device in main:
        found.append(_bars(f"fig6a-{device}", f"Fig. 6a: hardware FPS, {device}", "Images per second while the device computes"
                           + (f" ({_IN_TURN})" if device == HOST else ""), "images/s", [r for r in dense if r["device"] == device], hardware_fps))
        found.append(_bars(f"fig6b-{device}", f"Fig. 6b: end-to-end FPS, {device}", "Images per second from the first file read to the last result",
                           "images/s", [r for r in dense if r["device"] == device], end_to_end_fps))
    found.append(_sparse_accuracy(ours))
    for device in main:
        for letter, what, value in (("a", "hardware", hardware_fps), ("b", "end-to-end", compared_end_to_end_fps)):
            found.append(_sparse_speed(f"fig7{letter}-{device}", f"Fig. 7{letter}: {what} FPS over sparsity, {device}",
                                       [r for r in ours if r["device"] == device], value))
    for device in main:
        for what, value in (("hardware", hardware_fps), ("end-to-end", end_to_end_fps)):
            found += _fronts(device, what, [r for r in ours if r["device"] == device], value)
    found += [_split(device, [r for r in dense if r["device"] == device]) for device in main]
    found += [_cards(dense), _runtimes(rows)]
    return [f for f in found if f is not None and any(s["points"] for s in f["series"])]


def hardware_fps(row: Row) -> float | None:
    """What hardware speeds are compared by: taken in turns where they were measured."""
    t = row["throughput"]
    return None if t is None else t["in_turn_fps"] or t["hardware_fps"]


def end_to_end_fps(row: Row) -> float | None:
    """Images over wall time."""
    return None if row["throughput"] is None else row["throughput"]["end_to_end_fps"]


def compared_end_to_end_fps(row: Row) -> float | None:
    """What end-to-end speeds are compared by: taken in turns where they were measured."""
    t = row["throughput"]
    return None if t is None else t.get("in_turn_end_to_end_fps") or t["end_to_end_fps"]


def _main_devices(rows: Iterable[Row]) -> list[str]:
    """Devices that ran more than one variant: host first, then cards in order of appearance."""
    seen: dict[str, set[str]] = {}
    for r in rows:
        seen.setdefault(r["device"], set()).add(r["variant"])
    return sorted((d for d, variants in seen.items() if len(variants) > 1), key=lambda d: d != HOST)


def _figure(name: str, title: str, about: str, kind: str, time: str, x: str, y: str, series: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "title": title, "about": about, "kind": kind, "time": time, "x": x, "y": y, "series": series}


def _point(row: Row, x: str | float, y: float, label: str) -> dict[str, Any]:
    valid = None if row["accuracy"] is None else row["accuracy"]["valid"]
    return {"x": x, "y": y, "label": label, "row": row["id"], "model": row["model"], "variant": row["variant"], "device": row["device"],
            "valid": valid}


def _series(rows: list[Row], key: Callable[[Row], str], x: Callable[[Row], str | float], y: Callable[[Row], float | None],
            label: Callable[[Row], str]) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        value = y(row)
        if value is not None:
            groups.setdefault(key(row), []).append(_point(row, x(row), value, label(row)))
    return [{"name": name, "points": points} for name, points in groups.items()]


def accuracy_words(row: Row) -> str:
    """Top-1 with what belongs to it, for a label."""
    a = row["accuracy"]
    if a is None:
        return f"no accuracy claim ({row['accuracy_reason']})"
    valid = {True: "keeps the bound", False: "BREAKS the bound", None: "no bound"}[a["valid"]]
    return f"top-1 {a['top1']:.2f} %, top-5 {a['top5']:.2f} % of {a['images']} images, {valid}"


def _speed_words(row: Row) -> str:
    t = row["throughput"]
    turns = f", {t['in_turn_fps']:.1f} in turns" if t["in_turn_fps"] else ""
    sparse = f", sparsity {row_sparsity(row)} ({row['pruning']})" if row["sparsity"] else ""
    return (f"{row['title']}, {row['variant_title']}{sparse}, {row['device']} ({row['time']}): "
            f"hardware {t['hardware_fps']:.1f} images/s{turns}, end to end {t['end_to_end_fps']:.1f}; {accuracy_words(row)}")


def row_sparsity(row: Row) -> str:
    """As a share, for a label."""
    return f"{row['sparsity']:g}"


def _float_accuracy(rows: list[Row]) -> dict[str, Any]:
    once = [r for r in _one_device(rows) if r["accuracy"] is not None and r["precision"] in ("fp32", "fp16")]
    series = _series(once, lambda r: r["variant_title"], lambda r: r["title"], lambda r: float(r["accuracy"]["top1"]),
                     lambda r: f"{r['title']}, {r['variant_title']}: {accuracy_words(r)}")
    return _figure("table2", "Table 2: accuracy in FP16",
                   "Top-1 of the trained networks; every network on images of its own, so compare bars of one network",
                   "bars", "none", "network", "top-1, %", series)


def _int8_loss(rows: list[Row]) -> dict[str, Any]:
    once = [r for r in _one_device(rows) if r["calibration"] is not None and r["accuracy"] is not None and r["accuracy"]["delta_fp16"] is not None]
    series = _series(once, lambda r: r["variant_title"], lambda r: r["title"], lambda r: 0.0 - float(r["accuracy"]["delta_fp16"]),
                     lambda r: f"{r['title']}, {r['variant_title']}: {-r['accuracy']['delta_fp16']:+.2f} points lost; {accuracy_words(r)}")
    return _figure("fig5", "Fig. 5: accuracy lost by INT8", "Points of top-1 below FP16 over the same images; below zero: gained by chance", "bars",
                   "none",
                   "network", "points lost", series)


def _one_device(rows: list[Row]) -> list[Row]:
    """One row of each net: its answers are the same on every device."""
    found: dict[tuple[str, str, float, str | None], Row] = {}
    for r in rows:
        found.setdefault((r["model"], r["variant"], r["sparsity"], r["pruning"]), r)
    return list(found.values())


def _bars(name: str, title: str, about: str, y: str, rows: list[Row], value: Callable[[Row], float | None]) -> dict[str, Any] | None:
    if not rows:
        return None
    return _figure(name, title, f"{about}; {rows[0]['time']}", "bars", rows[0]["time"], "network", y,
                   _series(rows, lambda r: r["variant_title"], lambda r: r["title"], value, _speed_words))


def _sparse_accuracy(rows: list[Row]) -> dict[str, Any]:
    series = [{"name": name, "points": [_point(r, r["sparsity"], float(r["accuracy"]["top1"]),
                                               f"{name}, sparsity {row_sparsity(r)}: {accuracy_words(r)}")
                                        for r in line]}
              for name, line in sparse_lines([r for r in _one_device(rows) if r["accuracy"] is not None]).items()]
    return _figure("fig7-accuracy", "Fig. 7: accuracy over sparsity", "Top-1 of pruned nets, without training", "lines", "none", _ASKED, "top-1, %",
                   series)


def _sparse_speed(name: str, title: str, rows: list[Row], value: Callable[[Row], float | None]) -> dict[str, Any] | None:
    series = []
    for line, members in sparse_lines([r for r in rows if value(r) is not None]).items():
        base = value(members[0])
        if base and not members[0]["sparsity"]:
            series.append({"name": line, "points": [_point(r, r["sparsity"], (value(r) or 0.0) / base, _speed_words(r)) for r in members]})
    if not series:
        return None
    return _figure(name, title, f"Times the dense net's; {rows[0]['time']}", "lines", rows[0]["time"], _ASKED, "times the dense net's FPS", series)


def sparse_lines(rows: list[Row]) -> dict[str, list[Row]]:
    """Nets over sparsity, by name: the dense one and those that were pruned in one way, in order."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for r in sorted(rows, key=lambda r: float(r["sparsity"])):
        if r["sparsity"]:
            found.setdefault((r["model"], r["variant"], r["pruning"]), []).append(r)
    ways = {(model, variant): sum(k[:2] == (model, variant) for k in found) for model, variant, _ in found}
    lines = {}
    for (model, variant, pruning), pruned in found.items():
        dense = [r for r in rows if (r["model"], r["variant"], r["sparsity"]) == (model, variant, 0.0)][:1]
        name = f"{pruned[0]['title']}, {pruned[0]['variant_title']}" + (f", {pruning}" if ways[model, variant] > 1 else "")
        lines[name] = [*dense, *pruned]
    return lines


def _fronts(device: str, what: str, rows: list[Row], value: Callable[[Row], float | None]) -> list[dict[str, Any]]:
    """Accuracy against throughput, one figure a data set."""
    found = []
    for data in dict.fromkeys(r["accuracy"]["data"] for r in rows if r["accuracy"] is not None):
        chosen = [r for r in rows if r["accuracy"] is not None and r["accuracy"]["data"] == data and value(r) is not None]
        if len({r["model"] for r in chosen}) < 2:
            continue
        series = _series(chosen, lambda r: r["title"], lambda r: float(value(r) or 0.0), lambda r: float(r["accuracy"]["top1"]), _speed_words)
        mark_front([p for s in series for p in s["points"]])
        found.append(_figure(f"front-{what}-{device}-{data}", f"Accuracy and {what} FPS, {device}, {data}",
                             f"Filled points keep the accuracy constraint, crossed ones break it; the line is the front of those that keep it; "
                             f"{chosen[0]['time']}", "scatter", chosen[0]["time"], f"{what} FPS, images/s", "top-1, %", series))
    return found


def mark_front(points: list[dict[str, Any]]) -> None:
    """Give points that keep the constraint `front`: whether no other of them is at least as good along both axes and better along one."""
    kept = [p for p in points if p["valid"] is not False]
    for p in points:
        p["front"] = p["valid"] is not False and not any(
            o["x"] >= p["x"] and o["y"] >= p["y"] and (o["x"] > p["x"] or o["y"] > p["y"]) for o in kept)


def _split(device: str, rows: list[Row]) -> dict[str, Any] | None:
    rows = [r for r in rows if r["throughput"] is not None]
    if not rows:
        return None
    stages = list(dict.fromkeys(k for r in rows for k in r["throughput"]["split_seconds"]))
    series = []
    for stage in stages:
        points = []
        for r in rows:
            seconds = r["throughput"]["split_seconds"]
            share = 100 * seconds.get(stage, 0.0) / max(sum(seconds.values()), 1e-12)
            name = f"{r['title']}, {r['variant_title']}"
            points.append(_point(r, name, share, f"{name}: {stage.replace('_', ' ')} {share:.1f} % of {r['throughput']['split_of']}"))
        series.append({"name": stage.replace("_", " "), "points": points})
    of = rows[0]["throughput"]["split_of"]
    return _figure(f"split-{device}", f"Where the time goes, {device}", f"Shares of {of}; {rows[0]['time']}", "split", rows[0]["time"], "network",
                   f"% of {of}",
                   series)


def _cards(rows: list[Row]) -> dict[str, Any] | None:
    cards = [r for r in rows if r["time"] == "simulated" and r["calibration"] is not None]
    everywhere = {r["model"] for r in cards if r["device"] != cards[0]["device"]}
    chosen = [r for r in cards if r["model"] in everywhere]
    if len({r["device"] for r in chosen}) < 2:
        return None
    return _figure("cards", "Other cards: hardware FPS in INT8", "By the event models of the cards, all simulated", "bars", "simulated", "network",
                   "images/s",
                   _series(chosen, lambda r: r["device"], lambda r: r["title"], hardware_fps, _speed_words))


def _runtimes(rows: list[Row]) -> dict[str, Any] | None:
    compared = {r["model"] for r in rows if r["runtime"] != OURS}
    chosen = [r for r in rows if r["model"] in compared and r["device"] == HOST and r["precision"] == "fp32" and not r["sparsity"]]
    if not chosen:
        return None
    return _figure("runtimes", "Other runtimes: hardware FPS in FP32", f"The same exported model on this machine, {_IN_TURN}; measured", "bars",
                   "measured",
                   "network", "images/s", _series(chosen, lambda r: r["runtime"], lambda r: r["title"], hardware_fps,
                                                  lambda r: f"{r['runtime']} {r['runtime_version']}: {_speed_words(r)}"))
