"""Offline models as nets: the part of pycaffe's Net that runs, over a file."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from cnml.executable import Around
from cnml.tensor import Shape, count
from cnrt import model_file
from cnrt.errors import CnrtError, RetCode
from cnrt.model import Model
from cnrt.model_runner import ModelRunner
from cnrt.program import Program
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.mode import default_threads
from pycaffe_acc.name_dict import NameDict
from pycaffe_acc.offline_parts import Part, Table, read_table


class OfflineBlob:
    """A value of an offline net.

    Attributes
    ----------
    data : ndarray
        float32; what is written into an input's is used by the next forward.
    """

    def __init__(self, shape: Shape):
        self.data = np.zeros(shape, np.float32)

    @property
    def shape(self) -> Shape:
        """The logical shape."""
        return self.data.shape

    @property
    def count(self) -> int:
        """Number of elements."""
        return self.data.size


class OfflineNet:
    """A net from a `.cambricon` file. A file with CPU segments runs as the net it was made of; any other one must have a single function.

    Parameters
    ----------
    path : str or Path
    threads : int, optional
        Core slots; default as for `Net`. Values do not depend on it.
    model : Model, optional
        What the file holds, if it was read already.
    data_parallel : int
        Slices of a batch, each on `threads` core slots; the batch is so many times the file's.

    Attributes
    ----------
    name, precision : str
    inputs, outputs : list of str
    blobs : dict of str to OfflineBlob
    threads : int
    model : cnrt.model.Model
    notifiers : list of (Notifier, Notifier) or None
        As `Net.notifiers`.

    Raises
    ------
    CnrtError
        As `cnrt.model_file.load` and `cnrt.model_runner.ModelRunner`.
    CheckError
        When a file with several functions has not kept what lies between them; for slices of a file with CPU segments.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int | None = None, model: Model | None = None,
                 data_parallel: int = 1):
        if model is None and not Path(path).is_file():
            raise MissingFileError(path, "offline model")
        self.threads = threads or default_threads()
        self._path = path
        self.model = model or model_file.load(path)
        table = read_table(self.model, self.threads) or _single(self.model, os.fspath(path))
        self.name, self.inputs, self.outputs = table.name or Path(path).stem, list(table.inputs), table.outputs
        self.precision = str(next(iter(self.model.programs.values())).body.get("precision"))
        self._parts = table.parts
        self.data_parallel = data_parallel
        if data_parallel > 1 and (len(table.parts) > 1 or not table.parts[0].symbol):
            raise CheckError(f"offline model '{self.name}' has segments on the CPU, whose batch is fixed; run it without data parallelism")
        self._runners = {p.symbol: ModelRunner(self.model, p.symbol, self.threads, data_parallel) for p in table.parts if p.symbol}
        self._shapes = {p.symbol: {n: self._whole(s) for n, s in tensor_shapes(self.model.programs[p.symbol]).items()} for p in table.parts
                        if p.symbol}
        self.blobs: NameDict[OfflineBlob] = NameDict((name, OfflineBlob(self._whole(shape))) for name, shape in table.inputs.items())
        self._make_blobs(table)
        self.notifiers: list[Around] | None = None

    def _whole(self, shape: Shape) -> Shape:
        """The shape of all slices together."""
        return (shape[0] * self.data_parallel, *shape[1:]) if shape else shape

    def clone(self) -> OfflineNet:
        """Another one of the same model, on the device and channel of the calling thread."""
        return OfflineNet(self._path, self.threads, self.model, self.data_parallel)

    def _make_blobs(self, table: Table) -> None:
        for part in table.parts:
            shapes = {n: b.shape for n, b in part.net.blobs.items()} if part.net is not None else self._shapes.get(part.symbol, {})
            given = part.net.inputs if part.net is not None else []
            lost = [n for n in (*part.inputs, *part.copies, *given) if n not in self.blobs]
            if lost or any(n not in shapes for n in part.outputs if n not in self.blobs):
                raise CheckError(f"offline model '{self.name}': the segment '{part.symbol or 'on the CPU'}' needs or gives {lost or part.outputs}, "
                                 "which the file does not have")
            self.blobs.update((n, OfflineBlob(shapes[n])) for n in part.outputs if n not in self.blobs)
        missing = [n for n in table.outputs if n not in self.blobs]
        if missing:
            raise CheckError(f"offline model '{self.name}': no segment gives the output '{missing[0]}'")

    def forward(self, **kwargs: np.ndarray) -> dict[str, np.ndarray]:
        """Run every segment in order.

        Parameters
        ----------
        **kwargs : ndarray
            Values of inputs; those that are not given keep what they have.

        Returns
        -------
        dict of str to ndarray
            The outputs; copy what must outlast the next forward.

        Raises
        ------
        CheckError
            For an unknown input or a wrong shape.
        """
        for name, value in kwargs.items():
            if name not in self.inputs:
                raise CheckError(f"offline model '{self.name}': '{name}' is no input; its inputs: {', '.join(self.inputs)}")
            try:
                self.blobs[name].data[...] = value
            except ValueError as e:
                raise CheckError(f"offline model '{self.name}': an array of shape {np.shape(value)} does not fit the input '{name}' "
                                 f"{self.blobs[name].shape}") from e
        for part in self._parts:
            if part.symbol:
                self._run_device(part)
            elif part.net is not None:
                self._run_host(part, part.net)
        return {name: self.blobs[name].data for name in self.outputs}

    def _run_device(self, part: Part) -> None:
        runner, shapes = self._runners[part.symbol], self._shapes[part.symbol]
        runner.notifiers = self.notifiers
        results = runner.run([self.blobs[t.name].data for t in runner.inputs])
        for spec, values in zip(runner.outputs, results, strict=True):
            self.blobs[spec.name].data = values.reshape(shapes[spec.name])

    def _run_host(self, part: Part, net: Any) -> None:
        for name in net.inputs:  # of the segment, and of the net where the segment begins it
            if net.blobs[name].shape != self.blobs[name].shape:
                net.blobs[name].reshape(*self.blobs[name].shape)
            net.blobs[name].data[...] = self.blobs[name].data
        made = [n for n in part.outputs if n not in part.copies]
        net.forward(blobs=[n for n in made if n not in net.outputs])
        for name in made:
            self.blobs[name].data = np.array(net.blobs[name].data)
        for name, source in part.copies.items():
            self.blobs[name].data = np.array(net.blobs[source].data).reshape(self.blobs[name].shape)


