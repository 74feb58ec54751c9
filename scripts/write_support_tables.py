"""Write docs/layers.md, docs/operators.md, docs/cnml_support.md and the table of docs/onnx.md from the code.

  python scripts/write_support_tables.py [--check]

With --check nothing is written; the exit status is 1 when a file is not what the code says.
"""
from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import cnml.api  # noqa: E402  (the checkout this script lies in, installed or not)
import cnml.ops  # noqa: E402
from cnml.api.constructor import Slot  # noqa: E402
from cnml.api.parameter_objects import PARAMETERS  # noqa: E402
from cnml.api.table import CONSTRUCTORS  # noqa: E402
from cnml.operator import Operator  # noqa: E402
from pycaffe_acc import layer as layer_module  # noqa: E402
from pycaffe_acc.layer import Layer  # noqa: E402
from pycaffe_acc.onnx_export.layer_table import LAYERS  # noqa: E402

LAYERS_HEAD = """# Layer types

Written by `scripts/write_support_tables.py`; do not edit. A type is one file in `pycaffe_acc/layer_types/`. Layers of another type are refused,
all of them in one error; register your own with `@pycaffe_acc.layer.layer("Name")`. The V1 names (`CONVOLUTION` …) are upgraded when a net is read.

| type | other spellings | bottoms | tops | what it does | operators |
|---|---|---|---|---|---|
"""
OPERATORS_HEAD = """# Operators

Written by `scripts/write_support_tables.py`; do not edit. An operator is one file in `cnml/ops/`, its definition one in `cnml/reference/`. An
operator without a native kernel runs its definition in NumPy between kernels; the last column says why that is enough.

| operator | file | what it does | kernels, or why on the host |
|---|---|---|---|
"""
CNML_HEAD = """# The vendor's operator library

Written by `scripts/write_support_tables.py`; do not edit. `cnml.api` has the functions of CNML's MLU100 generation under their names.
Out-parameters are returned, failures raise `CnmlError` with the vendor's status; what is not built raises `UNSUPPORT`.

Built: {built} of {all} operators. For each there are `cnmlCreate…`, `cnmlCompute…Forward_V3` (asynchronous on a queue of `cnrt.api`; constants are
not among its arguments) and `cnmlCpuCompute…Forward`, the definition in NumPy on host tensors, where the vendor has it. Names of arrays of tensors
end in `[]`, constants (bound with `cnmlBindConstData`) stand in italics, outputs in bold, optional ones have a `?`.

Tensors are (N, C, H, W), stored as NHWC in the tensor's type. Results are computed in FP16 (halves, sums in float32) where an output tensor is
FLOAT16, else in float32. Where the vendor's documents are silent (truth values, which of equal elements, borders of odd paddings), the table says
what is done here.

"""
CNML_TABLE = """| operator | arguments | computes | golden function |
|---|---|---|---|
"""
ONNX_MARK = "<!-- the table below is written by scripts/write_support_tables.py; do not edit -->\n"
ONNX_TABLE = """
| type | in ONNX | how, or why not |
|---|---|---|
"""


def operator_classes() -> list[type[Operator]]:
    """The concrete operators, sorted by kind."""
    found = set()
    for module in pkgutil.iter_modules(cnml.ops.__path__):
        for _, cls in inspect.getmembers(importlib.import_module(f"cnml.ops.{module.name}"), inspect.isclass):
            if issubclass(cls, Operator) and cls.kind and cls.__module__.startswith("cnml.ops."):
                found.add(cls)
    return sorted(found, key=lambda c: (c.kind.lower(), c.__module__, c.__name__))


def first_paragraph(thing: type) -> str:
    """The first paragraph of a docstring, on one line, safe in a table."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split()).replace("|", "\\|")


def kernel_names(cls: type[Operator]) -> list[str]:
    """Names of kernels that stand in an operator's class, else in its file."""
    pattern = r'"([a-z][a-z0-9_]*_(?:f32|x32|i32)(?:_[a-z0-9]+)*)"'
    return list(dict.fromkeys(re.findall(pattern, inspect.getsource(cls))
                              or re.findall(pattern, inspect.getsource(inspect.getmodule(cls)))))  # type: ignore[arg-type]


def runs_as(cls: type[Operator]) -> str:
    """Kernels, or the reason why there is none."""
    if cls.view:
        return "nothing runs: another shape of the same bytes"
    if cls.lower is Operator.lower:
        return f"host: {cls.host_reason or 'given where it is used'}".replace("|", "\\|")
    names = kernel_names(cls)
    return ", ".join(f"`{n}`" for n in names) if names else "by other operators' kernels"


