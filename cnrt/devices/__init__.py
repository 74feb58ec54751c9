"""The kinds of devices, one file each. Importing this package registers them."""
from __future__ import annotations

from cnrt.devices import atlas300, hanguang800, host, mlu100, mlu270, null, tpu_v1

MODULES = (host, mlu100, mlu270, null, tpu_v1, atlas300, hanguang800)
