"""`warmup`: compile the kernels now, so that the first forward of every later process only loads them."""
from __future__ import annotations

import argparse
import time

from cnml import compile_cache
from cnml.executable import PRECISIONS
from cnml.kernels import compile_all, compilers
from pycaffe_acc.net import Net
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.model_arguments import open_net, positive

NAME = "warmup"
HELP = "compile the kernels into the cache and say how long it took"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--model limits the work to what one net needs."""
    parser.add_argument("--model", metavar="P", help="compile only what this net uses")
    parser.add_argument("--batch", type=positive, metavar="N")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32", help="of the net (default: fp32)")
    parser.add_argument("--threads", type=positive, metavar="T", dest="processes",
                        help="processes that compile (default: PYCAFFE_ACC_COMPILERS, or the CPUs this process may use)")
    parser.set_defaults(weights=None, vendor_exact=False, threads=None)


def run(args: argparse.Namespace) -> int:
    """Compile, and print seconds and count."""
    folder = compile_cache.cache_folder()
    if folder is None:
        note("the cache of compiled kernels is off (PYCAFFE_ACC_CACHE is empty or its folder cannot be used): this compiles for this process only")
    processes = 1 if folder is None else args.processes or compilers()
    net = None if args.model is None else open_net(args)
    names = None if net is None else ["executor", *net.kernel_names()]
    start = time.perf_counter()
    count = len(compile_all(names, processes))
    seconds = time.perf_counter() - start
    run_seconds = None if net is None else _first_forward(net)
    document = {"model": args.model, "kernels": count, "processes": processes, "compile_seconds": seconds, "run_seconds": run_seconds,
                "cache": None if folder is None else str(folder)}
    rest = "" if run_seconds is None else f"; packing weights and the first forward {run_seconds:.1f} s"
    emit(args, document, f"ready: {count} kernels compiled or loaded in {seconds:.1f} s by {processes} processes{rest}; cache: {folder or 'off'}")
    return 0


def _first_forward(net: Net) -> float:
    start = time.perf_counter()
    net.forward()
    return time.perf_counter() - start
