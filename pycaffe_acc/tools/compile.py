"""`compile`: a net as an offline model."""
from __future__ import annotations

import argparse
import time
from typing import Any

from cnml.executable import PRECISIONS
from cnrt.device import PARALLELISM
from pycaffe_acc.offline import OfflineModel, compile_offline
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.model_arguments import add_model, open_net, positive

NAME = "compile"
HELP = "write a net as an offline model, which the runtime runs without Caffe"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, file, and what is decided when it is compiled."""
    add_model(parser)
    parser.add_argument("--out", required=True, metavar="NAME", help="writes NAME.cambricon and NAME.cambricon_twins")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32", help="how the functions compute; int8 and mlu need a quantized "
                        "prototxt (default: fp32)")
    parser.add_argument("--batch", type=positive, metavar="N", help="images in one invocation (default: the prototxt's)")
    parser.add_argument("--model-parallel", type=int, choices=PARALLELISM, default=1, metavar="N", help="cores that share an image (default: 1)")
    parser.add_argument("--cpu-info", action="store_true", help="keep the layers that run on the CPU in the file, so that nets with such layers run")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")
    parser.set_defaults(threads=None)


def run(args: argparse.Namespace) -> int:
    """Compile and write."""
    net = open_net(args)
    start = time.perf_counter()
    made = compile_offline(net, args.model_parallel, cpu_info=args.cpu_info)
    path, twins = made.save(args.out)
    document = {"file": str(path), "twins": str(twins), "bytes": path.stat().st_size, "seconds": time.perf_counter() - start,
                "precision": args.precision, "model_parallelism": args.model_parallel, "stack_mb": made.model.stack_mb, "segments": segments(made)}
    emit(args, document, f"{made.block(path)}\n{document['bytes']} bytes, description in {twins}")
    return 0


def segments(made: OfflineModel) -> list[dict[str, Any]]:
    """Each segment with its symbol (none on the CPU), layers, inputs and outputs."""
    layers = made.segments.net.layers
    return [{"symbol": s.symbol or None, "layers": [layers[i].name for i in s.layers], "inputs": s.inputs, "outputs": s.outputs,
             "on_cpu_because": s.reasons} for s in made.segments.all]
