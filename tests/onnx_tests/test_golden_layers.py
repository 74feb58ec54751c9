"""Every stored case of BVLC's Caffe and of the vendor's fork through its export and onnxruntime: the proof that the translations are exact."""
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from onnx_tests.exported_case import exported_differences

from pycaffe_acc.errors import CheckError
from pycaffe_acc.onnx_export import NotExpressibleError
from pycaffe_acc.onnx_export.layer_table import LAYERS, Fate

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
NOT_FINITE = "NaN and infinities: ONNX leaves open what becomes of them"
IN_PLACE = "the fork normalizes the data blob in place, so that later readers see other values; see the vendor's golden test"
#: cases whose results may differ, and why
DIFFERENT = {"eltwise_max_nan": NOT_FINITE, "pool_max_nan": NOT_FINITE, "pool_max_neginf": NOT_FINITE, "relu_naninf": NOT_FINITE,
             "firstconv_shared_bottom": IN_PLACE, "firstconv_twice": IN_PLACE}
#: recorded on the vendor's later fork, whose blobs have the default's shapes
DEFAULT_SEMANTICS = {"m270_bn_4d"}


def names(folder: str) -> list[str]:
    """Names of the stored cases; one placeholder without data, so that the skip is reported."""
    path = Path(DATA) / folder
    return sorted(p.name for p in path.iterdir()) if DATA and path.is_dir() else ["(no data)"]


def check_case(folder: Path, **kwargs: bool) -> None:
    """Right results; or the refusal that the table of layers says."""
    types = json.loads((folder / "meta.json").read_text())["layer_types"]
    fates = {LAYERS[t].fate for t in types}
    if Fate.REFUSED in fates:
        with pytest.raises(NotExpressibleError) as caught:
            exported_differences(folder, **kwargs)
        assert {r.type for r in caught.value.layers} == {t for t in types if LAYERS[t].fate is Fate.REFUSED}
        return
    computing = [t for t in types if LAYERS[t].fate is Fate.EXACT and t not in ("Split", "Silence")]
    if not computing:
        with pytest.raises(CheckError, match="has nothing to export"):
            exported_differences(folder, **kwargs)
        return
    problems, compared = exported_differences(folder, **kwargs)
    assert compared > 0
    if folder.name in DIFFERENT:
        assert problems, f"{folder.name} agrees now; take it out of the list"
    else:
        assert problems == []


@pytest.mark.parametrize("name", names("golden/cases"))
def test_bvlc_case(data_dir: Path, name: str) -> None:
    check_case(data_dir / "golden" / "cases" / name)


@pytest.mark.parametrize("name", names("vendor_golden/layers/cases"))
def test_vendor_case(data_dir: Path, name: str) -> None:
    check_case(data_dir / "vendor_golden" / "layers" / "cases" / name, vendor_exact=name not in DEFAULT_SEMANTICS)
