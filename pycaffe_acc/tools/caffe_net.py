"""Opening the net that the caffe binary's flags describe."""
from __future__ import annotations

from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST, TRAIN
from pycaffe_acc.net import Net
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value

_PHASES = {"TRAIN": TRAIN, "TEST": TEST}


def open_flags(flags: dict[str, Value], default_phase: int, what: str, weights_needed: bool, precision: str | None = None) -> Net:
    """Net by -model, -weights, -phase, -level and -stage.

    Parameters
    ----------
    flags : dict
    default_phase : int
    what : str
        The command, for messages.
    weights_needed : bool
    precision : str, optional
        What the mode asks for, unless given.

    Raises
    ------
    UsageError, CaffeError
    """
    if not flags["model"]:
        raise UsageError(f"need a model definition to {what}: give -model deploy.prototxt")
    if weights_needed and not flags["weights"]:
        raise UsageError(f"need model weights to {what}: give -weights net.caffemodel")
    phase = str(flags["phase"])
    if phase and phase not in _PHASES:
        raise UsageError(f"phase must be \"TRAIN\" or \"TEST\", not '{phase}'")
    stages = [s for s in str(flags["stage"]).split(",") if s]
    net = Net(str(flags["model"]), _PHASES.get(phase, default_phase), level=int(flags["level"]), stages=stages, precision=precision)
    for name in [w for w in str(flags["weights"]).split(",") if w]:
        net.copy_from(name)
    return net


def check_iterations(flags: dict[str, Value]) -> int:
    """-iterations, at least 1.

    Raises
    ------
    CheckError
    """
    if int(flags["iterations"]) < 1:
        raise CheckError(f"-iterations {flags['iterations']}: there must be at least one iteration")
    return int(flags["iterations"])
