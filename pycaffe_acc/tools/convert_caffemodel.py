"""`convert_caffemodel`: weights for the accelerator, pruned where the prototxt says so."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.prune.sparse_net import pruned_layers
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value, parse_flags
from pycaffe_acc.tools.glog import GLOG_FLAGS, glog
from pycaffe_acc.weights import save_caffemodel

NAME = "convert_caffemodel"
HELP = "prune the weights that a prototxt marks: convert_caffemodel proto|hdf5 -model M -weights W"

FLAGS: dict[str, Value] = {"model": "", "weights": "", **GLOG_FLAGS}
USAGE = """usage: convert_caffemodel proto|hdf5 -model M.prototxt -weights W.caffemodel

  proto   writes W.cnml.caffemodel; layers with the field `sparsity` are pruned
  hdf5    writes W.cnml.caffemodel.h5; nothing is pruned"""

_SUFFIX = {"proto": ".cnml.caffemodel", "hdf5": ".cnml.caffemodel.h5"}


def run(words: Sequence[str]) -> int:
    """Load, prune, write beside the weights.

    Raises
    ------
    UsageError, CaffeError
    """
    if not words or words[0] in ("-help", "--help", "-h"):
        print(USAGE)
        return 0 if words else 2
    flags, commands = parse_flags(words, FLAGS)
    if len(commands) != 1 or commands[0] not in _SUFFIX:
        raise UsageError(f"convert_caffemodel takes one of the words {' and '.join(_SUFFIX)}, and got {commands}")
    for name in ("model", "weights"):
        if not flags[name]:
            raise UsageError(f"convert_caffemodel needs -{name}")
        if not Path(str(flags[name])).is_file():
            raise MissingFileError(str(flags[name]), {"model": "prototxt", "weights": "weight file"}[name])
    net = Net(str(flags["model"]), TEST, weights=str(flags["weights"]), vendor_exact=True)
    target = output_path(str(flags["weights"]), commands[0])
    if commands[0] == "hdf5":
        net.save_hdf5(target)
    else:
        save_caffemodel(target, pruned_layers(net, vendor_exact=True), net.source.message_with_layers())
    glog(f"Wrote {target}")
    return 0


def output_path(weights: str, form: str) -> Path:
    """Where the weights of a file go: its name up to the first ".caffemodel" and the suffix of the form, in its folder."""
    path = Path(weights)
    return path.with_name(path.name.partition(".caffemodel")[0] + _SUFFIX[form])
