"""The sixteen networks.

Addresses, sizes and digests are those that BVLC's, VGG's and the other publishers' own pages give, or on which the model lists of OpenCV, MXNet and
OpenVINO agree; accuracies are the publishers' own.
"""
from __future__ import annotations

from functools import partial
from typing import Any

from pycaffe_acc.zoo.entry import ZooEntry
from pycaffe_acc.zoo.networks.alexnet import alexnet
from pycaffe_acc.zoo.networks.cifar_resnet import cifar_resnet
from pycaffe_acc.zoo.networks.googlenet import googlenet
from pycaffe_acc.zoo.networks.inception_v3 import inception_v3
from pycaffe_acc.zoo.networks.mobilenet import mobilenet_v1
from pycaffe_acc.zoo.networks.resnet import resnet
from pycaffe_acc.zoo.networks.squeezenet import squeezenet
from pycaffe_acc.zoo.networks.vgg import vgg

_BERKELEY = "http://dl.caffe.berkeleyvision.org"
_OXFORD = "http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe"
_MXNET = "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/caffe/models"
_MICROSOFT = "https://onedrive.live.com/download?cid=4006CBB8476FF777&resid=4006CBB8476FF777%21{}&authkey=%21AAFW2%2DFVoxeVRck"
_DEEPSCALE = "raw.githubusercontent.com/DeepScale/SqueezeNet/b5c3f1a23713c8b3fd7b801d229f6b04c64374a5"
_FORRESTI = "https://github.com/forresti/SqueezeNet/raw/a47b6f13d30985279789d08053d37013d67d131b"
_CIFAR = "https://github.com/junyuseu/ResNet-on-Cifar10/raw/master/without_data_augmentation/ResNet"

_RESNET_PAPER = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, arXiv 1512.03385"
_VGG_PAPER = "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv 1409.1556"
_SQUEEZENET_PAPER = ("Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, arXiv "
                     "1602.07360")
_BVLC_MEAN = "BGR, 0..255, minus the ImageNet mean (104, 117, 123)"


def _bvlc() -> list[ZooEntry]:
    crop = "pictures resized to 256x256, centre crop {0}x{0}, " + _BVLC_MEAN + " (trained with the mean image of the same values)"
    options = "--preprocess caffe-crop --resize 256x256"
    return [
        ZooEntry("alexnet", "AlexNet (BVLC)", alexnet,
                 paper="Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012",
                 layout="The layer names and the order of layers (response normalisation before pooling) are those of BVLC's bvlc_alexnet.",
                 preprocessing=crop.format(227), options=options, page="https://github.com/BVLC/caffe/tree/master/models/bvlc_alexnet",
                 license="unrestricted", accuracy="57.1 % top-1, 80.2 % top-5 on the ILSVRC-2012 validation set, centre crop (BVLC)",
                 caffemodel="bvlc_alexnet.caffemodel",
                 urls=(f"{_BERKELEY}/bvlc_alexnet.caffemodel", f"{_MXNET}/bvlc_alexnet/bvlc_alexnet.caffemodel"),
                 checksums={"sha1": "9116a64c0fbe4459d18f4bb6b56d647b63920377",
                            "sha256": "4bff209a9837298157915ef50a4831a59636a6ca1a6b8ebacd990c3a5f3053e0"}, size_bytes=243862414),
        ZooEntry("googlenet", "GoogLeNet (BVLC)", googlenet,
                 paper="Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: Going Deeper with Convolutions, arXiv 1409.4842",
                 layout="The layer names are those of BVLC's bvlc_googlenet.",
                 preprocessing=crop.format(224), options=options, page="https://github.com/BVLC/caffe/tree/master/models/bvlc_googlenet",
                 license="unrestricted", accuracy="68.7 % top-1, 88.9 % top-5 on the ILSVRC-2012 validation set, centre crop (BVLC)",
                 caffemodel="bvlc_googlenet.caffemodel",
                 urls=(f"{_BERKELEY}/bvlc_googlenet.caffemodel", f"{_MXNET}/bvlc_googlenet/bvlc_googlenet.caffemodel"),
                 checksums={"sha1": "405fc5acd08a3bb12de8ee5e23a96bec22f08204",
                            "sha256": "6f7101e3a2183738a7125a0c5021ba82a1feb4228c5ca0924d991b6daf6f6fad"}, size_bytes=53533754,
                 note="The public file also holds the two auxiliary classifiers (loss1/…, loss2/…), which this net does not have; they are left "
                      "unused when it is loaded."),
    ]


