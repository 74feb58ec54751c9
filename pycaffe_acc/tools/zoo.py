"""`zoo`: public networks: list, download, verify, build, and seeded weights."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.fake_caffemodel import create_fake_caffemodel
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.exit_code import ExitCode, NotInThisVersionError, UsageError
from pycaffe_acc.tools.model_arguments import positive
from pycaffe_acc.zoo.acquire import acquire
from pycaffe_acc.zoo.catalogue import CATALOGUE
from pycaffe_acc.zoo.deploy import build, entry
from pycaffe_acc.zoo.download import Progress
from pycaffe_acc.zoo.entry import ZooEntry
from pycaffe_acc.zoo.errors import NoAddressError, UnknownNetworkError
from pycaffe_acc.zoo.store import weights_path, write_deploy, zoo_folder
from pycaffe_acc.zoo.verification import verify

NAME = "zoo"
HELP = "public networks: list, download with checksum, verify, build; seeded weights"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One sub-command each for `list`, `download`, `verify`, `path`, `build`, `fake`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str, network: bool = True) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=text)
        if network:
            sub.add_argument("name", metavar="NAME", help="see `zoo list`")
        # also after the action; the verb's own options stand before it
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="write exactly one JSON document to stdout")
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks and the log")
        sub.set_defaults(act=run)
        return sub

    add("list", _list, "list the networks", network=False)
    sub = add("download", _download, "fetch a network's public weights, check them, write deploy.prototxt beside them")
    sub.add_argument("--url", action="append", default=[], metavar="U", help="an address of your own (http, https, file), tried before the known "
                     "ones; may be repeated")
    sub.add_argument("--timeout", type=positive, default=30, metavar="S", help="seconds of silence before an address is given up (default 30)")
    sub = add("verify", _verify, "check a weight file: digests, and that every blob fits the network; needs no connection")
    sub.add_argument("file", metavar="FILE", nargs="?", help="your own file (default: the downloaded one)")
    sub.add_argument("--no-checksum", action="store_true", help="the file is not meant to be the published one: look at names and shapes only")
    add("path", _path, "print the folder with a network's deploy.prototxt and weights")
    sub = add("build", _build, "write a network's deploy.prototxt")
    _add_variants(sub)
    sub.add_argument("--out", default=".", metavar="DIR", help="folder (default: this one)")
    sub = add("fake", _fake, "write seeded weights for a network, to measure speed without trained ones")
    sub.add_argument("out", metavar="OUT", help=".caffemodel to write")
    sub.add_argument("--seed", type=int, default=0, metavar="N")


def _add_variants(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--batch", type=positive, default=1, metavar="N", help="images in one forward (default 1)")
    sub.add_argument("--stride-in-3x3", action="store_true", help="ResNet-50, -101, -152: halve the picture in the 3x3 convolution, as weights from "
                     "torchvision do")


def run(args: argparse.Namespace) -> int:
    """Do the action; a network that does not exist is a usage error."""
    try:
        return int(args.act(args))
    except UnknownNetworkError as e:
        raise UsageError(str(e)) from e
    except NoAddressError as e:
        raise NotInThisVersionError(str(e)) from e


def _list(args: argparse.Namespace) -> int:
    networks = [_facts(e) for e in CATALOGUE.values()]
    rows = [[d["name"], f"{d['size_bytes'] / 2**20:.1f}" if d["size_bytes"] else "-",
             "here" if d["downloaded"] else "public" if d["urls"] else "by hand" if d["page"] else "none known", d["license"] or "none stated"]
            for d in networks]
    emit(args, {"folder": str(zoo_folder()), "networks": networks},
         table(["name", "MiB", "weights", "licence of the weights"], rows, left=4) + f"\n\nfolder: {zoo_folder()}")
    return ExitCode.OK


def _facts(e: ZooEntry) -> dict[str, Any]:
    """An entry as plain values."""
    return {"name": e.name, "title": e.title, "caffemodel": e.caffemodel, "page": e.page, "urls": list(e.urls), "checksums": dict(e.checksums),
            "size_bytes": e.size_bytes, "license": e.license, "preprocessing": e.preprocessing, "options": e.options, "accuracy": e.accuracy,
            "paper": e.paper, "layout": e.layout, "note": e.note, "downloaded": weights_path(e).is_file()}


def _download(args: argparse.Namespace) -> int:
    found = entry(args.name)
    known = weights_path(found).is_file()
    with _progress(found.caffemodel) as progress:
        path = acquire(found, args.url, progress, args.timeout)
    text = f"{'was there already and is' if known else 'downloaded,'} {'the published file' if found.checksums else 'fits the net'}"
    emit(args, {"name": found.name, "path": str(path), "size_bytes": path.stat().st_size, "checked": list(found.checksums) or ["shapes"],
                "was_there": known}, f"{path}: {text}" + (f" ({', '.join(found.checksums)})" if found.checksums else ""))
    return ExitCode.OK


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    with tqdm(desc=name, unit="B", unit_scale=True, unit_divisor=1024, disable=not sys.stderr.isatty(), leave=False) as bar:
        def report(done: int, total: int | None) -> None:
            bar.total = total
            bar.n = done
            bar.refresh() if done == total else bar.update(0)
        yield report


def _verify(args: argparse.Namespace) -> int:
    found = entry(args.name)
    path = Path(args.file) if args.file else weights_path(found)
    if not args.file and not path.is_file():
        raise CheckError(f"'{path}' is not there: `pycaffe-acc zoo download {found.name}` fetches it, or give a file of your own")
    result = verify(found, path, checksum=not args.no_checksum)
    digests = ", ".join(f"{k} {v}" for k, v in result.checksums.items()) or ("no digest compared" if args.no_checksum else "no digest is published")
    lines = [f"{result.path}: {result.size_bytes} bytes, {digests}; {result.layers} layers of '{result.name}' filled"
             + (f", {len(result.unused)} of the file unused" if result.unused else "")]
    lines += [f"  {problem}" for problem in result.problems]
    emit(args, asdict(result) | {"ok": result.ok}, "\n".join([*lines, "everything fits" if result.ok else "not everything is in order"]))
    return ExitCode.OK if result.ok else ExitCode.BAD_INPUT


def _path(args: argparse.Namespace) -> int:
    path = weights_path(entry(args.name))
    emit(args, {"name": args.name, "folder": str(path.parent), "deploy": str(path.parent / "deploy.prototxt"), "weights": str(path),
                "downloaded": path.is_file()}, str(path.parent))
    return ExitCode.OK


def _build(args: argparse.Namespace) -> int:
    variants = {"stride_in_3x3": True} if args.stride_in_3x3 else {}
    found, folder = entry(args.name), Path(args.out)
    build(found.name, args.batch, **variants)  # an unknown variant must not leave a new folder
    os.makedirs(folder, exist_ok=True)
    path = write_deploy(found, folder, args.batch, **variants)
    emit(args, {"name": found.name, "path": str(path), "batch": args.batch, **variants}, str(path))
    return ExitCode.OK


def _fake(args: argparse.Namespace) -> int:
    path = create_fake_caffemodel(build(entry(args.name).name), args.out, args.seed)
    emit(args, {"name": args.name, "path": str(path), "seed": args.seed, "size_bytes": path.stat().st_size},
         f"{path}: seeded weights (seed {args.seed}); they show speed, never accuracy")
    return ExitCode.OK
