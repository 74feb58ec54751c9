"""The base of Caffe's layer types, and their registry."""
from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cnml.codes import LayerCodes
from cnml.graph import Graph
from cnml.parameter import Parameter
from cnml.tensor import Shape, Tensor, count
from pycaffe_acc.errors import CheckError, UnsupportedLayerError
from pycaffe_acc.filler import fill
from pycaffe_acc.memory_budget import budget


@dataclass(frozen=True)
class NetContext:
    """What a layer may know of its net.

    Attributes
    ----------
    phase : int
        caffe_pb2.TRAIN (0) or TEST (1).
    vendor_exact : bool
        Follow the vendor's fork where it differs from BVLC's Caffe.
    allow_python_layers : bool
    """

    phase: int = 1
    vendor_exact: bool = False
    allow_python_layers: bool = False


class Layer:
    """One layer of a net.

    A subclass names its type with `@layer`, declares its arity, and gives `parse`, `setup` and `emit`.

    Parameters
    ----------
    message : LayerParameter
        Read here once; not kept.
    context : NetContext

    Attributes
    ----------
    params : dataclass
        What `parse` returned.
    blobs : list of Parameter
        The layer's weights in Caffe's order and shape.
    """

    type: ClassVar[str] = ""
    exact_bottoms: ClassVar[int | None] = 1
    min_bottoms: ClassVar[int] = 0
    max_bottoms: ClassVar[int | None] = None
    exact_tops: ClassVar[int | None] = 1
    min_tops: ClassVar[int] = 0
    max_tops: ClassVar[int | None] = None
    equal_bottoms_tops: ClassVar[bool] = False
    #: a loss layer without a top gets an anonymous one, which is no net output
    auto_top: ClassVar[bool] = False
    #: the layer refuses a top that is one of its bottoms
    refuses_inplace: ClassVar[bool] = False
    #: all tops are memory that callers fill; a forward leaves them alone
    given: bool = False
    #: the shapes of the tops are known only after a run
    dynamic: ClassVar[bool] = False
    #: how its prototxt says that it computes in INT8
    int8: LayerCodes | None = None

    def __init__(self, message: Any, context: NetContext):
        self.name: str = message.name
        self.context = context
        self.num_tops = max(len(message.top), 1 if self.auto_top else 0)
        self.num_bottoms = len(message.bottom)
        self.blobs: list[Parameter] = []
        self.check_arity(message)
        self.params = self.parse(message)

    @classmethod
    def parse(cls, message: Any) -> Any:
        """LayerParameter → frozen dataclass with what the layer needs of it."""
        return None

    def setup(self, bottoms: list[Shape]) -> None:
        """Create the parameter blobs (`add_blob`) for the first bottom shapes; called once."""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """Add the layer's operators to a graph and return its tops. Called for every new set of shapes; validates them."""
        raise TypeError(f"{type(self).__name__} emits nothing")

    def held(self) -> list[bool]:
        """For each top, whether it is memory that callers fill and a forward leaves alone."""
        return [self.given] * self.num_tops

    def initial_values(self) -> list[np.ndarray | None]:
        """What each top holds after set-up; None, or a missing entry, for zeros."""
        return []

    def shares_memory(self) -> bool:
        """Whether every top is the bytes of bottom 0 (Reshape, Flatten, Split, Concat of one, Slice into one)."""
        return False

    # ---- for subclasses ---------------------------------------------------------------------------------------------------------------------

    def add_blob(self, shape: Shape, filler: Any = None) -> Parameter:
        """Append a parameter blob, filled by a FillerParameter message (None: zeros)."""
        for d in shape:
            self.check(d >= 0, f"parameter blob {len(self.blobs)} would have the shape {tuple(shape)}; extents must not be negative")
        need = 4 * count(tuple(shape))
        self.check(need <= budget(), f"parameter blob {len(self.blobs)} of shape {tuple(shape)} needs {need} bytes; the budget is {budget()} (set "
                                     f"PYCAFFE_ACC_MAX_BYTES to change it)")
        blob = Parameter(tuple(int(d) for d in shape), f"{self.name}/{len(self.blobs)}")
        # a new blob holds zeros already: no second pass over hundreds of megabytes
        if filler is not None and (filler.type != "constant" or filler.value != 0):
            blob.assign(fill(filler, blob.shape))
        self.blobs.append(blob)
        return blob

    def check(self, condition: bool, sentence: str) -> None:
        """Raise a `CheckError` that names the layer unless `condition` holds."""
        if not condition:
            raise CheckError(f"layer '{self.name}' ({self.type}): {sentence}")

    def axis(self, axis: int, ndim: int, what: str = "axis") -> int:
        """Caffe's canonical axis: negative counts from the end.

        Raises
        ------
        CheckError
            When it is outside -ndim .. ndim-1.
        """
        self.check(-ndim <= axis < ndim, f"{what} {axis} is outside the {ndim} axes of its bottom; it must be in {-ndim}..{ndim - 1}")
        return axis + ndim if axis < 0 else axis

    def check_arity(self, message: Any) -> None:
        """Compare the numbers of bottoms and tops with what the type declares."""
        nb, nt = len(message.bottom), self.num_tops
        if self.exact_bottoms is not None:
            self.check(nb == self.exact_bottoms, f"has {nb} bottoms; this type takes exactly {self.exact_bottoms}")
        self.check(nb >= self.min_bottoms, f"has {nb} bottoms; this type takes at least {self.min_bottoms}")
        if self.max_bottoms is not None:
            self.check(nb <= self.max_bottoms, f"has {nb} bottoms; this type takes at most {self.max_bottoms}")
        if self.exact_tops is not None:
            self.check(nt == self.exact_tops, f"has {nt} tops; this type makes exactly {self.exact_tops}")
        self.check(nt >= self.min_tops, f"has {nt} tops; this type makes at least {self.min_tops}")
        if self.max_tops is not None:
            self.check(nt <= self.max_tops, f"has {nt} tops; this type makes at most {self.max_tops}")
        if self.equal_bottoms_tops:
            self.check(nb == nt, f"has {nb} bottoms and {nt} tops; this type makes one top for each bottom")