def _inception() -> list[ZooEntry]:
    return [ZooEntry(
        "inception_v3", "Inception-v3 (soeaver)", inception_v3,
        paper="Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture for Computer Vision, arXiv 1512.00567",
        layout="The layer names are those of deploy_inception-v3.prototxt of soeaver/caffe-model, whose weights were converted from MXNet's and "
               "trained on. Nets converted from TensorFlow have other names and average poolings that leave out the padding.",
        preprocessing="short side 320, centre crop 299x299, BGR, (x - 128) / 128",
        options="--preprocess caffe-crop --resize 320 --mean 128 --std 128", page="https://github.com/soeaver/caffe-model/tree/master/cls",
        license="MIT (of the repository)",
        accuracy="78.33 % top-1, 94.25 % top-5 on the ILSVRC-2012 validation set, one 299x299 crop, short side 320 (soeaver)",
        caffemodel="inception_v3.caffemodel",
        note="The weights are behind a share page (pan.baidu.com) that a program cannot fetch from, and no digest is published.")]


def _mobilenet() -> list[ZooEntry]:
    return [ZooEntry(
        "mobilenet_v1", "MobileNet v1 1.0 224 (shicai)", mobilenet_v1,
        paper="Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam: MobileNets, arXiv 1704.04861",
        layout="The layer names are those of mobilenet_deploy.prototxt of shicai/MobileNet-Caffe.",
        preprocessing="short side 256, centre crop 224x224, BGR, (x - (103.94, 116.78, 123.68)) * 0.017", options="--preprocess mobilenet-0.017",
        page="https://github.com/shicai/MobileNet-Caffe", license="BSD (of the repository)",
        accuracy="70.81 % top-1, 89.85 % top-5 on the ILSVRC-2012 validation set, centre crop of 256xN (shicai)", caffemodel="mobilenet.caffemodel",
        urls=("https://github.com/shicai/MobileNet-Caffe/raw/26a8b8c0afb6114a07c1c9e4f550e4e0dd8cced1/mobilenet.caffemodel",
              "https://raw.githubusercontent.com/shicai/MobileNet-Caffe/26a8b8c0afb6114a07c1c9e4f550e4e0dd8cced1/mobilenet.caffemodel"),
        checksums={"sha256": "8d6edcd3dbd1356f2f19dd220c362c2ba8f44233a9b6c12ca6d0351cb0c446b6"})]


def _small_resnets() -> list[ZooEntry]:
    common: dict[str, Any] = dict(paper=_RESNET_PAPER, options="--preprocess caffe-crop")
    return [
        ZooEntry("resnet18", "ResNet-18 (HolmesShuan)", partial(resnet, 18),
                 layout="The layer names are those of HolmesShuan/ResNet-18-Caffemodel-on-ImageNet, whose first block has a convolution in its "
                        "shortcut.",
                 preprocessing="short side 256, centre crop 224x224, BGR; the publisher does not say which mean (" + _BVLC_MEAN + " is assumed)",
                 page="https://github.com/HolmesShuan/ResNet-18-Caffemodel-on-ImageNet",
                 accuracy="69.08 % top-1, 89.03 % top-5 on the ILSVRC-2012 validation set, short side 256 (HolmesShuan)",
                 caffemodel="resnet-18.caffemodel", **common,
                 note="The weights are behind share pages (OneDrive, pan.baidu.com) that a program cannot fetch from; neither a digest nor a licence "
                      "is published."),
        ZooEntry("resnet34", "ResNet-34", partial(resnet, 34),
                 layout="No public Caffe weights of this depth are known to this project. The layer names continue those of "
                        "HolmesShuan/ResNet-18-Caffemodel-on-ImageNet: res2a … res2c, res3a … res3d, res4a … res4f, res5a … res5c with "
                        "branches 2a and 2b, and a convolution in the shortcut of every stage's first block.",
                 preprocessing="short side 256, centre crop 224x224, " + _BVLC_MEAN, caffemodel="resnet-34.caffemodel", **common,
                 note="Bring your own weights, or use seeded ones (`zoo fake`)."),
    ]


