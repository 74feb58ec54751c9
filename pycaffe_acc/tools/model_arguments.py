"""Options that several verbs share, and opening the net they describe."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnml.executable import PRECISIONS
from cnrt import device as devices
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.tools.exit_code import NotInThisVersionError
from pycaffe_acc.version import VERSION


def positive(text: str) -> int:
    """An option's value that must be a whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def add_model(parser: argparse.ArgumentParser, weights_required: bool = True) -> None:
    """--model and --weights."""
    parser.add_argument("--model", required=True, metavar="P", help="net description (.prototxt)")
    parser.add_argument("--weights", required=weights_required, metavar="W", help="trained weights (.caffemodel or HDF5)")


def add_engine(parser: argparse.ArgumentParser) -> None:
    """--batch, --threads, --precision, --device, --vendor-exact."""
    parser.add_argument("--batch", type=positive, metavar="N", help="images in one forward (default: the prototxt's)")
    parser.add_argument("--threads", type=positive, metavar="T", help="core slots (default: the CPUs this process may use)")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32",
                        help="fp16: weights and results of layers in half precision, sums in float32; int8: the layers that the prototxt has "
                             "quantized in INT8; mlu: these in INT8 and FP16 elsewhere, as on the vendor's card (default: fp32)")
    parser.add_argument("--device", default="host", metavar="KIND", help="where to run (default: host)")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")


def check_engine(args: argparse.Namespace) -> None:
    """Refuse what this version cannot run, before any file is read.

    Raises
    ------
    NotInThisVersionError
    """
    if args.device != "host":
        known = ", ".join(devices.kinds())
        raise NotInThisVersionError(f"--device {args.device} cannot run nets in version {VERSION}, which runs them on 'host' only; virtual "
                                    "accelerator cards are "
                                    f"planned for a later version (device kinds known to the runtime: {known}). Run with --device host")


def open_net(args: argparse.Namespace) -> Net:
    """The net that the options describe, with its batch set.

    Raises
    ------
    CaffeError
    """
    if not Path(args.model).is_file():
        raise MissingFileError(args.model, "prototxt")
    net = Net(args.model, TEST, weights=args.weights, threads=args.threads, vendor_exact=args.vendor_exact,
              precision=getattr(args, "precision", "fp32"))
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


def image_input(net: Net | OfflineNet) -> str:
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
