"""Nets into offline models: what is in the file, what is printed, and that the runtime alone gives the net's values."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pycaffe_acc_tests.offline_nets import BLOCK, MIXED, STOCHASTIC, data, layer, net_of, saved, values_for

from cnrt import model_file
from cnrt.enums import CoreVersion, DimOrder
from cnrt.errors import CnrtError, RetCode
from cnrt.model_runner import ModelRunner
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.offline import compile_offline, stack_mb
from pycaffe_acc.seeded_weights import fill_seeded

ROOT = Path(__file__).resolve().parents[2]
PRECISIONS = ("fp32", "fp16")


def test_what_is_printed_and_written(tmp_path):
    made, path = saved(tmp_path, net_of(tmp_path, MIXED), model_parallelism=4)
    assert made.block(path).splitlines() == [
        "Offline model is generated!", "-------------------------- BEGIN ---------------------------", f"file name : {path}", "model name: small",
        "[On CPU] subnet[0] layers : 0(data) 1(label)",
        "[On MLU] [call via func \"subnet0\"] subnet[1] layers : 2(c1) 3(r1)", "inputs:", "  data", "outputs:", "  c1",
        "[On CPU] subnet[2] layers : 4(p1)",
        "[On MLU] [call via func \"subnet1\"] subnet[3] layers : 5(p2) 6(sum) 7(c2) 8(ip) 9(prob)", "inputs:", "  c1", "  p1", "outputs:", "  prob",
        "[On CPU] subnet[4] layers : 10(acc)",
        "--------------------------- END ----------------------------"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.cambricon", "model.cambricon_twins", "net.prototxt"]
    model = model_file.load(path)
    assert list(model.programs) == ["subnet0", "subnet1"] and not model.attachments
    assert (model.model_parallelism, model.core_version, model.stack_mb) == (4, CoreVersion.MLU100, 1)


def test_the_twin_is_for_people(tmp_path):
    _, path = saved(tmp_path, net_of(tmp_path, BLOCK, "fp16"), cpu_info=True)
    text = path.with_suffix(".cambricon_twins").read_text(encoding="utf-8")
    for part in ("model small", "function subnet0 (cnml format 1, fp16,", "input  data 2x3x12x12 FLOAT32 NCHW", "output prob 2x7x1x1 FLOAT32 NCHW",
                 "Convolution 'c2' (r1 2x32x12x12) -> (c2 2x32x12x12) weights (c2/0 32x32x3x3 float16, c2/1 32 float32)", "kernel=[3,3]",
                 "attachment caffe.segments: "):
        assert part in text, text


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_runtime_gives_the_nets_values(tmp_path, precision):
    net = net_of(tmp_path, BLOCK, precision)
    path = saved(tmp_path, net)[1]
    runner, values = ModelRunner(path), values_for(net)
    got, = runner.run([values["data"]])
    np.testing.assert_array_equal(got.reshape(2, 7), net.forward(**values)["prob"])


def test_halves_are_stored_as_halves(tmp_path):
    sizes = {p: saved(tmp_path, net_of(tmp_path, BLOCK, p))[1].stat().st_size for p in PRECISIONS}
    assert sizes["fp16"] < 0.65 * sizes["fp32"]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_network_of_the_zoo(tmp_path, precision):
    net = Net(str(ROOT / "models/squeezenet_v1.1/deploy.prototxt"), TEST, precision=precision)
    fill_seeded(net)
    net.blobs["data"].reshape(1, *net.blobs["data"].shape[1:])
    net.reshape()
    path, values = saved(tmp_path, net)[1], values_for(net)
    want = net.forward(**values)["prob"]
    assert 0 < want.max() < 1
    for cores in (1, 2):
        np.testing.assert_array_equal(ModelRunner(path, cores=cores).run([values["data"]])[0].ravel(), want.ravel())
    stored = path.stat().st_size / (4 * sum(b.count for item in net.layers for b in item.blobs))
    assert 0.5 < stored < 0.55 if precision == "fp16" else 1 < stored < 1.05


ALONE = """
import sys


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pycaffe_acc", "google"):
            raise ImportError(f"{name} is not to be imported here")


sys.meta_path.insert(0, Refuse())
import numpy as np

from cnrt.api import *
from cnrt.enums import DataType, DimOrder

path, values, results, dp = sys.argv[1:4] + [int(sys.argv[4])]
x = np.load(values, allow_pickle=False)
cnrtInit(0)
cnrtSetCurrentDevice(cnrtGetDeviceHandle(0))
cnrtSetCurrentChannel(1)
model = cnrtLoadModel(path)
if cnrtQueryModelStackSize(model) > cnrtGetStackMem():
    cnrtSetStackMem(cnrtQueryModelStackSize(model) + 50)
function = cnrtExtractFunction(cnrtCreateFunction(), model, "subnet0")
(inputs, n), (outputs, m) = cnrtGetInputDataDesc(function), cnrtGetOutputDataDesc(function)
for desc in (*inputs, *outputs):
    cnrtSetHostDataLayout(desc, DataType.FLOAT32, DimOrder.NCHW)
