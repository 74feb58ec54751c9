"""The lines and the JSON document at the end of a run."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.runners.number import number, two_places
from pycaffe_acc.runners.tally import Figures, Tally

#: environment variable that names the file for the JSON document
JSON_FILE = "OUTPUT_JSON_FILE"
#: environment variable; "ON" adds end-to-end throughput to the newer generation's lines
END_TO_END = "OUTPUT_E2E"
_NEWER_WORDS = ("top1", "top5")


def thread_lines(tallies: list[Tally], newer: bool) -> list[str]:
    """Accuracy of each pipeline over its own images."""
    lines = []
    for i, tally in enumerate(tallies):
        lines += [f"Accuracy thread id : {i}", *(tally.hits.lines(tally.hits.images, _NEWER_WORDS) if newer else
                                                tally.hits.lines(tally.hits.images))]
    return lines


def closing_lines(figures: Figures, newer: bool, hardware: bool, device: str) -> list[str]:
    """The lines about the whole run.

    Parameters
    ----------
    figures : Figures
    newer : bool
        The MLU270 generation's lines.
    hardware : bool
        Whether there is a hardware time to tell.
    device : str
        Name of the card, for the line that says which times are simulated; empty for runs without one.

    Returns
    -------
    list of str
    """
    lines = [f"Total execution time: {number(figures.wall_us)} us", "Global accuracy : "]
    lines += figures.hits.lines(figures.images, _NEWER_WORDS) if newer else figures.hits.lines(figures.images)
    return lines + speed_lines(figures, newer, hardware, device)


def speed_lines(figures: Figures, newer: bool, hardware: bool, device: str) -> list[str]:
    """The part of `closing_lines` behind the accuracies."""
    lines = []
    end_to_end = f"End2end throughput fps: {number(figures.end_to_end_fps)}"
    if newer:
        lines += [f"throughput: {number(figures.throughput)}"] if hardware else []
        lines += [end_to_end] if os.environ.get(END_TO_END) == "ON" else []
        lines += [f"Latency: {two_places(figures.latency_us)}"] if hardware else []
    else:
        lines += [f"Hardware fps: {number(figures.hardware_fps)}"] if hardware else []
        lines.append(end_to_end)
    if hardware:
        lines.append(f"Images per second of the time in which a function ran: {number(figures.busy_fps)}")
    if device:
        lines.append(f"{device} is a virtual card: these figures of speed are simulated, decoding and conversion on its host included.")
    return lines


def document(figures: Figures, newer: bool, hardware: bool, mean_ap: float = -1.0, accuracy: bool = True) -> dict[str, Any]:
    """The vendor's JSON document: texts with two decimals, -1 for what does not apply, accuracies in percent.

    Parameters
    ----------
    figures : Figures
    newer, hardware : bool
        See `closing_lines`.
    mean_ap : float
    accuracy : bool
        Whether there are labels.
    """
    def percent(hits: int) -> str:
        return two_places(100 * hits / figures.images if accuracy else -1)
    fps = figures.throughput if newer else figures.hardware_fps
    return {"output": {"accuracy": {"top1": percent(figures.hits.top1), "top5": percent(figures.hits.top5), "meanAp": two_places(mean_ap)},
                       "performance": {"hardwaretime": two_places(figures.hardware_us if hardware else -1),
                                       "hardwareFps": two_places(fps if hardware else -1), "endToEndTime": two_places(figures.wall_us),
                                       "endToEndFps": two_places(figures.end_to_end_fps)}}}


def write_document(contents: dict[str, Any]) -> None:
    """Write the document where the environment's OUTPUT_JSON_FILE says; nothing without it.

    Raises
    ------
    CheckError
        When it cannot be written.
    """
    name = os.environ.get(JSON_FILE)
    if not name:
        return
    try:
        with whole_file(Path(name)) as part:
            part.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")
    except OSError as e:
        raise CheckError(f"{JSON_FILE} is '{name}', where no file can be written: {e}") from e
