"""Write docs/pitfall.md from a run of the suite `pitfall`.

  python scripts/pitfall_page.py [FOLDER] [--docs docs]

FOLDER is what `pycaffe-acc report --suite pitfall --out FOLDER` made. Its document, without the tables by layer and the figures' points, becomes
docs/pitfall.json, and some of its pictures docs/pictures/pitfall_*.png; the page is made of these. Without FOLDER the page is made anew.
"""
from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.suite.document import read_document, write_document
from pycaffe_acc.suite.findings import NOISE, findings

ROOT = Path(__file__).resolve().parents[1]
HOST, CARD = "host", "MLU100"
PICTURES = ("fig5", "fig6a-host", "fig6b-host", "fig6b-MLU100", "fig7-accuracy", "fig7a-host")
_NO_ROW = "–"

INTRO = """\
# The pitfall, run here

Made by `scripts/pitfall_page.py` from [pitfall.json](pitfall.json); change those, not this page.

"The Pitfall of Evaluating Performance on Emerging AI Accelerators" shows that a throughput says little without the accuracy beside it, and a
hardware FPS little without the end-to-end FPS. This is its set of experiments on networks whose weights and labelled pictures were at hand, by one
command ([report.md](report.md)):

```
pycaffe-acc report --suite pitfall --data DIR --out report
pycaffe-acc report diff docs/pitfall.json report/report.json      # yours beside these
```

**`host` is measured** by this machine's clock. **`MLU100` is simulated**: answers in its arithmetic are computed here, times are those of an
[event model](virtual_cards.md) fitted to published figures. Neither says anything about the other."""

TOLERANCE = """\
**How much these verdicts can bear.** Some of what they rest on was settled after earlier runs in which measured findings did not hold: that
measured gains within {noise} of each other decide nothing, that decoding "dominates" from three quarters of the time on (half, before), the
entry with enlarged pictures and its 13 megapixels (3, before), longer turns, and that sets of fewer than 100 pictures do not count for what INT8
costs. The runs before gave other verdicts on the host: for the end-to-end gain of INT8, for where it vanishes, and for the flattening with
sparsity. The machine's own noise is about as large as the tolerance. Without it, of the rows of this page:"""

HOST_NOTE = """\
Hardware FPS is with inputs in memory, the nets of a model taking turns; end to end is from JPEG or array to answer over all images. "Broken" is a
top-1 below 99 % of FP16's over the same images. The weights of networks without a top-1 are seeded: no accuracy claim, so no verdict either."""

CARD_NOTE = "All figures of this table are simulated, 8 cores and 4 threads (DP 8). One decoding host feeds the card, as the model of it has it."


