"""Two reports compared: what got worse from one to the other."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """Something that changed.

    Attributes
    ----------
    place : str
        Row or finding.
    sentence : str
    worse : bool
        Whether it counts as a regression.
    """

    place: str
    sentence: str
    worse: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"place": self.place, "sentence": self.sentence, "worse": self.worse}


def differences(before: dict[str, Any], after: dict[str, Any], points: float, percent: float) -> list[Difference]:
    """What changed between two reports, regressions first.

    Parameters
    ----------
    before, after : dict
        Documents of `read_document`.
    points : float
        Top-1 that may be lost, in points.
    percent : float
        Throughput that may be lost, measured or simulated, in percent.

    Returns
    -------
    list of Difference
        Rows that disappeared, accuracies and throughputs that fell by more, bounds that are broken now, findings that do not hold any more; and, none
        of them worse: the reverse of these, and rows over other images, which cannot be compared.
    """
    found: list[Difference] = []
    old, new = ({r["id"]: r for r in d["rows"]} for d in (before, after))
    for name, row in old.items():
        if name not in new:
            found.append(Difference(name, "the row is not there any more" + _reason(name, after), True))
        else:
            found += _row(row, new[name], points, percent)
    found += [Difference(name, "the row is new", False) for name in new if name not in old]
    held = {f["id"]: f["holds"] for f in before["findings"]}
    for finding in after["findings"]:
        was = held.get(finding["id"])
        if was is not None and finding["holds"] is not None and was != finding["holds"]:
            told = "holds no more" if was else "holds now"
            found.append(Difference(finding["id"], f"'{finding['claim']}' {told}: {finding['figures']}", bool(was)))
    return sorted(found, key=lambda d: not d.worse)


def _reason(name: str, after: dict[str, Any]) -> str:
    net = name.rpartition("@")[0]
    return next((f": {f['sentence']}" for f in after["failures"] if f["id"] in (name, net, net.split(".")[0])), "")


def _row(old: dict[str, Any], new: dict[str, Any], points: float, percent: float) -> list[Difference]:
    name, found = old["id"], []
    a, b = old["accuracy"], new["accuracy"]
    if a is not None and b is not None:
        if (a["images"], a["data"], a["preprocess"]) != (b["images"], b["data"], b["preprocess"]):
            found.append(Difference(name, f"cannot be compared: {a['images']} images of {a['data']} before and {b['images']} of {b['data']} now, or "
                                    "prepared in another way", False))
            return found
        change = b["top1"] - a["top1"]
        if abs(change) > points + 1e-9:
            found.append(Difference(name, f"top-1 {a['top1']:.2f} % before, {b['top1']:.2f} % now ({change:+.2f} points)", change < 0))
        if a["valid"] != b["valid"] and None not in (a["valid"], b["valid"]):
            found.append(Difference(name, f"the accuracy constraint is {'kept' if b['valid'] else 'broken'} now ({b['bound']})", not b["valid"]))
    elif (a is None) != (b is None):
        found.append(Difference(name, "an accuracy is there now" if a is None else "the accuracy is not there any more", b is None))
    return found + _speeds(name, old["throughput"], new["throughput"], percent)


def _speeds(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None, percent: float) -> list[Difference]:
    if old is None or new is None:
        return [] if old is None else [Difference(name, "the throughput is not there any more", True)]
    found = []
    for key, what in (("hardware_fps", "hardware FPS"), ("in_turn_fps", "hardware FPS in turns"), ("end_to_end_fps", "end-to-end FPS")):
        if old.get(key) and new.get(key):
            change = 100 * (new[key] / old[key] - 1)
            if abs(change) > percent:
                found.append(Difference(name, f"{what} {old[key]:.1f} before, {new[key]:.1f} now ({change:+.1f} %)", change < 0))
    return found
