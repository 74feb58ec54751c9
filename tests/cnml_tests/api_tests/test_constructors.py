"""Every operator against a definition written down here, on the device and by its golden function."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.api_tests import detection_cases, element_cases, layer_cases, order_cases
from cnml_tests.api_tests.api_case import run_device, run_golden

from cnml import api
from cnml.api.enums import DataType
from cnml.api.table import CONSTRUCTORS
from cnml.errors import CnmlError, Status

CASES = [*element_cases.CASES, *layer_cases.CASES, *order_cases.CASES, *detection_cases.CASES]

#: the vendor's list
NAMES = """BasicRNNOp DeconvOp ConvOp ConvFirstOp ConvGroupOp ConvDepthwiseOp AddPadOp AddPadChannelOp NormalizeOp GrepChannelOp PoolOp L2_PoolOp
ActiveOp CustomizedActiveOp DeviceMemcpyOp TransposeProOp TransposeOp MlpOp MatrixMultOp GatherV2Op BatchDotOp XwPlusBOp AddOp CoeffAddOp
RealDivOp BroadcastOp BroadcastSubOp BroadcastAddOp BroadcastMultOp SubOp MultOp LrnOp BatchNormOp MeanVarNormOp MaxOp ReduceMaxOp MinOp
ReverseOp ResizeOp InterpOp ScaleOp ConcatOp SplitOp ShuffleChannelOp NotOp AndOp CycleAndOp CycleXorOp XorOp CycleOrOp OrOp CycleAddOp
CycleSubOp CycleMultOp CycleEqualOp CycleNEqualOp CycleLessEqualOp CycleLessOp CycleGreaterEqualOp CycleGreaterOp EqualOp NEqualOp
LessEqualOp LessOp GreaterEqualOp GreaterOp MaxTTOp MaxTCOp MinTCOp ClipOp NearestNeighborOp PreluOp SqrtOp RsqrtOp ExpOp SoftmaxOp LogOp
FloorOp PowerOp UnarySelectOp DyadicSelectOp SvdfOp AbsOp SoftplusOp MinusOp FakeQuantOp AvgOp Vector2NormOp CastOp ProposalOp NmsOp
RoiPoolOp ImageDetectOp GrepOp ArgmaxOp ReorgOp YUVtoRGBOp YUVtoGrayOp ReshapeOp Space2batchOp Batch2spaceOp UnpoolOp TopkOp WhereOp
SsdDetectionOutputOp SsdDetectionOpV2 SsdDetectionPoseOutputOp SsdDetectionPoseOp RoiAlignOp FractionalPoolOp LogSoftmaxOp PsRoiPoolOp
StridedSliceOp YoloDetectOp AxpyOp ReduceSumOp ReduceMeanOp SinOp CosOp ThrsOp""".split()
MISSING = {"TransposeOp", "SsdDetectionPoseOutputOp", "SsdDetectionPoseOp"}
#: the vendor has no golden function for these
NOT_GOLDEN = {"CustomizedActiveOp", "ThrsOp", "SsdDetectionOutputOp", "SsdDetectionOpV2"}


def test_the_table_has_the_vendors_operators():
    assert len(NAMES) == 120 and set(CONSTRUCTORS) == set(NAMES)


def test_every_built_operator_has_a_case():
    built = {name for name, row in CONSTRUCTORS.items() if row.build is not None}
    assert built == set(NAMES) - MISSING == {c.name for c in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_on_the_device(library, case):
    """cnmlCreate…, cnmlCheckBaseOpRunnable, cnmlCompileBaseOp, cnmlCompute…Forward_V3 on float32 tensors."""
    for got, want in zip(run_device(case), case.expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("case", [c for c in CASES if c.name not in NOT_GOLDEN], ids=lambda c: c.id)
def test_golden(library, case):
    """cnmlCpuCompute…Forward."""
    for got, want in zip(run_golden(case), case.expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=case.rtol, atol=case.atol)


@pytest.mark.parametrize("case", [c for c in CASES if c.name != "CastOp"], ids=lambda c: c.id)
def test_in_halves(library, case):
    """All tensors FLOAT16: results are halves, near those of float32 (measured against the largest)."""
    for got, want in zip(run_device(case, DataType.FLOAT16), case.expected, strict=True):
        np.testing.assert_array_equal(got, got.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(got, np.clip(want, -65504, 65504), rtol=0, atol=4e-3 * max(float(np.abs(want).max()), 1e-3))


@pytest.mark.parametrize("case", CASES[::9], ids=lambda c: c.id)
def test_without_kernels(library, case, monkeypatch):
    """By the definitions in NumPy, as where Numba cannot compile."""
    monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "numpy")
    for got, want in zip(run_device(case), case.expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=case.rtol, atol=case.atol)


def test_operators_without_a_golden_function(library):
    assert {name for name, row in CONSTRUCTORS.items() if row.golden_order is None} == NOT_GOLDEN | {"SsdDetectionPoseOutputOp", "SsdDetectionPoseOp"}
    assert not any(hasattr(api, f"cnmlCpuCompute{name}Forward") for name in NOT_GOLDEN)


@pytest.mark.parametrize("name", sorted(MISSING))
def test_what_is_not_built_says_so(library, name):
    create = getattr(api, f"cnmlCreate{name}")
    with pytest.raises(CnmlError, match="failed to use cnmlCreate") as e:
        create(*[None] * len(CONSTRUCTORS[name].slots))
    assert e.value.status == Status.UNSUPPORT
