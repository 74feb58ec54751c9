"""Named graph → ModelProto → file."""
from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.onnx_export.dependency import onnx_module
from pycaffe_acc.onnx_export.translation import NamedGraph
from pycaffe_acc.version import VERSION

#: Softmax along one axis, Split by an input and ReduceSum's axes as an input came with it
OLDEST_OPSET = 13
DEFAULT_OPSET = 17
#: bytes of weights from which they are written beside the model: a protobuf message ends at 2 GiB
EXTERNAL_BYTES = 2_000_000_000


def check_opset(opset: int) -> None:
    """Refuse an opset that the translators or the installed onnx do not know.

    Raises
    ------
    CheckError, MissingExtraError
    """
    newest = onnx_module().defs.onnx_opset_version()
    if not OLDEST_OPSET <= opset <= newest:
        raise CheckError(f"opset {opset} is outside {OLDEST_OPSET}..{newest}, which this package writes and the installed onnx knows")


def model_proto(graph: NamedGraph) -> Any:
    """The ModelProto with all weights inside.

    Parameters
    ----------
    graph : NamedGraph

    Returns
    -------
    onnx.ModelProto
    """
    onnx = onnx_module()
    helper = onnx.helper

    def values(shapes: dict[str, Any]) -> list[Any]:
        return [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(shape)) for name, shape in shapes.items()]

    nodes = [helper.make_node(n.op, n.inputs, n.outputs, name=n.layer, **n.attributes) for n in graph.nodes]
    arrays = [onnx.numpy_helper.from_array(array, name) for name, array in graph.arrays.items()]
    inside = helper.make_graph(nodes, graph.name, values(graph.inputs), values(graph.outputs), arrays)
    opset = helper.make_opsetid("", graph.opset)
    return helper.make_model(inside, opset_imports=[opset], producer_name="pycaffe-acc", producer_version=VERSION,
                             ir_version=helper.find_min_ir_version_for([opset]))


@contextmanager
def model_file(graph: NamedGraph, target: Path) -> Iterator[Path]:
    """Write the model into a folder beside `target`; it gets its name when the block ends without an exception.

    Weights of 2 GB and more go into `<target>.data`, which must stay beside the model.

    Parameters
    ----------
    graph : NamedGraph
    target : Path

    Yields
    ------
    Path
        The file in its passing place, checked by onnx with shape inference.

    Raises
    ------
    CheckError
        When the folder of `target` does not exist, or onnx finds the model wrong.
    """
    onnx = onnx_module()
    if not target.parent.is_dir():
        raise CheckError(f"'{target}' cannot be written: the folder '{target.parent}' does not exist")
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        part, data = folder / target.name, f"{target.name}.data"
        large = sum(a.nbytes for a in graph.arrays.values()) >= EXTERNAL_BYTES
        onnx.save_model(model_proto(graph), part, save_as_external_data=large, all_tensors_to_one_file=True, location=data)
        try:
            onnx.checker.check_model(os.fspath(part), full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as e:
            raise CheckError(f"net '{graph.name}': onnx refuses the model that was made of it: {e}. This is a defect of the export") from e
        yield part
        if large:
            os.replace(folder / data, target.parent / data)
        os.replace(part, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
