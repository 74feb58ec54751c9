"""Caffe models on the CPU: pycaffe's API over compiled kernels.

`import pycaffe_acc as caffe` runs pycaffe scripts; importing compiles nothing.
"""
from __future__ import annotations

from pycaffe_acc import io, proto
from pycaffe_acc.card import (
    exit_mlu_lib,
    set_bang_op,
    set_batch_size,
    set_channel_id,
    set_core_number,
    set_parallel,
    set_rt_core,
    set_simple_flag,
)
from pycaffe_acc.classifier import Classifier
from pycaffe_acc.compat import install_as_caffe
from pycaffe_acc.detector import Detector
from pycaffe_acc.errors import (
    CaffeError,
    CheckError,
    ConcurrentUseError,
    MissingExtraError,
    MissingFileError,
    PrototxtError,
    UnknownFieldError,
    UnsupportedLayerError,
    WeightsError,
)
from pycaffe_acc.fake_caffemodel import create_fake_caffemodel
from pycaffe_acc.filler import set_random_seed
from pycaffe_acc.layer import layer_types as layer_type_list
from pycaffe_acc.logs import init_log, log
from pycaffe_acc.mode import TEST, TRAIN, set_device, set_mode_cpu, set_mode_gpu, set_mode_mfus, set_mode_mlu
from pycaffe_acc.net import Net
from pycaffe_acc.net_spec import NetSpec, layers, params, to_proto
from pycaffe_acc.python_layer import Layer
from pycaffe_acc.solver import (
    NCCL,
    AdaDeltaSolver,
    AdaGradSolver,
    AdamSolver,
    NesterovSolver,
    RMSPropSolver,
    SGDSolver,
    get_solver,
    has_nccl,
    set_multiprocess,
    set_solver_count,
    set_solver_rank,
    solver_count,
    solver_rank,
)
from pycaffe_acc.timer import Timer
from pycaffe_acc.version import VERSION as __version__

__all__ = [
    "AdaDeltaSolver", "AdaGradSolver", "AdamSolver", "CaffeError", "CheckError", "Classifier", "ConcurrentUseError", "Detector", "Layer",
    "MissingExtraError", "MissingFileError", "NCCL", "NesterovSolver", "Net", "NetSpec", "PrototxtError", "RMSPropSolver", "SGDSolver", "TEST",
    "TRAIN", "Timer", "UnknownFieldError", "UnsupportedLayerError", "WeightsError", "__version__", "create_fake_caffemodel", "exit_mlu_lib",
    "get_solver", "has_nccl", "init_log", "install_as_caffe", "io", "layer_type_list", "layers", "log", "params", "proto", "set_bang_op",
    "set_batch_size", "set_channel_id", "set_core_number", "set_device", "set_mode_cpu", "set_mode_gpu", "set_mode_mfus", "set_mode_mlu",
    "set_multiprocess", "set_parallel", "set_random_seed", "set_rt_core", "set_simple_flag", "set_solver_count", "set_solver_rank", "solver_count",
    "solver_rank", "to_proto",
]
