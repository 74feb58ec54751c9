"""python/classify.py: caffe.Classifier behind a command line, over a file, a folder and a .npy."""
from __future__ import annotations

import argparse
import glob
import os
import sys
import time

import caffe
import numpy as np
from PIL import Image

NET = """
input: "data" input_dim: 10 input_dim: 3 input_dim: 20 input_dim: 20
layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1"
         convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" }
layers { name: "fc" type: INNER_PRODUCT bottom: "conv1" top: "fc" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layers { name: "prob" type: SOFTMAX bottom: "fc" top: "prob" }
"""


def main(argv):
    """The script's main."""
    parser = argparse.ArgumentParser()
    parser.add_argument("input_file", help="Input image, directory, or npy.")
    parser.add_argument("output_file", help="Output npy filename.")
    parser.add_argument("--model_def", default="deploy.prototxt")
    parser.add_argument("--pretrained_model", default="weights.caffemodel")
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--center_only", action="store_true")
    parser.add_argument("--images_dim", default="24,24")
    parser.add_argument("--mean_file", default="mean.npy")
    parser.add_argument("--input_scale", type=float)
    parser.add_argument("--raw_scale", type=float, default=255.0)
    parser.add_argument("--channel_swap", default="2,1,0")
    parser.add_argument("--ext", default="jpg")
    args = parser.parse_args(argv)
    image_dims = [int(s) for s in args.images_dim.split(",")]
    mean = np.load(args.mean_file) if args.mean_file else None
    channel_swap = [int(s) for s in args.channel_swap.split(",")]
    if args.gpu:
        caffe.set_mode_gpu()
    classifier = caffe.Classifier(args.model_def, args.pretrained_model, image_dims=image_dims, mean=mean, input_scale=args.input_scale,
                                  raw_scale=args.raw_scale, channel_swap=channel_swap)
    args.input_file = os.path.expanduser(args.input_file)
    if args.input_file.endswith("npy"):
        inputs = np.load(args.input_file)
    elif os.path.isdir(args.input_file):
        inputs = [caffe.io.load_image(im_f) for im_f in sorted(glob.glob(args.input_file + "/*." + args.ext))]
    else:
        inputs = [caffe.io.load_image(args.input_file)]
    start = time.time()
    predictions = classifier.predict(inputs, not args.center_only)
    print("Done in %.2f s." % (time.time() - start))
    np.save(args.output_file, predictions)
    return predictions


open("deploy.prototxt", "w").write(NET)
caffe.Net("deploy.prototxt", caffe.TEST).save("weights.caffemodel")
np.save("mean.npy", np.full((3, 20, 20), 110.0))
os.mkdir("images")
pixels = np.random.RandomState(0).randint(0, 255, (3, 30, 40, 3)).astype(np.uint8)
for i, p in enumerate(pixels):
    Image.fromarray(p).save(f"images/{i}.jpg", quality=95)
one = main(["images/1.jpg", "one.npy"])
many = main(["images", "many.npy", "--gpu"])
centre = main(["images", "centre.npy", "--center_only"])
assert one.shape == (1, 3) and many.shape == (3, 3) and centre.shape == (3, 3)
assert np.allclose(many[1], one[0], atol=1e-5) and np.allclose(many.sum(1), 1, atol=1e-5) and not np.allclose(many, centre, atol=1e-6)
np.save("in.npy", np.array([caffe.io.load_image(f"images/{i}.jpg") for i in range(3)]))
assert np.allclose(main(["in.npy", "out.npy"]), many, atol=1e-6) and np.array_equal(np.load("many.npy"), many)
print(sys.argv[0])
