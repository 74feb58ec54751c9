"""The real networks of the data folder in half precision, against outputs in single precision."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from golden_tests.test_real_models import assign

import pycaffe_acc as caffe

#: names of stored references → largest difference, as a share of the largest output; these have their weights uncompressed
TOLERANCES = {"googlenet": 1e-2, "squeezenet_v1.1": 2e-2, "mobilenet_v1_0.75": 1e-2, "mtcnn_det3": 1e-2, "ultraface_slim": 2e-2, "vdsr": 1e-2,
              "lenet": 1e-3, "yolov3_nano": 1e-2, "wechat_sr": 2e-2, "hyperlpr_char": 1e-2}


@pytest.mark.parametrize("name", TOLERANCES)
def test_outputs(data_dir: Path, name: str) -> None:
    with np.load(data_dir / "reference" / f"{name}.npz") as stored:
        models = data_dir / "models"
        net = caffe.Net(str(models / str(stored["prototxt"])), caffe.TEST, weights=str(models / str(stored["caffemodel"])), precision="fp16")
        assign(net, stored)
        net.reshape()
        net.forward()
        for key in stored.files:
            kind, _, blob = key.partition(":")
            if kind == "out":
                want, got = stored[key], np.array(net.blobs[blob].data).reshape(stored[key].shape)
                assert np.abs(got - want).max() < TOLERANCES[name] * np.abs(want).max()
                np.testing.assert_array_equal(got, got.astype(np.float16))
