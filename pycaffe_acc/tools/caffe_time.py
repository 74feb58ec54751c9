"""`caffe time`: time of each layer and of a forward, in BVLC's lines."""
from __future__ import annotations

import time

from cnrt.card_model import card_model
from cnrt.notifier import duration_us
from cnrt.simulation import layer_times
from pycaffe_acc.card_costs import net_costs
from pycaffe_acc.mode import CPU, TRAIN
from pycaffe_acc.net import Net
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
        glog("The card is virtual: times of layers and forwards are simulated, the others are host time.")
    glog("Performing Forward")
    started = time.perf_counter()
    net.forward()
    glog(f"Initial forward, with compilation: {1e3 * (time.perf_counter() - started):g} ms.")
    glog("*** Benchmark begins ***")
    glog(f"Testing for {iterations} iterations.")
    begin = time.perf_counter()
    times = time_forwards(net, iterations) if mode == CPU else simulated_forwards(net, iterations)
    total = 1e3 * (time.perf_counter() - begin)
    glog("Average time per layer: ")
    for name, milliseconds in _layers(net, iterations, mode):
        glog(f"{name:>10}\tforward: {milliseconds:g} ms.")
    glog(f"Average Forward pass: {sum(times) / len(times):g} ms.")
    glog(f"Total Time: {total:g} ms.")
    glog("*** Benchmark ends ***")
    return 0


def simulated_forwards(net: Net, iterations: int) -> list[float]:
    """Simulated milliseconds of each forward on the net's card."""
    times = []
    for _ in range(iterations):
        net.notifiers = []
        net.forward()
        times.append(sum(duration_us(*pair) for pair in net.notifiers) / 1e3)
    net.notifiers = None
    return times


def _layers(net: Net, iterations: int, mode: str) -> list[tuple[str, float]]:
    if mode == CPU:
        return [(row.name, row.milliseconds) for row in net.profile(iterations, fusion=False)]
    settings = net.source.card
    assert settings is not None
    model = card_model(settings.kind)
    return [(t.cost.name, 1e3 * t.seconds) for t in layer_times(net_costs(net, fusion=False), model, settings.launch)]
