"""The engines of `peers.py` in INT8: one net, quantized here, as every engine can have it.

The net is calibrated with seeded inputs like the one it is run with. OpenVINO and onnxruntime get the ONNX models that `export-onnx --precision int8
--for ...` writes for them, with codes also for results in front of an LRN, which no prototxt states: onnxruntime computes a convolution in INT8 only
if codes stand right behind it, and OpenVINO then fuses sums too. That they do is counted, and said in each engine's note: of OpenVINO in its
execution graph, whose convolutions and products name their kernel (those of INT8 end with `I8`); of onnxruntime in the graph that it runs, which it
can write (INT8 are QLinearConv, QGemm and QLinearMatMul). OpenCV computes such a model in floats; its own INT8 is `Net.quantize` of what its Caffe
importer read, calibrated with the same inputs.

Outputs of two right engines differ, since a rounding that falls the other way changes codes behind it. They agree if the root mean square of the
difference is at most a tenth of our output's, and the class they put first is among our five first ones. Our own FP32 and OpenCV's quantization are
other functions; three tenths are allowed to them.
"""
from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from peers_engines import Case, Engine, OnnxRuntime, OpenCv, OpenVino, Ours, Suite

import pycaffe_acc as caffe
from cnml.codes import Codes
from pycaffe_acc.onnx_export import stated_codes, translate_net
from pycaffe_acc.onnx_export.model_proto import model_proto
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_UINT8
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.quantize.value_range import range_of
from pycaffe_acc.text_format import format_message

#: images that ranges come from; the one that is run is another
CALIBRATION_SEEDS = range(1, 9)
#: of the root mean square of our output
AGREEMENT = {"ours_fp32": 0.3, "opencv": 0.3}
DEFAULT_AGREEMENT = 0.1
#: classes
BEST = 5


class QuantizedCase(Case):
    """A network with weights, and what INT8 makes of it."""

    @property
    def calibration(self) -> list[np.ndarray]:
        """Batches of one input."""
        return [np.random.default_rng(seed).standard_normal((1, *self.x.shape[1:]), np.float32) for seed in CALIBRATION_SEEDS]

    @property
    def quantized(self) -> caffe.Net:
        """The net in INT8, with the weights of the float net."""
        return self.once("quantized", self._quantize)

    def _quantize(self) -> caffe.Net:
        with tempfile.TemporaryDirectory() as folder:
            model, weights = Path(folder, "net.prototxt"), Path(folder, "net.caffemodel")
            model.write_text(format_message(self.net.source.message), encoding="utf-8")
            self.net.save(weights)
            quantizer = Quantizer(model, weights, find_method("absmax"))
            quantizer.calibrate(self.input, self.calibration)
            quantizer.finish()
        net = caffe.Net(quantizer.message, caffe.TEST, precision="int8")
        net.share_with(self.net)
        return net

    @property
    def result_codes(self) -> dict[str, Codes]:
        """The codes that the prototxt states for blobs, and of the convolutions' blobs that it does not."""
        return self.once("result codes", self._result_codes)

    def _result_codes(self) -> dict[str, Codes]:
        found, net = stated_codes(self.quantized), self.net.clone()
        missing = [net.top_names[n][0] for n, layer in net.layer_dict.items() if layer.type == "Convolution" and net.top_names[n][0] not in found]
        seen: dict[str, list[np.ndarray]] = {name: [] for name in missing}
        for x in self.calibration if missing else ():
            net.blobs[self.input].reshape(*x.shape)
            values = net.forward(missing, **{self.input: x})
            for name in missing:
                seen[name] += [values[name].min(), values[name].max()]
        for name, ends in seen.items():
            reach = range_of(float(np.abs(ends).max()), DT_INT8, min(ends) < 0)
            found[name] = Codes.of(reach.param, unsigned=reach.dtype == DT_UINT8)
        return found

    @cached_property
    def onnx(self) -> bytes:
        """The model in quantize-dequantize form, with this batch, for onnxruntime."""
        return self.model(subsampled=False)

    def model(self, subsampled: bool) -> bytes:
        """The model, with strides of 1x1 convolutions or without."""
        net = self.quantized.clone()
        net.blobs[self.input].reshape(*self.x.shape)
        net.reshape()
        return bytes(model_proto(translate_net(net, results=self.result_codes, subsampled=subsampled)).SerializeToString())


