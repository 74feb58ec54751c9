"""Run a script, a module or a command in which `import caffe` means this package."""
from __future__ import annotations

import os
import runpy
import sys
import types
from collections.abc import Sequence

from pycaffe_acc.compat import install_as_caffe, stand_in_folder


def is_script(argv: Sequence[str]) -> bool:
    """Whether the arguments ask for a script: `script.py …`, `-m module …`, `-c code …`."""
    return bool(argv) and (argv[0] in ("-m", "-c") or argv[0].endswith((".py", ".pyw")))


def run_script(argv: Sequence[str]) -> None:
    """Run it as `python` would: sys.argv, sys.path[0] and `__main__` are the script's; SystemExit and other exceptions pass through.

    Child processes find the package as `caffe` too.

    Parameters
    ----------
    argv : sequence of str
        What `is_script` accepts.
    """
    install_as_caffe()
    # processes that multiprocessing spawns take over sys.path, others PYTHONPATH
    sys.path.append(str(stand_in_folder()))
    folders = [str(stand_in_folder()), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(folders)
    kind, rest = (argv[0], list(argv[1:])) if argv[0] in ("-m", "-c") else ("", list(argv))
    if not rest:
        sys.exit(f"python -m pycaffe_acc: argument expected after {kind}")
    if kind == "-m":
        sys.argv[:] = rest
        sys.path[0] = os.getcwd()
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv[:] = ["-c", *rest[1:]]
        sys.path[0] = ""
        _run_code(rest[0])
    else:
        if not os.path.isfile(rest[0]):
            sys.exit(f"python -m pycaffe_acc: can't open file '{rest[0]}': it does not exist")
        sys.argv[:] = rest
        sys.path[0] = os.path.dirname(os.path.abspath(rest[0]))
        runpy.run_path(rest[0], run_name="__main__")


def _run_code(code: str) -> None:
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    exec(compile(code, "<string>", "exec"), main.__dict__)  # noqa: S102 - running what the user typed is what -c is for
