"""pycaffe's solvers, as far as scripts use them without training: they read a solver file, build its nets and save weights."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from pycaffe_acc.errors import CaffeError, CheckError
from pycaffe_acc.mode import TEST, TRAIN
from pycaffe_acc.net import Net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import read_message
from pycaffe_acc.upgrade import upgrade_solver


class TrainingUnsupportedError(CaffeError, NotImplementedError):
    """A call that would train."""


class Solver:
    """Base of the solvers.

    Parameters
    ----------
    solver_file : str or Path
        SolverParameter in text form. Net files that it names are looked for in the current folder, then beside it.

    Attributes
    ----------
    param : SolverParameter
    net : Net
        The training net (phase TRAIN).
    test_nets : list of Net
    iter : int
        Always 0.

    Raises
    ------
    CaffeError
        When the file, or a net of it, cannot be used.
    """

    type: ClassVar[str] = ""

    def __init__(self, solver_file: str | Path):
        self.file = Path(solver_file)
        self.param = read_solver(self.file)
        self.iter = 0
        self.net = self._train_net()
        self.test_nets = self._test_nets()
        for weights in self.param.weights:
            for name in weights.split(","):
                for net in (self.net, *self.test_nets):
                    net.copy_from(self._path(name.strip()))

    # ---- the nets ---------------------------------------------------------------------------------------------------------------------------

    def _path(self, name: str) -> str:
        beside = self.file.parent / name
        return name if os.path.exists(name) or not beside.exists() else str(beside)

    def _net(self, source: Any, phase: int, state: Any) -> Net:
        return Net(self._path(source) if isinstance(source, str) else source, phase, level=state.level, stages=list(state.stage))

    def _train_net(self) -> Net:
        given = [f for f in ("net", "net_param", "train_net", "train_net_param") if self.param.HasField(f)]
        if len(given) != 1:
            raise CheckError(f"solver '{self.file}': the training net is given by {', '.join(given) or 'nothing'}; exactly one of net, net_param, "
                             "train_net and "
                             "train_net_param must be set")
        return self._net(getattr(self.param, given[0]), TRAIN, self.param.train_state)

    def _test_nets(self) -> list[Net]:
        param = self.param
        sources = [*param.test_net_param, *param.test_net]
        generic = [getattr(param, f) for f in ("net_param", "net") if param.HasField(f)]
        wanted = len(param.test_iter)
        if wanted < len(sources) or (not generic and wanted != len(sources)):
            raise CheckError(f"solver '{self.file}': {len(sources)} test nets and {wanted} values of test_iter; there must be one test_iter for "
                             "each test net")
        sources += generic * (wanted - len(sources)) if generic else []
        states = list(param.test_state)
        if states and len(states) != len(sources):
            raise CheckError(f"solver '{self.file}': {len(states)} test_state entries for {len(sources)} test nets; give one for each or none")
        states = states or [caffe_pb2.NetState() for _ in sources]
        nets = [self._net(source, TEST, state) for source, state in zip(sources, states, strict=True)]
        for net in nets:
            net.share_with(self.net)
        return nets

    # ---- what works -------------------------------------------------------------------------------------------------------------------------

    def snapshot(self) -> str:
        """Write the training net's weights to `<snapshot_prefix>_iter_0.caffemodel` (`.caffemodel.h5` when the solver says HDF5).

        Returns
        -------
        str
            The file. No .solverstate is written: there is no training state.
        """
        prefix = self.param.snapshot_prefix or self.file.stem
        name = f"{prefix}_iter_{self.iter}.caffemodel"
        if self.param.snapshot_format == caffe_pb2.SolverParameter.HDF5:
            self.net.save_hdf5(name + ".h5")
            return name + ".h5"
        self.net.save(name)
        return name

    def share_weights(self, net: Net) -> None:
        """Let the training and test nets use the weights of `net`."""
        for own in (self.net, *self.test_nets):
            own.share_with(net)

    def add_callback(self, *callbacks: Any) -> None:
        """Accepted; never called, since this package does not train."""

    # ---- what does not ----------------------------------------------------------------------------------------------------------------------

    def step(self, iterations: int) -> None:
        """Not part of this package."""
        self._refuse(f"step({iterations})")

    def solve(self, resume_file: str | None = None) -> None:
        """Not part of this package."""
        self._refuse("solve()")

    def apply_update(self) -> None:
        """Not part of this package."""
        self._refuse("apply_update()")

    def restore(self, state_file: str) -> None:
        """Not part of this package."""
        self._refuse(f"restore('{state_file}')")

    def _refuse(self, what: str) -> None:
        raise TrainingUnsupportedError(f"{type(self).__name__}.{what}: training is not part of this package, which runs trained nets; train with a "
                                       "build of Caffe "
                                       "and load its .caffemodel here (solver.net and solver.test_nets can be run, quantized, pruned and saved)")


class SGDSolver(Solver):
    """Type "SGD"."""

    type = "SGD"


class NesterovSolver(Solver):
    """Type "Nesterov"."""

    type = "Nesterov"


class AdaGradSolver(Solver):
    """Type "AdaGrad"."""

    type = "AdaGrad"


class RMSPropSolver(Solver):
    """Type "RMSProp"."""

    type = "RMSProp"


class AdaDeltaSolver(Solver):
    """Type "AdaDelta"."""

    type = "AdaDelta"


class AdamSolver(Solver):
    """Type "Adam"."""

    type = "Adam"


SOLVERS: dict[str, type[Solver]] = {s.type: s for s in (SGDSolver, NesterovSolver, AdaGradSolver, RMSPropSolver, AdaDeltaSolver, AdamSolver)}


def read_solver(path: str | Path) -> Any:
    """Read and upgrade a SolverParameter.

    Raises
    ------
    MissingFileError, PrototxtError
    """
    return upgrade_solver(read_message(path, caffe_pb2.SolverParameter).message)


def get_solver(solver_file: str | Path) -> Solver:
    """The solver of the type that the file names (default SGD).

    Raises
    ------
    CheckError
        When the type is not known.
    """
    kind = read_solver(solver_file).type
    if kind not in SOLVERS:
        raise CheckError(f"solver '{solver_file}': unknown type '{kind}'; known: {', '.join(SOLVERS)}")
    return SOLVERS[kind](solver_file)


class NCCL:
    """Multi-GPU training; only refuses."""

    def __init__(self, solver: Solver, uid: str = ""):
        raise TrainingUnsupportedError("NCCL: training on several GPUs is not part of this package")

    @staticmethod
    def new_uid() -> str:
        """Only refuses."""
        raise TrainingUnsupportedError("NCCL.new_uid: training on several GPUs is not part of this package")


def has_nccl() -> bool:
    """False: there is no NCCL."""
    return False


def solver_count() -> int:
    """1."""
    return 1


def solver_rank() -> int:
    """0."""
    return 0


def set_solver_count(count: int) -> None:
    """Accepts 1 only."""
    if count != 1:
        raise TrainingUnsupportedError(f"set_solver_count({count}): parallel training is not part of this package")


def set_solver_rank(rank: int) -> None:
    """Accepts 0 only."""
    if rank != 0:
        raise TrainingUnsupportedError(f"set_solver_rank({rank}): parallel training is not part of this package")


def set_multiprocess(multiprocess: bool) -> None:
    """Accepts False only."""
    if multiprocess:
        raise TrainingUnsupportedError("set_multiprocess(True): parallel training is not part of this package")