def tensor_shapes(program: Program) -> dict[str, Shape]:
    """Logical shapes of a program's inputs and outputs, under the names of its descriptors.

    Raises
    ------
    CnrtError
        INVALID for a program that contradicts itself.
    """
    try:
        numbers = [*program.body["inputs"], *program.body["outputs"]]
        shapes = [tuple(int(d) for d in program.body["tensors"][i]["shape"]) for i in numbers]
        specs = [*program.inputs, *program.outputs]
        if [count(s) for s in shapes] != [t.count for t in specs]:
            raise ValueError(f"shapes {shapes}")
    except (KeyError, TypeError, ValueError, IndexError) as e:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to read function '{program.name}': its tensors are not those of its descriptors ({e})") from e
    return {t.name: s for t, s in zip(specs, shapes, strict=True)}


def _single(model: Model, path: str) -> Table:
    """The table of a file that is one function and nothing else."""
    if len(model.programs) != 1:
        names = ', '.join(model.programs) or 'none'
        raise CheckError(f"offline model {path} has {len(model.programs)} functions ({names}) and not what runs on the CPU "
                         "between them; make it with -cpu_info 1 (pycaffe-acc compile --cpu-info), or call its functions through cnrt")
    (symbol, program), = model.programs.items()
    shapes = tensor_shapes(program)
    inputs, outputs = [t.name for t in program.inputs], [t.name for t in program.outputs]
    return Table("", {n: shapes[n] for n in inputs}, outputs, [Part(symbol, tuple(inputs), tuple(outputs), None, {})])
