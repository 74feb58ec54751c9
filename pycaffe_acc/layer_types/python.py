"""Python: a layer that a user wrote."""
from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, NetContext, layer
from pycaffe_acc.python_layer import LayerBlob, LayerBlobs


@dataclass(frozen=True)
class PythonParams:
    """python_param, and which bottom each top is in place of (None: none)."""

    module: str
    layer: str
    param_str: str
    in_place: tuple[int | None, ...]


@layer("Python")
class Python(Layer):
    """Runs a class derived from `pycaffe_acc.Layer` on the host.

    The module is found by Python's import path, as in pycaffe. Exceptions of the user's code come through as they are, with a note that names the
    layer.
    """

    exact_bottoms = None
    exact_tops = None
    dynamic = True

    def __init__(self, message: Any, context: NetContext):
        super().__init__(message, context)
        self.check(context.allow_python_layers,
                   f"runs code of the module '{self.params.module}', which its prototxt names, and Python layers are switched off; "
                   "if you trust the prototxt, pass allow_python_layers=True to Net")
        self.check(bool(self.params.module) and bool(self.params.layer), "python_param must name a module and a layer (its class)")
        self._message: Any = message
        self._bottoms = [LayerBlob() for _ in message.bottom]
        self._tops = [LayerBlob() if at is None else self._bottoms[at] for at in self.params.in_place]

    @classmethod
    def parse(cls, message: Any) -> PythonParams:
        """Read python_param."""
        p = message.python_param
        in_place = tuple(i if i < len(message.bottom) and message.bottom[i] == top else None for i, top in enumerate(message.top))
        return PythonParams(p.module, p.layer, p.param_str, in_place)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Add the layer's name to whatever the user's code raises."""
        try:
            yield
        except Exception as e:
            if hasattr(e, "add_note"):
                hint = ""
                if isinstance(e, ModuleNotFoundError) and str(e.name).split(".")[0] == "caffe":
                    hint = "; call pycaffe_acc.install_as_caffe() first, so that `import caffe` finds this package"
                e.add_note(f"raised by Python layer '{self.name}' (module '{self.params.module}', class '{self.params.layer}'){hint}")
            raise

    def setup(self, bottoms: list[Shape]) -> None:
        """Import the module, make the object and call its setup."""
        with self._noted():
            module = importlib.import_module(self.params.module)
        cls = getattr(module, self.params.layer, None)
        self.check(cls is not None,
                   f"the module '{self.params.module}' ({getattr(module, '__file__', 'built in')}) has no class '{self.params.layer}'")
        with self._noted():
            self._object = cls(self._message)  # type: ignore[misc]
            self._message = None
            self._object.param_str, self._object.phase = self.params.param_str, self.context.phase
            self._object.blobs = LayerBlobs(self.blobs, self.add_blob)
            self._show([np.zeros(s, np.float32) for s in bottoms])
            self._object.setup(self._bottoms, self._tops)

    def _show(self, arrays: list[np.ndarray]) -> None:
        """Let the blobs that the user's code sees hold the bottoms' values."""
        for i, (blob, array) in enumerate(zip(self._bottoms, arrays, strict=True)):
            # the engine's values must survive a layer that writes its top over them
            blob.point_to(array.copy() if i in self.params.in_place else array)

    def _forward(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        with self._noted():
            self._show(inputs)
            self._object.reshape(self._bottoms, self._tops)
            self._object.forward(self._bottoms, self._tops)
        return [t.data for t in self._tops]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A call on the host; the shapes of a first reshape are assumed until it ran."""
        with self._noted():
            self._show([np.zeros(t.shape, np.float32) for t in bottoms])
            self._object.reshape(self._bottoms, self._tops)
        return graph.add(HostCall("Python", self._forward, [t.shape for t in self._tops], self.name, "code of the user", dynamic=True), bottoms)
