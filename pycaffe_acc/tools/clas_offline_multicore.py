"""`clas_offline_multicore`: an offline model over labelled images, in pipelines beside each other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.classification import classify_together, list_figures, warm_up
from pycaffe_acc.tools.offline_engines import offline_engines
from pycaffe_acc.tools.runner_flags import OFFLINE, log_folder, places, read_flags

NAME = "clas_offline_multicore"
HELP = "the vendor's runner: an offline model over labelled images, -threads pipelines with -dataparallel slices each"


def run(words: Sequence[str]) -> int:
    """Classify and print the vendor's lines."""
    flags = read_flags(words, NAME, OFFLINE, ("offlinemodel", "images", "labels"))
    if flags is None:
        return 0
    with log_folder(flags, NAME):
        figures = list_figures(flags)
        with offline_engines(flags, places(flags), int(flags["dataparallel"])) as opened:
            warm_up(opened.engines[:1])
            return classify_together(flags, figures, opened.engines, opened.newer, opened.device)
