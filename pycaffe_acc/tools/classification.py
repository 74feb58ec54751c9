"""What the four classification runners share: labels, pipelines, closing lines."""
from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from pycaffe_acc.evaluation.labels import read_labels
from pycaffe_acc.runners.engine import Engine, begin_together
from pycaffe_acc.runners.figures import Figure, deal, read_figures
from pycaffe_acc.runners.fleet import run_fleet
from pycaffe_acc.runners.pipeline import Job, run_serially
from pycaffe_acc.runners.report import closing_lines, document, thread_lines, write_document
from pycaffe_acc.runners.simulated_wall import simulated_wall_us
from pycaffe_acc.runners.sink import ClassSink, check_classes
from pycaffe_acc.runners.tally import Figures, Tally
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog
from pycaffe_acc.tools.runner_flags import is_raw, preparation


def list_figures(flags: dict[str, Value]) -> list[Figure]:
    """-images, with its line."""
    figures = read_figures(str(flags["images"]), labelled=True)
    glog(f"there are {len(figures)} figures in {flags['images']}")
    return figures


def jobs_for(flags: dict[str, Value], figures: Sequence[Figure], engines: Sequence[Engine]) -> list[Job]:
    """A job for each engine, with its share of the images."""
    names = read_labels(str(flags["labels"]))
    check_classes(names, engines[0].output_shape, str(flags["labels"]))
    prepare = preparation(flags, engines[0])
    return [Job(share, engine, prepare, ClassSink(names, glog), glog) for share, engine in zip(deal(figures, len(engines)), engines, strict=True)]


def classify_together(flags: dict[str, Value], figures: Sequence[Figure], engines: Sequence[Engine], newer: bool, device: str) -> int:
    """Run pipelines beside each other and print accuracy and speed.

    Parameters
    ----------
    flags : dict
    figures : sequence of Figure
    engines : sequence of Engine
        One for each pipeline.
    newer : bool
        Whether to print the MLU270 generation's lines.
    device : str
        The virtual card's name.
    """
    for line in engines[0].lines():
        glog(line)
    begin_together(engines)
    stopped: list[BaseException] = []
    tallies, wall_us = run_fleet(jobs_for(flags, figures, engines), int(flags["fifosize"]), glog, stopped)
    images = so_far(tallies, stopped) if stopped else len(figures)
    wall_us = simulated_wall_us(engines, images, int(flags["fifosize"]), is_raw(flags)) or wall_us
    for line in thread_lines(tallies, newer):
        glog(line)
    status = close(Figures.of(images, tallies, wall_us, engines[0].shape[0]), newer, engines[0].times_hardware, device)
    if stopped:
        raise stopped[0]
    return status


def so_far(tallies: Sequence[Tally], stopped: Sequence[BaseException]) -> int:
    """How many images a run that ended early has judged, with a line about it; raises what ended it where there are none.

    Parameters
    ----------
    tallies : sequence of Tally
    stopped : sequence of BaseException
        Not empty.
    """
    images = sum(t.hits.images for t in tallies)
    if not images:
        raise stopped[0]
    glog(f"the run was ended early ({type(stopped[0]).__name__}); all figures are of the {images} images until then")
    return images


def classify_serially(flags: dict[str, Value], figures: Sequence[Figure], engine: Engine, newer: bool, device: str, tell_hardware: bool) -> int:
    """Run one batch after the other and print accuracy and speed.

    Parameters
    ----------
    flags, figures, newer, device :
        See `classify_together`.
    engine : Engine
    tell_hardware : bool
        Whether the program prints a hardware figure.
    """
    for line in engine.lines():
        glog(line)
    tally, wall_us = timed(lambda: run_serially(jobs_for(flags, figures, [engine])[0]))
    wall_us = simulated_wall_us([engine], len(figures), raw=is_raw(flags)) or wall_us
    return close(Figures.of(len(figures), [tally], wall_us, engine.shape[0]), newer, tell_hardware, device)


def warm_up(engines: Sequence[Engine]) -> None:
    """Run each engine once on zeros, so that compiling is over before the clock starts."""
    for engine in engines:
        engine.bind()
        source = engine.input_buffer()
        engine.copy_in(np.zeros(engine.shape, np.float32), source)
        engine.run(source, engine.output_buffer())


def timed(run: Callable[[], Tally]) -> tuple[Tally, float]:
    """A tally, and the microseconds it took."""
    start = time.perf_counter_ns()
    tally = run()
    return tally, (time.perf_counter_ns() - start) / 1e3


def close(figures: Figures, newer: bool, hardware: bool, device: str) -> int:
    """The last lines, and the JSON document if the environment asks for it."""
    for line in closing_lines(figures, newer, hardware, device):
        glog(line)
    write_document(document(figures, newer, hardware))
    return 0
