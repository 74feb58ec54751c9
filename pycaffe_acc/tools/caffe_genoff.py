"""`caffe genoff`: an offline model from a prototxt and its weights; no card is needed."""
from __future__ import annotations

import time

from cnrt.enums import CoreVersion, DimOrder
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.offline import compile_offline
from pycaffe_acc.tools.caffe_net import open_flags
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog
from pycaffe_acc.tools.model_arguments import set_batch

CORES = {"MLU100": CoreVersion.MLU100, "1H16": CoreVersion.CORE_1H16, "1H8": CoreVersion.CORE_1H8, "MLU270": CoreVersion.MLU270,
         "VENTI": CoreVersion.MLU270, "MLU220": CoreVersion.MLU220}
_ORDERS = {"0": DimOrder.NCHW, "1": DimOrder.NHWC}
#: what the card computes: INT8 in the layers that the prototxt has quantized, FP16 elsewhere
PRECISION = "mlu"


def run(flags: dict[str, Value]) -> int:
    """Write `<mname>.cambricon` and its twin, and print what is in it."""
    core, orders, parallelism = core_version(flags), data_orders(flags), _parallelism(flags)
    _check_strategy(flags)
    start = time.perf_counter()
    net = open_flags(flags, TEST, "generate an offline model", weights_needed=True, precision=PRECISION)
    if int(flags["simple_compile"]) == 1:
        set_batch(net, int(flags["batchsize"]))
    made = compile_offline(net, parallelism, core, bool(int(flags["cpu_info"])), orders)
    path, _ = made.save(str(flags["mname"]))
    print(made.block(path), flush=True)
    glog(f"execution time: {1e6 * (time.perf_counter() - start):.0f} us")
    return 0


def core_version(flags: dict[str, Value]) -> CoreVersion:
    """-mcore.

    Raises
    ------
    UsageError
        When it is missing or unknown.
    """
    core = str(flags["mcore"]).upper()
    if core not in CORES:
        raise UsageError(f"-mcore is '{flags['mcore']}'; an offline model needs one of {', '.join(CORES)}")
    return CORES[core]


def data_orders(flags: dict[str, Value]) -> tuple[DimOrder, DimOrder]:
    """-dataorder IN,OUT, 0 for NCHW and 1 for NHWC; -hd_reshape 3 (the device takes NHWC as it comes) wins over the first.

    Raises
    ------
    UsageError
    """
    words = str(flags["dataorder"]).split(",")
    if len(words) != 2 or any(w.strip() not in _ORDERS for w in words):
        raise UsageError(f"-dataorder is '{flags['dataorder']}'; it must be IN,OUT with 0 for NCHW and 1 for NHWC")
    given, wanted = (_ORDERS[w.strip()] for w in words)
    reshape = int(flags["hd_reshape"])
    if reshape not in (0, 2, 3):
        raise UsageError(f"-hd_reshape is {reshape}; it must be 0 (off), 2 (NCHW) or 3 (NHWC)")
    return DimOrder.NHWC if reshape == 3 else given, wanted


def _parallelism(flags: dict[str, Value]) -> int:
    """-model_parallel, or with -simple_compile 1 the -core_number."""
    name = "core_number" if int(flags["simple_compile"]) == 1 else "model_parallel"
    value = int(flags[name])
    if not 1 <= value <= 32:
        raise CheckError(f"-{name} {value}: it must be from 1 to 32")
    if int(flags["batchsize"]) < 1:
        raise CheckError(f"-batchsize {flags['batchsize']}: there must be at least one image")
    return value


def _check_strategy(flags: dict[str, Value]) -> None:
    """-datastrategy and -opt_level choose among ways of the card that give the same values; they are checked and change nothing here."""
    words = str(flags["datastrategy"]).split(",")
    if len(words) != 2 or any(w.strip() not in ("-1", "0", "1", "2", "3") for w in words):
        raise UsageError(f"-datastrategy is '{flags['datastrategy']}'; it must be IN,OUT with 0 (balance), 1 (CPU), 2 (MLU), 3 (none) or -1")
    if int(flags["opt_level"]) not in (0, 1, 2):
        raise UsageError(f"-opt_level is {flags['opt_level']}; it must be 0, 1 or 2")
    if str(flags["output_dtype"]).upper() not in ("INVALID", "FLOAT16", "FLOAT32"):
        raise UsageError(f"-output_dtype is '{flags['output_dtype']}'; it must be FLOAT16 or FLOAT32. Functions here give float32 either way")
