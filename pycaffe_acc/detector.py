"""pycaffe's Detector: classify windows of images (R-CNN)."""
from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pycaffe_acc.classifier import image_transformer
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.image_load import ImageSource, load_image
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.pycaffe_resize import resize_image

_SELECTIVE_SEARCH = "selective_search_ijcv_with_python"


class Detector(Net):
    """A classification net that is run on windows of images.

    Parameters
    ----------
    model_file, pretrained_file : str
    mean : array, optional
        (C,) or a mean image, in the net's channel order.
    input_scale, raw_scale : float, optional
    channel_swap : sequence of int, optional
    context_pad : int, optional
        Pixels of surroundings around a window in the net's input; what lies outside the image is filled with the mean.
    **kwargs
        For `Net`.
    """

    def __init__(self, model_file: str | Path, pretrained_file: str | Path, mean: np.ndarray | None = None, input_scale: float | None = None,
                 raw_scale: float | None = None, channel_swap: Sequence[int] | None = None, context_pad: int | None = None, **kwargs: Any):
        super().__init__(model_file, TEST, weights=pretrained_file, **kwargs)
        self.transformer = image_transformer(self, mean, input_scale, raw_scale, channel_swap)
        self.configure_crop(context_pad)

    def detect_windows(self, images_windows: Iterable[tuple[ImageSource, Sequence[Sequence[float]]]]) -> list[dict[str, Any]]:
        """Classify windows.

        Parameters
        ----------
        images_windows : iterable of (image file, windows)
            A window is (ymin, xmin, ymax, xmax) in pixels.

        Returns
        -------
        list of dict
            One for each window, in order: `window`, `prediction` (array), `filename`.

        Raises
        ------
        CheckError
            When there is no window, or one is empty.
        """
        images = [(name, [np.asarray(w) for w in windows]) for name, windows in images_windows]
        inputs = []
        for filename, windows in images:
            image = load_image(filename) if windows else None
            inputs += [self.crop(image, window) for window in windows]  # type: ignore[arg-type]
        if not inputs:
            raise CheckError("Detector.detect_windows: no windows were given")
        name = self.inputs[0]
        batch = np.empty((len(inputs), inputs[0].shape[2], *self.blobs[name].data.shape[2:]), dtype=np.float32)
        for ix, window_input in enumerate(inputs):
            batch[ix] = self.transformer.preprocess(name, window_input)
        predictions = iter(self.forward_all(**{name: batch})[self.outputs[0]])  # type: ignore[arg-type]
        return [{"window": window, "prediction": next(predictions), "filename": filename} for filename, windows in images for window in windows]

    def detect_selective_search(self, image_fnames: Sequence[str]) -> list[dict[str, Any]]:
        """`detect_windows` on windows that selective search proposes (Uijlings et al., R-CNN's MATLAB configuration).

        Raises
        ------
        MissingExtraError
            When the module selective_search_ijcv_with_python (it needs MATLAB) is not installed.
        """
        try:
            selective_search = importlib.import_module(_SELECTIVE_SEARCH)
        except ImportError as e:
            raise MissingExtraError(f"detect_selective_search needs the external module {_SELECTIVE_SEARCH} (and MATLAB), which is not installed; "
                                    "make windows with another tool and call detect_windows") from e
        names = [os.path.abspath(f) for f in image_fnames]
        windows = selective_search.get_windows(names, cmd="selective_search_rcnn")
        return self.detect_windows(zip(names, windows, strict=True))

    def crop(self, im: np.ndarray, window: Sequence[float] | np.ndarray) -> np.ndarray:
        """Cut a window out of an image, with its surroundings when `context_pad` is set.

        Parameters
        ----------
        im : (H, W, C) float32
        window : (ymin, xmin, ymax, xmax)

        Returns
        -------
        (h, w, C) float32
            Of the net's input size with `context_pad`, else of the window's size.
        """
        box = np.asarray(window, dtype=np.float64)
        if box.shape != (4,):
            raise CheckError(f"Detector.crop: the window is {window}; it must be (ymin, xmin, ymax, xmax)")
        if self.context_pad:
            return self._with_context(im, box)
        plain = im[_slices(box)]
        if plain.size == 0:
            raise CheckError(f"Detector.crop: the window {tuple(float(v) for v in box)} holds no pixel of the image of {im.shape[0]} x {im.shape[1]}")
        return plain

    def _with_context(self, im: np.ndarray, window: np.ndarray) -> np.ndarray:
        size = self.blobs[self.inputs[0]].data.shape[-1]
        # the window shall fill the input but for context_pad pixels on each side
        scale = size / (size - 2.0 * self.context_pad)  # type: ignore[operator]
        half = (window[2:] - window[:2] + 1) / 2.0
        centre = window[:2] + half
        box = np.round(np.concatenate([centre - scale * half, centre + scale * half]))
        per_pixel = size / (box[2:] - box[:2] + 1)
        pad = [round(float(max(0.0, -box[k]) * per_pixel[k])) for k in (0, 1)]
        box = np.clip(box, 0.0, [im.shape[0], im.shape[1]] * 2)
        inside = [min(round(float((box[k + 2] - box[k] + 1) * per_pixel[k])), size - pad[k]) for k in (0, 1)]
        cut = im[_slices(box)]
        if cut.size == 0 or min(inside) < 1:
            raise CheckError(f"Detector.crop: the window {tuple(window)} with its context holds no pixel of the image of {im.shape[0]} x "
                             f"{im.shape[1]}")
        crop = np.ones(tuple(self.crop_dims), dtype=np.float32) * self.crop_mean
        crop[pad[0]:pad[0] + inside[0], pad[1]:pad[1] + inside[1]] = resize_image(cut, (inside[0], inside[1]))
        return crop.astype(np.float32, copy=False)

    def configure_crop(self, context_pad: int | None) -> None:
        """Set the context, and compute the mean in the range and order of unprocessed images, for filling.

        Parameters
        ----------
        context_pad : int or None

        Raises
        ------
        CheckError
            When nothing of the input would be left.
        """
        name = self.inputs[0]
        shape = self.blobs[name].data.shape
        if context_pad and not 0 < 2 * context_pad < shape[-1]:
            raise CheckError(f"Detector: context_pad is {context_pad}; it must leave room in the net's input of {shape[-1]} pixels")
        # C x H x W → H x W x C
        back = np.argsort(self.transformer.transpose[name])
        self.crop_dims = np.array(shape[1:])[back]
        self.context_pad = context_pad
        self.crop_mean = np.zeros(tuple(self.crop_dims), dtype=np.float32)
        mean = self.transformer.mean.get(name)
        if context_pad and mean is not None:
            mean = mean.transpose(back).astype(np.float64)
            if self.transformer.channel_swap.get(name) is not None:
                mean = mean[:, :, np.argsort(self.transformer.channel_swap[name])]
            if self.transformer.raw_scale.get(name) is not None:
                mean = mean / self.transformer.raw_scale[name]
            self.crop_mean = mean


def _slices(box: np.ndarray) -> tuple[slice, slice]:
    ymin, xmin, ymax, xmax = (int(v) for v in box)
    return slice(max(0, ymin), max(0, ymax)), slice(max(0, xmin), max(0, xmax))
