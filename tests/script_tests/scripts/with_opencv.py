"""cv2 in the same process, and another package's messages of the same names in protobuf's default pool, before and after."""
from __future__ import annotations

import sys

import cv2
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def foreign():
    """What importing another project's caffe_pb2 does to the default pool."""
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    for name in ("BlobShape", "NetParameter", "Datum"):
        field = file.message_type.add(name=name).field.add(name="odd", number=1)
        field.type, field.label = field.TYPE_INT32, field.LABEL_OPTIONAL
    descriptor_pool.Default().Add(file)
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName("caffe.NetParameter"))


if "after" not in sys.argv:
    other = foreign()
import caffe  # noqa: E402

if "after" in sys.argv:
    other = foreign()
assert other(odd=4).odd == 4 and not hasattr(caffe.proto.caffe_pb2.NetParameter(), "odd")
NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 30 dim: 40 } } }
layer { name: "blur" type: "Convolution" bottom: "data" top: "blur" convolution_param { num_output: 3 group: 3 kernel_size: 5 bias_term: false
        weight_filler { type: "constant" value: 0.04 } } }
"""
open("net.prototxt", "w").write(NET)
net = caffe.Net("net.prototxt", caffe.TEST)
cv2.imwrite("im.png", np.random.RandomState(0).randint(0, 255, (60, 80, 3)).astype(np.uint8))
im = cv2.imread("im.png")
small = cv2.resize(im, (40, 30)).astype(np.float32)
net.blobs["data"].data[...] = small.transpose(2, 0, 1)
out = net.forward()["blur"][0].transpose(1, 2, 0)
assert np.allclose(out, cv2.blur(small, (5, 5))[2:-2, 2:-2], atol=1e-2)
loaded = caffe.io.load_image("im.png")
assert np.allclose(loaded[:, :, ::-1] * 255, im, atol=1e-3)
