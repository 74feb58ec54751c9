"""`report`: a whole suite of experiments as one document and one page; two such documents compared."""
from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.evaluation.table import table
from pycaffe_acc.suite.differences import differences
from pycaffe_acc.suite.document import read_document, report_document, write_document
from pycaffe_acc.suite.plan import read_suite, suite_names
from pycaffe_acc.suite.runner import Runner
from pycaffe_acc.suite.store import Store
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.demo import FOLDER as EMBEDDED
from pycaffe_acc.tools.exit_code import ExitCode, UsageError
from pycaffe_acc.tools.model_arguments import positive
from pycaffe_acc.tools.report_progress import Bar

NAME = "report"
HELP = "run a suite of experiments: accuracy and throughput of many nets, as one JSON document and one page; render and compare such documents"
_DATA = "PYCAFFE_ACC_DATA"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The suite's options, and one sub-command each for `render`, `diff` and `check`."""
    parser.add_argument("--suite", metavar="NAME", help=f"one of {', '.join(suite_names())}, or a file of your own (.json)")
    parser.add_argument("--data", metavar="DIR", help=f"folder of models and images that the suite's paths are below (default: ${_DATA})")
    parser.add_argument("--out", metavar="DIR", help="folder for report.json, page.html, the figures, and what was measured")
    parser.add_argument("--resume", action="store_true", help="use results that --out has and that were measured under the same circumstances")
    parser.add_argument("--limit", type=positive, metavar="N", help="only N images of each set, evenly spread over it")
    parser.add_argument("--models", metavar="NAME,…", help="only these models of the suite")
    parser.add_argument("--devices", metavar="NAME,…", help="only these devices of the suite: host (measured) and cards (simulated)")
    parser.add_argument("--threads", type=positive, metavar="T", help="core slots of the host (default: the CPUs this process may use)")
    parser.set_defaults(act=_run_suite)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")

    def add(name: str, act: Callable[[argparse.Namespace], int], text: str, files: tuple[str, ...]) -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=text, description=text)
        for file in files:
            sub.add_argument(file, metavar=f"{file.upper()}.json")
        # also after the action; the verb's own options stand before it
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="write exactly one JSON document to stdout")
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks and the log")
        sub.set_defaults(act=act)
        return sub

    sub = add("render", _render, "the page of a report, in one file that needs no network", ("report",))
    sub.add_argument("--out", metavar="F.html", required=True, help="the page")
    sub.add_argument("--figures", metavar="DIR", help="every figure as PNG and SVG, too (matplotlib)")
    sub = add("diff", _diff, "what got worse from one report to another; exit status 1 if anything did", ("before", "after"))
    sub.add_argument("--points", type=float, default=0.0, metavar="P", help="top-1 that may be lost, in points (default 0)")
    sub.add_argument("--percent", type=float, default=10.0, metavar="P", help="throughput that may be lost, in percent (default 10)")
    add("check", _check, "whether a report keeps its schema", ("report",))


def run(args: argparse.Namespace) -> int:
    """Do the action; without one, run a suite."""
    return int(args.act(args))


# ---- a suite ---------------------------------------------------------------------------------------------------------------------------------


def _run_suite(args: argparse.Namespace) -> int:
    if args.suite is None or args.out is None:
        raise UsageError("give --suite NAME and --out DIR to run a suite, or one of the actions render, diff and check")
    suite = read_suite(args.suite).narrowed(_names(args.models), _names(args.devices))
    data = _data_folder(args, suite.embedded)
    out = Path(args.out)
    started, store = time.time(), Store(out / "results", args.resume)
    with Bar(sys.stderr) as bar:
        runner = Runner(suite, data, store, args.limit, args.threads, bar)
        try:
            runner.run()
        except KeyboardInterrupt:
            note(f"pycaffe-acc: interrupted; what was measured is in {out / 'results'}: go on with --resume")
            raise
    document = report_document(suite, runner.rows(), runner.layers(), runner.failures, args.limit,
                               _clock(min(started, store.oldest or started)), _clock(time.time()))
    write_document(document, out / "report.json")
    written = [out / "report.json", *_page(document, out / "page.html", out / "figures")]
    emit(args, document, _text(document, written))
    return ExitCode.OK if document["rows"] else ExitCode.BAD_INPUT


