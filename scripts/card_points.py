"""Published measurements of accelerator cards, each with how the event model is asked for the same figure.

"fit" points choose the constants, "predicted" ones only judge. What no source says (the clock, the parallelism of a sample) is assumed to be the
default of the programs that made the figure, and said in the point's setting.
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import card_networks

from cnrt.card_model import CardModel
from cnrt.cost import Cost, Launch
from cnrt.simulation import Feed, Simulated, simulate
from pycaffe_acc.card_costs import net_costs, net_feed
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.zoo.catalogue import CATALOGUE

OWN = {"yolov2": card_networks.yolov2, "yolov3": card_networks.yolov3, "ssd300": card_networks.ssd300, "densenet121": card_networks.densenet121}
#: images of the CIFAR-10 test set
TEST_SET = 10_000
_README = "Cambricon/caffe_boost release_v1.0.0, examples/{}/README.md"
_NEWER = "Cambricon/caffe_boost master, examples/{}/README.md"
_SZU = "Performance Analysis of Cambricon MLU100, as reproduced in SZU-AdvTech-2024/355"
_MATRIX = "alibaba/ai-matrix, results/Inference/Cambricon_MLU100_052019 (1.3 GHz)"


class Network(NamedTuple):
    """What a network costs, and what goes in and out with an image."""

    costs: tuple[Cost, ...]
    feed: Feed
    raw: Feed  # pictures as bytes


@functools.cache
def network(name: str, batch: int, int8: bool) -> Network:
    """A network with a batch, in FP16 or with its convolutions and inner products in INT8."""
    build: Callable[..., Any] = OWN[name] if name in OWN else CATALOGUE[name].build
    net = Net(build(batch), TEST, precision="fp16")
    return Network(net_costs(net, int8), net_feed(net, pixels=True), net_feed(net, pixels=True, bytes_in=True))


class Run(NamedTuple):
    """A program: a network, and how it is run."""

    network: str
    int8: bool = False
    batch: int = 1  # of one slice
    data: int = 1
    model: int = 1
    threads: int = 1
    whole: bool = False
    clock_hz: float = 1.0e9
    pipelined: bool = False
    pictures: bool = True  # read and decoded on the way
    raw: bool = False
    online: bool = False
    convert: bool = True
    fed: bool = True  # False: only the card works

    def costs(self) -> tuple[Cost, ...]:
        """Of one invocation."""
        return network(self.network, self.batch * (self.data if self.whole else 1), self.int8).costs

    def simulated(self, card: CardModel, rounds: int = 8) -> Simulated:
        """Its figures."""
        known = network(self.network, self.batch * (self.data if self.whole else 1), self.int8)
        feed = known.raw if self.raw else known.feed
        feed = replace(feed, convert=self.convert, pixels=feed.pixels if self.pictures else 0.0, pipelined=self.pipelined, online=self.online)
        launch = Launch(self.data, self.model, self.whole)
        return simulate(known.costs, card.at_clock(self.clock_hz) if self.clock_hz != card.clock_hz and card.name == "MLU100" else card, launch,
                        self.threads, self.batch * self.data, rounds, feed if self.fed else None)


class Point(NamedTuple):
    """A published figure."""

    card: str
    title: str
    setting: str
    published: float
    unit: str
    role: str
    source: str
    figure: Callable[[CardModel], float]


def hardware(run: Run) -> Callable[[CardModel], float]:
    """Hardware FPS by the vendor's formula."""
    return lambda card: run._replace(fed=False).simulated(card, 3).hardware_fps


def end_to_end(run: Run) -> Callable[[CardModel], float]:
    """End-to-end FPS."""
    return lambda card: run.simulated(card).end_to_end_fps


def ratio(over: Run, under: Run) -> Callable[[CardModel], float]:
    """End-to-end FPS of one over another's."""
    return lambda card: over.simulated(card).end_to_end_fps / under.simulated(card).end_to_end_fps


def mean(figures: list[Callable[[CardModel], float]]) -> Callable[[CardModel], float]:
    """Mean of several figures."""
    return lambda card: sum(f(card) for f in figures) / len(figures)


def stage_share(run: Run, *stages: str) -> Callable[[CardModel], float]:
    """Percent of all threads' time in some stages."""
    def figure(card: CardModel) -> float:
        split = run.simulated(card).split
        return 100 * sum(split[s] for s in stages) / sum(split.values())
    return figure


