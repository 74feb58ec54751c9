"""`caffe time`: time of each layer and of a forward, in BVLC's lines."""
from __future__ import annotations

import time

from pycaffe_acc.mode import CPU, TRAIN
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.tools.caffe_net import check_iterations, open_flags
from pycaffe_acc.tools.card_flags import card_mode
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog
from pycaffe_acc.tools.time import time_forwards


def run(flags: dict[str, Value]) -> int:
    """Benchmark a model. There is no backward pass, so no backward lines."""
    with card_mode(flags) as name:
        return _benchmark(flags, name)


def _benchmark(flags: dict[str, Value], mode: str) -> int:
    iterations = check_iterations(flags)
    net = open_flags(flags, TRAIN, "time", weights_needed=False)
    if not flags["weights"]:
        fill_seeded(net)
    glog(f"Use {mode}.")
    if mode != CPU:
        glog("The card is virtual: all times are host time.")
    glog("Performing Forward")
    started = time.perf_counter()
    net.forward()
    glog(f"Initial forward, with compilation: {1e3 * (time.perf_counter() - started):g} ms.")
    glog("*** Benchmark begins ***")
    glog(f"Testing for {iterations} iterations.")
    begin = time.perf_counter()
    times = time_forwards(net, iterations)
    total = 1e3 * (time.perf_counter() - begin)
    glog("Average time per layer: ")
    for row in net.profile(iterations, fusion=False):
        glog(f"{row.name:>10}\tforward: {row.milliseconds:g} ms.")
    glog(f"Average Forward pass: {sum(times) / len(times):g} ms.")
    glog(f"Total Time: {total:g} ms.")
    glog("*** Benchmark ends ***")
    return 0
