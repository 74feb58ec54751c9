"""Runs a graph of one or more operators through the compiler, for comparison with the references."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.executable import Executable
from cnml.graph import Graph
from cnml.operator import Operator
from cnml.ops.convert_layout import ConvertLayout
from cnml.parameter import Parameter
from cnml.reference.half import round_half
from cnml.tensor import Layout, Tensor
from cnrt.device import current_device
from cnrt.queue import Queue


def parameters(*arrays: np.ndarray) -> list[Parameter]:
    """Parameters that hold the given arrays."""
    made = []
    for i, a in enumerate(arrays):
        p = Parameter(np.shape(a), f"test/{i}")
        p.assign(a)
        made.append(p)
    return made


class Nhwc(ConvertLayout):
    """Forces its output into NHWC, so that the next operator meets that layout."""

    def __init__(self) -> None:
        super().__init__(Layout.NHWC, "to nhwc")

    def choose_layouts(self, given: list[Layout], shapes: list[tuple[int, ...]]) -> tuple[list[Layout], list[Layout]]:
        """PLAIN in, NHWC out."""
        return [Layout.PLAIN], [Layout.NHWC]


def run_graph(graph: Graph, values: dict[Tensor, np.ndarray], wanted: Sequence[Tensor], cores: int = 1, fusion: bool = True,
              off: frozenset[str] = frozenset(), precision: str = "fp32") -> list[np.ndarray]:
    """Compile, run, and read the wanted tensors."""
    device = current_device()
    bindings = {}
    for tensor, value in values.items():
        memory = device.malloc(max(4, tensor.nbytes))
        memory.array(np.float32, tensor.shape)[...] = value
        bindings[tensor] = memory
    executable = Executable(graph, wanted, bindings, lambda t: None, device, fusion, off, precision)
    with Queue(device) as queue:
        executable.run(queue, cores)
    results = []
    for t in wanted:
        out = np.empty(t.shape, np.float32)
        executable.read_into(t, out)
        results.append(out)
    return results


def run_operator(op: Operator, inputs: Sequence[np.ndarray], params: Sequence[np.ndarray] = (), layout: Layout = Layout.PLAIN,
                 cores: int = 1, precision: str = "fp32") -> list[np.ndarray]:
    """Run one operator on arrays whose 4-D members lie in `layout`."""
    graph = Graph()
    sources = [graph.input(np.shape(x), f"x{i}") for i, x in enumerate(inputs)]
    given = [graph.add(Nhwc(), [t])[0] if layout is Layout.NHWC and len(t.shape) == 4 else t for t in sources]
    outs = graph.add(op, given, parameters(*params))
    return run_graph(graph, dict(zip(sources, inputs, strict=True)), outs, cores, fusion=False, precision=precision)


def check_operator(op: Operator, inputs: Sequence[np.ndarray], params: Sequence[np.ndarray] = (), rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Compare an operator's kernel with its reference in both layouts and for 1, 2 and 3 tasks."""
    inputs = [np.asarray(x, np.float32) for x in inputs]
    params = [np.asarray(p, np.float32) for p in params]
    with np.errstate(all="ignore"):
        want = op.reference(list(inputs), [p.copy() for p in params])
    layouts = [Layout.PLAIN] + ([Layout.NHWC] if any(x.ndim == 4 for x in inputs) else [])
    for layout in layouts:
        for cores in (1, 2, 3):
            got = run_operator(op, inputs, params, layout, cores)
            for g, w in zip(got, want, strict=True):
                np.testing.assert_allclose(g, np.asarray(w, np.float32), rtol=rtol, atol=atol, err_msg=f"{op!r} {layout} {cores} tasks")


def check_half(op: Operator, inputs: Sequence[np.ndarray], params: Sequence[np.ndarray] = (), atol: float = 1e-4) -> None:
    """Compare an operator in FP16 with `reference_half` on rounded inputs, in both layouts and for 1 and 3 tasks.

    Results must be halves, and the same but for steps of half precision; `atol`, times the largest result, is for sums that nearly cancel.
    """
    inputs = [round_half(x) for x in inputs]
    params = [np.asarray(p, np.float32) for p in params]
    with np.errstate(all="ignore"):
        want = op.reference_half(list(inputs), [p.copy() for p in params])
    layouts = [Layout.PLAIN] + ([Layout.NHWC] if any(x.ndim == 4 for x in inputs) else [])
    for layout in layouts:
        for cores in (1, 3):
            got = run_operator(op, inputs, params, layout, cores, "fp16")
            for g, w in zip(got, want, strict=True):
                np.testing.assert_array_equal(g, round_half(g), err_msg=f"{op!r} {layout}: not halves")
                largest = float(np.nanmax(np.abs(w), initial=1e-3))
                np.testing.assert_allclose(g, w, rtol=2.0 ** -10, atol=atol * largest, err_msg=f"{op!r} {layout} {cores} tasks")
