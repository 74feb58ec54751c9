"""Fit the unknown constants of the virtual cards to published measurements, and write them into the specs and docs/virtual_cards.md.

  python scripts/fit_cards.py [--check] [--card NAME …] [--out docs/virtual_cards.md]

Only constants of kind "fitted" move, only points of role "fit" move them: a pattern search over the logarithms of the constants, which always takes
the same way. With --check nothing is fitted or written; the table is printed, and the exit status is 1 when the page is not what the specs give.
"""
from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from card_points import Point, points
from card_trends import trend_lines

from cnrt.card_model import FOLDER, CardModel, card_table, read_card
from cnrt.whole_file import whole_file

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "virtual_cards.md"
#: constants that are shares
_SHARES = ("mac_efficiency", "ddr_efficiency", "weight_sharing")
_STEPS = (1.5, 1.25, 1.12, 1.06, 1.03)
_ROUNDS = 6
_SMOOTH = 0.05


def error(point: Point, card: CardModel) -> float:
    """Simulated over published, as a logarithm."""
    return math.log(point.figure(card) / point.published)


def loss(card: CardModel, chosen: list[Point]) -> float:
    """Mean size of the errors, smooth at 0. Not their square: some published figures contradict each other, and squares would bend all to them."""
    return sum(math.hypot(error(p, card), _SMOOTH) - _SMOOTH for p in chosen) / len(chosen)


def fit(card: CardModel, names: list[str], chosen: list[Point]) -> CardModel:
    """Move constants until no step makes the loss smaller."""
    best = loss(card, chosen)
    for step in _STEPS:
        for _ in range(_ROUNDS):
            before = best
            for name in names:
                for factor in (step, 1 / step):
                    value = getattr(card, name) * factor
                    tried = card.with_constants(**{name: min(value, 1.0) if name in _SHARES else value})
                    reached = loss(tried, chosen)
                    if reached < best:
                        card, best = tried, reached
                        break
            if best > before * 0.999:
                break
        print(f"{card.name}: step {step}: mean error {100 * best:.1f} %", file=sys.stderr)
    return card


def rounded(value: float) -> float:
    """Three significant digits."""
    return float(f"{value:.3g}")


def write_spec(path: Path, card: CardModel, names: list[str]) -> None:
    """Put fitted values into a card's file, which stays as it is otherwise."""
    table = json.loads(path.read_text(encoding="utf-8"))
    for name in names:
        table["constants"][name]["value"] = rounded(getattr(card, name))
    rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in table["constants"].items())
    head = "".join(f' {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)},\n' for k, v in table.items() if k != "constants")
    with whole_file(path) as part:
        part.write_text(f'{{\n{head} "constants": {{\n{rows}\n }}\n}}\n', encoding="utf-8")


def fitted_names(path: Path) -> list[str]:
    """Constants of a card's file that a fit may move."""
    return [k for k, row in card_table(path)["constants"].items() if row["kind"] == "fitted"]


def point_rows(cards: dict[str, CardModel]) -> list[tuple[Point, float, float]]:
    """Every point with the simulated figure and its error in percent."""
    found = []
    for point in points():
        value = point.figure(cards[point.card])
        found.append((point, value, 100 * (value / point.published - 1)))
    return found


