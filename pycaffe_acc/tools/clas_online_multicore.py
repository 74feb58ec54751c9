"""`clas_online_multicore`: a net over labelled images, in pipelines beside each other."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.tools.classification import classify_together, list_figures, warm_up
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.online_engines import online_engines
from pycaffe_acc.tools.runner_flags import ONLINE, log_folder, places, read_flags

NAME = "clas_online_multicore"
HELP = "the vendor's runner: a net over labelled images in mode MLU or MFUS, -threads pipelines beside each other"


def run(words: Sequence[str]) -> int:
    """Classify and print the vendor's lines."""
    flags = read_flags(words, NAME, ONLINE, ("model", "weights", "images", "labels"))
    if flags is None:
        return 0
    if str(flags["mmode"]).upper() in ("", "CPU"):
        raise UsageError(f"-mmode is '{flags['mmode']}'; {NAME} runs on the card only, in mode MLU or MFUS")
    with log_folder(flags, NAME):
        figures = list_figures(flags)
        with online_engines(flags, places(flags)) as opened:
            warm_up(opened.engines)
            return classify_together(flags, figures, opened.engines, opened.newer, opened.device)
