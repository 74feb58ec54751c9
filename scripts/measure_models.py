"""Evaluate the models of PYCAFFE_ACC_DATA and write the rows of the README's table.

  PYCAFFE_ACC_DATA=FOLDER python scripts/measure_models.py [NAME …] [--limit N] [--batch N] [--threads T]
                                                                [--precision P] [--out FILE]

One line of Markdown a model: accuracy and throughput over the same images, measured here and now. Run it on an idle machine.
"""
from __future__ import annotations

import argparse
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Model(NamedTuple):
    """What to run, and the accuracy that others measured with the same weights, images and preprocessing."""

    prototxt: str
    weights: str
    images: tuple[str, ...]
    options: tuple[str, ...]
    known: str


def _imagenet(mean: str | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    images = ("--images", "imagenet1000/val.txt", "--root", "imagenet1000/img")
    return images, ("--preprocess", "caffe-tool", *(("--mean", mean) if mean else ()))


_RESNET_MEAN = "103.53,116.28,123.675"
MODELS: dict[str, Model] = {
    "LeNet": Model("lenet_mnist/lenet.prototxt", "lenet_mnist/lenet_iter_10000.caffemodel", ("--dataset", "mnist:mnist"),
                   ("--preprocess", "raw", "--scale", "0.00390625"), "99.14"),
    "GoogLeNet": Model("googlenet/deploy.prototxt", "googlenet/bvlc_googlenet.caffemodel", *_imagenet(), "77.8 / 94.2"),
    "SqueezeNet v1.0": Model("squeezenet_v1.0/forresti_v1.0_deploy.prototxt",
                             "squeezenet_v1.0/squeezenet_v1.0_decompressed_forresti_names.caffemodel",
                             *_imagenet(), "65.0 / 86.3"),
    "SqueezeNet v1.1": Model("squeezenet_v1.1/deploy.prototxt", "squeezenet_v1.1/squeezenet_v1.1.caffemodel", *_imagenet(), "67.0 / 87.3"),
    "ResNet-18": Model("resnet18/ResNet-18-deploy.prototxt", "resnet18/resnet-18.caffemodel", *_imagenet(_RESNET_MEAN), "72.2 / 91.6"),
    "ResNet-50": Model("resnet50/ResNet-50-stride3x3-deploy.prototxt", "resnet50/resnet-50.caffemodel", *_imagenet(_RESNET_MEAN), "79.0 / 94.5"),
    "MobileNet v1 0.75": Model("mobilenet_v1_0.75/mobilenet_v1_0.75_224_k4_deploy.prototxt", "mobilenet_v1_0.75/mobilenet_v1_0.75_224_k4.caffemodel",
                               _imagenet()[0], ("--preprocess", "mobilenet"), "84.4 / 96.2"),
}
HEAD = ("| model | top-1 % | top-5 % | known top-1 / top-5 | images | batch | threads | hardware FPS | end-to-end FPS | p50 ms | preprocessing |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|")


def weights_file(data: Path, name: str, folder: Path) -> Path:
    """The weights, unpacked into `folder` when only an .xz is there."""
    path = data / "models" / name
    if path.is_file():
        return path
    target = folder / path.name
    with lzma.open(f"{path}.xz") as packed, target.open("wb") as out:
        shutil.copyfileobj(packed, out, 1 << 22)
    return target


def measure(data: Path, model: Model, args: argparse.Namespace, folder: Path) -> dict:
    """`pycaffe-acc eval --json` in a process of its own."""
    kind, path, *rest = model.images
    images = [kind, path.replace(":", f":{data}/") if ":" in path else f"{data}/{path}", *(r if r.startswith("--") else f"{data}/{r}" for r in rest)]
    words = ["--model", str(data / "models" / model.prototxt), "--weights", str(weights_file(data, model.weights, folder)), *images, *model.options,
             "--batch", str(args.batch), "--precision", args.precision, "--json"]
    for name in ("limit", "threads"):
        if getattr(args, name) is not None:
            words += [f"--{name}", str(getattr(args, name))]
    result = subprocess.run([sys.executable, "-m", "pycaffe_acc", "eval", *words], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return json.loads(result.stdout)


def line(name: str, model: Model, r: dict) -> str:
    """One row."""
    return (f"| {name} | {r['top1']:.2f} | {r['top5']:.2f} | {model.known} | {r['images']} | {r['batch']} | {r['threads']} | {r['hardware_fps']:.1f} "
            f"| {r['end_to_end_fps']:.1f} | {r['latency_ms']['p50']:.1f} | {r['preprocess'].partition(':')[0]} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODELS)}; default: all")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    data = Path(os.environ.get("PYCAFFE_ACC_DATA", ""))
    if not (data / "models").is_dir():
        raise SystemExit("set PYCAFFE_ACC_DATA to the folder of external models and images")
    rows, r = [HEAD], {}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.names or MODELS:
            r = measure(data, MODELS[name], args, Path(folder))
            rows.append(line(name, MODELS[name], r))
            print(rows[-1], file=sys.stderr, flush=True)
    e = r["environment"]
    rows.append(f"\nMeasured on {e['cpu']}, {e['cpus_usable']} CPUs, {args.precision}, Python {e['python']}, NumPy {e['packages']['numpy']}, Numba "
                f"{e['packages']['numba']}.")
    text = "\n".join(rows) + "\n"
    print(text)
    if args.out is not None:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
