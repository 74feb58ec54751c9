"""A suite's model as files and nets: as it was given, seeded, pruned, quantized."""
from __future__ import annotations

import lzma
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError, MissingFileError, WeightsError
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.feeder import Feeder
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.preprocess import Preprocess
from pycaffe_acc.prune.prune_net import Pruner
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.prune.sparse_net import mark_sparse, pruned_layers
from pycaffe_acc.quantize.keep_float import kept_in_float
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.suite.image_set import open_images, open_preprocess
from pycaffe_acc.suite.plan import VENDOR, ModelPlan, Pruning, Suite, Variant
from pycaffe_acc.suite.transformer import transformer_encoder
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.weights import save_caffemodel
from pycaffe_acc.zoo.catalogue import CATALOGUE

_CALIBRATION_BATCH = 8


@dataclass(frozen=True)
class NetFiles:
    """Prototxt and weights."""

    model: Path
    weights: Path


class ModelFiles:
    """One model of a suite, and the nets that are made of it, in a folder of their own.

    Parameters
    ----------
    suite : Suite
    plan : ModelPlan
    data : Path
    folder : Path
        Emptied by who made it.
    threads : int, optional

    Raises
    ------
    CaffeError
        For files that are not there, or a network that the zoo does not have.
    """

    def __init__(self, suite: Suite, plan: ModelPlan, data: Path, folder: Path, threads: int | None = None):
        self.plan, self._suite, self._data, self._folder, self._threads = plan, suite, data, folder, threads
        self.preprocess: Preprocess = open_preprocess(plan.preprocess, data)
        self.images: Dataset = open_images(suite.images[plan.images], data, self.preprocess.resizer.startswith("pycaffe"))
        self._made: dict[tuple[str, ...], NetFiles] = {}

    def net(self, variant: Variant, sparsity: float = 0.0, pruning: Pruning = VENDOR) -> Net:
        """A variant of the model with its own batch.

        Parameters
        ----------
        variant : Variant
        sparsity : float
        pruning : Pruning

        Raises
        ------
        CaffeError
        """
        files = self.files(variant, sparsity, pruning)
        return Net(str(files.model), TEST, weights=str(files.weights), threads=self._threads, precision=variant.precision)

    def files(self, variant: Variant, sparsity: float = 0.0, pruning: Pruning = VENDOR) -> NetFiles:
        """The files of a variant; made once."""
        dense = self._once(("given",), self._given)
        kind = variant.name if variant.method else "float"
        if sparsity and pruning.method != "vendor":
            sparse = self._once(("float", f"{sparsity:g}", pruning.name), lambda: self._pruned_anew(dense, sparsity, pruning))
            return self._once((kind, f"{sparsity:g}", pruning.name), lambda: self._quantized(sparse, variant, f"-{sparsity:g}-{pruning.name}"))
        if variant.method:
            # in the vendor's order: ranges are found on the dense net, and pruning comes behind
            floats = dense
            dense = self._once((variant.name,), lambda: self._quantized(floats, variant))
        return self._once((kind, f"{sparsity:g}"), lambda: self._pruned(dense, variant, sparsity)) if sparsity else dense

    def _once(self, key: tuple[str, ...], make: Any) -> NetFiles:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _named(self, name: str) -> NetFiles:
        return NetFiles(self._folder / f"{name}.prototxt", self._folder / f"{name}.caffemodel")

    # ---- how they are made --------------------------------------------------------------------------------------------------------------------

    def _given(self) -> NetFiles:
        plan = self.plan
        if plan.model:
            model = self._data / plan.model
            if not model.is_file():
                raise MissingFileError(model, f"prototxt of the suite's model '{plan.name}'")
            if plan.trained:
                return NetFiles(model, self._unpacked(self._data / plan.weights))
            message = upgrade_net(read_net(model).message)
        elif plan.zoo:
            if plan.zoo not in CATALOGUE:
                raise CheckError(f"the suite's model '{plan.name}' is the zoo's '{plan.zoo}', which there is not; known: {', '.join(CATALOGUE)}")
            message = CATALOGUE[plan.zoo].build(1)
            if plan.trained:
                files = self._named("zoo")
                files.model.write_text(format_message(message), encoding="utf-8")
                return NetFiles(files.model, self._unpacked(self._data / plan.weights))
        else:
            message = transformer_encoder(1)
        return self._seeded(message)

    def _unpacked(self, path: Path) -> Path:
        if path.is_file() and path.suffix != ".xz":
            return path
        packed = path if path.suffix == ".xz" else path.with_name(path.name + ".xz")
        if not packed.is_file():
            raise MissingFileError(path, f"weights of the suite's model '{self.plan.name}'")
        target = self._folder / packed.stem
        try:
            with whole_file(target) as part, lzma.open(packed) as source, part.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 22)
        except (lzma.LZMAError, EOFError) as e:
            raise WeightsError(f"{packed}: it cannot be unpacked: {e}") from e
        return target

    def _seeded(self, message: Any) -> NetFiles:
        files = self._named("seeded")
        files.model.write_text(format_message(message), encoding="utf-8")
        net = Net(message, TEST, threads=self._threads)
        fill_seeded(net, self._suite.seed)
        net.save(files.weights)
        return files

    def _pruned(self, dense: NetFiles, variant: Variant, sparsity: float) -> NetFiles:
        files = self._named(f"{variant.name if variant.method else 'float'}-{sparsity:g}")
        message = upgrade_net(read_net(dense.model).message)
        mark_sparse(message, sparsity)
        net = Net(message, TEST, weights=str(dense.weights), threads=self._threads, vendor_exact=True)
        files.model.write_text(format_message(message), encoding="utf-8")
        save_caffemodel(files.weights, pruned_layers(net, vendor_exact=True), net.source.message_with_layers())
        return files

    def _pruned_anew(self, dense: NetFiles, sparsity: float, pruning: Pruning) -> NetFiles:
        """By one of the methods of this package."""
        files = self._named(f"float-{sparsity:g}-{pruning.name}")
        pruner = Pruner(dense.model, dense.weights, PruneOptions(pruning.method, sparsity, compensate=pruning.compensate), self._threads)
        batches: list[np.ndarray] = []
        blob = ""
        if pruning.compensate:
            blob, shape = calibration_input(pruner.net)
            batches = list(self._calibration(shape))
        pruner.apply(pruner.shares(blob, batches), blob, batches)
        pruner.save(files.model, files.weights)
        return files

    def _calibration(self, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
        images = open_images(self._suite.images[self.plan.calibration], self._data, self.preprocess.resizer.startswith("pycaffe"))
        return prepared(images, self.preprocess, shape, min(self.plan.calibration_images, len(images)))

    def _quantized(self, dense: NetFiles, variant: Variant, suffix: str = "") -> NetFiles:
        plan, files = self.plan, self._named(variant.name + suffix)
        quantizer = Quantizer(str(dense.model), str(dense.weights), find_method(variant.method), threads=self._threads)
        source, shape = calibration_input(quantizer.net)
        quantizer.calibrate(source, self._calibration(shape))
        quantizer.finish(kept_in_float(plan.keep_float, quantizer.layers))
        if variant.weight_rounding == "adaptive":
            quantizer.round_weights(source, self._calibration(shape), centred=variant.bias_correction)
        if variant.bias_correction:
            quantizer.correct_bias(source, self._calibration(shape))
        quantizer.save(files.model, files.weights)
        return files


def calibration_input(net: Net) -> tuple[str, tuple[int, ...]]:
    """Name and shape of the one input, which takes pictures.

    Raises
    ------
    CheckError
    """
    if len(net.inputs) != 1 or len(net.blobs[net.inputs[0]].shape) != 4:
        shapes = ", ".join(f"{n} {net.blobs[n].shape}" for n in net.inputs)
        raise CheckError(f"net '{net.name}' cannot be calibrated by a suite: it must have one input for pictures; its inputs: {shapes}")
    return net.inputs[0], net.blobs[net.inputs[0]].shape


def prepared(dataset: Dataset, preprocess: Preprocess, shape: tuple[int, ...], count: int, batch: int = _CALIBRATION_BATCH) -> Iterator[np.ndarray]:
    """Prepared images in their order, `batch` at a time; fewer in the last one.

    Parameters
    ----------
    dataset : Dataset
    preprocess : Preprocess
    shape : (N, C, H, W)
        Of the net's input.
    count : int
    batch : int

    Yields
    ------
    (n, C, H, W) float32
    """
    feeder = Feeder(dataset, lambda pixels: preprocess.apply(pixels, shape), (shape[1], shape[2], shape[3]), count, batch, 2, chunk=batch)
    for part in feeder:
        yield np.stack(list(part.values))


def zero_shares(net: Net) -> tuple[dict[str, float], float]:
    """How many weights of each Convolution and InnerProduct layer are zero, and of all of them together.

    Returns
    -------
    dict of str to float
    float
    """
    shares: dict[str, float] = {}
    zeros = total = 0
    for layer in net.layers:
        if layer.type in ("Convolution", "InnerProduct") and layer.blobs:
            weights = layer.blobs[0].data
            none = int(weights.size - np.count_nonzero(weights))
            shares[layer.name] = none / max(1, weights.size)
            zeros, total = zeros + none, total + weights.size
    return shares, zeros / max(1, total)
