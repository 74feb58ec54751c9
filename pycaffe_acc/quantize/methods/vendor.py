"""vendor: power-of-two positions without scales, by the rules of the vendor's tools."""
from __future__ import annotations

from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.vendor_ranges import VendorRanges

HELP = "positions without scales, exactly as the vendor's tools find them"
SETTLED = True


def collector(net: ObservedNet, dtype: int, options: CalibrationOptions) -> VendorRanges:
    """Mode "common"; there are no options."""
    return VendorRanges(net, dtype)
