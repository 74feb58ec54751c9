"""The kinds of devices, one file each. Importing this package registers them."""
from __future__ import annotations

from cnrt.devices import host, mlu100, mlu270, null

MODULES = (host, mlu100, mlu270, null)