_types: dict[str, type[Layer]] = {}
_FOLDER = "pycaffe_acc.layer_types"


def layer(name: str, *aliases: str) -> Callable[[type[Layer]], type[Layer]]:
    """Class decorator: register a layer type under its Caffe name (and forks' spellings of it).

    Raises
    ------
    ValueError
        When a name is taken by another class.
    """
    def register(cls: type[Layer]) -> type[Layer]:
        cls.type = name
        for n in (name, *aliases):
            if not cls.__module__.startswith(_FOLDER):
                find_layer_class(n)  # this package's own class of that name has the older claim
            known = _types.get(n)
            if known is not None and known.__qualname__ != cls.__qualname__:
                raise ValueError(f"layer type '{n}' is registered by {known.__module__} already; unregister it first")
            _types[n] = cls
        return cls
    return register


def unregister_layer(name: str) -> None:
    """Forget a layer type, so that another class can take its name."""
    find_layer_class(name)
    _types.pop(name, None)


def find_layer_class(name: str) -> type[Layer] | None:
    """The class of a Caffe layer type, or None; imports the file of that name, and all files only if that is not the one."""
    if name not in _types:
        folder = importlib.import_module(_FOLDER)
        folder.load(name)
        if name not in _types:
            folder.load_all()
    return _types.get(name)


def _load_all() -> None:
    importlib.import_module(_FOLDER).load_all()


def layer_class(name: str) -> type[Layer]:
    """The class of a Caffe layer type.

    Raises
    ------
    UnsupportedLayerError
        With the closest known names and how to register one's own.
    """
    cls = find_layer_class(name)
    if cls is None:
        raise UnsupportedLayerError(f"unknown layer type '{name}'{closest(name)}; known types: {', '.join(sorted(_types))}. "
                                    "Write a subclass of pycaffe_acc.Layer's engine base pycaffe_acc.layer.Layer and register it with "
                                    "@pycaffe_acc.layer.layer('Name').")
    return cls


def closest(name: str) -> str:
    """" (closest known: X)", or an empty string."""
    found = difflib.get_close_matches(name, list(_types), n=1, cutoff=0.6)
    return f" (closest known: {found[0]})" if found else ""


def layer_types() -> list[str]:
    """All registered names, sorted."""
    _load_all()
    return sorted(_types)
