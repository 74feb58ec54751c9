"""Write docs/performance.md, docs/performance_int8.md and their pictures from measured results.

    python benchmarks/performance_page.py [FOLDER] [--results benchmarks/results] [--docs docs]

FOLDER is what `peers.py --out` made, of either precision, with `conv_share.json` in it if `conv_share.py --json` wrote one there; its results are
first copied to benchmarks/results, which is what the pages are made of.
"""
from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from peers_plots import plot_ratios, plot_rooflines
from peers_tables import TITLES, failures, machine_lines, operations, precision, setting_table, settings, summary, summary_table

from cnrt.whole_file import whole_file

ROOT = Path(__file__).resolve().parents[1]
#: precision → the file of the engines' results and the one of the convolutions alone, in benchmarks/results; in FOLDER they have those of fp32
RESULTS = {"fp32": ("peers.json", "conv_share.json"), "int8": ("peers_int8.json", "conv_share_int8.json")}
PAGES = {"fp32": "performance.md", "int8": "performance_int8.md"}
PICTURES = {"fp32": "peers.png", "int8": "peers_int8.png"}

TURNS = """\
- Engines take turns in one process (A B C D A B C D …), one process a network. A turn lasts 60 ms or one forward, whichever is longer,
  after a forward that does not count (unless one takes 250 ms); an engine 2.5 times slower than the fastest takes part in every third
  round. The result is the median over the rounds of each round's median; the ratios are of these medians. At most {rounds} rounds; fewer,
  but three, where they take longer than {seconds:g} seconds."""

FP32 = """\
- OpenVINO and onnxruntime run the ONNX model that `pycaffe-acc export-onnx` writes: OpenVINO with the latency hint, one stream, FP32 asked
  for; onnxruntime with all graph optimisations; both fuse every BatchNorm, Scale, activation and sum in it. OpenCV reads prototxt and
  caffemodel with its own importer, Winograd allowed as it is by default. All get the same number of threads, and the input lies ready in
  their own form: converting pictures is not measured.
- Before anything is timed, each engine's output is compared with ours: within 1e-3 of the greatest value (FP16: 0.05), for the same inputs
  and weights."""

INT8 = """\
- The net is quantized once, with seeded inputs: a scale for each output channel of the weights, one for each layer's input. OpenVINO and
  onnxruntime run what `pycaffe-acc export-onnx --precision int8 --for openvino` and `--for onnxruntime` write of it (quantize-dequantize
  form), with codes also for results that no prototxt states them for, since onnxruntime computes in INT8 only where codes stand right behind
  a layer. How many of their convolutions and products do run in INT8 is read from their own graphs. OpenCV quantizes what its Caffe importer
  read itself, a scale for each channel. All get the same number of threads, and the input lies ready in float32.
- Before anything is timed, each engine's output is compared with ours: the root mean square of the difference is at most a tenth of ours
  (OpenCV and our own FP32, which are other functions: three tenths), and the class that it puts first is among our first five.
- Our INT8 results are the same bits whether a 3x3 convolution runs direct or as a Winograd convolution: that is exact, in 16-bit integers
  (ADR 0014)."""

MACHINE = """\
- With several threads, onnxruntime's helpers would spin for some 40 ms after a forward and hold a core in the others' turns; that is
  switched off (`session.force_spinning_stop`), and 5 ms pass between turns, since OpenVINO's and OpenCV's spin for about 1 ms.
- The multiply-add limit is a loop of independent vector multiply-adds (INT8: products of four bytes and their sum) in registers, the memory
  line a loop that sums 256 MiB, both in processor time and in the process that measures."""
METHODS = {"fp32": (TURNS, FP32, MACHINE), "int8": (TURNS, INT8, MACHINE)}

CAVEATS = """\
- **Weights are seeded** on all twelve networks, since the public ones of several (AlexNet, Inception-v3, the deeper ResNets, VGG) were not
  at hand. The recipe (`pycaffe_acc.create_fake_caffemodel`, the last layer scaled so that the softmax has something to say) keeps
  activations at their size; before timing, every blob is checked for infinities and denormals. Dense arithmetic takes the same time
  for other values. Accuracies with real weights are in the README and on the [page of accuracy](accuracy.md).
- **Operations are those of direct convolutions.** Winograd needs fewer, so a share above 100 % of the limit is no error, and it is no share
  of the machine's peak that is really used.
- Layers that move data (pooling, LRN, concatenation, softmax) count no operations but take time, so shares of the limit are of the whole
  network's.
- A time is of one forward that follows others of the same network, with weights in whatever cache holds them; the first forward of a
  process is slower.
- On a virtual machine, neighbours that share its memory bandwidth and clock cannot be seen from inside. Only ratios within one run count."""

ROOFLINE = """\
One point a layer as it runs after fusion (one thread, batch 1, best of seven), its area the share of the network's time. To the right:
operations of the direct convolution for each byte of inputs, weights and outputs, each moved once. The line is the lower of the two
measured limits: reading from memory (slope) and multiply-adds in registers (level). Winograd layers lie above it because they do fewer
operations than are counted; layers whose data stay in the caches may lie above the slope."""


