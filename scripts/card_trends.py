"""How simulated figures move with the knobs that published sweeps turned: CIFAR-10 ResNet-50 on the MLU100, images in memory."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from card_points import Run

from cnrt.card_model import CardModel
from cnrt.cost import Launch
from cnrt.simulation import simulate

BASE = Run("cifar_resnet50", pictures=False, batch=4)


class Trend(NamedTuple):
    """A sweep.

    Attributes
    ----------
    title, published : str
    columns : list of (str, float)
        Setting, and the figure over that of the first setting.
    """

    title: str
    published: str
    columns: list[tuple[str, float]]


def trends(card: CardModel) -> list[Trend]:
    """All sweeps."""
    knobs = [
        ("data parallelism, end to end", "dp up to the 8 cores of a channel pays, best at 4 to 8 with several threads",
         [(f"dp {d}", BASE._replace(data=d)) for d in (1, 2, 4, 8, 16, 32)]),
        ("threads, end to end, dp 4", "more threads pay until host and cores are busy; 8 at the optimum",
         [(f"{t}", BASE._replace(data=4, threads=t)) for t in (1, 2, 4, 8, 16, 32)]),
        ("model parallelism, end to end", "mostly no gain, or slower",
         [(f"mp {m}", BASE._replace(model=m)) for m in (1, 2, 4, 8, 16, 32)]),
        ("batch, end to end, dp 4, 8 threads", "8 to 32 images are best",
         [(f"{4 * b}", BASE._replace(batch=b, data=4, threads=8)) for b in (1, 2, 4, 8, 16)]),
        ("offline over online", "1.46 to 1.84 times",
         [(word, BASE._replace(online=o)) for word, o in (("online", True), ("offline", False))]),
    ]
    found = [Trend(title, published, _relative([(n, r.simulated(card).end_to_end_fps) for n, r in runs])) for title, published, runs in knobs]
    return [*found, _channels(card)]


def _channels(card: CardModel) -> Trend:
    """Four AlexNet programs of 8 cores each, on one channel and on four: the cores of one channel take turns, and its memory is all there is."""
    costs = Run("alexnet").costs()
    figures = [(word, simulate(costs, card, Launch(8), 4, 8, 3, channels=at).end_to_end_fps)
               for word, at in (("all on channel 0", [0] * 4), ("on channels 0, 0, 1, 1", [0, 0, 1, 1]), ("on four channels", [0, 1, 2, 3]))]
    return Trend("channels, AlexNet FP16, 4 threads, dp 8", "four threads on four channels are needed for the full bandwidth", _relative(figures))


def _relative(figures: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(name, value / figures[0][1]) for name, value in figures]


def trend_lines(card: CardModel) -> list[str]:
    """The sweeps as a table in Markdown."""
    lines = ["| sweep | published | simulated, over the first |", "|---|---|---|"]
    return lines + [f"| {t.title} | {t.published} | {', '.join(f'{n}: {v:.2f}' for n, v in t.columns)} |" for t in trends(card)]
