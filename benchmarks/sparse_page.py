"""Write docs/performance_sparse.md and its pictures from the results of `sparse.py`.

    python benchmarks/sparse_page.py [FILE ...] [--results benchmarks/results] [--docs docs]

Each FILE is what `sparse.py --json` wrote; it is first copied to benchmarks/results as sparse_PRECISION.json, which is what the page is made of.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from sparse_plots import plot_sparse

from cnrt.whole_file import whole_file

ROOT = Path(__file__).resolve().parents[1]
#: precision → heading
PRECISIONS = {"fp32": "FP32, zeros anywhere", "int8": "INT8, zeros in blocks of four input channels"}

HEAD = """\
# Performance with pruned weights

Made by `benchmarks/sparse_page.py` from `benchmarks/results`; change those, not this page.

How much faster the convolutions of a network are when a share of their weights is zero. All convolutions of a network in sum, one thread, batch
1; dense and sparse kernels run in turn in one process, in processor time, the best round of each. Layers that no sparse kernel runs (a first layer of
three channels) are dense in every column.

- **direct/sparse**: the time of the dense direct convolutions by that of the sparse kernels, used in every layer that they can run.
- **best/chosen**: the time of the dense kernels that would be chosen without zeros (Winograd where that is faster) by that of what is chosen, dense
  or sparse for each layer by estimated cost: what a user gets. It is never below 1 but for errors of the estimate; *worst layer* is the largest
  time of a layer as chosen, by that of the same layer dense.
- **of the limit**: the products that the sparse kernels do compute, as a share of the multiply-add limit measured between them. The rest goes into
  bringing pixels side by side before, and back after, and into the weights' own lists.
- **break-even**: the share of zeros from which on sparse kernels in every layer beat the best dense ones in sum."""


def table(found: dict[str, Any]) -> str:
    """The sums of a network."""
    lines = ["| zeros | sparse, ms | chosen, ms | direct/sparse | best/chosen | worst layer | layers chosen sparse | of the limit |",
             "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for s in found["sums"]:
        cells = [f"{s[key]:.2f}" for key in ("sparse_ms", "chosen_ms", "sparse_to_direct", "chosen_to_dense")]
        lines.append(f"| {100 * s['zeros']:g} % | {' | '.join(cells)} | {s['worst_layer']:.3f} | {s['layers_sparse']} | {s['of_limit']:.0%} |")
    return "\n".join(lines)


def break_even(found: dict[str, Any]) -> str:
    """In words, between the measured shares."""
    better = [s["zeros"] for s in found["sums"] if s["sparse_ms"] < s["dense_ms"]]
    worse = [s["zeros"] for s in found["sums"] if s["sparse_ms"] >= s["dense_ms"]]
    if not better:
        return "not reached"
    return f"at most {100 * min(better):g} %" if not worse else f"between {100 * max(worse):g} % and {100 * min(better):g} %"


def section(document: list[dict[str, Any]], picture: str) -> str:
    """One precision."""
    precision = document[0]["precision"]
    parts = [f"## {PRECISIONS[precision]}", f"![times as fast over the share of zeros](pictures/{picture})"]
    for found in document:
        parts += [f"### {found['net']}", f"{found['cpu']}, limit {found['limit_gflops']:.0f} G operations a second; direct "
                  f"{found['sums'][0]['direct_ms']:.2f} ms, best dense {found['sums'][0]['dense_ms']:.2f} ms; break-even {break_even(found)}.",
                  table(found)]
    return "\n\n".join(parts)


def page(documents: dict[str, list[dict[str, Any]]]) -> str:
    """The text of the page, by precision."""
    again = "\n".join(f"python benchmarks/sparse.py --precision {p} --json build/sparse_{p}.json" for p in documents)
    files = " ".join(f"build/sparse_{p}.json" for p in documents)
    return "\n\n".join([HEAD, *(section(d, f"sparse_{p}.png") for p, d in documents.items()), "## Again, on your machine",
                        f"```\npip install '.[bench,report]'\n{again}\npython benchmarks/sparse_page.py {files}\n```"]) + "\n"


def main() -> None:
    """Copy results, write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    for file in options.files:
        text = file.read_text(encoding="utf-8")
        with whole_file(options.results / f"sparse_{json.loads(text)[0]['precision']}.json") as part:
            part.write_text(text, encoding="utf-8")
    there = {p: options.results / f"sparse_{p}.json" for p in PRECISIONS}
    documents = {p: json.loads(path.read_text(encoding="utf-8")) for p, path in there.items() if path.is_file()}
    if not documents:
        raise SystemExit(f"'{options.results}' has no sparse_fp32.json; run benchmarks/sparse.py --json FILE first and name FILE here")
    (options.docs / "pictures").mkdir(parents=True, exist_ok=True)
    for precision, document in documents.items():
        plot_sparse(document, options.docs / "pictures" / f"sparse_{precision}.png")
    with whole_file(options.docs / "performance_sparse.md") as part:
        part.write_text(page(documents), encoding="utf-8")


if __name__ == "__main__":
    main()