def _mlu100() -> list[Point]:
    def point(title: str, setting: str, published: float, unit: str, role: str, source: str, figure: Callable[[CardModel], float]) -> Point:
        return Point("MLU100", title, setting, published, unit, role, source, figure)
    offline, single = _README.format("clas_offline_multicore"), _README.format("clas_offline_singlecore")
    full = dict(data=8, threads=4, pipelined=True)
    alexnet, alexnet8 = Run("alexnet", **full), Run("alexnet", int8=True, raw=True)  # type: ignore[arg-type]
    yolo2, yolo3, ssd = (Run(n, int8=i, raw=i) for n, i in (("yolov2", True), ("yolov3", True), ("ssd300", False)))
    eight, one = "dp 8, 4 threads", "1 core"
    found = [
        point("AlexNet FP16, hardware", eight, 1339.75, "FPS", "fit", offline, hardware(alexnet)),
        point("AlexNet FP16, end to end", eight, 227.9, "FPS", "predicted", offline, end_to_end(alexnet)),
        point("AlexNet INT8, hardware", one, 134.983, "FPS", "fit", single, hardware(alexnet8)),
        point("AlexNet INT8, end to end", one, 63.884, "FPS", "fit", single, end_to_end(alexnet8)),
        point("YOLOv2 INT8, hardware", one, 20.16, "FPS", "fit", _README.format("yolo_v2"), hardware(yolo2)),
        point("YOLOv2 INT8, end to end", one, 11.5, "FPS", "predicted", _README.format("yolo_v2"), end_to_end(yolo2)),
        point("YOLOv2 INT8, hardware", eight, 442.9, "FPS", "fit", _README.format("yolo_v2"), hardware(yolo2._replace(**full))),
        point("YOLOv2 INT8, end to end", eight, 183.6, "FPS", "predicted", _README.format("yolo_v2"), end_to_end(yolo2._replace(**full))),
        point("YOLOv3 INT8, hardware", one, 8.82, "FPS", "predicted", _README.format("yolo_v3"), hardware(yolo3)),
        point("YOLOv3 INT8, hardware", eight, 199.67, "FPS", "predicted", _README.format("yolo_v3"), hardware(yolo3._replace(**full))),
        point("SSD300 FP16, hardware", one, 10.91, "FPS", "predicted", _README.format("ssd"), hardware(ssd)),
        point("SSD300 FP16, end to end", one, 8.98, "FPS", "predicted", _README.format("ssd"), end_to_end(ssd)),
    ]
    for name, title, batch, published, role in (("googlenet", "GoogLeNet", 1, 2184.91, "fit"), ("googlenet", "GoogLeNet", 2, 2302.52, "predicted"),
                                                ("densenet121", "DenseNet-121", 1, 729.59, "predicted"),
                                                ("densenet121", "DenseNet-121", 2, 719.36, "predicted")):
        run = Run(name, batch=batch, data=4, threads=8, clock_hz=1.3e9)
        setting = f"dp 4, 8 threads, slices of {batch}"
        found.append(point(f"{title} FP16, batch {32 * batch}", setting, published, "FPS", role, _MATRIX, hardware(run)))
    return found + _cifar(point)


def _cifar(point: Callable[..., Point]) -> list[Point]:
    """ResNet-50 on CIFAR-10: images lie in memory as float32, threads do everything themselves."""
    base = Run("cifar_resnet50", pictures=False)
    tuned = [base._replace(batch=b, data=4, threads=8) for b in (2, 4, 8)]  # batches of 8, 16 and 32 images
    online = [(base._replace(batch=b), base._replace(batch=b, online=True)) for b in (1, 4, 16, 64)]
    sweep = "batch 8, 16, 32; dp 4, 8 threads"
    split = tuned[2]
    shared = [ratio(base._replace(batch=b, model=m), base._replace(batch=b)) for b in (1, 4, 16) for m in (2, 4, 8)]
    return [
        point("CIFAR-10 ResNet-50, tuned, end to end", sweep, TEST_SET / 0.384, "FPS", "fit", _SZU, mean([end_to_end(r) for r in tuned])),
        point("tuned over 1 image, 1 core, 1 thread", sweep, 36, "x", "fit", _SZU, mean([ratio(r, base) for r in tuned])),
        point("offline over online", "1 core, batch 1 to 64", 1.58, "x", "fit", _SZU + ", fig. 6", mean([ratio(*r) for r in online])),
        point("offline over online", "1 core, batch 64", 1.52, "x", "predicted", _SZU + ", fig. 6", ratio(*online[-1])),
        point("4 threads on 4 channels over 1", "dp 4 over dp 1, 1 image a core", 11.83, "x", "predicted", _SZU + ", fig. 7",
              ratio(base._replace(data=4, threads=4), base)),
        point("several cores an image over 1 (\"mostly no gain\")", "mp 2, 4, 8; batch 1, 4, 16", 1.0, "x", "fit", _SZU + ", fig. 5", mean(shared)),
        point("share of conversion", "batch 32, dp 4, 8 threads", 67.39, "%", "fit", _SZU + ", fig. 8",
              stage_share(split, "convert_in", "convert_out")),
        point("share of inference", "batch 32, dp 4, 8 threads", 25.74, "%", "predicted", _SZU + ", fig. 8", stage_share(split, "compute")),
        point("gain of inputs in the card's format", sweep, 1.60, "x", "predicted", _SZU + ", fig. 9",
              mean([ratio(r._replace(convert=False), r) for r in tuned])),
    ]


def _mlu270() -> list[Point]:
    found = []
    table = (("resnet50", "ResNet-50", "clas_offline", 210.757, 1613.64, "fit"), ("yolov2", "YOLOv2", "yolo_v2", 78.4168, 551.429, "fit"),
             ("yolov3", "YOLOv3", "yolo_v3", 33.6227, 168.387, "predicted"), ("ssd300", "SSD300", "ssd", 55.5501, 153.803, "predicted"))
    for name, title, folder, one, many, role in table:
        core, all_cores = Run(name, int8=True), Run(name, int8=True, data=16, whole=True)
        where = [_NEWER.format(folder + s) for s in (("_singlecore", "_multicore") if folder == "clas_offline" else ("", ""))]
        found += [Point("MLU270", f"{title} INT8, hardware", "1 core", one, "FPS", role, where[0], hardware(core)),
                  Point("MLU270", f"{title} INT8, hardware", "batch 16 on 16 cores", many, "FPS", role, where[1], hardware(all_cores))]
    return found


def points() -> list[Point]:
    """All of them."""
    announced = Point("Hanguang800", "ResNet-50 INT8, hardware", "4 cores, batch 16 each", 78563, "FPS", "fit", "Alibaba T-Head's announcement, 2019",
                      hardware(Run("resnet50", int8=True, batch=16, data=4)))
    return [*_mlu100(), *_mlu270(), announced]
