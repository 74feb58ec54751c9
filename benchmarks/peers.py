"""This package against OpenVINO, onnxruntime and OpenCV on the twelve networks, in turn in one run.

    python benchmarks/peers.py [--precision int8] [--out FOLDER] [--only NAMES] [--threads 1,2] [--batches 1,8] [--rounds 9] [--seconds 12] [--resume]
                               [--quick]

Every network runs in a process of its own. At every setting each engine runs first to compare its output with ours (within 1e-3 of the greatest
value; one that fails is listed with the reason) and to see how long it takes; then they take turns (A B C D A B C D ...). A turn lasts
60 ms or one forward, whichever is longer, after a forward that does not count (unless one takes 250 ms); an engine 2.5 times slower than the
fastest takes part in every third round. A setting ends after --rounds rounds, or after --seconds and three rounds. The result of an engine is the
median over the rounds of each round's median. The multiply-add limit is measured in every round.

With --precision int8 every engine computes in INT8 on the same net, which is quantized here with seeded inputs, beside our own FP32; what each gets,
when outputs agree and how it is known that peers do compute in INT8 is in `peers_int8.py`. The limit is then that of products of bytes.

FOLDER (default build/peers, for INT8 build/peers_int8) gets peers.json, peers.md, and with matplotlib peers.png and, of FP32, roofline.png. An
interrupted run continues with --resume.
"""
from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from peers_tables import markdown

from cnrt.whole_file import whole_file

HERE = Path(__file__).resolve().parent
NETWORKS = ("alexnet", "googlenet", "inception_v3", "mobilenet_v1", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "squeezenet_v1.1",
            "vgg16", "vgg19")
ENGINES = {"fp32": ("ours", "openvino", "onnxruntime", "opencv", "ours_fp16"), "int8": ("ours", "openvino", "onnxruntime", "opencv", "ours_fp32")}
FOLDERS = {"fp32": Path("build/peers"), "int8": Path("build/peers_int8")}


def numbers(text: str) -> list[int]:
    """`1,2` as a list."""
    values = [int(v) for v in text.split(",")]
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' must be whole numbers of at least 1 with commas between them")
    return values


def names(text: str) -> list[str]:
    """`a,b` as a list."""
    return text.split(",")


def now() -> str:
    """Date and minute, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=tuple(ENGINES), default="fp32")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", type=names, metavar="NAMES", default=list(NETWORKS), help="networks, with commas between them")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="take FOLDER/NAME/deploy.prototxt instead of the zoo's networks")
    parser.add_argument("--engines", type=names, help="`ours` must be among them")
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--batches", type=numbers, default=[1, 8])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=12.0, help="for the rounds of a setting, but never less than three rounds")
    parser.add_argument("--resume", action="store_true", help="keep the settings that FOLDER already holds")
    parser.add_argument("--quick", action="store_true", help="two rounds of each, one thread, batch 1: shows that everything works")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.threads, options.batches = 2, [1], [1]
    known = ENGINES[options.precision]
    options.out, options.engines = options.out or FOLDERS[options.precision], options.engines or list(known)
    if set(options.engines) - set(known) or "ours" not in options.engines:
        parser.error(f"--engines {','.join(options.engines)}: must hold `ours`, and the others must be of {', '.join(known)}")
    unknown = [n for n in options.only if options.models is None and n not in NETWORKS]
    if unknown:
        parser.error(f"--only {','.join(options.only)}: '{unknown[0]}' is none of {', '.join(NETWORKS)}")
    return options


def run_network(name: str, result: Path, options: argparse.Namespace) -> bool:
    """Measure a network in a process of its own; whether that went well."""
    command = [sys.executable, str(HERE / "peers_network.py"), name, str(result), "--threads", json.dumps(options.threads), "--batches",
               json.dumps(options.batches), "--engines", json.dumps(options.engines), "--rounds", str(options.rounds), "--seconds",
               str(options.seconds), "--precision", options.precision]
    if options.models is not None:
        command += ["--models", str(options.models)]
    # numpy's own threads would hold cores while weights are packed, and the checkout is what is measured
    path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run(command, env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": path}, check=False).returncode == 0


def gather(folder: Path, order: list[str], started: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """One document of the networks' files; None without any."""
    files = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in folder.glob("*.json")}
    networks = [files[n] for n in (*order, *sorted(set(files) - set(order))) if n in files and files[n]["settings"]]
    if not networks:
        return None
    environment = networks[-1]["environment"]
    for network in networks:
        network.pop("environment")
    return {"started": started, "finished": now(), "precision": options.precision, "options": {"rounds": options.rounds, "seconds": options.seconds},
            "environment": environment, "networks": rounded(networks)}


def rounded(value: Any) -> Any:
    """The same with numbers of six digits."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def start_of(folder: Path, resume: bool) -> str:
    """When the run that FOLDER holds began; forgets that run unless it is resumed."""
    mark = folder / "started"
    if not resume:
        for path in folder.glob("*.json"):
            path.unlink()
        mark.unlink(missing_ok=True)
    if not mark.is_file():
        mark.write_text(now(), encoding="utf-8")
    return mark.read_text(encoding="utf-8")


def write(document: dict[str, Any], out: Path) -> None:
    """peers.json, peers.md, and the pictures where matplotlib is installed."""
    for name, text in (("peers.json", json.dumps(document) + "\n"), ("peers.md", markdown(document))):
        with whole_file(out / name) as part:
            part.write_text(text, encoding="utf-8")
    try:
        from peers_plots import plot_ratios, plot_rooflines
    except ModuleNotFoundError as e:
        print(f"no pictures: {e}; pip install 'pycaffe-acc[report]'")
        return
    plot_ratios(document, out / "peers.png")
    if document["precision"] == "fp32":
        plot_rooflines(document, out / "roofline.png")


def main(arguments: list[str] | None = None) -> int:
    """Measure, write, print the Markdown."""
    options = parse(arguments)
    folder = options.out / "networks"
    folder.mkdir(parents=True, exist_ok=True)
    started = start_of(folder, options.resume)
    failed = [name for name in options.only if not run_network(name, folder / f"{name}.json", options)]
    document = gather(folder, options.only, started, options)
    if document is not None:
        write(document, options.out)
        print(markdown(document))
    if failed:
        print(f"not (wholly) measured: {', '.join(failed)}; the reasons stand above. --resume measures what is missing")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
