"""Between the PyTorch module and Caffe's files; what a file gives is checked by pycaffe_acc itself."""
from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

import pycaffe_acc as caffe
from cifar_training.resnet import CLASSES, STUDENT_BLOCKS, CifarResNet
from cnrt.whole_file import whole_file
from pycaffe_acc import zoo
from pycaffe_acc.errors import CheckError, WeightsError
from pycaffe_acc.weights_file import read_weights, save_caffemodel

NAME = "cifar_resnet50"
LOGITS = "InnerProduct1"
TOLERANCE = 1e-3  # of logits, between PyTorch and pycaffe_acc


class Values(NamedTuple):
    """A blob to be written."""

    array: np.ndarray


class Weighted(NamedTuple):
    """A layer to be written."""

    name: str
    blobs: list[Values]


def read_net(path: str | Path) -> CifarResNet:
    """A CIFAR-10 ResNet of the zoo's layout, of any depth, from its weights.

    Parameters
    ----------
    path : str or Path
        .caffemodel with Convolution1 …, BatchNorm1 …, Scale1 … and InnerProduct1.

    Returns
    -------
    CifarResNet

    Raises
    ------
    MissingFileError, WeightsError
    """
    layers = {layer.name: [blob.array() for blob in layer.blobs] for layer in read_weights(path).layers if layer.blobs}
    convolutions = sum(name.startswith("Convolution") for name in layers)
    blocks, rest = divmod(convolutions - 3, 6)
    if blocks < 1 or rest:
        raise WeightsError(f"{path}: holds {convolutions} layers called Convolution…; a CIFAR-10 ResNet with 1x1 convolutions as shortcuts has "
                           "6 n + 3, such as 57 for ResNet-56")
    net = CifarResNet(blocks)
    taken = _Taken(str(path), layers)
    for i, part in net.numbered():
        taken.into(f"Convolution{i}", part.conv.weight, part.conv.bias)
        taken.into_statistics(f"BatchNorm{i}", part.norm)
        taken.into(f"Scale{i}", part.norm.weight, part.norm.bias)
    taken.into(LOGITS, net.dense.weight, net.dense.bias)
    return net.eval()


class _Taken:
    """Blobs by layer, and where they go."""

    def __init__(self, path: str, layers: dict[str, list[np.ndarray]]):
        self._path, self._layers = path, layers

    def _blobs(self, name: str, count: int) -> list[np.ndarray]:
        found = self._layers.get(name, [])
        if len(found) != count:
            raise WeightsError(f"{self._path}: layer '{name}' has {len(found)} blobs; it must have {count}")
        return found

    def into(self, name: str, *targets: torch.Tensor) -> None:
        """A layer's blobs as parameters. Old files have leading ones in their shapes, so only these may differ."""
        for blob, target in zip(self._blobs(name, len(targets)), targets, strict=True):
            if [n for n in blob.shape if n != 1] != [n for n in target.shape if n != 1]:
                raise WeightsError(f"{self._path}: a blob of layer '{name}' has the shape {blob.shape}; it must be {tuple(target.shape)}")
            target.data.copy_(torch.from_numpy(np.array(blob, np.float32).reshape(target.shape)))

    def into_statistics(self, name: str, norm: nn.BatchNorm2d) -> None:
        """BatchNorm's mean and variance, which Caffe stores times a factor."""
        mean, variance, factor = self._blobs(name, 3)
        scale = 0.0 if factor.size != 1 or factor.reshape(-1)[0] == 0 else 1 / float(factor.reshape(-1)[0])
        self._layers[name] = [mean * np.float32(scale), variance * np.float32(scale)]
        self.into(name, norm.running_mean, norm.running_var)


def write_net(net: CifarResNet, folder: str | Path) -> tuple[Path, Path]:
    """Write cifar_resnet50.prototxt, the zoo's net, and cifar_resnet50.caffemodel.

    Parameters
    ----------
    net : CifarResNet
        Of 8 blocks a stage.
    folder : str or Path
        Made when it is missing.

    Returns
    -------
    (Path, Path)
        Prototxt and caffemodel.

    Raises
    ------
    CheckError
        For another depth.
    """
    if len(net.stages[0]) != STUDENT_BLOCKS:
        raise CheckError(f"the net has {len(net.stages[0])} blocks a stage; ResNet-50 has {STUDENT_BLOCKS}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    prototxt, weights = folder / f"{NAME}.prototxt", folder / f"{NAME}.caffemodel"
    layers = []
    for i, part in net.numbered():
        layers += [_weighted(f"Convolution{i}", part.conv.weight, part.conv.bias),
                   _weighted(f"BatchNorm{i}", part.norm.running_mean, part.norm.running_var, torch.ones(1)),
                   _weighted(f"Scale{i}", part.norm.weight, part.norm.bias)]
    save_caffemodel(weights, [*layers, _weighted(LOGITS, net.dense.weight, net.dense.bias)], zoo.build(NAME))
    with whole_file(prototxt) as part_file:
        part_file.write_text(zoo.deploy_prototxt(NAME), encoding="utf-8")
    return prototxt, weights


def _weighted(name: str, *tensors: torch.Tensor) -> Weighted:
    return Weighted(name, [Values(t.detach().cpu().numpy().astype(np.float32)) for t in tensors])


def caffe_logits(prototxt: str | Path, weights: str | Path, inputs: np.ndarray, batch: int = 100, threads: int | None = None) -> np.ndarray:
    """What pycaffe_acc computes from a net's files in FP32.

    Parameters
    ----------
    prototxt, weights : str or Path
    inputs : (N, 3, 32, 32) float32
        Centred pictures.
    batch : int
    threads : int, optional

    Returns
    -------
    (N, 10) float32
        The blob InnerProduct1.

    Raises
    ------
    CaffeError
        When the files do not load, or the net has no such blob.
    """
    net: Any = caffe.Net(str(prototxt), caffe.TEST, weights=str(weights), threads=threads, precision="fp32")
    if LOGITS not in net.blobs or len(net.inputs) != 1:
        raise CheckError(f"{prototxt}: must have one input and a blob '{LOGITS}' with the logits; it has {len(net.inputs)} inputs and the blobs "
                         f"{', '.join(net.blobs)}")
    found = []
    for start in range(0, len(inputs), batch):
        part = inputs[start:start + batch]
        net.blobs[net.inputs[0]].reshape(*part.shape)
        net.reshape()
        net.blobs[net.inputs[0]].data[...] = part
        net.forward()
        found.append(net.blobs[LOGITS].data.reshape(len(part), -1).copy())
    logits = np.concatenate(found)
    if logits.shape[1] != CLASSES:
        raise CheckError(f"{prototxt}: gives {logits.shape[1]} logits; CIFAR-10 has {CLASSES} classes")
    return logits


def check_same(prototxt: str | Path, weights: str | Path, inputs: np.ndarray, logits: np.ndarray, threads: int | None = None) -> float:
    """See that a net's files and a PyTorch module agree.

    Parameters
    ----------
    prototxt, weights : str or Path
    inputs : (N, 3, 32, 32) float32
    logits : (N, 10) float32
        The module's.
    threads : int, optional

    Returns
    -------
    float
        The largest difference.

    Raises
    ------
    CheckError
        When it is more than 1e-3.
    """
    off = float(np.abs(caffe_logits(prototxt, weights, inputs, threads=threads) - logits).max())
    if not off <= TOLERANCE:
        raise CheckError(f"{weights}: pycaffe_acc and PyTorch differ by {off:g} in the logits of {len(inputs)} pictures; at most {TOLERANCE:g} is "
                         f"rounding, so {prototxt} is another net than the module")
    return off
