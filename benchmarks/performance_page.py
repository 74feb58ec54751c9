"""Write docs/performance.md and its pictures from measured results.

    python benchmarks/performance_page.py [FOLDER] [--results benchmarks/results] [--docs docs]

FOLDER is what `peers.py --out` made, with `conv_share.json` in it if `conv_share.py --json` wrote one there; its results are first copied to
benchmarks/results, which is what the page is made of.
"""
from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from peers_plots import plot_ratios, plot_rooflines
from peers_tables import TITLES, failures, machine_lines, setting_table, settings, summary, summary_table

from cnrt.whole_file import whole_file

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ("peers.json", "conv_share.json")

METHOD = """\
- Engines take turns in one process (A B C D A B C D …), one process a network. A turn lasts 60 ms or one forward, whichever is longer,
  after a forward that does not count (unless one takes 250 ms); an engine 2.5 times slower than the fastest takes part in every third
  round. The result is the median over the rounds of each round's median; the ratios are of these medians. At most {rounds} rounds; fewer,
  but three, where they take longer than {seconds:g} seconds.
- OpenVINO and onnxruntime run the ONNX model that `pycaffe-acc export-onnx` writes: OpenVINO with the latency hint, one stream, FP32 asked
  for; onnxruntime with all graph optimisations; both fuse every BatchNorm, Scale, activation and sum in it. OpenCV reads prototxt and
  caffemodel with its own importer, Winograd allowed as it is by default. All get the same number of threads, and the input lies ready in
  their own form: converting pictures is not measured.
- Before anything is timed, each engine's output is compared with ours: within 1e-3 of the greatest value (FP16: 0.05), for the same inputs
  and weights.
- With several threads, onnxruntime's helpers would spin for some 40 ms after a forward and hold a core in the others' turns; that is
  switched off (`session.force_spinning_stop`), and 5 ms pass between turns, since OpenVINO's and OpenCV's spin for about 1 ms.
- The multiply-add limit is a loop of independent vector multiply-adds in registers, the memory line a loop that sums 256 MiB, both in
  processor time and in the process that measures."""

CAVEATS = """\
- **Weights are seeded** on all twelve networks, since the public ones of several (AlexNet, Inception-v3, the deeper ResNets, VGG) were not
  at hand. The recipe (`pycaffe_acc.create_fake_caffemodel`, the last layer scaled so that the softmax has something to say) keeps
  activations at their size; before timing, every blob is checked for infinities and denormals. Dense FP32 arithmetic takes the same time
  for other values. Accuracies with real weights are in the README.
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
    """The text of docs/performance.md.

    Parameters
    ----------
    document : dict
        Of `peers.py`.
    shares : list of dict
        Of `conv_share.py`; may be empty.
    """
    options = document["options"]
    peers = ", ".join(TITLES[p] for p in document["environment"]["peers"])
    parts = [
        "# Performance", "Made by `benchmarks/performance_page.py` from `benchmarks/results`; change those, not this page.",
        f"Time of one forward in FP32, ours against {peers}, on the zoo's networks at 224x224, 227x227 or 299x299, with seeded weights.",
        words(document), "\n".join(f"- {line}" for line in machine_lines(document)),
        "## Geometric means", "A number above 1 says that the other takes longer than ours.", summary_table(document),
        "![Time of each engine by ours](pictures/peers.png)"]
    for threads, batch in settings(document):
        parts += [f"## {threads} thread{'s' * (threads > 1)}, batch {batch}",
                  "Milliseconds, medians; the fastest peer in italics. GFLOP are of the whole batch, counted as direct convolutions.",
                  setting_table(document, threads, batch)]
    left_out = failures(document)
    if left_out:
        parts += ["## Left out", "\n".join(f"- {line}" for line in left_out)]
    parts += ["## Under the roofline", ROOFLINE, "![GFLOP/s of each layer over operations a byte](pictures/roofline.png)"]
    if shares:
        parts += ["## Convolutions alone", f"The convolution layers of a network in sum, one thread, FP32, on {shares[0]['cpu']}: as a share of the "
                  "multiply-add limit measured between them, all direct and as the choice has them.", conv_share_table(shares)]
    parts += ["## How it is measured", METHOD.format(**options), "## What the numbers do not say", CAVEATS, "## Again, on your machine", rerun()]
    return "\n\n".join(parts) + "\n"


def rerun() -> str:
    """The commands."""
    return """\
```
pip install '.[bench,onnx,report]'
python benchmarks/peers.py --out build/peers                                  # about 15 minutes; --resume continues, --quick shows that it works
python benchmarks/conv_share.py --json build/peers/conv_share.json
python benchmarks/performance_page.py build/peers                             # writes this page
```

Other processes on the machine make every number worse and the ratios with several threads meaningless; the load is printed above."""


def main() -> None:
    """Copy results, write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    for name in RESULTS if options.folder is not None else ():
        source = options.folder / name
        if source.is_file():
            with whole_file(options.results / name) as part:
                part.write_bytes(source.read_bytes())
    found = {name: json.loads(path.read_text(encoding="utf-8")) for name in RESULTS if (path := options.results / name).is_file()}
    if "peers.json" not in found:
        raise SystemExit(f"'{options.results}' has no peers.json; run benchmarks/peers.py --out FOLDER first and name FOLDER here")
    pictures = options.docs / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    plot_ratios(found["peers.json"], pictures / "peers.png")
    plot_rooflines(found["peers.json"], pictures / "roofline.png")
    with whole_file(options.docs / "performance.md") as part:
        part.write_text(page(found["peers.json"], found.get("conv_share.json", [])), encoding="utf-8")


if __name__ == "__main__":
    main()