def conv_share_table(found: list[dict[str, Any]]) -> str:
    """The convolutions in sum."""
    lines = ["| network, batch | convolutions | all direct, ms | of the limit | as chosen, ms | of the limit | by Winograd |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for r in found:
        place = " (weights from memory)" if r["from_memory"] else ""
        cells = [f"{r[way]['ms']:.1f} | {r[way]['share']:.0%}" for way in ("direct", "chosen")]
        lines.append(f"| {r['net']}, {r['batch']}{place} | {r['layers']} | {cells[0]} | {cells[1]} | {r['winograd_layers']} |")
    return "\n".join(lines)


def words(document: dict[str, Any]) -> str:
    """The result in a sentence for each setting."""
    said = []
    for s in summary(document):
        if not math.isnan(s["means"]["best"]):
            ahead = sum(r > 1 for r in s["ratios"]["best"].values())
            said.append(f"- {s['threads']} thread{'s' * (s['threads'] > 1)}, batch {s['batch']}: the fastest of the peers takes "
                        f"**{s['means']['best']:.2f} times** our time (geometric mean over {s['networks']} networks; ours is faster on {ahead}).")
    return "\n".join(said)


def page(document: dict[str, Any], shares: list[dict[str, Any]]) -> str:
    """The text of a page.

    Parameters
    ----------
    document : dict
        Of `peers.py`.
    shares : list of dict
        Of `conv_share.py`; may be empty.
    """
    options = document["options"]
    peers, form = ", ".join(TITLES[p] for p in document["environment"]["peers"]), precision(document).lower()
    other = "FP32 is on [a page of its own](performance.md)."
    if form == "fp32":
        other = "INT8 is on [a page of its own](performance_int8.md), pruned weights on [another](performance_sparse.md)."
    parts = [
        "# Performance" + ("" if form == "fp32" else " in INT8"),
        "Made by `benchmarks/performance_page.py` from `benchmarks/results`; change those, not this page.",
        f"Time of one forward in {form.upper()}, ours against {peers}, on the zoo's networks at 224x224, 227x227 or 299x299, with seeded weights. "
        f"{other}",
        words(document), "\n".join(f"- {line}" for line in machine_lines(document)),
        "## Geometric means", "A number above 1 says that the other takes longer than ours.", summary_table(document),
        f"![Time of each engine by ours](pictures/{PICTURES[form]})"]
    for threads, batch in settings(document):
        parts += [f"## {threads} thread{'s' * (threads > 1)}, batch {batch}",
                  f"Milliseconds, medians; the fastest peer in italics. {operations(document)} are of the whole batch, counted as direct "
                  "convolutions.",
                  setting_table(document, threads, batch)]
    left_out = failures(document)
    if left_out:
        parts += ["## Left out", "\n".join(f"- {line}" for line in left_out)]
    if form == "fp32":
        parts += ["## Under the roofline", ROOFLINE, "![GFLOP/s of each layer over operations a byte](pictures/roofline.png)"]
    if shares:
        parts += ["## Convolutions alone", f"The convolution layers of a network in sum, one thread, {form.upper()}, on {shares[0]['cpu']}: as a "
                  "share of the multiply-add limit measured between them, all direct and as the choice has them.", conv_share_table(shares)]
    parts += ["## How it is measured", "\n".join(METHODS[form]).format(**options), "## What the numbers do not say", CAVEATS,
              "## Again, on your machine", rerun(form)]
    return "\n\n".join(parts) + "\n"


def rerun(form: str) -> str:
    """The commands."""
    option, folder = ("", "build/peers") if form == "fp32" else (f" --precision {form}", f"build/peers_{form}")
    return f"""\
```
pip install '.[bench,onnx,report]'
python benchmarks/peers.py{option} --out {folder}    # about 15 minutes; --resume continues, --quick shows that it works
python benchmarks/conv_share.py{option} --json {folder}/conv_share.json
python benchmarks/performance_page.py {folder}    # writes this page
```

Other processes on the machine make every number worse and the ratios with several threads meaningless; the load is printed above."""


def read(path: Path) -> Any:
    """A result."""
    return json.loads(path.read_text(encoding="utf-8"))


def copy_results(folder: Path, results: Path) -> None:
    """The files of a run, under the names that its precision has."""
    there = [folder / name for name in RESULTS["fp32"] if (folder / name).is_file()]
    form = precision(read(there[0])).lower() if there and there[0].name == RESULTS["fp32"][0] else "fp32"
    for source in there:
        with whole_file(results / RESULTS[form][RESULTS["fp32"].index(source.name)]) as part:
            part.write_bytes(source.read_bytes())


def main() -> None:
    """Copy results, write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    if options.folder is not None:
        copy_results(options.folder, options.results)
    there = {form: names for form, names in RESULTS.items() if (options.results / names[0]).is_file()}
    if not there:
        raise SystemExit(f"'{options.results}' has no peers.json; run benchmarks/peers.py --out FOLDER first and name FOLDER here")
    pictures = options.docs / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for form, (peers, shares) in there.items():
        document = read(options.results / peers)
        plot_ratios(document, pictures / PICTURES[form])
        if form == "fp32":
            plot_rooflines(document, pictures / "roofline.png")
        with whole_file(options.docs / PAGES[form]) as part:
            part.write_text(page(document, read(options.results / shares) if (options.results / shares).is_file() else []), encoding="utf-8")


if __name__ == "__main__":
    main()