def _resnet(depth: int, resid: int, top1: float, top5: float, sha1: str, sha256: str, size: int) -> ZooEntry:
    file = f"ResNet-{depth}-model.caffemodel"
    return ZooEntry(
        f"resnet{depth}", f"ResNet-{depth} (Microsoft Research)", partial(resnet, depth), paper=_RESNET_PAPER,
        layout="The layer names and strides (in the first 1x1 convolution of a block) are those of KaimingHe/deep-residual-networks.",
        preprocessing="short side 256, centre crop 224x224, " + _BVLC_MEAN + " (the authors subtract their mean image)",
        options="--preprocess caffe-crop", page="https://github.com/KaimingHe/deep-residual-networks", license="MIT (of the repository)",
        accuracy=f"{top1} % top-1, {top5} % top-5 on the ILSVRC-2012 validation set, centre crop (the authors)", caffemodel=file,
        urls=(_MICROSOFT.format(resid), f"{_MXNET}/resnet/{file}"), checksums={"sha1": sha1, "sha256": sha256}, size_bytes=size,
        variants=("stride_in_3x3",),
        note="Weights converted from torchvision halve the picture in the 3x3 convolution: same names and shapes, other results. Build their net "
             "with `--stride-in-3x3`.")


def _deep_resnets() -> list[ZooEntry]:
    return [
        _resnet(50, 17895, 75.3, 92.2, "b7c79ccc21ad0479cddc0dd78b1d20c4d722908d",
                "44ee2b08816cede2b7aaa047888df07dcab52f73399aa1c8bef05a17bfdd4888", 102462397),
        _resnet(101, 17896, 76.4, 92.9, "1dbf5f493926bb9b6b3363b12d5133c0f8b78904",
                "2847d93346d7928ec1f257f49f60ea53e9075c15265c494469610e67ffb7f2e2", 178662602),
        _resnet(152, 17897, 77.0, 93.3, "251edb93604ac8268c7fd2227a0f15144310e1aa",
                "6253c4c4132c0b25c112b166629aa57dcaeec044a4c68ac9f003b6c801329d55", 241444171),
    ]


def _squeezenets() -> list[ZooEntry]:
    common: dict[str, Any] = dict(paper=_SQUEEZENET_PAPER, preprocessing="pictures resized to 256x256, centre crop 227x227, " + _BVLC_MEAN,
                  options="--preprocess caffe-crop --resize 256x256", page="https://github.com/forresti/SqueezeNet", license="BSD 2-clause")
    return [
        ZooEntry("squeezenet_v1.0", "SqueezeNet v1.0 (DeepScale)", partial(squeezenet, "1.0"),
                 layout="The layer names are those of SqueezeNet_v1.0/deploy.prototxt of forresti/SqueezeNet.",
                 accuracy="57.5 % top-1, 80.3 % top-5 on the ILSVRC-2012 validation set (the paper)", caffemodel="squeezenet_v1.0.caffemodel",
                 urls=(f"{_FORRESTI}/SqueezeNet_v1.0/squeezenet_v1.0.caffemodel",
                       "https://storage.openvinotoolkit.org/repositories/open_model_zoo/public/2022.1/squeezenet1.0/squeezenet_v1.0.caffemodel"),
                 checksums={"sha1": "579d0beb658e43c45937bf8bb5e4034fea4e1f69",
                            "sha384": "b8dc96393e093b4f23390b70f01fe37330d629759db59c1da3c15f846d0b1b1751b6ad841570c2e303c86829c750a745"},
                 size_bytes=5001403, **common),
        ZooEntry("squeezenet_v1.1", "SqueezeNet v1.1 (DeepScale)", partial(squeezenet, "1.1"),
                 layout="The layer names are those of SqueezeNet_v1.1/deploy.prototxt of forresti/SqueezeNet.",
                 accuracy="not below v1.0's (57.5 % top-1, 80.3 % top-5), say the authors, who give no figure of its own",
                 caffemodel="squeezenet_v1.1.caffemodel",
                 urls=(f"{_FORRESTI}/SqueezeNet_v1.1/squeezenet_v1.1.caffemodel",
                       f"https://{_DEEPSCALE}/SqueezeNet_v1.1/squeezenet_v1.1.caffemodel"),
                 checksums={"sha1": "3397f026368a45ae236403ccc81cfcbe8ebe1bd0",
                            "sha256": "72b912ace512e8621f8ff168a7d72af55910d3c7c9445af8dfbff4c2ee960142"}, size_bytes=4950080, **common),
    ]


