"""`extract_features`: blobs of a net over its own data layer's batches, as databases of Datum records."""
from __future__ import annotations

import argparse
import os
from contextlib import ExitStack
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.lmdb_writer import new_lmdb
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.database_backend import check_backend
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.glog import glog
from pycaffe_acc.tools.model_arguments import positive

NAME = "extract_features"
HELP = "write blobs of a net with its own data layer into LMDBs"

_REPORT_EVERY = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """BVLC's positions."""
    parser.add_argument("weights", metavar="WEIGHTS", help="trained weights (.caffemodel or HDF5)")
    parser.add_argument("model", metavar="PROTOTXT", help="net description with a data layer")
    parser.add_argument("blobs", metavar="BLOB[,BLOB…]", help="names of the blobs")
    parser.add_argument("targets", metavar="DB[,DB…]", help="a database for each blob; must not exist")
    parser.add_argument("batches", metavar="NUM_MINI_BATCHES", type=positive)
    parser.add_argument("db_type", metavar="DB_TYPE", help="lmdb")
    parser.add_argument("engine", metavar="CPU|GPU [DEVICE_ID=N]", nargs="*", help="taken for the original's sake; without effect")


def run(args: argparse.Namespace) -> int:
    """Run the batches and write each item's part of the blobs under the keys 0000000000, 0000000001, …"""
    check_backend(args.db_type)
    names, targets = args.blobs.split(","), args.targets.split(",")
    if len(names) != len(targets):
        raise UsageError(f"{len(names)} blobs ({args.blobs}) and {len(targets)} databases ({args.targets}); give one database for each blob")
    if len({os.path.realpath(t) for t in targets}) < len(targets):
        raise UsageError(f"the databases {args.targets} must differ")
    for path, what in ((args.model, "prototxt"), (args.weights, "weight file")):
        if not os.path.isfile(path):
            raise MissingFileError(path, what)
    net = Net(args.model, TEST, weights=args.weights)
    for name in names:
        _check_blob(net, name, args.model)
    records = _extract(net, names, targets, args.batches)
    rows = [{"blob": n, "database": t, "records": r, "shape": list(net.blobs[n].shape[1:])} for n, t, r in zip(names, targets, records, strict=True)]
    emit(args, {"blobs": rows}, "\n".join(f"wrote {row['database']}: {row['records']} records of blob {row['blob']}" for row in rows))
    return 0


def _check_blob(net: Net, name: str, model: str) -> None:
    if name not in list(net.blobs):
        raise CheckError(f"unknown feature blob name '{name}' in the network {model}; its blobs: {', '.join(net.blobs)}")
    shape = net.blobs[name].shape
    if not 1 <= len(shape) <= 4:
        raise CheckError(f"blob '{name}' has the shape {shape}; a Datum holds one item of a blob with 1 to 4 axes, the first of which counts items")


def _extract(net: Net, names: list[str], targets: list[str], batches: int) -> list[int]:
    """Numbers of records."""
    counts = [0] * len(names)
    glog("Extracting Features")
    with ExitStack() as stack:
        writers = []
        for target in targets:
            glog(f"Opening dataset {target}")
            writers.append(stack.enter_context(new_lmdb(target)))
        for _ in range(batches):
            net.forward()
            for i, (name, writer) in enumerate(zip(names, writers, strict=True)):
                for row in net.blobs[name].data:
                    writer.put(f"{counts[i]:010d}", feature_datum(row).SerializeToString())
                    counts[i] += 1
                    if counts[i] % _REPORT_EVERY == 0:
                        glog(f"Extracted features of {counts[i]} query images for feature blob {name}")
    for name, count in zip(names, counts, strict=True):
        if count % _REPORT_EVERY:
            glog(f"Extracted features of {count} query images for feature blob {name}")
    glog("Successfully extracted the features!")
    return counts


def feature_datum(values: np.ndarray) -> Any:
    """A Datum with floats.

    Parameters
    ----------
    values : float32 ndarray of up to 3 axes
        (C, H, W); axes that are not there have extent 1.
    """
    c, h, w = values.shape + (1,) * (3 - values.ndim)
    return caffe_pb2.Datum(channels=c, height=h, width=w, float_data=values.reshape(-1).tolist())
