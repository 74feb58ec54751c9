"""The program `pycaffe-acc`."""
from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pycaffe_acc.tools import (
    caffe,
    caffemodel2prototxt,
    check,
    clas_offline_multicore,
    clas_offline_singlecore,
    clas_online_multicore,
    clas_online_singlecore,
    classify,
    compile,
    compute_image_mean,
    convert_caffemodel,
    convert_imageset,
    convert_jpg2yuv,
    create_fake_caffemodel,
    demo,
    doctor,
    draw,
    eval,
    export_onnx,
    extract_features,
    forward_offline,
    forward_online,
    generate_int8_pt,
    generate_quantized_pt,
    load,
    mean_ap_coco,
    mean_ap_voc,
    prune,
    prune_sensitivity,
    quantize,
    quantize_report,
    report,
    run,
    set_sparse,
    shims,
    ssd_offline_multicore,
    ssd_offline_singlecore,
    ssd_online_multicore,
    ssd_online_singlecore,
    summary,
    time,
    upgrade_binary,
    upgrade_solver,
    upgrade_text,
    warmup,
    zoo,
)
from pycaffe_acc.tools.exit_code import EXPECTED, ExitCode, exit_code
from pycaffe_acc.version import VERSION


class Verb(Protocol):
    """What a module of this folder that is a verb holds."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns an exit status."""


class Command(Protocol):
    """What a module of this folder that takes another program's flags holds."""

    NAME: str
    HELP: str

    def run(self, words: Sequence[str]) -> int:
        """Do it; returns an exit status."""


VERBS: tuple[Verb, ...] = (classify, eval, report, time, compile, run, check, summary, draw, doctor, warmup, export_onnx, zoo, demo, shims,
                           upgrade_text, upgrade_binary, set_sparse, create_fake_caffemodel, caffemodel2prototxt, extract_features, mean_ap_voc,
                           quantize, quantize_report, prune, prune_sensitivity, forward_offline, forward_online, load, upgrade_solver, mean_ap_coco)

#: those with flags of gflags instead of options
COMMANDS: tuple[Command, ...] = (caffe, convert_caffemodel, convert_imageset, convert_jpg2yuv, compute_image_mean, generate_int8_pt,
                                 generate_quantized_pt, clas_offline_singlecore, clas_offline_multicore, clas_online_singlecore,
                                 clas_online_multicore, ssd_offline_singlecore, ssd_offline_multicore, ssd_online_singlecore, ssd_online_multicore)


def build_parser() -> argparse.ArgumentParser:
    """All verbs with their options."""
    parser = argparse.ArgumentParser(prog="pycaffe-acc", description="Run, measure and inspect Caffe models.",
                                     epilog="`pycaffe-acc caffe COMMAND -flag value…` takes the flags of the caffe binary. "
                                            "Exit status: 0 ok, 1 a check failed, 2 usage, 3 bad input file, 4 unsupported.")
    parser.add_argument("--version", action="version", version=f"pycaffe-acc {VERSION}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        sub = verbs.add_parser(verb.NAME, help=verb.HELP, description=verb.HELP)
        verb.add_arguments(sub)
        sub.add_argument("--json", action="store_true", help="write exactly one JSON document to stdout")
        sub.add_argument("--debug", action="store_true", help="show tracebacks and the log")
        sub.set_defaults(run=verb.run)
    for command in COMMANDS:
        verbs.add_parser(command.NAME, help=command.HELP, add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; default: the process's.

    Returns
    -------
    int
        The exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:2] == ["quantize", "report"]:
        words[:2] = [quantize_report.NAME]
    if words[:2] == ["prune", "--sensitivity"]:
        words[:2] = [prune_sensitivity.NAME]
    for command in COMMANDS:
        if words[:1] == [command.NAME]:
            return guarded(command.run, words[1:], debug=False)
    args = build_parser().parse_args(words)
    if args.debug:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    return guarded(args.run, args, args.debug)


def guarded(run: Callable[[Any], int], argument: Any, debug: bool) -> int:
    """Call a verb; expected failures become one sentence on stderr."""
    try:
        return int(run(argument))
    except BrokenPipeError:  # the reader (`head`) has seen enough; nothing more can be written, also not at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except EXPECTED as error:
        if debug:
            traceback.print_exc()
        print(f"pycaffe-acc: {error}", file=sys.stderr)
        return int(exit_code(error))
    except KeyboardInterrupt:
        print("pycaffe-acc: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