def operators_page() -> str:
    """docs/operators.md."""
    rows = [f"| `{c.kind}` | `{c.__module__.replace('.', '/')}.py` | {first_paragraph(c)} | {runs_as(c)} |" for c in operator_classes()]
    return OPERATORS_HEAD + "\n".join(rows) + "\n"


def arity(exact: int | None, least: int, most: int | None) -> str:
    """"2", "1 or more", "1 to 3"."""
    if exact is not None:
        return str(exact)
    if most is None:
        return f"{least} or more"
    return str(most) if least == most else f"{least} to {most}"


def layers_page() -> str:
    """docs/layers.md."""
    layer_module.layer_types()
    spellings: dict[type[Layer], list[str]] = {}
    for name, cls in layer_module._types.items():
        spellings.setdefault(cls, []).append(name)
    # layers that somebody else registered (a test, a script) are not the package's
    own = [c for c in spellings if c.__module__.startswith("pycaffe_acc.layer_types.")]
    rows = []
    for cls in sorted(own, key=lambda c: c.type.lower()):
        others = ", ".join(f"`{n}`" for n in sorted(spellings[cls]) if n != cls.type) or "-"
        source = inspect.getsource(inspect.getmodule(cls))  # type: ignore[arg-type]
        used = sorted(set(re.findall(r"from cnml\.ops\.(\w+) import", source)))
        rows.append(f"| `{cls.type}` | {others} | {arity(cls.exact_bottoms, cls.min_bottoms, cls.max_bottoms)} | "
                    f"{arity(cls.exact_tops, cls.min_tops, cls.max_tops)} "
                    f"| {first_paragraph(cls)} | {', '.join(used) or '-'} |")
    return LAYERS_HEAD + "\n".join(rows) + "\n"


def argument(slot: Slot) -> str:
    """One argument in the table of the vendor's operators."""
    name = f"{slot.name}[]" if slot.many else slot.name
    text = {"const": f"*{name}*", "out": f"**{name}**", "param": f"{name}: `{slot.type}`"}.get(slot.role, name)
    return text + ("?" if slot.optional else "")


def cnml_page() -> str:
    """docs/cnml_support.md."""
    built = sum(row.build is not None for row in CONSTRUCTORS.values())
    rows = [f"| `{name}` | {', '.join(argument(s) for s in row.slots)} | {row.what if row.build else f'**not built**: {row.what}'} | "
            f"{'yes' if row.golden_order is not None and row.build else '-'} |"
            for name, row in sorted(CONSTRUCTORS.items(), key=lambda r: r[0].lower())]
    objects = [f"| `{name}` | {', '.join(f.partition(':')[0] for f in fields.split())} | `{kind}` |" for name, (kind, fields) in PARAMETERS.items()]
    functions = {name: getattr(cnml.api, name) for name in cnml.api.__all__ if name.startswith("cnml")}
    missing = sorted(name for name, f in functions.items() if (f.__doc__ or "").startswith("Not built"))
    tabled = ("cnml.api.functions", "cnml.api.parameter_objects")
    others = sorted(name for name, f in functions.items() if f.__module__ not in tabled and name not in missing)
    return (CNML_HEAD.format(built=built, all=len(CONSTRUCTORS)) + CNML_TABLE + "\n".join(rows)
            + "\n\n## Parameter objects\n\nEach has a `cnmlCreate…`, and a `cnmlDestroy…` for its kind.\n\n"
            + "| constructor | fields | kind |\n|---|---|---|\n" + "\n".join(objects)
            + "\n\n## Other functions\n\n" + ", ".join(f"`{n}`" for n in others)
            + "\n\nNot built, they raise `UNSUPPORT`: " + ", ".join(f"`{n}`" for n in missing) + "\n")


def onnx_page() -> str:
    """docs/onnx.md: what a person wrote, and the table behind the mark."""
    layer_module.layer_types()
    own = sorted({c.type for c in layer_module._types.values() if c.__module__.startswith("pycaffe_acc.layer_types.")}, key=str.lower)
    rows = [f"| `{name}` | {LAYERS[name].fate.value} | {LAYERS[name].note} |" for name in own]
    words = (ROOT / "docs/onnx.md").read_text(encoding="utf-8").split(ONNX_MARK)[0]
    return words + ONNX_MARK + ONNX_TABLE + "\n".join(rows) + "\n"


PAGES = {"docs/cnml_support.md": cnml_page, "docs/onnx.md": onnx_page, "docs/layers.md": layers_page, "docs/operators.md": operators_page}


def main() -> int:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, render in PAGES.items():
        path, text = ROOT / name, render()
        if check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"not current: {', '.join(stale)}; run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
