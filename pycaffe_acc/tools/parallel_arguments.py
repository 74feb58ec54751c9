"""Options that say where nets run, and on how many cores in which way: device, channel, data and model parallelism, pipelines."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from cnrt import device as devices
from cnrt.device import NO_CHANNEL
from cnrt.errors import CnrtError
from pycaffe_acc import card
from pycaffe_acc.evaluation.pipeline import Driven, Evaluated
from pycaffe_acc.mode import set_mode, set_mode_cpu
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.runners.online_engine import twin_on
from pycaffe_acc.sliced_net import SlicedNet
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.model_arguments import positive

#: most cores that one pipeline may ask for on a host with fewer: the vendor's bound
MOST_CORES = 32
#: most pipelines on the host: each is a net, a queue and three threads
MOST_PIPELINES = 256


class Layout(NamedTuple):
    """How nets share the cores.

    Attributes
    ----------
    data, model, pipelines : int
        Slices of a batch, cores of a slice, pipelines beside each other.
    chosen : bool
        Whether any of them was given. If not, one pipeline uses every core of the host.
    card : bool
        Whether the device is a virtual card.
    """

    data: int
    model: int
    pipelines: int
    chosen: bool
    card: bool

    @property
    def slots(self) -> int | None:
        """Core slots of a host net; None: all."""
        return self.model if self.chosen and not self.card else None


def add_parallel(parser: argparse.ArgumentParser, compiled: bool = False, queues: bool = True) -> None:
    """--dp, --mp, --channel and --fifosize.

    Parameters
    ----------
    parser : ArgumentParser
    compiled : bool
        Whether the model parallelism is fixed in the model.
    queues : bool
        Whether there are buffers between threads.
    """
    group = parser.add_argument_group("cores", "With any of --threads, --dp and --mp, T pipelines take N x M cores each, 1 where one is not given; "
                                      "with none, one pipeline takes all cores of the host")
    group.add_argument("--dp", type=positive, metavar="N", help="data parallelism: slices of a batch that run beside each other")
    if not compiled:
        group.add_argument("--mp", type=positive, metavar="M", help="model parallelism: cores that share each layer of a slice")
    group.add_argument("--channel", type=int, metavar="C", help="DDR channel of a card for all pipelines (default: pipeline i on channel i modulo "
                       "their number)")
    if queues:
        group.add_argument("--fifosize", type=positive, default=2, metavar="F", help="buffers of each pipeline for batches, and as many for results "
                           "(default 2)")


def layout(args: argparse.Namespace, model: int | None = None) -> Layout:
    """Check the options against the device.

    Parameters
    ----------
    args : Namespace
        device, threads, dp, mp, channel.
    model : int, optional
        The model parallelism of an offline model, instead of `args.mp`.

    Raises
    ------
    UsageError
        With the vendor's code where the runtime has one.
    """
    given = args.threads, args.dp, model if model is not None else args.mp
    data, cores, pipelines = args.dp or 1, given[2] or 1, args.threads or 1
    try:
        device = devices.get(args.device)
        device.check_parallelism(data, cores)
        if args.channel is not None:
            device.check_channel(args.channel)
    except CnrtError as e:
        raise UsageError(str(e)) from e
    if not device.virtual:
        most = max(MOST_CORES, device.spec.cores)
        if data * cores > most:
            raise UsageError(f"--dp {data} times --mp {cores} is {data * cores} cores; at most {most} can work on one batch")
        if pipelines > MOST_PIPELINES:
            raise UsageError(f"--threads is {pipelines}; each is a net with threads of its own, and there can be {MOST_PIPELINES} at most")
        return Layout(data, cores, pipelines, any(v is not None for v in (args.threads, args.dp, args.mp if model is None else None)), False)
    if device.spec.name not in card.CARDS.values():
        raise UsageError(f"--device {args.device} does not compute; nets run on host and on the virtual cards "
                         f"{', '.join(dict.fromkeys(card.CARDS.values()))}")
    if data * cores * pipelines > device.spec.cores:
        raise UsageError(f"--threads {pipelines} with {data} x {cores} cores each need {data * cores * pipelines} cores; {device.name} has "
                         f"{device.spec.cores}, so at most {device.spec.cores // (data * cores)} threads of that kind can work at once")
    return Layout(data, cores, pipelines, True, True)


@contextmanager
def on_device(args: argparse.Namespace, cores: Layout) -> Iterator[None]:
    """Be on the card of --device, in the vendor's fused mode, for a while; nothing changes for the host.

    Parameters
    ----------
    args : Namespace
        device, channel, and batch where there is one.
    cores : Layout
    """
    if not cores.card:
        yield
        return
    before = devices.chosen_device()
    kind, _, ordinal = args.device.partition(":")
    try:
        card.set_rt_core(kind)
        set_mode("MFUS")
        card.set_mlu_device(int(ordinal or 0))
        card.set_channel_id(args.channel or 0)
        card.set_model_parallel(1)
        card.set_parallel(cores.data)
        card.set_model_parallel(cores.model)
        batch = getattr(args, "batch", None)
        if batch is not None:  # now, because a net that is built checks that its batch can be cut
            card.set_batch_size(batch)
            card.set_simple_flag(True)
        yield
    finally:
        set_mode_cpu()
        card.reset()
        devices.set_current_device(before)


def pipelines(args: argparse.Namespace, cores: Layout, net: Evaluated) -> list[Driven]:
    """A net for each pipeline, the first made of `net`; the weights are shared.

    Parameters
    ----------
    args : Namespace
        channel.
    cores : Layout
    net : Net or OfflineNet
        Opened inside `on_device`.

    Raises
    ------
    CaffeError
        When a batch cannot be cut into slices.
    """
    rest = range(1, cores.pipelines)
    if isinstance(net, OfflineNet):
        return [net, *(_offline_twin(net, args, cores, i) for i in rest)]
    if cores.card:
        ordinal = int(args.device.partition(":")[2] or 0)
        nets = [net, *(twin_on(net, ordinal, _channel(args, i)) for i in rest)]
        for one in nets:
            one.threads = cores.data * cores.model
        return list(nets)
    if cores.slots is not None:
        net.threads = cores.slots
    first: Net | SlicedNet = net if cores.data == 1 else SlicedNet(net, cores.data)
    return [first, *(first.clone() for _ in rest)]


def _offline_twin(net: OfflineNet, args: argparse.Namespace, cores: Layout, number: int) -> OfflineNet:
    if not cores.card:
        return net.clone()
    now = devices.current_channel()
    devices.set_current_channel(_channel(args, number))
    try:
        return net.clone()
    finally:
        devices.set_current_channel(now)


def _channel(args: argparse.Namespace, number: int) -> int:
    """The channel of a pipeline."""
    if args.channel is not None:
        return int(args.channel)
    channels = devices.get(args.device).spec.channels
    return number % channels if channels > 1 else NO_CHANNEL


