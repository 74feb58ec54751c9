"""Other runtimes as nets that can be evaluated: the model that this package exports, in onnxruntime, OpenVINO or OpenCV."""
from __future__ import annotations

from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any

import numpy as np

from cnml.executable import Around
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.name_dict import NameDict
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineBlob

Forward = Callable[[np.ndarray], np.ndarray]


class PeerNet:
    """A net in another runtime, with the parts of a net that an evaluation drives. Its device-busy time is the time of the call.

    Parameters
    ----------
    runtime : str
        Of `RUNTIMES`.
    net : Net
        In FP32, with its batch; one input, one output.
    threads : int

    Attributes
    ----------
    name : str
    version : str
    inputs, outputs : list of str
    blobs : dict of str to OfflineBlob
    threads : int
    notifiers : None or empty

    Raises
    ------
    MissingExtraError
        When the runtime is not installed.
    CheckError
        When it refuses the model, or computes something else than this package does.
    """

    def __init__(self, runtime: str, net: Net, threads: int):
        if len(net.inputs) != 1 or len(net.outputs) != 1:
            raise CheckError(f"net '{net.name}' has the inputs {net.inputs} and the outputs {net.outputs}; a net for other runtimes has one of each")
        self.name, self.threads, self.runtime = net.name, threads, runtime
        self.inputs, self.outputs = list(net.inputs), list(net.outputs)
        self.blobs: NameDict[OfflineBlob] = NameDict((n, OfflineBlob(net.blobs[n].shape)) for n in (*net.inputs, *net.outputs))
        self.notifiers: list[Around] | None = None
        module, package, build = RUNTIMES[runtime]
        try:
            import_module(module)
            self.version = metadata.version(package)
        except ImportError as e:
            raise MissingExtraError(f"{runtime} is not installed; pip install {package} (the extra `bench` brings all three)") from e
        try:
            self._run = build(_exported(net), threads)
            self._check(net)
        except (CheckError, MissingExtraError):
            raise
        except Exception as e:  # each runtime has error types of its own
            raise CheckError(f"{runtime} {self.version} refused the exported net '{net.name}': {_told(e)}") from e

    def _check(self, net: Net) -> None:
        """Both must give the same on noise."""
        x = np.random.default_rng(0).standard_normal(self.blobs[self.inputs[0]].shape, np.float32)
        self.blobs[self.inputs[0]].data[...] = net.blobs[self.inputs[0]].data[...] = x
        self.forward()
        net.forward()
        theirs, ours = self.blobs[self.outputs[0]].data, net.blobs[self.outputs[0]].data
        worst = float(np.abs(theirs - ours).max() / max(float(np.abs(ours).max()), 1e-30))
        if not worst <= 1e-3:
            raise CheckError(f"{self.runtime} {self.version} gives other values for net '{net.name}': they differ by {worst:.2g} of the greatest one")

    def forward(self) -> dict[str, np.ndarray]:
        """Run the model on what lies in the input.

        Raises
        ------
        CheckError
            When the runtime fails, whatever it raises: a suite leaves out the row and goes on.
        """
        scores = self.blobs[self.outputs[0]].data
        try:
            scores[...] = self._run(self.blobs[self.inputs[0]].data).reshape(scores.shape)
        except Exception as e:
            raise CheckError(f"{self.runtime} {self.version} failed to run the exported net '{self.name}': {_told(e)}") from e
        return {self.outputs[0]: scores}


def _told(error: Exception) -> str:
    """Kind and text of an error, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _exported(net: Net) -> bytes:
    from pycaffe_acc.onnx_export import translate_net
    from pycaffe_acc.onnx_export.model_proto import model_proto

    return bytes(model_proto(translate_net(net)).SerializeToString())


def _onnxruntime(model: bytes, threads: int) -> Forward:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # threads that go on spinning would take cores from the decoders
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: np.asarray(session.run(None, {name: x})[0])


def _openvino(model: bytes, threads: int) -> Forward:
    import openvino

    core = openvino.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(core.read_model(model, b""), "CPU", settings).create_infer_request()

    def forward(x: np.ndarray) -> np.ndarray:
        request.infer([x])
        return np.array(request.get_output_tensor(0).data)
    return forward


def _opencv(model: bytes, threads: int) -> Forward:
    import cv2

    cv2.setNumThreads(threads)
    net: Any = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)

    def forward(x: np.ndarray) -> np.ndarray:
        net.setInput(x)
        return np.asarray(net.forward())
    return forward


#: runtime → module, package, and what opens a model
RUNTIMES: dict[str, tuple[str, str, Callable[[bytes, int], Forward]]] = {
    "onnxruntime": ("onnxruntime", "onnxruntime", _onnxruntime),
    "openvino": ("openvino", "openvino", _openvino),
    "opencv": ("cv2", "opencv-python-headless", _opencv),
}
