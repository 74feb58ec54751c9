"""One Caffe layer type a file. A file is imported when its type is first asked for: all of them take a third of a second."""
from __future__ import annotations

import importlib
import pkgutil

MODULES = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__)))

#: `InnerProduct` → inner_product
_FILES = {m.replace("_", ""): m for m in MODULES}


def load(name: str) -> None:
    """Import the file that is named like a layer type, if there is one."""
    module = _FILES.get(name.lower())
    if module is not None:
        importlib.import_module(f"{__name__}.{module}")


def load_all() -> None:
    """Import every file, so that all types are registered."""
    for module in MODULES:
        importlib.import_module(f"{__name__}.{module}")
