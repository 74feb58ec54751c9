"""What every operator is: create, reshape, run."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cnml.reference.half import round_half
from cnml.tensor import Layout, Shape, Tensor

if TYPE_CHECKING:
    from cnml.emitter import Emitter
    from cnml.epilogue import Activation, Fold


class Operator:
    """Base of the operators in `cnml.ops`.

    An operator is created from parameters that do not depend on shapes, told its input shapes by `reshape` (which validates them and gives the
    output shapes), and lowered to instructions. It keeps nothing of a run: the same object serves several graphs.

    Parameters
    ----------
    name : str
        Name of the layer it came from; opens every message.
    """

    kind: ClassVar[str] = ""
    #: output 0 may lie in the storage of input 0 when nobody else needs input 0
    inplace: ClassVar[bool] = False
    #: `lower` honours the pitch of output 0, so it can be written straight into its place in a wider tensor
    strided_output: ClassVar[bool] = False
    #: `lower` honours the pitch of input 0, so it can be read where it lies in a wider tensor
    strided_input: ClassVar[bool] = False
    #: outputs are the bytes of input 0 under another shape; no instruction is made
    view: ClassVar[bool] = False
    #: `run` returns arrays whose shapes are known only then
    dynamic: ClassVar[bool] = False
    #: `reference` changes its parameters (running statistics, state)
    mutates: ClassVar[bool] = False
    #: in FP16: "computed" results are rounded to half, "selected" ones are values of the inputs (or what every half format holds), "kept" ones are
    #: positions, labels, losses and what functions on the host make, and stay float32
    results: ClassVar[str] = "computed"
    #: how many of the inputs, from the first on, are values to be read in half precision; None is all, the others are positions or labels
    value_inputs: ClassVar[int | None] = None
    #: why there is no native kernel; listed in docs/operators.md. Empty for operators that lower natively.
    host_reason: ClassVar[str] = ""

    def __init__(self, name: str = ""):
        self.name = name

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Check the shapes and give the outputs' shapes.

        Parameters
        ----------
        inputs, parameters : list of tuple of int

        Returns
        -------
        list of tuple of int

        Raises
        ------
        CnmlError
            Naming the operator, the value and the rule.
        """
        raise TypeError(f"{type(self).__name__} has no shape rule")

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """The definition in NumPy: plain arrays in, plain arrays out (any float dtype).

        Parameters
        ----------
        inputs, parameters : list of float32 ndarray
            In logical shape and order. Not to be changed, except parameters when `mutates` is set.

        Returns
        -------
        sequence of ndarray
        """
        raise TypeError(f"{type(self).__name__} has no reference")

    def reference_half(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """`reference` in FP16: one rounding to half at each output (see `results`). Operators with large weights round those too.

        Parameters
        ----------
        inputs, parameters : list of float32 ndarray
            As for `reference`; the inputs hold halves.

        Returns
        -------
        sequence of ndarray
        """
        results = self.reference(inputs, parameters)
        return [round_half(r) for r in results] if self.results == "computed" else results

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Which layouts the operator wants for its inputs, and gives its outputs (one entry stands for all).

        Parameters
        ----------
        given : list of Layout
            How the inputs lie now.
        shapes : list of tuple of int
            Their logical shapes.

        Returns
        -------
        inputs : list of Layout, one each
        outputs : list of Layout, one each or a single one for all
        """
        return [Layout.PLAIN] * len(given), [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Write the instructions. The default runs `reference` on the host."""
        emit.host(self)

    def effects(self) -> bool:
        """Whether a run does more than make the outputs from the inputs: state, files, code of the user. Such an operator is never left out and never
        run twice.
        """
        return self.mutates or self.dynamic

    def joins_channels(self) -> bool:
        """Whether output 0 is the inputs side by side along the channels, and inputs with a pitch are in their place already."""
        return False

    def cuts_channels(self) -> bool:
        """Whether the outputs are consecutive bands of the channels of input 0, and outputs with a pitch need no copy."""
        return False

    def as_fold(self, shape: Shape, parameters: list[Shape]) -> Fold | None:
        """The affine step per channel that this operator is for an input of `shape`, or None."""
        return None

    def as_activation(self) -> Activation | None:
        """The activation that this operator is, or None."""
        return None

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Multiply-accumulates of one run, for summaries and benchmarks."""
        return 0

    def __repr__(self) -> str:
        return f"{self.kind}({self.name!r})"


def follow_layouts(given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
    """`choose_layouts` of element-wise operators on equal shapes: NHWC if an input of four axes lies so, else PLAIN."""
    nhwc = Layout.NHWC in given and all(len(s) == 4 for s in shapes)
    layout = Layout.NHWC if nhwc else Layout.PLAIN
    return [layout] * len(given), [layout]


def channels_last(given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
    """`choose_layouts` of image operators: NHWC for four axes, else PLAIN."""
    layout = Layout.NHWC if shapes and len(shapes[0]) == 4 else Layout.PLAIN
    return [layout if len(s) == 4 else Layout.PLAIN for s in shapes], [layout]