def _vgg(depth: int, gist: str, letter: str, error: float, checksums: dict[str, str], size: int) -> ZooEntry:
    file = f"VGG_ILSVRC_{depth}_layers.caffemodel"
    return ZooEntry(
        f"vgg{depth}", f"VGG-{depth} (Oxford)", partial(vgg, depth), paper=_VGG_PAPER,
        layout=f"The layer names are those of VGG_ILSVRC_{depth}_layers_deploy.prototxt, configuration {letter} of the paper.",
        preprocessing="short side 256, centre crop 224x224, BGR, 0..255, minus (103.939, 116.779, 123.68)",
        options="--preprocess caffe-crop --mean 103.939,116.779,123.68", page=f"https://gist.github.com/ksimonyan/{gist}",
        license="Creative Commons Attribution (the authors' page)",
        accuracy=f"{100 - error:.1f} % top-5 on the ILSVRC-2012 validation set, dense evaluation, short side 384; 92.5 % over three scales "
                 "(the authors; no figure for a single crop)",
        caffemodel=file, urls=(f"{_OXFORD}/{file}", f"{_MXNET}/vgg/{file}"), checksums=checksums, size_bytes=size)


def _vggs() -> list[ZooEntry]:
    return [
        _vgg(16, "211839e770f7b538e2d8", "D", 8.1, {"sha1": "9363e1f6d65f7dba68c4f27a1e62105cdf6c4e24",
             "sha256": "a6196bc498e45ea4cb2637114ae8db9410cf1556fd60a55ae93272371beba197"}, 553432081),
        _vgg(19, "3785162f95cd2d5fee77", "E", 8.0, {"sha1": "239785e7862442717d831f682bb824055e51e9ba",
             "sha384": "86b83739d448a81ddc927922d4d7581e06113478106b59480097b02cc63ff51c9da7c3cd8a865b08946d07d0281d5b2e"}, 574671192),
    ]


def _cifar(depth: int, top1: float, sha256: str, size: int) -> ZooEntry:
    file = f"ResNet_{depth}.caffemodel"
    published: dict[str, Any]
    if sha256:
        published = dict(page="https://github.com/junyuseu/ResNet-on-Cifar10", urls=(f"{_CIFAR}/{depth}/{file}",), checksums={"sha256": sha256},
                         size_bytes=size, accuracy=f"{top1} % top-1 on the CIFAR-10 test set, trained without augmentation (junyuseu)",
                         note="No licence is stated.")
    else:
        published = dict(note="No public weights of this depth (6 k + 2 with k = 8; the paper trains others) are known to this project. Bring your "
                              "own, or use seeded ones (`zoo fake`).")
    return ZooEntry(
        f"cifar_resnet{depth}", f"CIFAR-10 ResNet-{depth}" + (" (junyuseu)" if sha256 else ""), partial(cifar_resnet, depth), paper=_RESNET_PAPER,
        layout="The layer names are those of junyuseu/ResNet-on-Cifar10 (Convolution1, BatchNorm1, …)" + ("." if sha256 else ", counted on."),
        preprocessing="32x32, RGB, 0..255, minus the mean image of the training set, which one must compute (50,000 images, 3x32x32)",
        options="--preprocess raw --order RGB --mean MEAN_FILE", caffemodel=file, **published)


def _cifars() -> list[ZooEntry]:
    return [_cifar(20, 91.74, "85619494b35b9ac3342a7ab38c4abd81d5949c9a0886748995a8a0b2ca8692b7", 1109873),
            _cifar(50, 0, "", 0),
            _cifar(56, 93.09, "28c625a316775a27419d0a632b4be0122b2919f701cce7b74968c8415f043557", 3477636)]


#: name → network, in the order of lists
CATALOGUE: dict[str, ZooEntry] = {e.name: e for e in (*_bvlc(), *_inception(), *_mobilenet(), *_small_resnets(), *_deep_resnets(), *_squeezenets(),
                                                      *_vggs(), *_cifars())}
