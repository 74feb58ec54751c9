"""`caffe device_query`: what the process runs on."""
from __future__ import annotations

from cnrt.device import current_device
from pycaffe_acc.environment import cpu_name, memory_bytes
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog


def run(flags: dict[str, Value]) -> int:
    """Print the current device."""
    device = current_device()
    memory = memory_bytes()
    glog(f"Querying device {device.name}")
    glog(f"Device id:                     {device.ordinal}")
    glog(f"Name:                          {cpu_name()}")
    glog(f"Number of channels:            {device.spec.channels}")
    glog(f"Number of cores:               {device.spec.cores}")
    if memory is not None:
        glog(f"Total memory:                  {memory}")
    return 0
