"""pycaffe's Classifier: a net that takes images."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.oversample import centre_crop, oversample
from pycaffe_acc.pycaffe_resize import resize_image
from pycaffe_acc.transformer import Transformer


class Classifier(Net):
    """A classification net with its preprocessing.

    Parameters
    ----------
    model_file : str
        Deploy prototxt with one image input.
    pretrained_file : str
        Weights.
    image_dims : (int, int), optional
        Height and width the images are scaled to before cropping; default the net's input.
    mean : array, optional
        (C,) or a mean image, in the net's channel order.
    input_scale, raw_scale : float, optional
        Factors after and before the mean is subtracted.
    channel_swap : sequence of int, optional
        (2, 1, 0) for nets trained on BGR.
    **kwargs
        For `Net`: threads, vendor_exact, ….
    """

    def __init__(self, model_file: str | Path, pretrained_file: str | Path, image_dims: Sequence[int] | None = None, mean: np.ndarray | None = None,
                 input_scale: float | None = None, raw_scale: float | None = None, channel_swap: Sequence[int] | None = None, **kwargs: Any):
        super().__init__(model_file, TEST, weights=pretrained_file, **kwargs)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.crop_dims = np.array(self.blobs[self.inputs[0]].data.shape[2:])
        self.image_dims = self.crop_dims if image_dims is None or not len(image_dims) else image_dims

    def predict(self, inputs: Sequence[np.ndarray], oversample: bool = True) -> np.ndarray:
        """Classify images.

        Parameters
        ----------
        inputs : sequence of (H, W, C) arrays
            As `load_image` gives them; sizes may differ.
        oversample : bool
            Average over four corners, the centre and their mirror images; False takes the centre only.

        Returns
        -------
        (N, number of classes) float32
            With `oversample`; without it the net's first output as it is.
        """
        if not len(inputs):
            raise CheckError("Classifier.predict: no images were given")
        name = self.inputs[0]
        crops = self._crops(inputs, oversample)
        batch = np.empty((len(crops), crops.shape[3], crops.shape[1], crops.shape[2]), dtype=np.float32)
        for ix, image in enumerate(crops):
            batch[ix] = self.transformer.preprocess(name, image)
        predictions = self.forward_all(**{name: batch})[self.outputs[0]]  # type: ignore[arg-type]
        if oversample:
            predictions = predictions.reshape(len(predictions) // 10, 10, -1).mean(1)
        return predictions

    def _crops(self, inputs: Sequence[np.ndarray], ten: bool) -> np.ndarray:
        """The images scaled to `image_dims`, then cropped: (N or 10 N, h, w, C) float32."""
        dims = (int(self.image_dims[0]), int(self.image_dims[1]))
        images = np.empty((len(inputs), *dims, inputs[0].shape[2]), dtype=np.float32)
        for ix, image in enumerate(inputs):
            images[ix] = resize_image(image, dims)
        if ten:
            return oversample(images, self.crop_dims)  # type: ignore[arg-type]
        top, left, bottom, right = centre_crop(dims, self.crop_dims)  # type: ignore[arg-type]
        # negative offsets (crops larger than the images) would count from the end
        if top < 0 or left < 0:
            raise CheckError(f"Classifier: image_dims {dims} are smaller than the net's input {tuple(int(v) for v in self.crop_dims)}; make them at "
                             "least as large")
        return images[:, top:bottom, left:right]


def image_transformer(net: Net, mean: np.ndarray | None, input_scale: float | None, raw_scale: float | None,
                      channel_swap: Sequence[int] | None) -> Transformer:
    """The Transformer of a net's first input, with the channels put first and what is not None set."""
    name = net.inputs[0]
    transformer = Transformer({name: net.blobs[name].data.shape})
    transformer.set_transpose(name, (2, 0, 1))
    if mean is not None:
        transformer.set_mean(name, mean)
    if input_scale is not None:
        transformer.set_input_scale(name, input_scale)
    if raw_scale is not None:
        transformer.set_raw_scale(name, raw_scale)
    if channel_swap is not None:
        transformer.set_channel_swap(name, channel_swap)
    return transformer
