"""Measure what INT8 costs in accuracy and write docs/accuracy.md.

  PYCAFFE_ACC_DATA=FOLDER python scripts/measure_int8.py [NAME …] [--bound POINTS] [--results F.json] [--out docs/accuracy.md]

Every model is evaluated over the same images in FP32, in FP16, in INT8 as the vendor's tools and card have it, and in INT8 as `quantize` does it best
without labels; throughput is that of the same runs. Calibration images are never among those. With --bound, `quantize --max-drop` is run as well.
Results are kept in a JSON file, so that models can be measured one by one; the page is made of everything that is in it.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from measure_models import MODELS, ROOT, weights_file

CALIBRATION = 200
BEST = ("--method", "mse", "--bias-correction", "--weight-rounding", "adaptive")
FIGURES = ("top1", "top5", "hardware_fps", "end_to_end_fps")
COLUMNS = {"fp32": "FP32", "fp16": "FP16", "vendor": "INT8, vendor", "best": "INT8, best"}
_EVERY = 5  # of the thousand images that calibration images are taken from
_CIFAR = ("--preprocess", "raw", "--mean", "cifar10/mean.npy", "--order", "RGB")


class Case(NamedTuple):
    """A model, its preprocessing, and which images it is judged on."""

    prototxt: str
    weights: str
    options: tuple[str, ...]
    images: str
    more: tuple[str, ...] = ()  # options of quantize besides BEST


def _known(name: str, images: str = "ilsvrc_val", more: tuple[str, ...] = ()) -> Case:
    model = MODELS[name]
    return Case(model.prototxt, model.weights, model.options, images, more)


CASES: dict[str, Case] = {
    **{name: _known(name) for name in ("GoogLeNet", "SqueezeNet v1.0", "SqueezeNet v1.1", "ResNet-18", "ResNet-50")},
    "MobileNet v1 0.75": _known("MobileNet v1 0.75", "imagenet1000", ("--keep-float", "regex:.*/dw")),
    "CIFAR-10 ResNet-20": Case("cifar10_resnet/res20_cifar_deploy.prototxt", "cifar10_resnet/ResNet_20.caffemodel", _CIFAR, "cifar10"),
    "CIFAR-10 ResNet-56": Case("cifar10_resnet/res56_cifar_deploy.prototxt", "cifar10_resnet/ResNet_56.caffemodel", _CIFAR, "cifar10"),
}


class Images(NamedTuple):
    """Options that name images."""

    calibration: list[str]
    evaluation: list[str]
    validation: list[str]
    about: str


def image_options(case: Case, data: Path, folder: Path) -> Images:
    """Calibration images and those that accuracy is measured on; lists are written into `folder`."""
    if case.images == "cifar10":
        test = f"cifar10:{data}/cifar10/test2000.npz"
        return Images(["--dataset", f"cifar10:{data}/cifar10/train500_calibration.npz", "--limit", str(CALIBRATION)], ["--dataset", test],
                      ["--validate-dataset", test], f"{CALIBRATION} of CIFAR-10's training set")
    lines = (data / "imagenet1000" / "val.txt").read_text(encoding="utf-8").splitlines()
    chosen, rest = folder / "calibration.txt", folder / "rest.txt"
    chosen.write_text("\n".join(lines[::_EVERY]) + "\n", encoding="utf-8")
    rest.write_text("\n".join(line for i, line in enumerate(lines) if i % _EVERY) + "\n", encoding="utf-8")
    root = str(data / "imagenet1000" / "img")
    calibration = ["--images", str(chosen), "--root", root]
    about = f"{len(lines[::_EVERY])} of imagenet1000"
    if case.images == "imagenet1000":
        return Images(calibration, ["--images", str(rest), "--root", root], ["--validate", str(rest), "--validate-root", root], about)
    listed, root = str(data / case.images / "val.txt"), str(data / case.images / "img")
    return Images(calibration, ["--images", listed, "--root", root], ["--validate", listed, "--validate-root", root], about)


def run(*words: str, allowed: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """A verb's JSON, from a process of its own."""
    result = subprocess.run([sys.executable, "-m", "pycaffe_acc", *words, "--json"], stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT)
    if result.returncode not in allowed:
        raise SystemExit(f"pycaffe-acc {' '.join(words)} ended with status {result.returncode}")
    document: dict[str, Any] = json.loads(result.stdout)
    return document


