"""The zoo: public networks as builders, their public weights by address and digest.

>>> from pycaffe_acc import zoo
>>> text = zoo.deploy_prototxt("resnet50")
>>> zoo.weight_shapes("alexnet")["conv1"]
[(96, 3, 11, 11), (96,)]
"""
from __future__ import annotations

from pycaffe_acc.zoo.acquire import acquire
from pycaffe_acc.zoo.deploy import build, deploy_prototxt, entry, names, weight_shapes
from pycaffe_acc.zoo.entry import ZooEntry
from pycaffe_acc.zoo.errors import ChecksumError, DownloadError, NoAddressError, UnknownNetworkError
from pycaffe_acc.zoo.store import weights_path, zoo_folder
from pycaffe_acc.zoo.verification import Verification, verify

__all__ = ["ChecksumError", "DownloadError", "NoAddressError", "UnknownNetworkError", "Verification", "ZooEntry", "acquire", "build",
           "deploy_prototxt", "entry", "names", "verify", "weight_shapes", "weights_path", "zoo_folder"]
