"""Options that say how images become a net's input."""
from __future__ import annotations

import argparse

from pycaffe_acc.preprocess import PROFILES, Preprocess, preprocess_profile


def add_preprocess(parser: argparse.ArgumentParser) -> None:
    """--preprocess and what changes a profile."""
    group = parser.add_argument_group("preprocessing", "a profile, and changes to it; the result is printed with every accuracy")
    group.add_argument("--preprocess", choices=tuple(PROFILES), default="caffe-tool", metavar="PROFILE", help=f"one of {', '.join(PROFILES)} "
                       "(default caffe-tool)")
    group.add_argument("--mean", metavar="M", help="values (104,117,123) or a .npy or .binaryproto file, in the net's channel order")
    group.add_argument("--std", metavar="S", help="divides, after the mean")
    group.add_argument("--scale", metavar="F", help="multiplies, after mean and std")
    group.add_argument("--resize", metavar="SIZE", help="input, none, short side, or HEIGHTxWIDTH")
    group.add_argument("--crop", metavar="SIZE", help="input, none, or HEIGHTxWIDTH")
    group.add_argument("--order", choices=("BGR", "RGB"), help="channel order of the net's input")


def open_preprocess(args: argparse.Namespace) -> Preprocess:
    """The profile with its changes.

    Raises
    ------
    ImageError
    """
    return preprocess_profile(args.preprocess, mean=args.mean, std=args.std, scale=args.scale, resize=args.resize, crop=args.crop, order=args.order)
