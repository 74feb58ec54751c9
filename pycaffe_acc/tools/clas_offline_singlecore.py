"""`clas_offline_singlecore`: an offline model over labelled images, one batch after the other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.classification import classify_serially, list_figures, warm_up
from pycaffe_acc.tools.offline_engines import offline_engines
from pycaffe_acc.tools.runner_flags import OFFLINE, device_numbers, log_folder, read_flags

NAME = "clas_offline_singlecore"
HELP = "the vendor's runner: an offline model over labelled images, one batch after the other"


def run(words: Sequence[str]) -> int:
    """Classify and print the vendor's lines; there is one thread and no data parallelism, whatever the flags say."""
    flags = read_flags(words, NAME, OFFLINE, ("offlinemodel", "images", "labels"))
    if flags is None:
        return 0
    with log_folder(flags, NAME):
        figures = list_figures(flags)
        with offline_engines(flags, [(device_numbers(flags)[0], 0)], 1) as opened:
            warm_up(opened.engines[:1])
            return classify_serially(flags, figures, opened.engines[0], opened.newer, opened.device, tell_hardware=True)
