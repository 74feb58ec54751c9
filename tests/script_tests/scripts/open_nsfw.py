"""The way open_nsfw prepares its input: JPEG bytes through PIL and BytesIO into load_image, a Transformer, forward_all with named blobs."""
from __future__ import annotations

from io import BytesIO

import caffe
import numpy as np
from PIL import Image

NET = """
name: "ResNet_tiny_1by2_nsfw"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 24 dim: 24 } } }
layer { name: "conv_1" type: "Convolution" bottom: "data" top: "conv_1"
        convolution_param { num_output: 6 kernel_size: 7 stride: 2 pad: 3 weight_filler { type: "msra" } } }
layer { name: "bn_1" type: "BatchNorm" bottom: "conv_1" top: "conv_1" batch_norm_param { use_global_stats: true } }
layer { name: "scale_1" type: "Scale" bottom: "conv_1" top: "conv_1" scale_param { bias_term: true } }
layer { name: "relu_1" type: "ReLU" bottom: "conv_1" top: "conv_1" }
layer { name: "pool" type: "Pooling" bottom: "conv_1" top: "pool" pooling_param { pool: AVE global_pooling: true } }
layer { name: "fc_nsfw" type: "InnerProduct" bottom: "pool" top: "fc_nsfw" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "fc_nsfw" top: "prob" }
"""


def resize_image(data, sz=(32, 32)):
    """Through a JPEG, as its training data went."""
    im = Image.open(BytesIO(data))
    if im.mode != "RGB":
        im = im.convert("RGB")
    imr = im.resize(sz, resample=Image.BILINEAR)
    fh_im = BytesIO()
    imr.save(fh_im, format="JPEG")
    fh_im.seek(0)
    return bytearray(fh_im.read())


def caffe_preprocess_and_compute(pimg, caffe_transformer=None, caffe_net=None, output_layers=None):
    """The repository's function."""
    if caffe_net is None:
        return []
    if output_layers is None:
        output_layers = caffe_net.outputs
    img_data_rs = resize_image(pimg, sz=(32, 32))
    image = caffe.io.load_image(BytesIO(img_data_rs))
    H, W, _ = image.shape
    _, _, h, w = caffe_net.blobs["data"].data.shape
    h_off = int(max((H - h) / 2, 0))
    w_off = int(max((W - w) / 2, 0))
    crop = image[h_off:h_off + h, w_off:w_off + w, :]
    transformed_image = caffe_transformer.preprocess("data", crop)
    transformed_image.shape = (1, *transformed_image.shape)
    input_name = caffe_net.inputs[0]
    all_outputs = caffe_net.forward_all(blobs=output_layers, **{input_name: transformed_image})
    return all_outputs[output_layers[0]][0].astype(float)


open("deploy.prototxt", "w").write(NET)
caffe.Net("deploy.prototxt", caffe.TEST).save("nsfw.caffemodel")
nsfw_net = caffe.Net("deploy.prototxt", "nsfw.caffemodel", caffe.TEST)
nsfw_net = caffe.Net("deploy.prototxt", 1, weights="nsfw.caffemodel")
transformer = caffe.io.Transformer({"data": nsfw_net.blobs["data"].data.shape})
transformer.set_transpose("data", (2, 0, 1))
transformer.set_mean("data", np.array([104, 117, 123]))
transformer.set_raw_scale("data", 255)
transformer.set_channel_swap("data", (2, 1, 0))
picture = BytesIO()
Image.fromarray(np.random.RandomState(0).randint(0, 255, (40, 60), np.uint8), "L").save(picture, "PNG")
scores = caffe_preprocess_and_compute(picture.getvalue(), caffe_transformer=transformer, caffe_net=nsfw_net, output_layers=["prob"])
assert scores.shape == (2,) and abs(scores.sum() - 1) < 1e-5
assert np.allclose(nsfw_net.blobs["prob"].data[0], scores)
