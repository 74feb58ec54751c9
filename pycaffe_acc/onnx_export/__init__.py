"""Nets as ONNX models: `export` writes one, `translate_net` gives its graph.

Every layer is first turned into the engine's operators, as for a forward pass, and each operator into ONNX nodes that mean exactly the same; so a
fork's spelling of a layer needs nothing here. What ONNX cannot say exactly is refused, all of it in one error. `layer_table.LAYERS` lists every Caffe
type. A net of precision int8 becomes a graph of the same operators with its codes between them.
"""
from __future__ import annotations

from pycaffe_acc.onnx_export.model_export import ExportReport, export, translate_net
from pycaffe_acc.onnx_export.refusal import NotExpressibleError, OnnxMismatchError
from pycaffe_acc.onnx_export.stated_codes import stated_codes

__all__ = ["ExportReport", "NotExpressibleError", "OnnxMismatchError", "export", "stated_codes", "translate_net"]
