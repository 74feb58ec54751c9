"""The same network as an ONNX model, for timing onnxruntime beside this package. Knows the layers of the classification nets it is used on, no
more.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import pycaffe_acc as caffe


class Twin:
    """Translates a built net layer by layer.

    Parameters
    ----------
    net : caffe.Net
    """

    def __init__(self, net: caffe.Net):
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._names: dict[str, str] = {}
        self._count = 0
        for message in net.source.layers:
            self._layer(net, message)
        data = net.inputs[0]
        out = net.outputs[0]
        graph = helper.make_graph(self.nodes, net.name or "net", [helper.make_tensor_value_info(data, TensorProto.FLOAT,
                                                                                                list(net.blobs[data].shape))],
                                  [helper.make_tensor_value_info(self._names[out], TensorProto.FLOAT, list(net.blobs[out].shape))], self.weights)
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(self.model)

    def _weight(self, array: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def _add(self, op: str, inputs: list[str], top: str, **attributes: Any) -> None:
        self._count += 1
        name = f"{top}_{self._count}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self._names[top] = name

    def _layer(self, net: caffe.Net, m: Any) -> None:
        arrays = [b.data.copy() for b in net.params.get(m.name, [])]
        bottoms = [self._names[b] for b in m.bottom]
        kind = m.type
        if kind == "Input":
            self._names[m.top[0]] = m.top[0]
        elif kind in ("Split", "Dropout"):
            for t in m.top:
                self._names[t] = bottoms[0]
        elif kind == "Convolution":
            self._convolution(net, m, bottoms, arrays)
        elif kind == "Pooling":
            self._pooling(net, m, bottoms)
        elif kind == "BatchNorm":
            f = 0 if arrays[2][0] == 0 else 1 / arrays[2][0]
            c = len(arrays[0])
            self._add("BatchNormalization", [bottoms[0], self._weight(np.ones(c)), self._weight(np.zeros(c)), self._weight(arrays[0] * f),
                                             self._weight(arrays[1] * f)],
                      m.top[0], epsilon=m.batch_norm_param.eps)
        elif kind == "Scale":
            c = len(arrays[0])
            shift = arrays[1] if len(arrays) > 1 else np.zeros(c)
            self._add("BatchNormalization", [bottoms[0], self._weight(arrays[0]), self._weight(shift), self._weight(np.zeros(c)),
                                             self._weight(np.ones(c))], m.top[0], epsilon=0.0)
        elif kind == "InnerProduct":
            self._add("Flatten", bottoms, m.top[0] + "/flat")
            self._add("Gemm", [self._names[m.top[0] + "/flat"], self._weight(arrays[0]), self._weight(arrays[1])], m.top[0], transB=1)
        else:
            self._simple(m, bottoms)

    def _simple(self, m: Any, bottoms: list[str]) -> None:
        if m.type == "ReLU":
            self._add("Relu", bottoms, m.top[0])
        elif m.type == "Concat":
            self._add("Concat", bottoms, m.top[0], axis=m.concat_param.axis)
        elif m.type == "Softmax":
            self._add("Softmax", bottoms, m.top[0], axis=m.softmax_param.axis)
        elif m.type == "Eltwise":
            self._add("Add", bottoms, m.top[0])
        else:
            raise SystemExit(f"layer '{m.name}': this benchmark does not translate {m.type}")

    def _convolution(self, net: caffe.Net, m: Any, bottoms: list[str], arrays: list[np.ndarray]) -> None:
        g = net.layer_dict[m.name].engine.geometry(net.blobs[m.bottom[0]].shape)
        self._add("Conv", [bottoms[0], *(self._weight(a) for a in arrays)], m.top[0], kernel_shape=list(g.kernel), strides=list(g.stride),
                  pads=[*g.pad, *g.pad_end],
                  dilations=list(g.dilation), group=g.group)

    def _pooling(self, net: caffe.Net, m: Any, bottoms: list[str]) -> None:
        p = m.pooling_param
        if p.global_pooling:
            self._add("GlobalAveragePool", bottoms, m.top[0])
            return
        op = "MaxPool" if p.pool == 0 else "AveragePool"
        extra = {} if op == "MaxPool" else {"count_include_pad": 1}
        pad = p.pad_h or p.pad
        self._add(op, bottoms, m.top[0], kernel_shape=[p.kernel_size] * 2, strides=[p.stride] * 2, pads=[pad] * 4, ceil_mode=1, **extra)
