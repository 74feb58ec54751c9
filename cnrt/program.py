"""What a model holds of a function: a program that knows nothing of the machine it will run on."""
from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cnrt import program_table
from cnrt.data_desc import TensorSpec
from cnrt.errors import CnrtError, RetCode

if TYPE_CHECKING:
    from cnrt.model import ModelFunction


@dataclass(frozen=True)
class Program:
    """One symbol of a model, before memory, packing and kernels were chosen.

    Attributes
    ----------
    name : str
        The symbol.
    language : str
        Who understands the body: a name of `cnrt.program_table`.
    body : dict
        The program as plain JSON values. The runtime does not look into it.
    constants : tuple of ndarray
        Arrays that the body refers to by number.
    inputs, outputs : tuple of TensorSpec
        In the order of an invocation's parameters.
    """

    name: str
    language: str
    body: dict[str, Any]
    constants: tuple[np.ndarray, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    _lowered: list[ModelFunction] = field(default_factory=list, init=False, repr=False, compare=False)
    _lock: Any = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def lowered(self) -> ModelFunction:
        """The function for this machine: kernels chosen, weights packed. Made once.

        Raises
        ------
        CnrtError
            UNSUPPORTED for a language, an operator or a format that is not known here, INVALID for a program that contradicts itself, NOMEM.
        """
        with self._lock:
            if not self._lowered:
                made = program_table.loader(self.language)(self)
                if (made.inputs, made.outputs) != (self.inputs, self.outputs):
                    raise CnrtError(RetCode.ERR_INVALID, f"failed to load function '{self.name}': its program takes {made.inputs} and gives "
                                    f"{made.outputs}; its descriptors say {self.inputs} and {self.outputs}")
                self._lowered.append(made)
            return self._lowered[0]
