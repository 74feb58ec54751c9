"""What scripts written for pycaffe do, run as they are with `python -m pycaffe_acc`."""
from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pycaffe_acc as caffe
from cnrt.device import current_device

CLASSIFIER = """
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 3 dim: 20 dim: 20 } } }
layer { name: 'conv1' type: 'Convolution' bottom: 'data' top: 'conv1'
        convolution_param { num_output: 8 kernel_size: 5 stride: 2 weight_filler { type: 'xavier' } } }
layer { name: 'relu1' type: 'ReLU' bottom: 'conv1' top: 'conv1' }
layer { name: 'pool1' type: 'Pooling' bottom: 'conv1' top: 'pool1' pooling_param { kernel_size: 2 stride: 2 } }
"""
DENSE = CLASSIFIER + """
layer { name: 'fc2' type: 'InnerProduct' bottom: 'pool1' top: 'fc2' inner_product_param { num_output: 4 weight_filler { type: 'xavier' } } }
layer { name: 'prob' type: 'Softmax' bottom: 'fc2' top: 'prob' }
"""
CONVOLUTIONAL = CLASSIFIER + """
layer { name: 'fc2-conv' type: 'Convolution' bottom: 'pool1' top: 'fc2-conv' convolution_param { num_output: 4 kernel_size: 4 } }
layer { name: 'prob' type: 'Softmax' bottom: 'fc2-conv' top: 'prob' }
"""

SURGERY = """
import sys
import numpy as np
import caffe
caffe.set_mode_gpu()
caffe.set_device(0)
net = caffe.Net('dense.prototxt', 'dense.caffemodel', caffe.TEST)
full = caffe.Net('conv.prototxt', 'dense.caffemodel', caffe.TEST)
params, params_full = ['fc2'], ['fc2-conv']
fc_params = {pr: (net.params[pr][0].data, net.params[pr][1].data) for pr in params}
conv_params = {pr: (full.params[pr][0].data, full.params[pr][1].data) for pr in params_full}
for pr, pr_conv in zip(params, params_full):
    conv_params[pr_conv][0].flat = fc_params[pr][0].flat
    conv_params[pr_conv][1][...] = fc_params[pr][1]
full.save('full.caffemodel')
x = np.random.RandomState(0).rand(1, 3, 20, 20)
net.blobs['data'].data[...] = x
full.blobs['data'].data[...] = x
a, b = net.forward()['prob'], full.forward()['prob']
assert np.allclose(a.ravel(), b.ravel(), atol=1e-5), (a, b)
full.blobs['data'].reshape(1, 3, 60, 44)
out = full.forward_all(data=np.random.rand(1, 3, 60, 44))['prob']
assert out.shape[2] > 1 and np.allclose(out.sum(axis=1), 1, atol=1e-5)
print(net.blobs.keys()[0], [(k, v[0].data.shape) for k, v in net.params.items()])
"""

FEATURES = """
import caffe
import numpy as np
net = caffe.Net('dense.prototxt', caffe.TEST, weights='dense.caffemodel')
transformer = caffe.io.Transformer({'data': net.blobs['data'].data.shape})
transformer.set_transpose('data', (2, 0, 1))
transformer.set_mean('data', np.array([104.0, 117.0, 123.0]))
transformer.set_raw_scale('data', 255)
transformer.set_channel_swap('data', (2, 1, 0))
net.blobs['data'].reshape(3, 3, 20, 20)
net.reshape()
for i in range(3):
    net.blobs['data'].data[i] = transformer.preprocess('data', np.random.RandomState(i).rand(33, 27, 3).astype(np.float32))
held = net.blobs['pool1'].data[2]
first = net.forward(end='pool1')['pool1'].copy()
assert first.shape == (3, 8, 4, 4) and np.array_equal(held, first[2])
feat = net.blobs['conv1'].data[0, :8]
feat = (feat - feat.min()) / (feat.max() - feat.min())
assert feat.shape == (8, 8, 8)
net.forward(start='fc2')
assert np.allclose(net.blobs['prob'].data.sum(1), 1, atol=1e-5)
for layer_name, blob in net.blobs.iteritems():
    assert str(blob.data.shape)
"""

PARALLEL = """
import multiprocessing
import numpy as np
import caffe


def work(seed):
    net = caffe.Net('dense.prototxt', 'dense.caffemodel', caffe.TEST)
    net.blobs['data'].data[...] = np.random.RandomState(seed).rand(1, 3, 20, 20)
    return net.forward()['prob'].tolist()


if __name__ == '__main__':
    here = [work(s) for s in range(3)]
    for method in ('spawn', 'fork'):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert np.allclose(pool.map(work, range(3)), here, atol=1e-6)
"""


