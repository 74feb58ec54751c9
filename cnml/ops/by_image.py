"""A run of operators that the kernels go through image by image."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnml.arena import Span, arrange
from cnml.emitter import Argument, Call, Emitter, ScratchBlock
from cnml.errors import CnmlError, expect
from cnml.graph import Node
from cnml.operator import Operator
from cnml.parameter import aligned_empty
from cnml.tensor import Layout, Shape, Tensor
from cnrt.function import KernelAddress


class Step(NamedTuple):
    """One operator of a run.

    Attributes
    ----------
    op : Operator
        With one output, whose images depend on the same images of its inputs alone.
    inputs : tuple of int
        Numbers of values: those of the run's inputs, then the outputs of the steps.
    parameters : int
        How many it takes.
    shape : tuple of int
        Of its output, without the batch.
    """

    op: Operator
    inputs: tuple[int, ...]
    parameters: int
    shape: Shape


class ByImage(Operator):
    """Parameters: those of the steps, one step after another. The last step's output is the result.

    Parameters
    ----------
    steps : sequence of Step
    inputs : int
        How many tensors come from outside.
    name : str
    """

    kind = "ByImage"

    def __init__(self, steps: Sequence[Step], inputs: int, name: str = ""):
        super().__init__(name)
        self.steps, self.inputs = tuple(steps), inputs
        self.strided_input = all(s.op.strided_input and 0 not in s.inputs[1:] for s in self.steps if 0 in s.inputs)  # type: ignore[misc]
        self.strided_output = self.steps[-1].op.strided_output  # type: ignore[misc]

    def _own(self, parameters: Sequence[Any]) -> list[list[Any]]:
        """The parameters of each step."""
        ends = np.cumsum([0] + [s.parameters for s in self.steps])
        return [list(parameters[a:b]) for a, b in zip(ends, ends[1:], strict=False)]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The steps' rules, one behind another."""
        every = self._every(inputs)
        for i, (step, own) in enumerate(zip(self.steps, self._own(parameters), strict=True)):
            made = step.op.reshape([every[j] for j in step.inputs], own)[0]
            expect(made == every[self.inputs + i], self, f"inputs {inputs}", f"'{step.op.name}' must make {every[self.inputs + i]} and makes {made}")
        return every[-1:]

    def _run(self, inputs: list[np.ndarray], parameters: list[np.ndarray], half: bool) -> list[np.ndarray]:
        values = list(inputs)
        for step, own in zip(self.steps, self._own(parameters), strict=True):
            values += (step.op.reference_half if half else step.op.reference)([values[i] for i in step.inputs], own)
        return values[-1:]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """The steps' definitions, one behind another."""
        return self._run(inputs, parameters, False)

    def reference_half(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """What lies between the steps is rounded too."""
        return self._run(inputs, parameters, True)

    def layouts(self, given: list[Layout], shapes: list[Shape]) -> list[Layout] | None:
        """Layouts of all values as the steps want and give them, for inputs of given layouts and shapes; None where they do not agree."""
        wanted: dict[int, Layout] = {}
        found, every = list(given), self._every(shapes)
        for step in self.steps:
            asked, gives = step.op.choose_layouts([wanted.get(i, found[i]) for i in step.inputs], [every[i] for i in step.inputs])
            for i, layout in zip(step.inputs, asked, strict=True):
                if wanted.setdefault(i, layout) is not layout or (i >= self.inputs and layout is not found[i]):
                    return None
            found.append(gives[0])
        return [wanted.get(i, layout) for i, layout in enumerate(found)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """What the steps choose."""
        found = self.layouts(given, shapes)
        if found is None:
            raise CnmlError(f"failed to lay out {self.kind} '{self.name}': its steps want a value in two layouts; operators must be joined so that "
                            "they agree")
        return found[:self.inputs], found[-1:]

    def _every(self, shapes: list[Shape]) -> list[Shape]:
        """Shapes of all values, from those of the inputs."""
        return [*shapes, *((shapes[0][0], *s.shape) for s in self.steps)]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """The steps' kernel calls for one image, and how their arguments move from image to image."""
        values = self._values(inputs, outputs[0])
        calls: list[Call] = []
        for i, (step, own) in enumerate(zip(self.steps, self._own(emit.parameters), strict=True)):
            part = emit.part(Node.of(step.op, [values[j] for j in step.inputs], own, [values[self.inputs + i]]))
            if part.hosted is not None:
                raise CnmlError(f"failed to lower {self.kind} '{self.name}': {step.op.kind} '{step.op.name}' runs on the host; only operators with "
                                "kernels can be joined")
            calls += part.calls
        moves = _Moves(self._places(values, inputs, outputs[0], calls))
        for call in calls:
            moves.add(call)
        emit.call("by_image", inputs[0].shape[0], len(calls), moves.program(), emit.scratch(moves.scratch), *moves.values)
        emit.note(f"image by image, {len(self.steps)} steps: {', '.join(dict.fromkeys(c.kernel for c in calls))}")

    def _values(self, inputs: list[Tensor], output: Tensor) -> list[Tensor]:
        """One image of every value."""
        layouts = self.layouts([t.layout for t in inputs], [t.shape for t in inputs])
        assert layouts is not None, "`choose_layouts` was asked before"
        values = []
        for shape, layout in zip(self._every([t.shape for t in inputs]), layouts, strict=True):
            values.append(Tensor((1, *shape[1:]), self.name))
            values[-1].layout = layout
        for image, whole in zip([*values[:self.inputs], values[-1]], [*inputs, output], strict=True):
            image.pitch, image.offset = whole.pitch, whole.offset
        return values

    def _places(self, values: list[Tensor], inputs: list[Tensor], output: Tensor, calls: list[Call]) -> _Places:
        """Where the values lie: what comes from outside and the result in their tensors, the others one over another in the task's scratch."""
        touched = [[i] for i in range(-self.inputs, len(self.steps))]
        for i, step in enumerate(self.steps):
            for j in step.inputs:
                touched[j].append(i)
        spans = [Span(t.nbytes, min(at), max(at)) for t, at in zip(values, touched, strict=True)]
        offsets, total = arrange(spans[self.inputs:-1])
        words = max(sum(1 + isinstance(a, ScratchBlock) for a in c.args) for c in calls)
        own = max((a.nbytes for c in calls for a in c.args if isinstance(a, ScratchBlock)), default=0)
        block, working = aligned(8 * words), aligned(own)
        outside = {id(v): t for v, t in zip([*values[:self.inputs], values[-1]], [*inputs, output], strict=True)}
        inside = {id(v): block + working + at for v, at in zip(values[self.inputs:-1], offsets, strict=True)}
        return _Places(outside, inside, block, block + working + total)

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Of all steps."""
        every = self._every(inputs)
        return sum(s.op.macs([every[j] for j in s.inputs], [every[self.inputs + i]]) for i, s in enumerate(self.steps))


class _Places(NamedTuple):
    """Tensors of the values from outside, offsets in scratch of the others (both by the id of one image's tensor), where the kernels' own scratch is
    in that, and how much it is together."""

    outside: dict[int, Tensor]
    inside: dict[int, int]
    working: int
    nbytes: int


class _Moves:
    """Collects the values and the program of a `by_image` call, see `cnml.kernels.by_image`."""

    def __init__(self, places: _Places):
        self._places, self.scratch = places, places.nbytes
        self.values: list[Argument] = []
        self._moves: list[tuple[int, int]] = []
        self._rows: list[tuple[int, int]] = []

    def add(self, call: Call) -> None:
        """One row."""
        first = len(self.values)
        self._put(KernelAddress(call.kernel))
        for a in call.args:
            if isinstance(a, ScratchBlock):
                self._put(self._places.working, 0, 1)
                self._put(0)
            elif isinstance(a, Tensor) and id(a) in self._places.inside:
                self._put(self._places.inside[id(a)], 0, 1)
            elif isinstance(a, Tensor):
                self._put(self._places.outside[id(a)], image_bytes(a))
            else:
                self._put(a)
        self._rows.append((first, len(self.values) - first - 1))

    def _put(self, value: Argument, step: int = 0, in_scratch: int = 0) -> None:
        self.values.append(value)
        self._moves.append((step, in_scratch))

    def program(self) -> np.ndarray:
        """Its words."""
        program = aligned_empty((2 * (len(self._rows) + len(self._moves)),), np.int64)
        program[:] = np.array([*self._rows, *self._moves], np.int64).reshape(-1)
        return program


def image_bytes(tensor: Tensor) -> int:
    """Bytes from one image of a tensor to the next."""
    _, c, h, w = tensor.shape
    return 4 * h * w * (tensor.pitch or c)


def aligned(nbytes: int) -> int:
    """Rounded up to a line of cache."""
    return -(-nbytes // 64) * 64
