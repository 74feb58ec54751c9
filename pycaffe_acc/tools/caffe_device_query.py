"""`caffe device_query`: what the process runs on, or the virtual card of -mcore."""
from __future__ import annotations

from cnrt import device as devices
from cnrt.card_model import card_model
from cnrt.device import Device, current_device
from cnrt.errors import CnrtError
from pycaffe_acc.card import CARDS
from pycaffe_acc.environment import cpu_name, memory_bytes
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog


def run(flags: dict[str, Value]) -> int:
    """Print the current device, or with -mcore and -mludevice a card.

    Raises
    ------
    UsageError
        For a core version or a card that there is not.
    """
    if not flags["mcore"]:
        _host(current_device())
        return 0
    if flags["mcore"] not in CARDS:
        raise UsageError(f"-mcore is '{flags['mcore']}'; there are virtual cards for {', '.join(CARDS)}")
    try:
        _card(devices.get(CARDS[str(flags["mcore"])], int(flags["mludevice"])))
    except CnrtError as e:
        raise UsageError(str(e)) from e
    return 0


def _host(device: Device) -> None:
    memory = memory_bytes()
    glog(f"Querying device {device.name}")
    glog(f"Device id:                     {device.ordinal}")
    glog(f"Name:                          {cpu_name()}")
    glog(f"Number of channels:            {device.spec.channels}")
    glog(f"Number of cores:               {device.spec.cores}")
    if memory is not None:
        glog(f"Total memory:                  {memory}")
    glog("Times:                         measured")


def _card(device: Device) -> None:
    model = card_model(device.kind)
    glog(f"Querying device {device.name}")
    glog(f"Device id:                     {device.ordinal}")
    glog(f"Name:                          {model.title} (virtual)")
    glog(f"Number of channels:            {model.channels}")
    glog(f"Number of cores:               {model.cores}")
    glog(f"Total memory:                  {model.channels * model.memory_bytes_per_channel}")
    glog(f"Clock rate:                    {model.clock_hz / 1e6:g} MHz")
    for dtype, rate in model.macs_per_second.items():
        glog(f"Peak {dtype + ':':<26}{2e-12 * rate * model.cores:g} TOPS")
    glog(f"Memory bandwidth:              {model.channels * model.ddr_bytes_per_second / 1e9:g} GB/s")
    glog(f"Bus:                           {model.pcie_bytes_per_second / 1e9:g} GB/s each way")
    glog("Times:                         simulated, by an event model of the card")
