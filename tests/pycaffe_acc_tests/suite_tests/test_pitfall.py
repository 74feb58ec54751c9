"""A part of the suite pitfall on the real models: recurrent nets, LeNet, the encoder."""
from __future__ import annotations

import importlib.util
import json

import pytest

from pycaffe_acc.tools.main import main

pytestmark = pytest.mark.slow

#: without it there is the JSON document alone
PAGES = importlib.util.find_spec("jinja2") is not None


def test_the_small_workloads(tmp_path, capsys, data_dir):
    words = ["report", "--suite", "pitfall", "--data", str(data_dir), "--out", str(tmp_path / "out"), "--limit", "40", "--models",
             "lenet,lstm64,lstm128x2,transformer_encoder", "--json"]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    rows = {r["id"]: r for r in document["rows"]}
    assert document["failures"] == [] and (tmp_path / "out" / "page.html").is_file() is PAGES
    assert set(rows) == {"lenet.fp32@host", "lenet.fp16@host", "lenet.fp16@MLU100", "lenet.int8@host", "lenet.int8-vendor@host",
                         "lenet.int8-vendor@MLU100",
                         "lstm64.fp32@host", "lstm64.fp16@host", "lstm128x2.fp32@host", "lstm128x2.fp16@host", "transformer_encoder.fp32@host",
                         "transformer_encoder.fp16@host", "transformer_encoder.fp16@MLU100"}
    for name, row in rows.items():
        if name.startswith("transformer"):
            assert row["accuracy"] is None and row["claim"] == "no accuracy claim"
        else:  # known: 99.1, 99.8 and 97.9 % over the whole set
            assert row["accuracy"]["top1"] >= 92.5 and row["accuracy"]["images"] == 40 and row["accuracy"]["data"] == "mnist"
