"""Measure what pruning costs in accuracy and write the tables of docs/pruning.md.

  PYCAFFE_ACC_DATA=FOLDER python scripts/measure_pruning.py [NAME …] [--sparsity S …] [--way W …] [--results F.json] [--out docs/pruning.md]

Every model is pruned as the vendor's tools do it and in our ways, and evaluated in FP32 over the same images; calibration images are never among
those. What a results file holds already is not measured again, so that a run can be broken off and continued. The page is made of everything that is
in it.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from measure_int8 import CASES, image_options, run
from measure_models import ROOT, weights_file

SPARSITIES = (0.5, 0.7, 0.9, 0.3, 0.8, 0.6, 0.4, 0.2, 0.1)  # in the order they are measured
_GRID = tuple(sorted(SPARSITIES))


class Way(NamedTuple):
    """A way to prune.

    Attributes
    ----------
    head : str
        Of its table.
    options : tuple of str
        Of `prune`; none for the vendor's tools.
    """

    head: str
    options: tuple[str, ...]


WAYS: dict[str, Way] = {
    "vendor": Way("as the vendor's tools: `set_sparse`, `convert_caffemodel`", ()),
    "compensated": Way("`prune --compensate`", ("--compensate",)),
    "spread": Way("`prune --compensate --spread global`", ("--compensate", "--spread", "global")),
    "block4": Way("`prune --method block4 --compensate`", ("--method", "block4", "--compensate")),
    "magnitude": Way("`prune`, without images", ()),
}


class Job:
    """The commands about one model."""

    def __init__(self, name: str, data: Path, folder: Path):
        self._case, self._folder = CASES[name], folder
        self._images = image_options(self._case, data, folder)
        self._options = [str(data / o) if o.endswith(".npy") else o for o in self._case.options]
        self._net = str(data / "models" / self._case.prototxt), str(weights_file(data, self._case.weights, folder))

    def accuracy(self, model: str, weights: str) -> dict[str, Any]:
        """Of a net."""
        r = run("eval", "--model", model, "--weights", weights, "--batch", "10", *self._images.evaluation, *self._options)
        return {"top1": r["top1"], "top5": r["top5"], "images": r["images"]}

    def dense(self) -> dict[str, Any]:
        """Of the net as it is, with what is said about all its rows."""
        return {**self.accuracy(*self._net), "of": self._case.images, "calibration": self._images.about}

    def pruned(self, way: str, sparsity: float) -> dict[str, Any]:
        """Of the net pruned in one way."""
        model, weights, about = self._vendor(sparsity) if way == "vendor" else self._ours(WAYS[way].options, sparsity)
        return {**self.accuracy(model, weights), **about}

    def _vendor(self, sparsity: float) -> tuple[str, str, dict[str, Any]]:
        model, weights = (shutil.copy(file, self._folder / f"vendor{Path(file).suffix}") for file in self._net)
        run("set_sparse", str(model), str(sparsity))
        words = ["convert_caffemodel", "proto", "-model", f"{model}.sparse", "-weights", str(weights)]
        subprocess.run([sys.executable, "-m", "pycaffe_acc", *words], check=True, cwd=ROOT, capture_output=True)
        return f"{model}.sparse", f"{str(weights).removesuffix('.caffemodel')}.cnml.caffemodel", {}

    def _ours(self, options: tuple[str, ...], sparsity: float) -> tuple[str, str, dict[str, Any]]:
        files = str(self._folder / "ours.prototxt"), str(self._folder / "ours.caffemodel")
        images = self._images.calibration if "--compensate" in options else []
        r = run("prune", "--model", self._net[0], "--weights", self._net[1], "--sparsity", str(sparsity), *options, *images,
                *self._options, "--out", files[0], "--out-weights", files[1])
        return *files, {"achieved": r["achieved"], "calibration_images": r["images"]}


def main() -> None:
    """Measure what was asked for, keep it, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--sparsity", type=float, nargs="+", default=SPARSITIES, metavar="S")
    parser.add_argument("--way", nargs="+", choices=tuple(WAYS), default=tuple(WAYS))
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "pruning.json", help="where measured rows are kept")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pruning.md")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, only write the tables again")
    args = parser.parse_args()
    results = json.loads(args.results.read_text(encoding="utf-8")) if args.results.is_file() else {}
    if not args.page_only:
        data = Path(os.environ.get("PYCAFFE_ACC_DATA", "")).resolve()
        if not (data / "models").is_dir():
            raise SystemExit("set PYCAFFE_ACC_DATA to the folder of external models and images")
        for sparsity in args.sparsity:
            for name in args.names or CASES:
                measure(name, sparsity, args.way, data, results, args.results)
    text = args.out.read_text(encoding="utf-8") if args.out.is_file() else ""
    args.out.write_text(text.partition(_HEAD.splitlines()[0])[0] + measured(results), encoding="utf-8")


