"""Solvers: reading, nets, snapshots, and the refusal to train."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc import solver as solvers
from pycaffe_acc.errors import CheckError

NET = """
layer { name: 'data' type: 'Input' top: 'data' include { phase: TRAIN } input_param { shape { dim: 8 dim: 2 } } }
layer { name: 'data' type: 'Input' top: 'data' include { phase: TEST } input_param { shape { dim: 1 dim: 2 } } }
layer { name: 'extra' type: 'Power' bottom: 'data' top: 'extra' include { stage: 'deep' } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip' inner_product_param { num_output: 3 weight_filler { type: 'xavier' } } }
"""


@pytest.fixture
def write(tmp_path):
    (tmp_path / "net.prototxt").write_text(NET)

    def file(text: str) -> str:
        path = tmp_path / "solver.prototxt"
        path.write_text(text)
        return str(path)

    return file


def test_nets_beside_the_solver_file(write):
    s = caffe.get_solver(write("net: 'net.prototxt' test_iter: 10 base_lr: 0.01"))
    assert isinstance(s, caffe.SGDSolver) and s.iter == 0 and s.param.base_lr == pytest.approx(0.01)
    assert s.net.blobs["data"].data.shape == (8, 2) and len(s.test_nets) == 1
    assert s.test_nets[0].blobs["data"].data.shape == (1, 2)
    s.net.params["ip"][0].data[...] = 5
    np.testing.assert_array_equal(s.test_nets[0].params["ip"][0].data, 5)


@pytest.mark.parametrize("kind", ["SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"])
def test_types(write, kind):
    s = caffe.get_solver(write(f"net: 'net.prototxt' type: '{kind}'"))
    assert type(s) is getattr(caffe, kind + "Solver") and s.type == kind and s.test_nets == []


def test_old_type_field(write):
    assert isinstance(caffe.get_solver(write("net: 'net.prototxt' solver_type: ADAM")), caffe.AdamSolver)


def test_states_and_inline_nets(write):
    text = "net: 'net.prototxt' test_iter: 1 test_iter: 1 test_state {} test_state { stage: 'deep' }"
    s = caffe.SGDSolver(write(text))
    assert "extra" not in s.net.blobs and "extra" not in s.test_nets[0].blobs and "extra" in s.test_nets[1].blobs
    inline = "layer { name: 'd' type: 'Input' top: 'd' input_param { shape { dim: 1 } } }"
    s = caffe.SGDSolver(write(f"train_net_param {{ {inline} }} test_net: 'net.prototxt' test_iter: 1"))
    assert list(s.net.blobs) == ["d"] and "ip" in s.test_nets[0].blobs


def test_snapshot_and_weights(write, tmp_path):
    s = caffe.SGDSolver(write(f"net: 'net.prototxt' snapshot_prefix: '{tmp_path}/snap'"))
    s.net.params["ip"][1].data[...] = [1, 2, 3]
    assert s.snapshot() == f"{tmp_path}/snap_iter_0.caffemodel"
    again = caffe.SGDSolver(write(f"net: 'net.prototxt' weights: '{tmp_path}/snap_iter_0.caffemodel'"))
    np.testing.assert_array_equal(again.net.params["ip"][1].data, [1, 2, 3])
    other = caffe.SGDSolver(write("net: 'net.prototxt' test_iter: 1"))
    other.share_weights(s.net)
    np.testing.assert_array_equal(other.test_nets[0].params["ip"][1].data, [1, 2, 3])


def test_hdf5_snapshot(write, tmp_path):
    pytest.importorskip("h5py", reason="HDF5 snapshots need h5py")
    s = caffe.SGDSolver(write(f"net: 'net.prototxt' snapshot_format: HDF5 snapshot_prefix: '{tmp_path}/snap'"))
    assert s.snapshot().endswith("_iter_0.caffemodel.h5") and (tmp_path / "snap_iter_0.caffemodel.h5").is_file()


@pytest.mark.parametrize("call", [lambda s: s.step(1),
                                  lambda s: s.solve(), lambda s: s.restore("x.solverstate"), lambda s: s.apply_update()])
def test_training_is_refused(write, call):
    s = caffe.SGDSolver(write("net: 'net.prototxt'"))
    s.add_callback(lambda: None, lambda: None)
    with pytest.raises(NotImplementedError, match="training is not part of this package"):
        call(s)


@pytest.mark.parametrize(("text", "sentence"), [
    ("base_lr: 1", "given by nothing"),
    ("net: 'net.prototxt' train_net: 'net.prototxt'", "given by net, train_net"),
    ("train_net: 'net.prototxt' test_iter: 3", "one test_iter for each test net"),
    ("net: 'net.prototxt' test_iter: 1 test_state {} test_state {}", "2 test_state entries for 1 test nets"),
    ("net: 'net.prototxt' type: 'LBFGS'", "unknown type 'LBFGS'; known: SGD"),
])
def test_refused_files(write, text, sentence):
    with pytest.raises(CheckError, match=sentence):
        caffe.get_solver(write(text))


def test_parallel_training_is_refused():
    assert solvers.has_nccl() is False and solvers.solver_count() == 1 and solvers.solver_rank() == 0
    solvers.set_solver_count(1)
    solvers.set_solver_rank(0)
    solvers.set_multiprocess(False)
    for call in (lambda: solvers.set_solver_count(2), lambda: solvers.set_solver_rank(1), lambda: solvers.set_multiprocess(True),
                 solvers.NCCL.new_uid,
                 lambda: solvers.NCCL(None)):
        with pytest.raises(solvers.TrainingUnsupportedError):
            call()
