from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.api_tests import layer_cases
from cnml_tests.api_tests.api_case import created, run_device
from cnml_tests.api_tests.refusal import refused
from cnml_tests.api_tests.small_nets import constant, conv_param, loaded, read, tensor

from cnml import api
from cnml.api.enums import DataType, TensorType
from cnml.errors import Status
from cnrt.api import cnrtCreateQueue, cnrtSyncQueue

CASES = {c.id: c for c in layer_cases.CASES}


def codes(x, position, scale=1.0):
    """Whole numbers in -127..127, halves away from zero."""
    units = x.astype(np.float64) * scale / 2.0 ** position
    return np.clip(np.sign(units) * np.floor(np.abs(units) + 0.5), -127, 127)


def switch(op, tensors, name, filter_positions=None, positions=(-5, -6), scales=(1.25, 1.5)):
    """Positions and scales of input and filter, and the switch."""
    api.cnmlSetQuantizedPosition(tensors["input"], positions[0])
    api.cnmlSetQuantizedScale(tensors["input"], scales[0])
    if filter_positions is None:
        api.cnmlSetQuantizedPosition(tensors["filter"], positions[1])
        api.cnmlSetQuantizedScale(tensors["filter"], scales[1])
    else:
        api.cnmlSetQuantizedPositionByChannel(tensors["filter"], filter_positions, len(filter_positions))
    getattr(api, f"cnmlEnable{name}OpInt8Mode")(op)


@pytest.mark.parametrize("filter_positions", [None, [-6, -5, -7, -6]])
def test_a_convolution_multiplies_codes(library, filter_positions):
    case = CASES["ConvOp-stride and sums of pads"]
    x, w, b = (case.tensors[k] for k in ("input", "filter", "bias"))
    q = codes(x, -5, 1.25)
    if filter_positions is None:
        qw, unit = codes(w, -6, 1.5), 2.0 ** -11 / 1.875
    else:
        qw = np.stack([codes(k, p) for k, p in zip(w, filter_positions, strict=True)])
        unit = (2.0 ** -5 / 1.25 * 2.0 ** np.array(filter_positions)).reshape(1, -1, 1, 1)
    want = layer_cases.correlate(q, qw, (2, 1), (1, 1, 1, 2)) * unit + b
    got, = run_device(case, prepare=lambda op, t: switch(op, t, "Conv", filter_positions))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    assert np.abs(got - case.expected[0]).max() > 1e-3, "and not the floats"


def test_wide_groups_of_codes_are_summed_exactly(library):
    """Sums beyond 2 ** 24, which float32 would round."""
    from cnml_tests.api_tests.api_case import Case
    x, w = np.full((1, 4096, 1, 1), 127, np.float32), np.full((4, 4096, 1, 1), 127, np.float32)
    w[1, :, 0, 0] = np.where(np.arange(4096) < 4095, 127, 126)
    case = Case("MlpOp", {"input": x, "filter": w}, [np.zeros((1, 4, 1, 1), np.float32)], {"sparse": 0})
    got, = run_device(case, prepare=lambda op, t: switch(op, t, "Mlp", positions=(0, 0), scales=(1, 1)))
    total = 4096 * 127 * 127
    np.testing.assert_array_equal(got.reshape(4), np.array([total, total - 127, total, total], np.float32))


def test_an_inner_product_multiplies_codes(library):
    case = CASES["MlpOp-bias True"]
    x, w, b = (case.tensors[k] for k in ("input", "filter", "bias"))
    want = codes(x, -5, 1.25).reshape(3, 16) @ codes(w, -6, 1.5).reshape(5, 16).T * (2.0 ** -11 / 1.875) + b.reshape(5)
    got, = run_device(case, prepare=lambda op, t: switch(op, t, "Mlp"))
    np.testing.assert_allclose(got.reshape(3, 5), want, rtol=1e-5, atol=1e-6)