def _data_folder(args: argparse.Namespace, embedded: bool) -> Path:
    given = args.data or (str(EMBEDDED) if embedded else os.environ.get(_DATA))
    if not given:
        raise UsageError(f"give --data DIR, the folder that the suite's paths are below, or set {_DATA}")
    if not Path(given).is_dir():
        raise CheckError(f"--data: there is no folder '{given}'")
    return Path(given)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _page(document: dict[str, Any], path: Path, figures: Path | None) -> list[Path]:
    """The page and the figures, as far as their packages are installed."""
    written = []
    try:
        from pycaffe_acc.report_page.page import write_page
        write_page(document, path)
        written.append(path)
        if figures is not None:
            from pycaffe_acc.report_page.pictures import write_pictures
            written += write_pictures(document, figures)
    except MissingExtraError as e:
        note(f"pycaffe-acc: {e}")
    return written


def _text(document: dict[str, Any], written: list[Path]) -> str:
    """The rows by kind of time, the findings, the failures."""
    lines = []
    for kind in ("measured", "simulated"):
        rows = [r for r in document["rows"] if r["time"] == kind]
        if rows:
            turns = "; hardware FPS with inputs in memory, nets in turn" if kind == "measured" else ""
            lines += [f"{kind}{turns}:", table(("model", "variant", "sparsity", "device", "runtime", "top-1 %", "to FP16", "bound", "hardware FPS",
                                         "end-to-end FPS"), [_cells(r) for r in rows], left=5), ""]
    verdicts = {True: "holds", False: "DOES NOT HOLD", None: "not judged"}
    lines += [f"{verdicts[f['holds']]:>13}  {f['claim']} [{f['device']}{'' if f['time'] == 'none' else ', ' + f['time']}]: {f['figures']}"
              for f in document["findings"]]
    lines += [f"       failed  {f['id']}: {f['sentence']}" for f in document["failures"]]
    shown = [p for p in written if p.suffix in (".json", ".html")]
    return "\n".join([*lines, "", "wrote " + ", ".join(map(str, shown)) + (f" and {len(written) - len(shown)} figures" if written[2:] else "")])


def _cells(row: dict[str, Any]) -> list[object]:
    a, t = row["accuracy"], row["throughput"]
    accuracy = ["no claim", "-", "-"] if a is None else [f"{a['top1']:.2f}", "-" if a["delta_fp16"] is None else f"{a['delta_fp16']:+.2f}",
                                                         {True: "kept", False: "BROKEN", None: "-"}[a["valid"]]]
    speeds = ["-", "-"] if t is None else [f"{t['in_turn_fps'] or t['hardware_fps']:.1f}", f"{t['end_to_end_fps']:.1f}"]
    sparse = f"{row['sparsity']:g}" + (f" ({row['pruning']})" if row["pruning"] else "")
    return [row["title"], row["variant_title"], sparse, row["device"], row["runtime"], *accuracy, *speeds]


# ---- documents -------------------------------------------------------------------------------------------------------------------------------


def _render(args: argparse.Namespace) -> int:
    document = read_document(Path(args.report))
    from pycaffe_acc.report_page.page import write_page
    write_page(document, Path(args.out))
    pictures: list[Path] = []
    if args.figures is not None:
        from pycaffe_acc.report_page.pictures import write_pictures
        pictures = write_pictures(document, Path(args.figures))
    emit(args, {"page": args.out, "figures": [str(p) for p in pictures]},
         f"wrote {args.out}" + (f" and {len(pictures)} files in {args.figures}" if pictures else ""))
    return ExitCode.OK


def _diff(args: argparse.Namespace) -> int:
    for name in ("points", "percent"):
        if not 0 <= getattr(args, name) <= 100:
            raise UsageError(f"--{name} is {getattr(args, name):g}; it must lie between 0 and 100")
    before, after = read_document(Path(args.before)), read_document(Path(args.after))
    found = differences(before, after, args.points, args.percent)
    worse = sum(d.worse for d in found)
    lines = [f"{'WORSE' if d.worse else '     '}  {d.place}: {d.sentence}" for d in found]
    emit(args, {"worse": worse, "differences": [d.to_dict() for d in found]},
         "\n".join([*lines, f"{worse} regressions, {len(found) - worse} other differences between {args.before} and {args.after}"]))
    return ExitCode.CHECK_FAILED if worse else ExitCode.OK


def _check(args: argparse.Namespace) -> int:
    document = read_document(Path(args.report))
    rows = document["rows"]
    emit(args, {"schema": document["schema"], "rows": len(rows)}, f"{args.report} keeps {document['schema']}: {len(rows)} rows, "
         f"{sum(r['time'] == 'measured' for r in rows)} of them measured and {sum(r['time'] == 'simulated' for r in rows)} simulated")
    return ExitCode.OK