class OursInt8(Ours):
    """This package, INT8."""

    note = "quantized prototxt"

    def _master(self, case: Case) -> caffe.Net:
        assert isinstance(case, QuantizedCase)
        return case.quantized


class OursFloat(Ours):
    """This package, FP32 with Winograd."""

    name = "ours_fp32"
    note = "float prototxt"


def _counted(kernels: list[bool]) -> str:
    return f"our INT8 ONNX export, {sum(kernels)} of {len(kernels)} convolutions and products in INT8"


class OpenVinoInt8(OpenVino):
    """OpenVINO's CPU plugin on the quantize-dequantize model."""

    note = "our INT8 ONNX export"

    @staticmethod
    def model(case: Case) -> bytes:
        """The form for OpenVINO."""
        assert isinstance(case, QuantizedCase)
        return case.model(subsampled=True)

    def __init__(self, case: Case, threads: int):
        super().__init__(case, threads)
        kernels = []
        for op in self._model.get_runtime_model().get_ordered_ops():
            info = op.get_rt_info()
            if str(info["layerType"].astype(str)) in ("Convolution", "FullyConnected", "MatMul"):
                kernels.append(str(info["primitiveType"].astype(str)).endswith("I8"))
        self.note = _counted(kernels)


class OnnxRuntimeInt8(OnnxRuntime):
    """onnxruntime's CPU provider on the quantize-dequantize model."""

    note = "our INT8 ONNX export"

    def __init__(self, case: Case, threads: int):
        super().__init__(case, threads)
        self.note = case.once(f"onnxruntime {case.batch}", lambda: _counted(self._kernels(case)))

    @staticmethod
    def _kernels(case: Case) -> list[bool]:
        """Of each convolution and product in the graph after its optimisations, whether it is one of INT8."""
        import onnx
        import onnxruntime

        with tempfile.TemporaryDirectory() as folder:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            options.optimized_model_filepath = str(Path(folder, "graph.onnx"))
            onnxruntime.InferenceSession(case.onnx, options, providers=["CPUExecutionProvider"])
            nodes = onnx.load(options.optimized_model_filepath).graph.node
        return [n.op_type.startswith("Q") for n in nodes if n.op_type.endswith(("Conv", "Gemm", "MatMul"))]


class OpenCvInt8(OpenCv):
    """OpenCV's dnn module, quantized by itself with a scale for each channel."""

    note = "its own quantization of what its Caffe importer read"

    def _import(self, case: Case) -> Any:
        import cv2
        assert isinstance(case, QuantizedCase)
        inputs = [np.concatenate(case.calibration)]  # one blob an input of the net
        return case.once("opencv int8", lambda: super(OpenCvInt8, self)._import(case).quantize(inputs, cv2.CV_32F, cv2.CV_32F, True))


def judge(name: str, ours: np.ndarray, theirs: np.ndarray) -> tuple[float, str]:
    """The root mean square of the difference by that of our output, and why the outputs do not agree, or nothing."""
    if ours.size != theirs.size or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return float("inf"), "its output has another size, or values that are not finite"
    rows, others = (a.reshape(len(ours), -1).astype(np.float64) for a in (ours, theirs))
    found, limit = float(np.sqrt(np.mean((rows - others) ** 2) / np.mean(rows ** 2))), AGREEMENT.get(name, DEFAULT_AGREEMENT)
    if found > limit:
        return found, f"its output differs by {found:.2g} of ours (root mean squares), more than {limit:g}"
    first = rows[np.arange(len(rows)), others.argmax(1)]
    if ((rows > first[:, None]).sum(1) >= BEST).any():
        return found, f"the class it puts first is not among the first {BEST} of ours"
    return found, ""


ENGINES: dict[str, tuple[type[Engine], ...]] = {
    "ours": (OursInt8,), "openvino": (OpenVinoInt8,), "onnxruntime": (OnnxRuntimeInt8,), "opencv": (OpenCvInt8,), "ours_fp32": (OursFloat,)}
INT8 = Suite(QuantizedCase, ENGINES, judge)