def test_the_transposed_product_and_the_inverse_convolution(library):
    """No kernel for these; the same numbers from NumPy."""
    case = CASES["XwPlusBOp"]
    x, w, b = (case.tensors[k] for k in ("input", "filter", "bias"))
    want = codes(x, -5, 1.25).reshape(3, 6) @ codes(w, -6, 1.5).reshape(6, 5) * (2.0 ** -11 / 1.875) + b.reshape(5)
    got, = run_device(case, prepare=lambda op, t: switch(op, t, "XwPlusB"))
    np.testing.assert_allclose(got.reshape(3, 5), want, rtol=1e-5, atol=1e-6)
    case = CASES["DeconvOp-(0, 0, 0, 0)"]
    x, w, b = (case.tensors[k] for k in ("input", "filter", "bias"))
    q, qw = codes(x, -5, 1.25), codes(w, -6, 1.5)
    full = np.zeros((2, 2, 9, 16))
    for i in range(4):
        for j in range(5):
            full[:, :, 2 * i:2 * i + 3, 3 * j:3 * j + 4] += np.einsum("nc,cohw->nohw", q[:, :, i, j], qw)
    got, = run_device(case, prepare=lambda op, t: switch(op, t, "Deconv"))
    np.testing.assert_allclose(got, full * (2.0 ** -11 / 1.875) + b, rtol=1e-5, atol=1e-5)


def test_the_first_convolution_quantizes_what_is_left_of_the_pixels(library):
    """Pixels as UINT8 tensor; mean and deviation come first."""
    case = CASES["ConvFirstOp-channel mean, stdt True"]
    x, w, b, mean, s = (case.tensors[k] for k in ("input", "filter", "bias", "mean", "stdt"))
    pixels = np.floor(np.abs(x) + 0.5)
    values = ((pixels - mean).astype(np.float32) * (1 / s).astype(np.float32))
    want = layer_cases.correlate(codes(values, -5, 1.25), codes(w, -6, 1.5), (2, 1), (0, 2, 1, 0)) * (2.0 ** -11 / 1.875) + b
    case = type(case)(case.name, case.tensors, case.expected, case.numbers, dtypes={"input": DataType.UINT8})
    got, = run_device(case, prepare=lambda op, t: switch(op, t, "ConvFirst"))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)


