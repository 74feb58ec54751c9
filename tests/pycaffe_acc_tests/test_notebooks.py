"""The notebooks run, show what they promise, and hold no outputs of somebody's machine."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pycaffe_acc_tests.html_check import inert

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))

#: runs the code cells of a notebook in one namespace, as a kernel without IPython would, and writes what each prints and displays
PROGRAM = """
import ast, contextlib, io, json, sys, warnings
warnings.simplefilter("error")
space, shown = {"__name__": "__main__"}, []
with open(sys.argv[1], encoding="utf-8") as file:
    cells = json.load(file)["cells"]
for cell in cells:
    if cell["cell_type"] != "code":
        continue
    body = ast.parse("".join(cell["source"])).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(ast.Module(body, []), cell["id"], "exec"), space)
        value = None if last is None else eval(compile(ast.Expression(last.value), cell["id"], "eval"), space)
    displays = {k: getattr(value, k)() for k in ("_repr_html_", "_repr_svg_") if hasattr(value, k)}
    shown.append({"id": cell["id"], "text": out.getvalue(), **displays})
keep = {k: space[k] for k in sys.argv[3:]}
with open(sys.argv[2], "w") as file:
    json.dump({"cells": shown, "values": keep}, file, default=lambda v: v.tolist())
"""


def played(name, folder, *values):
    """What a notebook's cells print and display, and some of its variables."""
    path = ROOT / "examples" / name
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    result = subprocess.run([sys.executable, "-c", PROGRAM, str(path), str(folder / "shown.json"), *values], capture_output=True, text=True,
                            timeout=300, check=False, cwd=folder, env=environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout == result.stderr == ""
    found = json.loads((folder / "shown.json").read_text())
    return found["cells"], found["values"]


def test_there_are_notebooks():
    assert {p.name for p in NOTEBOOKS} == {"classify_and_draw.ipynb", "quantize_and_compare.ipynb"}
    assert "*.ipynb" in (ROOT / "MANIFEST.in").read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_is_clean(path):
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5) and set(document) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    ids = [cell["id"] for cell in document["cells"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", i) for i in ids)
    assert document["cells"][0]["cell_type"] == "markdown" and document["cells"][0]["source"][0].startswith("# ")
    for cell in document["cells"]:
        code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | code and cell["metadata"] == {}
        assert not code or (cell["outputs"] == [] and cell["execution_count"] is None)
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    assert not re.search("/(work|root|home|tmp)/", text)


def test_classify_and_draw(tmp_path):
    cells, values = played("classify_and_draw.ipynb", tmp_path, "labels", "predicted")
    assert values["labels"] == values["predicted"]
    pages = [cell["_repr_html_"] for cell in cells if "_repr_html_" in cell]
    words = [inert(page) for page in pages]
    assert [w.split("'")[0].strip() for w in words] == ["Net", "Blob", "ParameterBlob"] and "res2/conv1" in words[0]
    assert all("data:image/png;base64" in page for page in pages[1:])
    assert "<svg" in cells[-1]["_repr_svg_"] and "conv1" in cells[-1]["_repr_svg_"]
    assert any(cell["text"].count("digit ") == 8 for cell in cells)


def test_quantize_and_compare(tmp_path):
    cells, values = played("quantize_and_compare.ipynb", tmp_path, "rows", "found", "latencies")
    assert [row["precision"] for row in values["rows"]] == ["fp32", "fp16", "int8"] and {row["images"] for row in values["rows"]} == {300}
    top1 = [row["top1"] for row in values["rows"]]
    assert top1[0] > 98.5 and max(top1) - min(top1) <= 1.0
    assert values["rows"][2]["model"].endswith("int8.prototxt") and all(row["hardware_fps"] > 0 for row in values["rows"])
    page = next(cell["_repr_html_"] for cell in cells if "_repr_html_" in cell)
    words = inert(page)
    assert all(w in words for w in ("fp32", "fp16", "int8", "hardware FPS", "end-to-end FPS", "top-1 %"))
    assert any("bottom_mlu_dtype" in cell["text"] for cell in cells) and "MLPerf-style, not MLPerf: int8" in cells[-1]["text"]
    assert values["found"]["images"] == 60 and len(values["found"]["layers"]) > 5 and set(values["latencies"]) == {"fp32", "int8"}
