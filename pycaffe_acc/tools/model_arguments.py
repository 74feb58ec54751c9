"""Options that several verbs share, and opening the net they describe."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnml.executable import PRECISIONS
from cnrt import device as devices
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.pipeline import Driven
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.tools.exit_code import NotInThisVersionError, UsageError


def positive(text: str) -> int:
    """An option's value that must be a whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def percent(text: str) -> float:
    """An option's value that must be a number from 0 to 100."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 100")
    return value


def add_model(parser: argparse.ArgumentParser, weights_required: bool = True) -> None:
    """--model and --weights."""
    parser.add_argument("--model", required=True, metavar="P", help="net description (.prototxt)")
    parser.add_argument("--weights", required=weights_required, metavar="W", help="trained weights (.caffemodel or HDF5)")


def add_engine(parser: argparse.ArgumentParser, threads: str = "core slots (default: the CPUs this process may use)") -> None:
    """--batch, --threads, --precision, --device, --vendor-exact."""
    parser.add_argument("--batch", type=positive, metavar="N", help="images in one forward (default: the prototxt's)")
    parser.add_argument("--threads", type=positive, metavar="T", help=threads)
    parser.add_argument("--precision", choices=PRECISIONS,
                        help="fp16: weights and results of layers in half precision, sums in float32; int8: the layers that the prototxt has "
                             "quantized in INT8; mlu: these in INT8 and FP16 elsewhere, as on the vendor's card (default: fp32; on a card mlu)")
    parser.add_argument("--device", default="host", metavar="KIND", help="where to run (default: host)")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")


def check_engine(args: argparse.Namespace, cards: bool = False) -> None:
    """Refuse what cannot run, before any file is read, and fill in the precision.

    Parameters
    ----------
    args : Namespace
    cards : bool
        Whether the verb runs nets on virtual cards, too.

    Raises
    ------
    UsageError
        For FP32 on a card.
    NotInThisVersionError
        For a device that the verb does not run on.
    """
    host = args.device.partition(":")[0] == "host"
    if not host and not cards:
        raise NotInThisVersionError(f"--device {args.device}: this verb runs nets on the host only; eval, time, run and the vendor's runners have "
                                    f"the virtual cards (kinds of devices: {', '.join(devices.kinds())})")
    if not host and args.precision == "fp32":
        raise UsageError(f"--precision fp32 on {args.device}: the card computes in FP16 and INT8; give fp16, int8 or mlu, or leave it out")
    if args.precision is None:
        args.precision = "fp32" if host else "mlu"


def open_net(args: argparse.Namespace) -> Net:
    """The net that the options describe, with its batch set.

    Raises
    ------
    CaffeError
    """
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "prototxt")
    precision = getattr(args, "precision", "fp32")
    if precision == "int8" and getattr(args, "device", "host").partition(":")[0] != "host":
        precision = "mlu"  # the card has no FP32 between INT8 layers
    net = Net(args.model, TEST, weights=args.weights, threads=args.threads, vendor_exact=args.vendor_exact, precision=precision)
    if args.batch is not None:
        set_batch(net, args.batch)
    return net


def set_batch(net: Net, batch: int) -> None:
    """Give every input blob `batch` items and carry the shapes through the net."""
    if not net.inputs:
        raise CheckError(f"net '{net.name}' has no Input layer, so --batch cannot be set; edit batch_size in its data layer")
    for name in net.inputs:
        shape = net.blobs[name].shape
        if shape:
            net.blobs[name].reshape(batch, *shape[1:])
    net.reshape()


def image_input(net: Driven) -> str:
    """The one input blob that takes images.

    Raises
    ------
    CheckError
        When the net has none, or several.
    """
    images = [n for n in net.inputs if len(net.blobs[n].shape) == 4 and net.blobs[n].shape[1] in (1, 3)]
    if len(images) != 1:
        shapes = ", ".join(f"{n} {net.blobs[n].shape}" for n in net.inputs) or "none"
        raise CheckError(f"net '{net.name}' must have one input for images, (N, 1 or 3, H, W); its inputs: {shapes}. "
                         "A net with data layers is run by `pycaffe-acc caffe test`")
    return images[0]
