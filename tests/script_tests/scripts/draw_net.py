"""python/draw_net.py and the solver's nets: a picture of a net, SGDSolver's test net run, step refused."""
from __future__ import annotations

import caffe
import caffe.draw
import numpy as np
from caffe.proto import caffe_pb2
from google.protobuf import text_format

NET = """
name: "LogReg"
layer { name: "x" type: "DummyData" top: "data" top: "label" include { phase: TRAIN }
        dummy_data_param { shape { dim: 8 dim: 4 } shape { dim: 8 } data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" } } }
layer { name: "x" type: "DummyData" top: "data" top: "label" include { phase: TEST }
        dummy_data_param { shape { dim: 3 dim: 4 } shape { dim: 3 } data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
open("train_val.prototxt", "w").write(NET)
open("solver.prototxt", "w").write('net: "train_val.prototxt"\ntest_iter: 2\ntest_interval: 10\nbase_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 10\n'
                                   'snapshot_prefix: "snap"\nsolver_mode: GPU\n')
net = caffe_pb2.NetParameter()
text_format.Merge(open("train_val.prototxt").read(), net)
caffe.draw.draw_net_to_file(net, "net.svg", "LR", caffe_pb2.TEST)
assert "accuracy" in open("net.svg").read()
solver = caffe.get_solver("solver.prototxt")
solver = caffe.SGDSolver("solver.prototxt")
assert [(k, v.data.shape) for k, v in solver.net.blobs.items()][:2] == [("data", (8, 4)), ("label", (8,))]
out = solver.net.forward()
assert float(out["loss"]) > 0
solver.test_nets[0].share_with(solver.net)
first = solver.test_nets[0].forward()
values = solver.test_nets[0].blobs["data"].data.copy()
assert 0 <= float(first["accuracy"]) <= 1
solver.test_nets[0].blobs["label"].data[...] = 1
second = solver.test_nets[0].forward()
assert not np.array_equal(values, solver.test_nets[0].blobs["data"].data), "random fillers fill anew"
assert np.all(solver.test_nets[0].blobs["label"].data == 1), "constant fillers fill once"
try:
    solver.step(1)
except RuntimeError as e:
    assert "train" in str(e)
else:
    raise AssertionError("step must say that it is not there")