def test_in_halves_the_result_is_one(library):
    case = CASES["ConvOp-plain"]
    got, = run_device(case, DataType.FLOAT16, prepare=lambda op, t: switch(op, t, "Conv"))
    q, qw = codes(case.tensors["input"], -5, 1.25), codes(case.tensors["filter"], -6, 1.5)
    want = layer_cases.correlate(q, qw) * (2.0 ** -11 / 1.875) + case.tensors["bias"]
    np.testing.assert_array_equal(got, got.astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(got, want, rtol=2e-3, atol=1e-2)


def test_an_int8_filter_is_held_in_codes(library):
    case = CASES["ConvOp-plain"]
    case = type(case)(case.name, case.tensors, case.expected, case.numbers, dtypes={"filter": DataType.INT8})
    got, = run_device(case, prepare=lambda op, t: switch(op, t, "Conv"))
    plain = CASES["ConvOp-plain"]
    want, = run_device(plain, prepare=lambda op, t: switch(op, t, "Conv"))
    np.testing.assert_array_equal(got, want)


def test_older_names_and_remembered_switches(library):
    op, tensors = created(CASES["ConvOp-plain"])
    api.cnmlEnableConvOpFix8Mode(op)
    assert op.int8
    refused(Status.INVALIDPARAM, "'input' has no position", api.cnmlCheckBaseOpRunnable, op, 3)
    lrn, _ = created(CASES["LrnOp-V3 7"])
    api.cnmlEnableLrnOpInt8Mode(lrn, -3, 0.0)
    api.cnmlEnableLrnOpInt8ScaleMode(lrn, 1.5)
    api.cnmlCheckBaseOpRunnable(lrn, 3)
    assert lrn.arguments["int8"] == (-3, 0.0) and lrn.arguments["int8_scale"] == 1.5


def test_refusals(library):
    op, tensors = created(CASES["MlpOp-bias True"])
    refused(Status.INVALIDARG, "it is for ConvOp", api.cnmlEnableConvOpInt8Mode, op)
    api.cnmlCompileBaseOp(op, 3, 1)
    refused(Status.INVALIDARG, "compiled already", api.cnmlEnableMlpOpInt8Mode, op)
    for name in ("MlpOpBinaryMode", "ConvFirstOpBgraMode"):
        refused(Status.UNSUPPORT, name, getattr(api, f"cnmlEnable{name}"), op)
    op, tensors = created(CASES["XwPlusBOp"])
    switch(op, tensors, "XwPlusB", [0] * 6)
    refused(Status.INVALIDPARAM, "its N is not the output's channels", api.cnmlCheckBaseOpRunnable, op, 3)
    first, _ = created(CASES["ConvFirstOp-channel mean, stdt True"])
    api.cnmlEnableConvFirstOpFusionPadMode(first)
    refused(Status.INVALIDARG, "it is for ReorgOp", api.cnmlEnableReorgOpInt8Mode, first, 0, 1.0)
    assert tensor((1, 1, 1, 1)).position is None


def test_a_chain_gives_what_its_operators_give_one_by_one(library, rng):
    """Convolution, ReLU, convolution, inner product on FLOAT16 tensors: values between them are halves in both forms."""
    half, shapes = DataType.FLOAT16, ((2, 6, 7, 7), (2, 8, 7, 7), (2, 8, 7, 7), (2, 4, 5, 5), (2, 3, 1, 1))
    t = [tensor(s, half) for s in shapes]
    w = [constant(rng.standard_normal(s) * 0.3, DataType.INT8, TensorType.FILTER) for s in ((8, 6, 3, 3), (4, 8, 3, 3), (3, 4, 5, 5))]
    b = [constant(rng.standard_normal((1, n, 1, 1)), half) for n in (8, 4, 3)]
    for x in (t[0], t[2], t[3], *w):
        api.cnmlSetQuantizedPosition(x, -5)
        api.cnmlSetQuantizedScale(x, 1.25)
    ops = [api.cnmlCreateConvOp(conv_param(pad=2), t[0], t[1], w[0], b[0]), api.cnmlCreateActiveOp(2, t[1], t[2]),
           api.cnmlCreateConvOp(conv_param(), t[2], t[3], w[1], b[1]), api.cnmlCreateMlpOp(t[3], t[4], w[2], b[2], 0)]
    for i, name in ((0, "Conv"), (2, "Conv"), (3, "Mlp")):
        getattr(api, f"cnmlEnable{name}OpInt8Mode")(ops[i])
    fusion, queue = api.cnmlCreateFusionOp(), cnrtCreateQueue()
    for op in ops:
        api.cnmlFuseOp(op, fusion)
        api.cnmlCompileBaseOp(op, 3, 1)
    api.cnmlSetFusionIO(fusion, [t[0]], 1, [t[4]], 1)
    api.cnmlCompileFusionOp(fusion, 3, 1)
    assert fusion.program.precision == "mlu" and not any(n.op.host_reason for n in fusion.program.executable.nodes)
    memory = [loaded(t[0], rng.standard_normal(shapes[0])), *(api.cnmlMallocBuffer(x) for x in t[1:])]
    for i, (op, name) in enumerate(zip(ops, ("Conv", "Active", "Conv", "Mlp"), strict=True)):
        getattr(api, f"cnmlCompute{name}OpForward_V3")(op, memory[i], memory[i + 1], None, queue)
    target = api.cnmlMallocBuffer(t[4])
    api.cnmlComputeFusionOpForward_V3(fusion, memory[:1], 1, [target], 1, None, queue)
    cnrtSyncQueue(queue)
    one_by_one = read(t[4], memory[4])
    assert np.abs(one_by_one).max() > 0.1
    np.testing.assert_array_equal(read(t[4], target), one_by_one)
