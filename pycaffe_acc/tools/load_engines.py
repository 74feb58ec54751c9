"""Opening what the workers of a load run drive: nets on the host or on a virtual card, and offline models on either."""
from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cnrt import device as devices
from cnrt.model import Model
from pycaffe_acc import card
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.evaluate import Evaluated, score_output
from pycaffe_acc.load.engine import CardEngine, Engine, NetEngine
from pycaffe_acc.load.held_images import HeldImages
from pycaffe_acc.load.simulated_run import TimedEngine, offline_times_ns, service_times_ns
from pycaffe_acc.mode import TEST, default_threads, set_mode, set_mode_cpu
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.runners.offline_engine import OfflineEngine, card_kind, load_model
from pycaffe_acc.runners.online_engine import twin_on
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import image_input, set_batch


class Opened(NamedTuple):
    """Workers and what they have in common.

    Attributes
    ----------
    engines : list of Engine
    images : HeldImages
    output : str
        The blob of scores.
    precision : str
    threads : int
        Core slots of one instance.
    batch : int
        Most images in one forward.
    clock : str
        Whose time it is.
    timed : list of TimedEngine
        The workers in simulated time; empty where time is the host's.
    """

    engines: list[Engine]
    images: HeldImages
    output: str
    precision: str
    threads: int
    batch: int
    clock: str
    timed: list[TimedEngine]


def is_offline(path: str) -> bool:
    """Whether a model is an offline one by its name."""
    return Path(path).suffix == ".cambricon"


