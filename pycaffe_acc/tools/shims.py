"""`shims`: the vendor's and BVLC's command names as small programs, for use on PATH."""
from __future__ import annotations

import argparse
import os
import stat
import sys
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.tools.console import emit

NAME = "shims"
HELP = "write the vendor's and BVLC's command names into a folder for PATH"

#: command name → words after `python -m pycaffe_acc.tools.main`
COMMANDS: dict[str, tuple[str, ...]] = {
    "caffe": ("caffe",),
    "upgrade_net_proto_text": ("upgrade_net_proto_text",),
    "upgrade_net_proto_binary": ("upgrade_net_proto_binary",),
    "upgrade_solver_proto_text": ("upgrade_solver_proto_text",),
    "set_sparse": ("set_sparse",),
    "convert_caffemodel": ("convert_caffemodel",),
    "create_fake_caffemodel": ("create_fake_caffemodel",),
    "caffemodel2prototxt": ("caffemodel2prototxt",),
    "convert_imageset": ("convert_imageset",),
    "compute_image_mean": ("compute_image_mean",),
    "convertJpg2Yuv": ("convertJpg2Yuv",),
    "extract_features": ("extract_features",),
    "meanAP_VOC": ("meanAP_VOC",),
    "meanAP_COCO": ("meanAP_COCO",),
    "generate_int8_pt": ("generate_int8_pt",),
    "generate_quantized_pt": ("generate_quantized_pt",),
    "clas_offline_singlecore": ("clas_offline_singlecore",),
    "clas_offline_multicore": ("clas_offline_multicore",),
    "clas_online_singlecore": ("clas_online_singlecore",),
    "clas_online_multicore": ("clas_online_multicore",),
    "ssd_offline_singlecore": ("ssd_offline_singlecore",),
    "ssd_offline_multicore": ("ssd_offline_multicore",),
    "ssd_online_singlecore": ("ssd_online_singlecore",),
    "ssd_online_multicore": ("ssd_online_multicore",),
    "test_forward_offline": ("test_forward_offline",),
    "test_forward_online": ("test_forward_online",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="made if need be; files of these names in it are replaced")


def run(args: argparse.Namespace) -> int:
    """Write one file a command."""
    args.folder.mkdir(parents=True, exist_ok=True)
    written = [write_shim(args.folder, name, words) for name, words in COMMANDS.items()]
    emit(args, {"folder": str(args.folder), "commands": [str(p) for p in written]}, f"wrote {', '.join(p.name for p in written)} to {args.folder}; "
         f"use them with PATH={args.folder}{os.pathsep}$PATH")
    return 0


def write_shim(folder: Path, name: str, words: tuple[str, ...]) -> Path:
    """One command, bound to the Python that runs now; appears under its name only when it is complete."""
    call = " ".join(words)
    if os.name == "nt":
        path = folder / f"{name}.cmd"
        text = f'@"{sys.executable}" -m pycaffe_acc.tools.main {call} %*\r\n'
    else:
        path = folder / name
        python = sys.executable.replace("'", "'\\''")
        text = f"#!/bin/sh\nexec '{python}' -m pycaffe_acc.tools.main {call} \"$@\"\n"
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path