def measure(name: str, sparsity: float, ways: tuple[str, ...], data: Path, results: dict[str, Any], path: Path) -> None:
    """One model at one sparsity, in the ways that were not measured yet."""
    row = results.setdefault(name, {})
    with tempfile.TemporaryDirectory() as folder:
        job = Job(name, data, Path(folder))
        todo = [way for way in ways if f"{sparsity:g}" not in row.get(way, {})]
        if "dense" not in row:
            row["dense"] = job.dense()
        for way in todo:
            row.setdefault(way, {})[f"{sparsity:g}"] = found = job.pruned(way, sparsity)
            path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            print(name, f"{sparsity:g}", way, found, file=sys.stderr, flush=True)


def measured(results: dict[str, Any]) -> str:
    """The part of the page that is made of results."""
    rows = {name: results[name] for name in CASES if name in results}
    lines = [_HEAD]
    for way, (head, _) in WAYS.items():
        if not any(way in row for row in rows.values()):
            continue
        lines += [f"### {head[0].upper() + head[1:]}", "", f"| model | images | dense | {' | '.join(f'{s:g}' for s in _GRID)} |",
                  "|" + (len(_GRID) + 3) * "---|"]
        for name, row in rows.items():
            if way in row:
                cells = [f"{row[way][f'{s:g}']['top1']:.2f}" if f"{s:g}" in row[way] else "" for s in _GRID]
                lines.append(f"| {name} | {row['dense']['images']} of {row['dense']['of']} | {row['dense']['top1']:.2f} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join([*lines, _advantage(rows), _READING])


def _advantage(rows: dict[str, Any], sparsity: str = "0.5") -> str:
    """How much more is kept than by the vendor's way."""
    lines = [f"At sparsity {sparsity}, points of top-1 more than the vendor's way:", "", "| model | vendor | ours | more | blocks of 4 | more |",
             "|---|---|---|---|---|---|"]
    gains: dict[str, list[float]] = {"compensated": [], "block4": []}
    for name, row in rows.items():
        if sparsity not in row.get("vendor", {}) or sparsity not in row.get("compensated", {}):
            continue
        base = row["vendor"][sparsity]["top1"]
        cells = [f"{base:.2f}"]
        for way, found in gains.items():
            if sparsity in row.get(way, {}):
                top1 = row[way][sparsity]["top1"]
                found.append(top1 - base)
                cells += [f"{top1:.2f}", f"{top1 - base:+.2f}"]
            else:
                cells += ["", ""]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    means = [f"{sum(found) / len(found):+.2f}" if found else "" for found in gains.values()]
    return "\n".join([*lines, f"| **mean** | | | {means[0]} | | {means[1]} |", ""])


_HEAD = """## What it costs in accuracy

Top-1 in percent over the same images in FP32, for shares of zeros from 0.1 to 0.9; empty cells were not measured. This part of the page is made by
`scripts/measure_pruning.py` from runs of `set_sparse`, `convert_caffemodel`, `prune` and `eval`.
"""
_READING = """- The share is that of the layers that are pruned: all of them in the vendor's way, all but the first convolution in ours.
  That one holds 1.1 % of the weights in SqueezeNet v1.0, and less in the others. Ours leave depthwise convolutions alone as well.
- The vendor's zeros come in pairs and those of `block4` in fours, which costs more than single weights do.
- Calibration images are those of [accuracy.md](accuracy.md), 128 of them (CIFAR-10: 200), and none is among the evaluated ones. No labels are used.
- One image is 0.15 points of `ilsvrc_val`. The rules of `--compensate` were settled on SqueezeNet v1.1 over images of `imagenet1000` that are neither
  calibration images nor those of these tables.
- `ilsvrc_val` is no random subset of ImageNet's validation set: it serves for differences, not for absolute claims.
- MLPerf's closed division forbids pruning; figures of pruned nets compare with its open division only.
"""


if __name__ == "__main__":
    main()
