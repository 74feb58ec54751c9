"""The vendor's layers against stored outputs of its own fork (see the data folder's README)."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_tests.golden_case import compare_structure, feed, inside, open_net

import pycaffe_acc as caffe

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")

CHANGED_INPUT = "the fork normalizes the data blob in place; here the data blob stays as the user set it"
#: blobs that are not compared, and why: case → (blobs, reason)
NOT_COMPARED: dict[str, tuple[tuple[str, ...], str]] = {
    **{f"firstconv_{name}": (("data",), CHANGED_INPUT) for name in (
        "gray", "mean_dil", "mean_pad", "mean_std", "scale_only", "shared_bottom_before", "std1", "std_and_scale", "std_only")},
    "firstconv_shared_bottom": (("data", "p"), CHANGED_INPUT + ", so a later reader sees the original"),
    "firstconv_twice": (("data", "data@1", "out@1"), CHANGED_INPUT + ", so a second forward does not subtract again"),
    **{f"m270_yolov3_{name}": (("f0", "f1", "f2"), "the fork reshapes and overwrites the bottoms of this layer; here they stay")
       for name in ("basic", "high", "low")},
}
#: cases whose MLU270 behaviour contradicts that of the MLU100 fork, which vendor_exact means: run with the default semantics
DEFAULT_SEMANTICS = {
    "m270_bn_4d": "blobs are (1, C, 1, 1) there and (1, C) on the MLU100 fork",
}
#: cases left out entirely
SKIPPED = {
    "m270_detout2_batch2": "the MLU270 form of DetectionOut has the layer type and fields of the MLU100 form; "
                           "tests/cnml_tests/ops_tests/test_detect.py runs it on the operator",
}
#: rows whose order among equal scores std::sort decides: case → how many columns a row has and where the rows begin
ROW_SETS = {"m270_yolov3_basic": (7, 64), "m270_yolov3_high": (7, 64), "m270_yolov3_low": (7, 64)}
#: nets that the fork refuses and this package accepts
ACCEPTED = {
    "conv_engine_cudnn": "the fork's enumeration lost CUDNN; prototxts of BVLC's Caffe use it",
    "five_axes": "blobs here may have more than four axes, as in BVLC's Caffe",
    "pool_round_mode": "the fork has no round_mode; BVLC's Caffe has",
    "swish": "the fork has no Swish layer; BVLC's Caffe has",
}


def names(kind: str) -> list[str]:
    """Names of the stored cases; one placeholder without data, so that the skip is reported."""
    folder = Path(DATA) / "vendor_golden" / "layers" / kind
    return sorted(p.name for p in folder.iterdir()) if DATA and folder.is_dir() else ["(no data)"]


def sorted_rows(values: np.ndarray, columns: int, start: int) -> np.ndarray:
    """The values with the rows behind `start` in a fixed order."""
    flat = values.reshape(-1).copy()
    end = start + (flat.size - start) // columns * columns
    rows = flat[start:end].reshape(-1, columns)
    flat[start:end] = rows[np.lexsort(np.round(rows, 4).T[::-1])].reshape(-1)
    return flat


def differences(net: caffe.Net, want: dict[str, np.ndarray], step: int, meta: dict[str, Any]) -> list[str]:
    """One sentence for each blob of a step that differs."""
    problems = []
    left_out = NOT_COMPARED.get(meta["id"], ((), ""))[0]
    for key, value in want.items():
        name, _, at = key.partition("@")
        if int(at or 0) != step or key in left_out:
            continue
        got = np.array(net.blobs[name].data)
        if got.shape != value.shape:
            problems.append(f"{key} has the shape {got.shape}, expected {value.shape}")
            continue
        if meta["id"] in ROW_SETS:
            got, value = (sorted_rows(v, *ROW_SETS[meta["id"]]) for v in (got, value))
        if not np.allclose(got, value, rtol=meta["rtol"], atol=meta["atol"], equal_nan=True):
            with np.errstate(all="ignore"):
                problems.append(f"{key} differs by up to {np.nanmax(np.abs(got - value)):.3g}")
    return problems


@pytest.mark.parametrize("name", names("cases"))
def test_vendor_case(data_dir: Path, name: str) -> None:
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    folder = data_dir / "vendor_golden" / "layers" / "cases" / name
    meta = json.loads((folder / "meta.json").read_text())
    with inside(folder):
        net = open_net(meta, vendor_exact=name not in DEFAULT_SEMANTICS)
        inputs, want = dict(np.load("inputs.npz")), dict(np.load("outputs.npz"))
        problems = compare_structure(net, meta)
        for step in range(meta["steps"]):
            feed(net, inputs, step)
            net.forward()
            problems += differences(net, want, step, meta)
    assert problems == []


@pytest.mark.parametrize("name", names("errors"))
def test_vendor_refusal(data_dir: Path, name: str) -> None:
    folder = data_dir / "vendor_golden" / "layers" / "errors" / name
    meta = json.loads((folder / "meta.json").read_text())
    refused = meta["outcome"] == "abort" and name not in ACCEPTED
    with inside(folder):
        if not refused:
            caffe.Net("case.prototxt", caffe.TEST, vendor_exact=True)
            return
        with pytest.raises((caffe.CaffeError, RuntimeError)) as caught:
            net = caffe.Net("case.prototxt", caffe.TEST, vendor_exact=True)
            for blob in net.inputs:
                net.blobs[blob].data[...] = 1
            net.forward()
    assert len(str(caught.value)) > 20


def test_tables_name_existing_cases(data_dir: Path) -> None:
    """An exception for a case that does not exist would explain nothing."""
    known = set(names("cases"))
    assert set(NOT_COMPARED) | set(DEFAULT_SEMANTICS) | set(SKIPPED) | set(ROW_SETS) <= known
    assert set(ACCEPTED) <= set(names("errors"))
