"""Values that a forward left out because fusion had no need of them."""
from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from cnml.executable import Executable
from cnml.graph import Graph
from cnml.parameter import Parameter
from cnml.tensor import Tensor
from cnrt.device import Device
from cnrt.memory import Memory
from cnrt.queue import Queue

if TYPE_CHECKING:
    from pycaffe_acc.blob import Place


class Remote:
    """The newest values of a place are a tensor of an executable."""

    def __init__(self, executable: Executable, tensor: Tensor):
        self.executable, self.tensor = executable, tensor

    def fetch(self, place: Place) -> None:
        """Bring them into the plain memory of `place`."""
        t = self.tensor
        self.executable.read_into(t, place.at_least(max(4, t.nbytes)).array(np.float32, t.shape))


class Recipe:
    """How the values of a range of layers come about: what it takes to compute all of them again.

    Parameters
    ----------
    graph : cnml.Graph
        As the layers emitted it.
    inputs : dict of Tensor to Memory
        The range's own copies of what it read.
    device : cnrt.Device
    precision : str
        See `cnml.executable.Executable`.
    """

    def __init__(self, graph: Graph, inputs: dict[Tensor, Memory], device: Device, precision: str = "fp32"):
        self.graph, self.inputs, self.device, self.precision = graph, inputs, device, precision
        self.parameters = frozenset(k for n in graph.nodes for p in n.parameters for k in p.kin())
        self._quiet: int | None = None  # `Parameter.epoch` in which none of them was in a user's hands

    def handed_out(self) -> list[Parameter]:
        """Parameters that a user may write to at any time."""
        epoch = Parameter.epoch
        if epoch == self._quiet:
            return []
        found = [p for p in self.parameters if p.handed_out()]
        self._quiet = None if found else epoch
        return found

    def values(self, tensors: list[Tensor], saved: dict[Parameter, np.ndarray]) -> dict[Tensor, Remote]:
        """Run the graph with every one of `tensors` retained.

        Parameters
        ----------
        saved : dict of Parameter to ndarray
            What parameters held, where that is no longer what they hold.
        """
        substitutes = {}
        for p in self.parameters:
            old = next((saved[k] for k in p.kin() if k in saved), None)
            if old is not None:
                substitutes[p] = Parameter(p.shape, p.name)
                substitutes[p].assign(old.reshape(p.shape))
        graph, twins = self.graph.copy(substitutes)
        executable = Executable(graph, [twins[t] for t in tensors], {twins[t]: m for t, m in self.inputs.items()}, lambda t: None, self.device,
                                precision=self.precision)
        with Queue(self.device) as queue:
            executable.run(queue)
        return {t: Remote(executable, twins[t]) for t in tensors}


class Deferred:
    """One forward's values that are computed when somebody looks at the first of them: then all of them, from the inputs and weights it had.

    Parameters
    ----------
    recipe : Recipe
    places : dict of Place to Tensor
        Where the values belong.
    """

    def __init__(self, recipe: Recipe, places: dict[Place, Tensor]):
        self._recipe = recipe
        self._places = {weakref.ref(place): tensor for place, tensor in places.items()}
        self._saved: dict[Parameter, np.ndarray] = {p: p.array.copy() for p in recipe.handed_out()}
        Parameter.observers.add(self)
        for place in places:
            place.remote = self

    def stands(self) -> bool:
        """Whether it can promise the next forward's values as well: nobody looked, and nobody changed a weight or may do so."""
        return not self._saved and not self._recipe.handed_out() and all((p := ref()) is not None and p.remote is self for ref in self._places)

    def before_change(self, parameter: Parameter) -> None:
        """Keep what a parameter held in this forward."""
        if parameter in self._recipe.parameters and parameter not in self._saved:
            self._saved[parameter] = parameter.array.copy()

    def fetch(self, place: Place) -> None:
        """Compute everything that is still missing, and bring the values of `place` into its plain memory."""
        waiting = {}
        for ref, tensor in self._places.items():
            other = ref()
            if other is not None and (other is place or other.remote is self):
                waiting[other] = tensor
        found = self._recipe.values(list(waiting.values()), self._saved)
        for other, tensor in waiting.items():
            other.remote = found[tensor]
        remote, place.remote = found[waiting[place]], None
        remote.fetch(place)