class Job:
    """The commands about one model."""

    def __init__(self, case: Case, data: Path, folder: Path):
        self._case, self._folder, self._images = case, folder, image_options(case, data, folder)
        self._options = [str(data / o) if o.endswith(".npy") else o for o in case.options]
        self._net = str(data / "models" / case.prototxt), str(weights_file(data, case.weights, folder))

    def _quantize(self, name: str, *words: str, allowed: tuple[int, ...] = (0,)) -> tuple[tuple[str, str], dict[str, Any]]:
        model, weights = self._net
        files = str(self._folder / f"{name}.prototxt"), str(self._folder / f"{name}.caffemodel")
        return files, run("quantize", "--model", model, "--weights", weights, *self._images.calibration, *self._options, *words, "--out", files[0],
                          "--out-weights", files[1], allowed=allowed)

    def accuracies(self) -> dict[str, Any]:
        """Of the four nets."""
        found: dict[str, Any] = {"calibration": self._images.about, "images": self._case.images, "more": " ".join(self._case.more)}
        vendor, best = self._quantize("vendor", "--method", "vendor")[0], self._quantize("best", *BEST, *self._case.more)[0]
        for key, precision, (model, weights) in (("fp32", "fp32", self._net), ("fp16", "fp16", self._net), ("vendor", "mlu", vendor),
                                                 ("best", "int8", best)):
            files = "--model", model, "--weights", weights, "--precision", precision, "--batch", "10"
            r = run("eval", *files, *self._images.evaluation, *self._options)
            found[key] = {name: r[name] for name in FIGURES}
            found["count"], found["preprocess"] = r["images"], r["preprocess"]
            found["machine"] = f"{r['environment']['cpu']}, {r['threads']} threads, batch {r['batch']}"
        return found

    def bounded(self, max_drop: float) -> dict[str, Any]:
        """Of `quantize --max-drop`."""
        words = (*BEST, *self._case.more, "--max-drop", str(max_drop), *self._images.validation, "--batch", "10")
        r = self._quantize("bounded", *words, allowed=(0, 1))[1]
        weighted = sum(row["weights"] is not None for row in r["layers"])
        return {"max_drop": max_drop, "met": r["bound"]["met"], "top1": r["bound"]["top1"], "fp32_top1": r["bound"]["fp32_top1"],
                "kept": [row["layer"] for row in r["bound"]["returned"]], "int8": weighted, "trials": len(r["bound"]["trials"])}


def page(results: dict[str, Any]) -> str:
    """The page."""
    rows = {name: results[name] for name in CASES if name in results}
    losses = {key: [r["fp32"]["top1"] - r[key]["top1"] for r in rows.values()] for key in ("fp16", "vendor", "best")}
    lines = [_HEAD, "| model | images | FP32 | FP16 | INT8, vendor | INT8, best | lost by vendor | lost by best |", "|" + 8 * "---|"]
    for name, r in rows.items():
        cells = [f"{r[key]['top1']:.2f} / {r[key]['top5']:.2f}" for key in ("fp32", "fp16", "vendor", "best")]
        lost = [f"{r['fp32']['top1'] - r[key]['top1']:+.2f}" for key in ("vendor", "best")]
        lines.append(f"| {name} | {r['count']} of {r['images']} | {' | '.join(cells)} | {' | '.join(lost)} |")
    lines.append(f"| **mean loss** | | | {_mean(losses['fp16'])} | | | {_mean(losses['vendor'])} | {_mean(losses['best'])} |")
    lines += ["", _READING, "", _THROUGHPUT_HEAD, f"| model | {' | '.join(COLUMNS.values())} | machine |", "|" + 6 * "---|"]
    for name, r in rows.items():
        cells = [f"{r[key]['hardware_fps']:.1f} / {r[key]['end_to_end_fps']:.1f}" for key in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} | {r['machine']} |")
    if any("bound" in r for r in rows.values()):
        lines += ["", _BOUND_HEAD, "| model | bound | FP32 | INT8 | lost | layers returned to floating point |", "|---|---|---|---|---|---|"]
        for name, r in rows.items():
            if "bound" in r:
                b = r["bound"]
                kept = f"{len(b['kept'])} of {len(b['kept']) + b['int8']}" + (f": {', '.join(b['kept'])}" if b["kept"] else "")
                lines.append(f"| {name} | {b['max_drop']:g} {'met' if b['met'] else 'NOT MET'} | {b['fp32_top1']:.2f} | {b['top1']:.2f} | "
                             f"{b['fp32_top1'] - b['top1']:+.2f} | {kept} |")
    lines += ["", "## How it was measured", "", "| model | calibration images | preprocessing | more options of the best mode |", "|---|---|---|---|"]
    for name, r in rows.items():
        more = f"`{r['more']}`" if r.get("more") else "none"
        lines.append(f"| {name} | {r['calibration']} | {r['preprocess']} | {more} |")
    return "\n".join([*lines, "", _COMMANDS])