@pytest.fixture
def folder(tmp_path):
    """Two prototxts and the weights of the first."""
    (tmp_path / "dense.prototxt").write_text(DENSE)
    (tmp_path / "conv.prototxt").write_text(CONVOLUTIONAL)
    caffe.set_random_seed(1)
    caffe.Net(str(tmp_path / "dense.prototxt"), caffe.TEST).save(str(tmp_path / "dense.caffemodel"))
    return tmp_path


def run_script(folder: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script's text in `folder` through the package's runner."""
    path = folder / "script.py"
    path.write_text(text)
    root = str(Path(caffe.__file__).resolve().parents[1])
    return subprocess.run([sys.executable, "-m", "pycaffe_acc", str(path)], cwd=folder, env={**os.environ, "PYTHONPATH": root, **environment},
                          capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize("text", [SURGERY, FEATURES, PARALLEL], ids=["surgery", "features", "parallel"])
def test_script(folder, text):
    result = run_script(folder, text)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize("environment", [{"PYCAFFE_ACC_KERNELS": "numpy"}, {"NUMBA_DISABLE_JIT": "1"}], ids=["numpy", "no jit"])
def test_without_kernels(folder, environment):
    result = run_script(folder, SURGERY, **environment)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_a_long_run(folder):
    loop = "import caffe\nnet = caffe.Net('dense.prototxt', caffe.TEST)\nnet.blobs['data'].reshape(8, 3, 200, 200)\n"
    loop = loop.replace("dense", "conv") + "net.forward()\nprint('running', flush=True)\nwhile True:\n    net.forward()\n"
    (folder / "loop.py").write_text(loop)
    root = str(Path(caffe.__file__).resolve().parents[1])
    with subprocess.Popen([sys.executable, "-m", "pycaffe_acc", "loop.py"], cwd=folder, env={**os.environ, "PYTHONPATH": root},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stderr is not None
        assert child.stdout.readline() == "running\n"
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        start = time.monotonic()
        try:
            code = child.wait(timeout=20)
        finally:
            child.kill()  # one that goes on would be waited for
        assert time.monotonic() - start < 5
        assert code in (130, 1, -signal.SIGINT) and "KeyboardInterrupt" in child.stderr.read()


def resident() -> int:
    """Resident bytes of this process."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_many_forwards_and_sizes_keep_memory_flat(folder):
    net = caffe.Net(str(folder / "conv.prototxt"), caffe.TEST)
    sizes = [20, 36, 52, 68, 84]

    def some(rounds: int) -> None:
        for i in range(rounds):
            net.blobs["data"].reshape(1, 3, sizes[i % 5], sizes[i % 5])
            net.forward()
    some(50)
    gc.collect()
    booked, before = sum(current_device().account.used), resident()
    some(1000)
    gc.collect()
    assert sum(current_device().account.used) <= booked
    assert resident() - before < 24 << 20


def test_a_deleted_net_gives_its_memory_back(folder):
    account = current_device().account
    gc.collect()
    before = sum(account.used)
    net = caffe.Net(str(folder / "conv.prototxt"), caffe.TEST)
    net.blobs["data"].reshape(4, 3, 1000, 1000)
    net.forward()
    assert sum(account.used) - before > sum(4 * b.count for b in net.blobs.values())
    del net
    gc.collect()
    assert sum(account.used) <= before


def test_two_nets_are_independent(folder, rng):
    a, b = (caffe.Net(str(folder / "dense.prototxt"), str(folder / "dense.caffemodel"), caffe.TEST) for _ in range(2))
    x = rng.standard_normal((1, 3, 20, 20)).astype(np.float32)
    want = a.forward(data=x)["prob"].copy()
    b.params["fc2"][0].data[...] = 0
    b.forward(data=-x)
    np.testing.assert_array_equal(a.forward(data=x)["prob"], want)
    del b
    gc.collect()
    np.testing.assert_array_equal(a.forward(data=x)["prob"], want)


def test_constant_dummy_data_keeps_what_a_script_writes(tmp_path):
    path = tmp_path / "dummy.prototxt"
    path.write_text("""layer { name: 'd' type: 'DummyData' top: 'x'
                               dummy_data_param { shape { dim: 2 dim: 3 } data_filler { type: 'constant' value: 4 } } }
                       layer { name: 'p' type: 'Power' bottom: 'x' top: 'y' power_param { scale: 2 } }""")
    net = caffe.Net(str(path), caffe.TEST)
    assert np.all(net.blobs["x"].data == 4) and np.all(net.forward()["y"] == 8)
    net.blobs["x"].data[...] = 5
    assert np.all(net.forward()["y"] == 10)