y = np.empty((dp, *cnrtGetDataShape(outputs[0])), np.float32)
assert cnrtGetHostDataCount(inputs[0]) * dp == x.size
sources, targets = cnrtMallocBatchByDescArray(inputs, n, dp), cnrtMallocBatchByDescArray(outputs, m, dp)
queue, begin, end = cnrtCreateQueue(), cnrtCreateNotifier(), cnrtCreateNotifier()
cnrtInitFunctionMemory_V2(function, InitFuncParam(False, dp, 1))
cnrtMemcpyBatchByDescArray(sources, [x], inputs, n, dp, 0)
cnrtPlaceNotifier(begin, queue)
cnrtInvokeFunction_V2(function, Dim3(), [*sources, *targets], 0, queue, InvokeFuncParam(dp))
cnrtPlaceNotifier(end, queue)
cnrtSyncQueue(queue)
assert cnrtNotifierDuration(begin, end) > 0
cnrtMemcpyBatchByDescArray([y], targets, outputs, m, dp, 2)
np.save(results, y)
cnrtFreeArray(sources, n)
cnrtFreeArray(targets, m)
cnrtDestroyQueue(queue)
cnrtDestroyFunction(function)
cnrtUnloadModel(model)
cnrtDestroy()
assert not {"pycaffe_acc", "google"} & {name.split(".")[0] for name in sys.modules}
print("done")
"""


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_process_with_the_runtime_alone(tmp_path, precision):
    """The vendor's calling order, on the card, two slices of a batch, where neither Caffe nor protobuf can be imported."""
    net = net_of(tmp_path, BLOCK, precision)
    path = saved(tmp_path, net)[1]
    first, second = values_for(net, 1)["data"], values_for(net, 2)["data"]
    np.save(tmp_path / "x.npy", np.stack([first, second]))
    done = subprocess.run([sys.executable, "-c", ALONE, str(path), str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "2"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0 and done.stdout == "done\n", done.stderr
    got = np.load(tmp_path / "y.npy", allow_pickle=False)
    for i, x in enumerate((first, second)):
        np.testing.assert_array_equal(got[i].reshape(2, 7), net.forward(data=x)["prob"])


def test_the_meta_path_hook_of_that_process_works(tmp_path):
    program = ALONE.split("import numpy")[0]
    for name in ("pycaffe_acc", "google.protobuf"):
        command = [sys.executable, "-c", f"{program}\nimport {name}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and "is not to be imported here" in done.stderr


@pytest.mark.parametrize("orders", [(DimOrder.NHWC, DimOrder.NCHW), (DimOrder.NHWC, DimOrder.NHWC)])
def test_orders_on_the_device(tmp_path, orders):
    net = net_of(tmp_path, data(2, 3, 12, 12) + layer("Power", "p", "data", "", "power_param { scale: 2 }"))
    path = saved(tmp_path, net, orders=orders)[1]
    runner, values = ModelRunner(path), values_for(net)
    assert tuple(t.order for t in (*runner.inputs, *runner.outputs)) == orders
    np.testing.assert_array_equal(runner.run([values["data"]])[0], 2 * values["data"])


def test_what_cannot_be_compiled(tmp_path):
    with pytest.raises(CheckError, match="no layer that a device can run.*p: stochastic"):
        compile_offline(net_of(tmp_path, data(2, 3, 12, 12) + layer("Pooling", "p", "data", "", STOCHASTIC)))
    net = net_of(tmp_path, BLOCK)
    for parallelism in (0, 3, 64):
        with pytest.raises(CheckError, match=f"model parallelism {parallelism}"):
            compile_offline(net, parallelism)
    with pytest.raises(CnrtError) as e:
        compile_offline(net).save(tmp_path / "missing" / "model")
    assert e.value.code == RetCode.ERR_IO


def test_a_file_follows_the_weights_of_its_time(tmp_path):
    net, values = net_of(tmp_path, BLOCK), None
    values = values_for(net)
    before = np.array(net.forward(**values)["prob"])
    made = compile_offline(net)
    net.params["ip"][0].data[...] *= 2
    path = made.save(tmp_path / "old")[0]
    np.testing.assert_array_equal(ModelRunner(path).run([values["data"]])[0].reshape(2, 7), before)
    np.testing.assert_array_equal(ModelRunner(saved(tmp_path, net)[1]).run([values["data"]])[0].reshape(2, 7), net.forward(**values)["prob"])


def test_stack_is_a_cores_share_of_one_image():
    assert [stack_mb(s) for s in ((1, 64, 224, 224), (50, 64, 224, 224), (7,), ())] == [2, 2, 1, 1]
    assert stack_mb((1, 64, 1024, 2048)) == 64


# ---- damage -----------------------------------------------------------------------------------------------------------------------------------


def refused(data_: bytes) -> None:
    """A damaged file ends in one exception and is never run."""
    with pytest.raises(CnrtError) as e:
        ModelRunner(model_file.from_bytes(data_))
    assert e.value.code in (RetCode.ERR_IO, RetCode.ERR_UNSUPPORTED)


@pytest.fixture(scope="module")
def small_file(tmp_path_factory) -> bytes:
    """A pure net with its CPU segments kept: every kind of section."""
    folder = tmp_path_factory.mktemp("small")
    return saved(folder, net_of(folder, MIXED, "fp16"), cpu_info=True)[1].read_bytes()


def flip(data_: bytes, bits) -> None:
    """Each of these bits alone."""
    for bit in bits:
        damaged = bytearray(data_)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        refused(bytes(damaged))


def test_500_flipped_bits(small_file, rng):
    flip(small_file, rng.choice(8 * len(small_file), 500, replace=False).tolist())


@pytest.mark.slow
def test_20000_flipped_bits(small_file, rng):
    flip(small_file, rng.choice(8 * len(small_file), 20_000, replace=False).tolist())


def test_cut_off_at_every_border(small_file):
    index, start = model_file._read_index(small_file, "x")
    borders = [0, 8, 12, 96, 128, start]
    for row in index["sections"]:
        borders.append(borders[-1] + -(-row["nbytes"] // 64) * 64)
    assert len(index["sections"]) > 8 and borders[-1] == len(small_file)
    ends = {end for border in borders for end in (border - 1, border, border + 1) if 0 <= end < len(small_file)}
    assert len(ends) > 25
    for end in ends:
        refused(small_file[:end])
    refused(small_file + b"\0")