def _mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):+.2f}"


_HEAD = """# Accuracy in INT8

Top-1 / top-5 in percent over the same images in every column of a row; losses are points of top-1 against FP32, with a + where something was lost.
The table is made by `scripts/measure_int8.py` from runs of `pycaffe-acc quantize` and `pycaffe-acc eval`.
"""
_READING = f"""- **INT8, vendor**: `--method vendor`, positions without scales as the vendor's tools write them, run in the card's arithmetic
  (`--precision mlu`: INT8 in the marked layers, FP16 between them).
- **INT8, best**: `{' '.join(BEST)}`, run with `--precision int8`: codes between layers, scales per output
  channel of the weights, no labels used; a model's own further options are in the last table.
- One image is 0.15 points of `ilsvrc_val`, 0.13 of the rest of `imagenet1000` and 0.05 of `cifar10`. A net that changes its answer on 1 % of the
  images wins some and loses some: differences of two or three images either way are chance.
- `ilsvrc_val` is no random subset of ImageNet's validation set (every net is some points better on it than published): it serves for differences,
  not for absolute claims. The MobileNet's input is a crop that those images are too small for, so it is judged on the images of `imagenet1000` that
  it was not calibrated with.
- Which method is "best" was settled on the scores of SqueezeNet v1.1, ResNet-18, GoogLeNet and the MobileNet, partly over the images of this table.
  The MobileNet with its depthwise layers in INT8 as well lost 1.25 points on these images (82.75 %); that they stay in floating point was decided
  after that, so its row is not free of selection. Negative losses are chance, and lower the mean."""
_THROUGHPUT_HEAD = """## Throughput of the same runs

Images per second over the images of the table above, hardware / end-to-end: the first counts the time in which a function ran on the device, the
second everything from the first file read to the last result, with JPEG decoding and preprocessing on the same cores
([definitions](evaluating.md#figures)). Measured, device `host`. Each figure is one run on a machine that others used as well, good for orders of
magnitude: [performance.md](performance.md) has paired ones.
"""
_BOUND_HEAD = """## With a bound

`quantize --max-drop` measures top-1 on labelled images, ranks the layers by what each alone does to the scores, and returns the worst to floating
point until the bound holds. The images are those of the table above, so the figures say that the bound was met there, not what others would give.
Layers that a model's own options (last table) keep in floating point are not counted. The nets are calibrated ten images at a time here, eight above,
so those without any layer returned may differ from the first table by an image or two.
"""
_COMMANDS = f"""The commands, with the files of a model:

```
pycaffe-acc quantize --model P --weights W --images LIST --method vendor --out Q
pycaffe-acc eval --model Q --weights W --images VAL --precision mlu --batch 10
pycaffe-acc quantize --model P --weights W --images LIST {' '.join(BEST)} --out Q --out-weights W2
pycaffe-acc eval --model Q --weights W2 --images VAL --precision int8 --batch 10
```

Where accuracy is lost, `pycaffe-acc quantize-report` says it layer by layer, worst first; see [evaluating](evaluating.md) for the images and
profiles. What pruning costs: [pruning](pruning.md).
"""


def note(name: str, found: dict[str, Any], path: Path, results: dict[str, Any]) -> None:
    """Keep what was measured, and show it."""
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(name, found, file=sys.stderr, flush=True)


def main() -> None:
    """Measure what was asked for, keep it, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--bound", type=float, metavar="POINTS", help="run quantize --max-drop, too")
    parser.add_argument("--bound-only", action="store_true", help="with --bound: keep the accuracies that were measured before")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "accuracy.json", help="where measured rows are kept")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "accuracy.md")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, only write the page again")
    args = parser.parse_args()
    data = Path(os.environ.get("PYCAFFE_ACC_DATA", "")).resolve()
    results = json.loads(args.results.read_text(encoding="utf-8")) if args.results.is_file() else {}
    if not args.page_only:
        if not (data / "models").is_dir():
            raise SystemExit("set PYCAFFE_ACC_DATA to the folder of external models and images")
        for name in args.names or CASES:
            with tempfile.TemporaryDirectory() as folder:
                job = Job(CASES[name], data, Path(folder))
                if not args.bound_only:
                    results[name] = job.accuracies()
                    note(name, {key: results[name][key]["top1"] for key in ("fp32", "fp16", "vendor", "best")}, args.results, results)
                if args.bound is not None:
                    results[name]["bound"] = job.bounded(args.bound)
                    note(name, results[name]["bound"], args.results, results)
    args.out.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