def slim(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what only the page of a report draws."""
    return document | {"layers": [], "figures": []}


def environment_line(document: dict[str, Any]) -> str:
    """Where and when."""
    e, rows = document["environment"], document["rows"]
    packages = ", ".join(f"{name} {e['packages'][key]}" for name, key in (("NumPy", "numpy"), ("Numba", "numba")))
    return (f"{len(rows)} rows of {len({r['model'] for r in rows})} entries of the suite, of {document['finished'][:10]}, on {e['threads']} threads "
            f"of {e['cpu']} ({e['cpus']} CPUs), Python {e['python']}, {packages}.")


def findings_table(document: dict[str, Any]) -> str:
    """Claim by claim."""
    words = {True: "holds", False: "**does not hold**", None: "not judged"}
    lines = ["| claim | on | verdict | figures |", "| --- | --- | --- | --- |"]
    for f in document["findings"]:
        where = "all" if f["device"] == "any" else f"{f['device']}, {f['time']}"
        lines.append(f"| {f['claim']} | {where} | {words[f['holds']]} | {f['figures']} |")
    return "\n".join(lines)


def tolerance_note(document: dict[str, Any]) -> str:
    """What the verdicts would be if the noise of the clock were no excuse."""
    strict = []
    for f in findings(document["rows"], noise=0.0):
        against = [c["name"] for c in f["cases"] if c["holds"] is False]
        if f["time"] == "measured" and against:
            strict.append(f'- "{f["claim"]}": {len(against)} of {len(f["cases"])} cases are against it ({"; ".join(against)})')
    return TOLERANCE.format(noise=f"{NOISE:.0%}") + "\n\n" + ("\n".join(strict) or "- none")


def _cell(row: dict[str, Any] | None, end_to_end: bool) -> str:
    t = None if row is None else row["throughput"]
    if t is None:
        return _NO_ROW
    return f"{t['end_to_end_fps'] if end_to_end else t['in_turn_fps'] or t['hardware_fps']:,.0f}"


def _accuracy(row: dict[str, Any] | None) -> str:
    if row is None or row["accuracy"] is None:
        return _NO_ROW
    broken = " (broken)" if row["accuracy"]["valid"] is False else ""
    return f"{row['accuracy']['top1']:.2f}{broken}"


def dense_table(document: dict[str, Any], device: str, variants: dict[str, str]) -> str:
    """Accuracy, hardware FPS and end-to-end FPS of dense nets, a line a network."""
    rows = [r for r in document["rows"] if r["device"] == device and not r["sparsity"] and r["runtime"] == "pycaffe-acc"]
    heads = [f"{what}, {title}" for what in ("top-1 %", "hardware FPS", "end-to-end FPS") for title in variants.values()]
    lines = ["| network | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for model in dict.fromkeys(r["model"] for r in rows):
        mine = {r["variant"]: r for r in rows if r["model"] == model}
        cells = [_accuracy(mine.get(v)) for v in variants] + [_cell(mine.get(v), whole) for whole in (False, True) for v in variants]
        lines.append(f"| {next(iter(mine.values()))['title']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sparse_table(document: dict[str, Any], device: str, variant: str) -> str:
    """What zeros buy and cost: a line a network and way of pruning, a column a sparsity."""
    rows = [r for r in document["rows"] if r["device"] == device and r["variant"] == variant and r["runtime"] == "pycaffe-acc"]
    shares = sorted({r["sparsity"] for r in rows})
    lines = ["| network, pruned by | " + " | ".join("dense" if not s else f"{s:.0%}" for s in shares) + " |", "| --- |" + " ---: |" * len(shares)]
    for model, way in dict.fromkeys((r["model"], r["pruning"]) for r in rows if r["sparsity"]):
        mine = {r["sparsity"]: r for r in rows if r["model"] == model and (not r["sparsity"] or r["pruning"] == way)}
        cells = [f"{mine[s]['accuracy']['top1']:.1f} %, {_cell(mine[s], False)} / {_cell(mine[s], True)}" if s in mine else "" for s in shares]
        lines.append(f"| {mine[0.0]['title']}, {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def runtime_table(document: dict[str, Any]) -> str:
    """Other runtimes on the same exported model."""
    lines = ["| network, FP32 | runtime | top-1 % | hardware FPS | end-to-end FPS |", "| --- | --- | ---: | ---: | ---: |"]
    models = {r["model"] for r in document["rows"] if r["runtime"] != "pycaffe-acc"}
    for r in document["rows"]:
        if r["model"] in models and r["device"] == HOST and r["variant"] == "fp32" and not r["sparsity"]:
            lines.append(f"| {r['title']} | {r['runtime']} {r['runtime_version']} | {_accuracy(r)} | {_cell(r, False)} | {_cell(r, True)} |")
    return "\n".join(lines)


def page(document: dict[str, Any]) -> str:
    """The text of the page.

    Parameters
    ----------
    document : dict
        Of a report.
    """
    pictures = {name: f"![{name}](pictures/pitfall_{name}.png)" for name in PICTURES}
    failures = [f"- {f['id']}: {f['sentence']}" for f in document["failures"]] or ["Nothing failed."]
    parts = [INTRO, environment_line(document), "## Findings", findings_table(document), tolerance_note(document), pictures["fig5"],
             "## Accuracy and throughput, measured", HOST_NOTE,
             dense_table(document, HOST, {"fp16": "FP16", "int8": "INT8 best", "int8-vendor": "INT8 vendor's way"}), pictures["fig6a-host"],
             pictures["fig6b-host"], "## Accuracy and throughput, simulated MLU100", CARD_NOTE,
             dense_table(document, CARD, {"fp16": "FP16", "int8-vendor": "INT8 vendor's way"}), pictures["fig6b-MLU100"],
             "## Sparsity, measured", "FP16: top-1, hardware FPS / end-to-end FPS. Pruned without training; more sparsities and ways are on "
             "[a page of their own](pruning.md).", sparse_table(document, HOST, "fp16"), pictures["fig7-accuracy"], pictures["fig7a-host"],
             "## Sparsity, simulated MLU100", "FP16, as above; simulated.", sparse_table(document, CARD, "fp16"),
             "## Other runtimes, measured", "The same exported model, the same pictures, taking turns.", runtime_table(document),
             "## What failed", "\n".join(failures)]
    return "\n\n".join(parts) + "\n"


def copy(folder: Path, docs: Path) -> None:
    """Document and pictures of a run."""
    write_document(slim(read_document(folder / "report.json")), docs / "pitfall.json")
    for name in PICTURES:
        shutil.copyfile(folder / "figures" / f"{name}.png", docs / "pictures" / f"pitfall_{name}.png")


def main() -> None:
    """Copy, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    if options.folder is not None:
        copy(options.folder, options.docs)
    with whole_file(options.docs / "pitfall.md") as part:
        part.write_text(page(read_document(options.docs / "pitfall.json")), encoding="utf-8")


if __name__ == "__main__":
    main()