def page(cards: dict[str, CardModel], rows: list[tuple[Point, float, float]]) -> str:
    """The whole page."""
    predicted = [abs(e) for p, _, e in rows if p.role == "predicted"]
    chosen = [abs(e) for p, _, e in rows if p.role == "fit"]
    lines = [_INTRODUCTION.strip(), "", "## Published and simulated", "",
             f"Median error: {statistics.median(predicted):.1f} % on {len(predicted)} predicted points, {statistics.median(chosen):.1f} % on "
             f"{len(chosen)} fitted ones. By card: " + "; ".join(_by_card(n, rows) for n in dict.fromkeys(p.card for p, _, _ in rows)) + ".", "",
             "| card | point | setting | published | simulated | error | role | source |", "|---|---|---|---|---|---|---|---|"]
    lines += [f"| {p.card} | {p.title} | {p.setting} | {p.published:.5g} {p.unit} | {v:.5g} {p.unit} | {e:+.1f} % | {p.role} | {p.source} |"
              for p, v, e in rows]
    lines += ["", _READING.strip(), "", "## Trends", "", "ResNet-50 on CIFAR-10 in FP16, if nothing else is said.", "",
              *trend_lines(cards["MLU100"]), "", "## Constants", ""]
    for name in cards:
        lines += [f"### {name}", "", "| constant | value | unit | kind | source |", "|---|---|---|---|---|"]
        lines += [f"| `{k}` | {row['value']:.5g} | {row.get('unit', '')} | {row['kind']} | {row['source']} |"
                  for k, row in card_table(FOLDER / f"{name}.json")["constants"].items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _by_card(name: str, rows: list[tuple[Point, float, float]]) -> str:
    parts = []
    for role in ("predicted", "fit"):
        errors = [abs(e) for p, _, e in rows if p.card == name and p.role == role]
        if errors:
            parts.append(f"{statistics.median(errors):.1f} % on {len(errors)} {'predicted' if role == 'predicted' else 'fitted'}")
    return f"{name} {', '.join(parts)}"


def main(words: list[str] | None = None) -> int:
    """Fit, write, tell."""
    parser = argparse.ArgumentParser(description="fit the virtual cards' unknown constants to published measurements")
    parser.add_argument("--check", action="store_true", help="only compare the page with what the specs give")
    parser.add_argument("--card", action="append", metavar="NAME", help="fit this card only")
    parser.add_argument("--page-only", action="store_true", help="write the page for the specs as they are")
    parser.add_argument("--out", type=Path, default=PAGE, metavar="F")
    args = parser.parse_args(words)
    files = {p.stem: p for p in sorted(FOLDER.glob("*.json"))}
    every: list[Any] = points()
    if not args.check and not args.page_only:
        for name, path in files.items():
            chosen = [p for p in every if p.card == name and p.role == "fit"]
            names = fitted_names(path)
            if chosen and names and (not args.card or name in args.card):
                write_spec(path, fit(read_card(path), names, chosen), names)
    cards = {name: read_card(path) for name, path in files.items()}
    rows = point_rows(cards)
    text = page(cards, rows)
    for p, v, e in rows:
        print(f"{p.card:12}{p.role:10}{p.title:44}{p.setting:36}{p.published:10.5g}{v:10.5g} {p.unit:4}{e:+7.1f} %")
    if args.check:
        return int(not args.out.is_file() or args.out.read_text(encoding="utf-8") != text)
    with whole_file(args.out) as part:
        part.write_text(text, encoding="utf-8")
    return 0


_INTRODUCTION = """
# Virtual cards: the model, its constants, its errors

A virtual card computes values with the host's kernels and takes its time from an event model
([adr 0015](adr/0015-a-virtual-cards-clock.md)). Every figure that comes from it says `simulated`. This page is written by `scripts/fit_cards.py`;
`--check` says whether it is what the specs give.

- The numbers of a card are a file in `cnrt/devices/specs/`, each with its source and its kind: *published*, *derived* from published numbers,
  *assumed* where nobody says, or *fitted*. A file of one's own is read by `cnrt.card_model.read_card`.
- `cnrt.simulation.simulate(costs, card, launch, threads, batch, …)` answers what a program would take without computing anything;
  `pycaffe_acc.card_costs` gives a net's costs and what goes in and out with an image.
- Points of role *fit* choose the fitted constants, by the mean size of their errors. *Predicted* points have no part in that.
- Decided after a look at predicted points: that an image of a value stays beside the core if it fits (before, all of the batch had to); that the
  share of conversion is a fitted point (nothing else determines the host's conversion rate); that a framework costs time for each image and not more
  conversions; that errors count by their size, not by their square.
"""
_READING = """
How to read it: most published figures do not name clock, batch and parallelism, so the defaults of the vendor's programs are assumed; some contradict
each other or the card's peak.

- SSD300 in FP16 on one core would need 342 billion multiply-accumulates a second, where the peak is 256 at 1 GHz and 333 at 1.3 GHz. No model with
  that peak can give it; the sample was made in another setting than its text says, or with another network.
- The shares of conversion and inference on CIFAR-10, together with the tuned run's 384 ms, leave a core 0.32 ms for an image, below the 0.44 ms that
  FP16 takes at its peak. So the tuned run comes out 25 % slower, and the share of inference twice as large.
- The MLU270's SSD300 on 16 cores is 5.8 times as slow as on one. Detection's last step, which is not in these costs, does not run in parallel.
- YOLOv3's end-to-end figures are left out: boxes are decoded on the host by code of the sample. The two readme samples of 1389 and 1613 FPS (1077 and
  1197 end to end, four times what AlexNet's sample reaches) are left out because they name neither network nor host, and MLU270 ResNet-50 at 5122 FPS
  because another page gives 1614 in the same setting.
- No public figure shows what sparsity gains: `sparse_floor` and `sparse_efficiency` are not fitted.
"""


if __name__ == "__main__":
    sys.exit(main())
