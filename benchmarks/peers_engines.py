"""The engines that are compared, each ready to run one network with one batch and number of threads."""
from __future__ import annotations

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import pycaffe_acc as caffe
from pycaffe_acc.onnx_export import translate_net
from pycaffe_acc.onnx_export.model_proto import model_proto
from pycaffe_acc.text_format import format_message

#: of the greatest output, against ours in FP32
TOLERANCE = {"ours_fp16": 0.05}
DEFAULT_TOLERANCE = 1e-3


class Case:
    """A network with weights and a batch of inputs, in every form that an engine may want.

    Parameters
    ----------
    net : caffe.Net
        With weights.
    batch : int
    memo : dict
        Shared by the cases of a network: what is made once.
    """

    def __init__(self, net: caffe.Net, batch: int, memo: dict[str, Any]):
        self.net, self.batch, self.memo = net, batch, memo
        self.input = net.inputs[0]
        shape = (batch, *net.blobs[self.input].shape[1:])
        self.x = np.random.default_rng(0).standard_normal(shape, np.float32)

    @cached_property
    def onnx(self) -> bytes:
        """The model that this package exports, with this batch."""
        net = self.net.clone()
        net.blobs[self.input].reshape(*self.x.shape)
        net.reshape()
        return bytes(model_proto(translate_net(net)).SerializeToString())

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` gave when it was first asked for under this key."""
        if key not in self.memo:
            self.memo[key] = make()
        return self.memo[key]


class Engine(ABC):
    """One forward of a case, again and again.

    Attributes
    ----------
    name : str
        In the results.
    note : str
        How it got the network.
    first_seconds : float
        Of its first forward, the one whose output is compared.

    Parameters
    ----------
    case : Case
    threads : int
    """

    name = ""
    note = ""
    first_seconds = 0.0

    @abstractmethod
    def __init__(self, case: Case, threads: int):
        """Make it ready for the case."""

    @abstractmethod
    def run(self) -> None:
        """One forward."""

    @abstractmethod
    def output(self) -> np.ndarray:
        """What the last forward gave."""


class Ours(Engine):
    """This package, FP32."""

    name = "ours"
    note = "prototxt"
    precision = "fp32"

    def __init__(self, case: Case, threads: int):
        self._net = case.once(self.name, lambda: self._master(case)).clone()
        self._net.threads = threads
        blob = self._net.blobs[case.input]
        blob.reshape(*case.x.shape)
        self._net.reshape()
        blob.data[...] = case.x

    def _master(self, case: Case) -> caffe.Net:
        master = caffe.Net(case.net.source.message, caffe.TEST, precision=self.precision)
        master.share_with(case.net)
        return master

    def run(self) -> None:
        """One forward."""
        self._net.forward()

    def output(self) -> np.ndarray:
        """The only output blob."""
        return np.array(self._net.blobs[self._net.outputs[0]].data)


class OursHalf(Ours):
    """This package, FP16."""

    name = "ours_fp16"
    precision = "fp16"


class OpenVino(Engine):
    """OpenVINO's CPU plugin, one stream, latency first, pinned threads as it does by default."""

    name = "openvino"
    note = "our ONNX export"

    def __init__(self, case: Case, threads: int):
        import openvino

        core = openvino.Core()
        self._model = core.compile_model(core.read_model(self.model(case), b""), "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"})
        self._request = self._model.create_infer_request()
        self._request.set_input_tensor(openvino.Tensor(case.x, shared_memory=True))

    @staticmethod
    def model(case: Case) -> bytes:
        """What it reads."""
        return case.onnx

    def run(self) -> None:
        """One forward."""
        self._request.infer()

    def output(self) -> np.ndarray:
        """The only output."""
        return np.array(self._request.get_output_tensor(0).data)


class OnnxRuntime(Engine):
    """onnxruntime's CPU provider with all its graph optimisations; its threads stop spinning when a forward ends, for they would hold a core for
    some 40 ms of the others' turns.
    """

    name = "onnxruntime"
    note = "our ONNX export"

    def __init__(self, case: Case, threads: int):
        import onnxruntime

        options = self._options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self._session = onnxruntime.InferenceSession(case.onnx, options, providers=["CPUExecutionProvider"])
        self._feed = {self._session.get_inputs()[0].name: case.x}
        self._result = np.empty(0, np.float32)

    def run(self) -> None:
        """One forward."""
        self._result = self._session.run(None, self._feed)[0]

    def output(self) -> np.ndarray:
        """The only output."""
        return self._result


class OpenCv(Engine):
    """OpenCV's dnn module with its own Caffe importer."""

    name = "opencv"
    note = "its Caffe importer"

    def __init__(self, case: Case, threads: int):
        import cv2

        cv2.setNumThreads(threads)
        self._net = self._import(case)
        self._net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        self._net.setInput(case.x)
        self._result = np.empty(0, np.float32)

    def _import(self, case: Case) -> Any:
        import cv2

        def read() -> Any:
            with tempfile.TemporaryDirectory() as folder:
                model, weights = Path(folder, "deploy.prototxt"), Path(folder, "net.caffemodel")
                model.write_text(format_message(case.net.source.message), encoding="utf-8")
                case.net.save(weights)
                return cv2.dnn.readNetFromCaffe(str(model), str(weights))
        return case.once("opencv", read)

    def run(self) -> None:
        """One forward."""
        self._result = self._net.forward()

    def output(self) -> np.ndarray:
        """The only output."""
        return self._result


class OpenCvOnnx(OpenCv):
    """OpenCV's dnn module with its ONNX importer, for what its Caffe importer does not take."""

    note = "its ONNX importer"

    def _import(self, case: Case) -> Any:
        import cv2

        return case.once(f"opencv onnx {case.batch}", lambda: cv2.dnn.readNetFromONNX(np.frombuffer(case.onnx, np.uint8)))


class Suite(NamedTuple):
    """The engines of a precision.

    Attributes
    ----------
    case : type of Case
    engines : dict of str to tuple of types
        Engine → ways to have it; the first that gives the right output is taken.
    judge : callable
        Name, our output, its output → the difference, and why that is too much, or nothing.
    """

    case: type[Case]
    engines: dict[str, tuple[type[Engine], ...]]
    judge: Callable[[str, np.ndarray, np.ndarray], tuple[float, str]]


ENGINES: dict[str, tuple[type[Engine], ...]] = {
    "ours": (Ours,), "openvino": (OpenVino,), "onnxruntime": (OnnxRuntime,), "opencv": (OpenCv, OpenCvOnnx), "ours_fp16": (OursHalf,)}


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """max|ours - theirs| of the greatest magnitude of ours; infinite where something is not finite or the sizes differ."""
    if ours.size != theirs.size or not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return float("inf")
    return float(np.abs(ours.ravel() - theirs.ravel()).max() / max(np.abs(ours).max(), 1e-30))


def judge(name: str, ours: np.ndarray, theirs: np.ndarray) -> tuple[float, str]:
    """The difference of an output in floats, and why that is too much, or nothing."""
    found, tolerance = difference(ours, theirs), TOLERANCE.get(name, DEFAULT_TOLERANCE)
    return found, "" if found <= tolerance else f"its output differs by {found:.2g} of the greatest value, more than {tolerance:g}"


FP32 = Suite(Case, ENGINES, judge)


def open_engine(name: str, case: Case, threads: int, expected: np.ndarray | None, suite: Suite = FP32) -> tuple[Engine | None, float, str]:
    """An engine that has run once and gave the expected output.

    Parameters
    ----------
    name : str
        Of the suite's engines.
    case : Case
    threads : int
    expected : ndarray, optional
        Our output.
    suite : Suite

    Returns
    -------
    engine : Engine or None
    difference : float
        See `Suite.judge`; 0 without `expected`.
    reasons : str
        Why a way to have it was not taken; empty if the first was.
    """
    reasons: list[str] = []
    for way in suite.engines[name]:
        try:
            engine = way(case, threads)
            start = time.perf_counter()
            engine.run()
            engine.first_seconds = time.perf_counter() - start
            found, wrong = (0.0, "") if expected is None else suite.judge(name, expected, engine.output())
        except Exception as e:  # a peer's own error type, or none installed: every reason belongs into the table
            reasons.append(f"{way.note}: {type(e).__name__}: {' '.join(str(e).split())[:200]}")
            continue
        if not wrong:
            return engine, found, "; ".join(reasons)
        reasons.append(f"{way.note}: {wrong}")
    return None, float("nan"), "; ".join(reasons)


def versions() -> dict[str, str]:
    """Of the engines that are installed."""
    found = {}
    for name, packages in {"openvino": ("openvino",), "onnxruntime": ("onnxruntime",),
                           "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")}.items():
        for package in packages:
            try:
                found[name] = metadata.version(package)
                break
            except metadata.PackageNotFoundError:
                continue
    return found