@contextmanager
def open_engines(args: argparse.Namespace, dataset: Dataset, preprocess: Preprocess, sizes: list[int]) -> Iterator[Opened]:
    """The workers that the options describe; afterwards the calling thread has its mode and device again.

    Parameters
    ----------
    args : Namespace
        model, weights, precision, device, threads, instances, output, decode_threads, vendor_exact.
    dataset : Dataset
    preprocess : Preprocess
    sizes : list of int
        Batches that nets are built for; an offline model has its own.

    Raises
    ------
    UsageError, CaffeError, CnrtError
    """
    on_card = args.device != "host"
    if on_card and args.device not in card.CARDS.values():
        raise UsageError(f"--device {args.device}: nets and offline models run on host and on the virtual cards "
                         f"{', '.join(dict.fromkeys(card.CARDS.values()))}")
    if on_card and args.threads is not None:
        raise UsageError(f"--threads {args.threads} are core slots of the host; on a virtual card an instance has one core")
    threads = args.threads or (1 if on_card else max(1, default_threads() // args.instances))
    clock = "measured on host" if not on_card else f"host time ({args.device} is a virtual card; this machine computes its values)"
    if not on_card:
        nets = _host_nets(args, sizes, threads)
        yield _opened(nets, args, dataset, preprocess, threads, clock)
        return
    before = devices.chosen_device()
    try:
        if is_offline(args.model):
            with _offline_on_card(args, dataset, preprocess, clock) as opened:
                yield opened
        else:
            card.set_rt_core(args.device)
            set_mode("MFUS")
            nets = _card_nets(args, sizes)
            opened = _opened(nets, args, dataset, preprocess, threads, clock)
            online = {n: net for n, net in nets[0].items() if isinstance(net, Net)}
            yield opened if args.time == "host" else _simulated(opened, args, service_times_ns(online, args.device, args.instances))
    finally:
        set_mode_cpu()
        card.reset()
        devices.set_current_device(before)


def _opened(nets: list[dict[int, Evaluated]], args: argparse.Namespace, dataset: Dataset, preprocess: Preprocess, threads: int,
            clock: str) -> Opened:
    first = next(iter(nets[0].values()))
    source, output = image_input(first), score_output(first, args.output)
    images = held(args, dataset, preprocess, first.blobs[source].shape)
    precision = first.precision if isinstance(first, OfflineNet) else str(first.source.precision)
    return Opened([NetEngine(images, group, source, output) for group in nets], images, output, precision, threads, max(nets[0]), clock, [])


def held(args: argparse.Namespace, dataset: Dataset, preprocess: Preprocess, shape: tuple[int, ...]) -> HeldImages:
    """Images for an input of a shape (N, C, H, W)."""
    return HeldImages(dataset, lambda pixels: preprocess.apply(pixels, shape), (shape[1], shape[2], shape[3]), args.decode_threads)


def _simulated(opened: Opened, args: argparse.Namespace, times: dict[int, int]) -> Opened:
    about = ", ".join(f"{n}: {t * 1e-6:.3f} ms" for n, t in times.items())
    return opened._replace(clock=f"simulated {args.device} (model of the card, all instances busy; time of a batch of {about})",
                           timed=[TimedEngine(e, times) for e in opened.engines])


def _host_nets(args: argparse.Namespace, sizes: list[int], threads: int) -> list[dict[int, Evaluated]]:
    if is_offline(args.model):
        offline = [OfflineNet(args.model, threads) for _ in range(args.instances)]
        return [{net.blobs[image_input(net)].shape[0]: net} for net in offline]
    net = _net(args, threads=threads, precision=args.precision or "fp32")
    return [{size: sized(net if (i, size) == (0, sizes[0]) else net.clone(), size) for size in sizes} for i in range(args.instances)]


def _card_nets(args: argparse.Namespace, sizes: list[int]) -> list[dict[int, Evaluated]]:
    """Instance i on channel i modulo their number."""
    card.set_channel_id(0)
    options = {} if args.precision is None else {"precision": args.precision}
    net = _net(args, **options)
    return [{size: sized(net if (i, size) == (0, sizes[0]) else twin_on(net, 0, i % card.CHANNELS), size) for size in sizes}
            for i in range(args.instances)]


def _net(args: argparse.Namespace, **options: Any) -> Net:
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "prototxt")
    return Net(args.model, TEST, weights=args.weights, vendor_exact=args.vendor_exact, **options)


def sized(net: Net, batch: int) -> Net:
    """The net, with its inputs of so many images."""
    set_batch(net, batch)
    return net


@contextmanager
def _offline_on_card(args: argparse.Namespace, dataset: Dataset, preprocess: Preprocess, clock: str) -> Iterator[Opened]:
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "offline model")
    model = load_model(args.model)
    if card_kind(model) != args.device:
        raise CheckError(f"{args.model} was compiled for {card_kind(model)}, and --device is {args.device}; they must be the same")
    if len(model.programs) != 1:
        raise CheckError(f"{args.model} has {len(model.programs)} functions ({', '.join(model.programs)}); on a virtual card a load run calls one. "
                         "Run it with --device host")
    symbol = next(iter(model.programs))
    if args.output is not None:
        raise UsageError("--output names a blob of a net; an offline model on a virtual card has one output")
    runners: list[OfflineEngine] = []
    try:
        for i in range(args.instances):
            runners.append(OfflineEngine(model, 1, 0, i % card.CHANNELS, symbol))
        images = held(args, dataset, preprocess, runners[0].shape)
        opened = Opened([CardEngine(images, r) for r in runners], images, "", _program_precision(model), model.model_parallelism,
                        runners[0].shape[0], clock, [])
        yield opened if args.time == "host" else _simulated(opened, args, offline_times_ns(runners[0], args.device, args.instances,
                                                                                           model.model_parallelism))
    finally:
        for runner in runners:
            runner.close()


def _program_precision(model: Model) -> str:
    return str(next(iter(model.programs.values())).body.get("precision"))


def warm(engines: list[Engine], sample: int, sizes: list[int]) -> dict[str, float]:
    """Every batch of every worker twice: compilation and packing happen before the clock starts.

    Parameters
    ----------
    engines : list of Engine
    sample : int
        An image that is held.
    sizes : list of int

    Returns
    -------
    dict of str to float
        Seconds of the first round ("compile") and of the second ("warm-up").
    """
    seconds = {}
    for name in ("compile", "warm-up"):
        start = time.perf_counter()
        for engine in engines:
            engine.bind()
            for size in sizes:
                engine.answer([sample] * size)
        seconds[name] = time.perf_counter() - start
    return seconds
