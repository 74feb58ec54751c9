"""Every layer and small net against stored outputs of BVLC Caffe."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from golden_tests.golden_case import inside, open_net, run_case

import pycaffe_acc as caffe

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")


def names(kind: str) -> list[str]:
    """Names of the stored cases; one placeholder without data, so that the skip is reported."""
    folder = Path(DATA) / "golden" / kind
    return sorted(p.name for p in folder.iterdir()) if DATA and folder.is_dir() else ["(no data)"]


@pytest.mark.parametrize("name", names("cases"))
def test_case(data_dir: Path, name: str) -> None:
    assert run_case(data_dir / "golden" / "cases" / name) == []


def provoke(meta: dict[str, Any]) -> None:
    """Build the refused net and, where it fails later, do what makes it fail."""
    net = open_net(meta)
    actions = [a.split("=") for a in meta["action"].split(",") if a]
    for blob, value in actions:
        net.blobs[blob].data[...] = float(value)
    if actions:
        net.forward()


@pytest.mark.parametrize("name", names("errors"))
def test_refused(data_dir: Path, name: str) -> None:
    folder = data_dir / "golden" / "errors" / name
    meta = json.loads((folder / "meta.json").read_text())
    with inside(folder), pytest.raises(caffe.CaffeError) as caught:
        provoke(meta)
    assert len(str(caught.value)) > 20
