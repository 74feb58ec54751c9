"""Networks of published measurements that the zoo does not have, as far as their shapes go, for the event model. Weights are never set."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.net_spec import layers as L
from pycaffe_acc.zoo.networks import blocks


def _unit(n: NetSpec, name: str, bottom: Top, outputs: int, kernel: int, stride: int = 1) -> Top:
    """Convolution, BatchNorm with Scale, leaky ReLU: the block of both YOLO backbones."""
    top = blocks.convolution(n, name, bottom, outputs, kernel, stride, kernel // 2, bias=False)
    top = blocks.normalised(n, f"{name}_bn", f"{name}_scale", top)
    n[f"{name}_relu"] = L.ReLU(top, in_place=True, negative_slope=0.1)
    return n[f"{name}_relu"]


def yolov2(batch: int = 1) -> Any:
    """YOLOv2 for VOC, 416x416 (Redmon, Farhadi, arXiv 1612.08242): Darknet-19 with a passthrough. The reorganisation of the passthrough moves values
    without arithmetic; a view stands for it.
    """
    n = NetSpec()
    top, number = blocks.images(n, "data", batch, 416), 0
    passed = top
    for i, widths in enumerate(((32,), (64,), (128, 64, 128), (256, 128, 256), (512, 256, 512, 256, 512), (1024, 512, 1024, 512, 1024))):
        for j, width in enumerate(widths):
            number += 1
            top = _unit(n, f"conv{number}", top, width, 1 if j % 2 else 3)
        passed = top if i == 4 else passed
        if i < 5:
            top = blocks.max_pool(n, f"pool{i + 1}", top, 2, 2)
    for number in (19, 20):
        top = _unit(n, f"conv{number}", top, 1024, 3)
    narrow = _unit(n, "conv21", passed, 64, 1)
    n["reorg"] = L.Reshape(narrow, reshape_param=dict(shape=dict(dim=[0, 256, 13, 13])))
    top = _unit(n, "conv22", blocks.concat(n, "joined", n["reorg"], top), 1024, 3)
    blocks.convolution(n, "conv23", top, 125, 1)
    return blocks.finished(n, "YOLOv2")


def yolov3(batch: int = 1) -> Any:
    """YOLOv3 for COCO, 416x416 (Redmon, Farhadi, arXiv 1804.02767): Darknet-53 and three scales; boxes are decoded elsewhere."""
    n = NetSpec()
    top = _unit(n, "conv0", blocks.images(n, "data", batch, 416), 32, 3)
    scales = []
    for i, (count, width) in enumerate(((1, 64), (2, 128), (8, 256), (8, 512), (4, 1024))):
        top = _unit(n, f"down{i}", top, width, 3, 2)
        for j in range(count):
            inner = _unit(n, f"res{i}_{j}a", top, width // 2, 1)
            top = blocks.total(n, f"res{i}_{j}", top, _unit(n, f"res{i}_{j}b", inner, width, 3))
        scales.append(top)
    for i, (width, skip) in enumerate(((512, None), (256, scales[3]), (128, scales[2]))):
        if skip is not None:
            up = _unit(n, f"up{i}", top, width, 1)
            n[f"up{i}_wide"] = L.Upsample(up, upsample_param=dict(scale=2))
            top = blocks.concat(n, f"joined{i}", n[f"up{i}_wide"], skip)
        for j in range(5):
            top = _unit(n, f"head{i}_{j}", top, 2 * width if j % 2 else width, 3 if j % 2 else 1)
        blocks.convolution(n, f"boxes{i}", _unit(n, f"head{i}_5", top, 2 * width, 3), 255, 1)
    return blocks.finished(n, "YOLOv3")


def ssd300(batch: int = 1) -> Any:
    """SSD300 on VGG-16 for VOC (Liu et al., arXiv 1512.02325), up to its predictions."""
    n = NetSpec()
    top, heads = blocks.images(n, "data", batch, 300), []
    for i, (count, width) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for j in range(1, count + 1):
            top = blocks.relu(n, f"relu{i}_{j}", blocks.convolution(n, f"conv{i}_{j}", top, width, 3, pad=1))
        if i == 4:
            n["conv4_3_norm"] = L.Normalize(top, norm_param=dict(across_spatial=False, channel_shared=False))
            heads.append((n["conv4_3_norm"], 4))
        top = blocks.max_pool(n, f"pool{i}", top, 3 if i == 5 else 2, 1 if i == 5 else 2, 1 if i == 5 else 0)
    n["fc6"] = L.Convolution(top, convolution_param=dict(num_output=1024, kernel_size=3, pad=6, dilation=6))
    top = blocks.relu(n, "relu7", blocks.convolution(n, "fc7", blocks.relu(n, "relu6", n["fc6"]), 1024, 1))
    heads.append((top, 6))
    for i, (narrow, width, stride, pad) in enumerate(((256, 512, 2, 1), (128, 256, 2, 1), (128, 256, 1, 0), (128, 256, 1, 0)), 6):
        top = blocks.relu(n, f"relu{i}_1", blocks.convolution(n, f"conv{i}_1", top, narrow, 1))
        top = blocks.relu(n, f"relu{i}_2", blocks.convolution(n, f"conv{i}_2", top, width, 3, stride, pad))
        heads.append((top, 6 if i < 8 else 4))
    for i, (top, boxes) in enumerate(heads):
        blocks.convolution(n, f"loc{i}", top, 4 * boxes, 3, pad=1)
        blocks.convolution(n, f"conf{i}", top, 21 * boxes, 3, pad=1)
    return blocks.finished(n, "SSD300")


def densenet121(batch: int = 1) -> Any:
    """DenseNet-121 (Huang et al., arXiv 1608.06993): normalisation in front of the convolutions, which cannot all be folded."""
    n = NetSpec()
    top = blocks.convolution(n, "conv1", blocks.images(n, "data", batch, 224), 64, 7, 2, 3, bias=False)
    top = blocks.max_pool(n, "pool1", blocks.relu(n, "relu1", blocks.normalised(n, "conv1_bn", "conv1_scale", top)), 3, 2, 1)
    width = 64
    for i, count in enumerate((6, 12, 24, 16), 2):
        for j in range(1, count + 1):
            name = f"conv{i}_{j}"
            inner = blocks.convolution(n, f"{name}a", _ahead(n, name, top), 128, 1, bias=False)
            inner = blocks.relu(n, f"{name}_relu2", blocks.normalised(n, f"{name}_bn2", f"{name}_scale2", inner))
            top = blocks.concat(n, f"{name}_joined", top, blocks.convolution(n, f"{name}b", inner, 32, 3, pad=1, bias=False))
            width += 32
        if i < 5:
            width //= 2
            top = blocks.average_pool(n, f"pool{i}", blocks.convolution(n, f"half{i}", _ahead(n, f"half{i}", top), width, 1, bias=False), 2, 2)
    top = blocks.global_average(n, "pool5", _ahead(n, "last", top))
    blocks.softmax(n, "prob", blocks.convolution(n, "fc6", top, 1000, 1))
    return blocks.finished(n, "DenseNet-121")


def _ahead(n: NetSpec, name: str, bottom: Top) -> Top:
    """BatchNorm, Scale and ReLU beside a bottom that others read too."""
    n[f"{name}_bn"] = L.BatchNorm(bottom, batch_norm_param=dict(use_global_stats=True))
    n[f"{name}_scale"] = L.Scale(n[f"{name}_bn"], in_place=True, bias_term=True)
    return blocks.relu(n, f"{name}_relu", n[f"{name}_scale"])
