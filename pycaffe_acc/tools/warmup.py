"""`warmup`: compile the kernels now, so that the first forward of every later process only loads them."""
from __future__ import annotations

import argparse
import time

from cnml import compile_cache
from cnml.kernels import compile_all
from cnrt.cpu import effective_cpus
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.model_arguments import open_net, positive

NAME = "warmup"
HELP = "compile the kernels into the cache and say how long it took"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--model limits the work to what one net needs."""
    parser.add_argument("--model", metavar="P", help="compile only what this net uses")
    parser.add_argument("--batch", type=positive, metavar="N")
    parser.add_argument("--threads", type=positive, metavar="T", help="processes that compile (default: the CPUs this process may use)")
    parser.set_defaults(weights=None, vendor_exact=False)


def run(args: argparse.Namespace) -> int:
    """Compile, and print seconds and count."""
    folder = compile_cache.cache_folder()
    if folder is None:
        note("the cache of compiled kernels is off (PYCAFFE_ACC_CACHE is empty or its folder cannot be used): this compiles for this process only")
    start = time.perf_counter()
    if args.model is None:
        count = len(compile_all(processes=args.threads or effective_cpus()))
        what = f"{count} kernels"
    else:
        open_net(args).forward()
        count, what = None, f"what '{args.model}' uses"
    seconds = time.perf_counter() - start
    document = {"model": args.model, "kernels": count, "compile_seconds": seconds, "cache": None if folder is None else str(folder)}
    emit(args, document, f"ready: {what}, {seconds:.1f} s; cache: {folder or 'off'}")
    return 0
