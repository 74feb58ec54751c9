"""Run scripts that say `import caffe`: this package under pycaffe's names."""
from __future__ import annotations

import importlib
import importlib.abc
import logging
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from pycaffe_acc.errors import CaffeError
from pycaffe_acc.net_source import allow_python_layers as _set_python_layers

_log = logging.getLogger("caffe")

#: modules of pycaffe and where their contents are here
MODULES = {
    "caffe": "pycaffe_acc",
    "caffe.classifier": "pycaffe_acc.classifier",
    "caffe.coord_map": "pycaffe_acc.coord_map",
    "caffe.detector": "pycaffe_acc.detector",
    "caffe.draw": "pycaffe_acc.draw",
    "caffe.io": "pycaffe_acc.io",
    "caffe.net_spec": "pycaffe_acc.net_spec",
    "caffe.proto": "pycaffe_acc.proto",
    "caffe.proto.caffe_pb2": "pycaffe_acc.proto.caffe_pb2",
}
#: modules of pycaffe that only gather names which are elsewhere here
_GATHERED = ("caffe._caffe", "caffe.pycaffe")
_SOLVER_NAMES = ("NCCL", "has_nccl", "set_multiprocess", "set_solver_count", "set_solver_rank", "solver_count", "solver_rank")


class RealCaffeError(CaffeError, ImportError):
    """Another Caffe was imported before this package should take its name."""


class _NoOtherModules(importlib.abc.MetaPathFinder):
    """Keep `import caffe.net` from loading a second copy of a module of this package under Caffe's name."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None) -> ModuleSpec | None:
        """Refuse `caffe.<anything that is not in MODULES>` while `caffe` is this package."""
        if fullname.startswith("caffe.") and sys.modules.get("caffe") is sys.modules.get("pycaffe_acc"):
            known = ", ".join(m for m in MODULES if "." in m)
            raise ModuleNotFoundError(f"'{fullname}' is no module of pycaffe; its modules are {known}", name=fullname)
        return None


_guard = _NoOtherModules()


def install_as_caffe(allow_python_layers: bool = True, force: bool = False) -> types.ModuleType:
    """Make `import caffe` mean this package, for the whole process.

    Registers caffe, caffe.io, caffe.proto, caffe.proto.caffe_pb2, caffe.draw, caffe.net_spec, caffe.classifier, caffe.detector, caffe.coord_map,
    caffe.pycaffe and caffe._caffe. Calling it again does nothing more.

    Parameters
    ----------
    allow_python_layers : bool
        Let nets run `Python` layers, as pycaffe does: they import the module that the prototxt names. Give False for prototxts from strangers.
    force : bool
        Also when a real Caffe is imported already; modules that hold it keep it.

    Returns
    -------
    module
        This package.

    Raises
    ------
    RealCaffeError
        When a real Caffe is imported already and `force` is not set.
    """
    package = importlib.import_module("pycaffe_acc")
    other = _real_caffe(package)
    if other and not force:
        raise RealCaffeError(f"install_as_caffe: another Caffe is imported already ({other}); call it before anything imports caffe, or pass "
                             "force=True")
    if other:
        _log.warning("install_as_caffe: replaces the Caffe that was imported from %s", other)
        for name in [n for n in sys.modules if n.startswith("caffe.")]:
            del sys.modules[name]
    for name, here in MODULES.items():
        sys.modules[name] = importlib.import_module(here)
    for name in _GATHERED:
        sys.modules[name] = _gathered(name, package)
        setattr(package, name.rpartition(".")[2], sys.modules[name])
    if _guard not in sys.meta_path:
        sys.meta_path.insert(0, _guard)
    if allow_python_layers:
        _log.info("install_as_caffe: Python layers are on; they run the module that the prototxt names")
        _set_python_layers(True)
    return package


def _real_caffe(package: types.ModuleType) -> str:
    """Where a Caffe that is not this package was imported from; empty when there is none."""
    known = sys.modules.get("caffe")
    if known is None or known is package:
        return ""
    # a stub that stands in for us (pycaffe_acc/as_caffe) or holds only messages has no Net
    return str(getattr(known, "__file__", "somewhere")) if hasattr(known, "Net") else ""


def _gathered(name: str, package: types.ModuleType) -> types.ModuleType:
    solver = importlib.import_module("pycaffe_acc.solver")
    module = types.ModuleType(name, f"pycaffe's {name}: names of this package.")
    public = {k: v for k, v in vars(package).items() if not k.startswith("_") and not isinstance(v, types.ModuleType)}
    module.__dict__.update(public, **{k: getattr(solver, k) for k in _SOLVER_NAMES})
    return module


def stand_in_folder() -> Path:
    """A folder for PYTHONPATH in which `import caffe` finds this package: for child processes and for programs started by others."""
    return Path(__file__).resolve().parent / "as_caffe"
