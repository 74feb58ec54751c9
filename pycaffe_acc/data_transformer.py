"""transform_param: crop, mirror, mean and scale of the data layers."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.filler import generator
from pycaffe_acc.mean_file import read_mean_file

_FOREIGN = ("resize_param", "noise_param", "emit_constraint", "distort_param", "expand_param")


@dataclass(frozen=True)
class TransformParams:
    """transform_param.

    Attributes
    ----------
    scale : float
    mirror : bool
        Flip every other item, by chance, in TEST too.
    crop : tuple of int
        Height and width; (0, 0): none.
    mean_file : str
    mean_values : tuple of float
        One, or one a channel.
    force_color, force_gray : bool
    """

    scale: float = 1.0
    mirror: bool = False
    crop: tuple[int, int] = (0, 0)
    mean_file: str = ""
    mean_values: tuple[float, ...] = ()
    force_color: bool = False
    force_gray: bool = False


def read_transform_param(message: Any) -> TransformParams:
    """transform_param of a layer.

    Raises
    ------
    ValueError
        For parts that contradict each other, or that this package does not have.
    """
    p = message.transform_param
    foreign = [f for f in _FOREIGN if f in p.DESCRIPTOR.fields_by_name and p.HasField(f)]
    if foreign:
        raise ValueError(f"transform_param has {', '.join(foreign)}, which are made for training and not supported here; "
                         "remove them, or feed the net through an Input layer")
    if p.mean_file and p.mean_value:
        raise ValueError("transform_param has mean_file and mean_value; use one of them")
    if p.force_color and p.force_gray:
        raise ValueError("transform_param has force_color and force_gray; use one of them")
    crop = (int(p.crop_size), int(p.crop_size)) if p.crop_size else (int(p.crop_h), int(p.crop_w))
    if (crop[0] > 0) != (crop[1] > 0):
        raise ValueError(f"transform_param has crop_h {crop[0]} and crop_w {crop[1]}; give both, or crop_size")
    return TransformParams(float(p.scale), bool(p.mirror), crop, p.mean_file, tuple(p.mean_value), bool(p.force_color), bool(p.force_gray))


class DataTransformer:
    """Makes an item of a batch from pixels.

    Parameters
    ----------
    params : TransformParams
    train : bool
        Crop at random places; else in the centre.
    owner : str
        Opens the messages ("layer 'x' (Data)").

    Raises
    ------
    CheckError
        From reading the mean file.
    """

    def __init__(self, params: TransformParams, train: bool, owner: str):
        self.params, self.train, self.owner = params, train, owner
        self.mean: np.ndarray | None = None
        if params.mean_file:
            self.mean = read_mean_file(params.mean_file)
            if self.mean.ndim == 2:
                self.mean = self.mean[None]
        elif params.mean_values:
            self.mean = np.asarray(params.mean_values, np.float32)[:, None, None]

    def shape(self, pixels: tuple[int, ...]) -> tuple[int, int, int]:
        """(C, H, W) of the result for pixels of (C, H, W)."""
        c, h, w = pixels
        ch, cw = self.params.crop
        if not ch:
            return c, h, w
        if ch > h or cw > w:
            raise CheckError(f"{self.owner}: the crop is {ch} x {cw} and an image only {h} x {w}; images must be at least as large as the crop")
        return c, ch, cw

    def __call__(self, pixels: np.ndarray, flip: bool = False) -> np.ndarray:
        """(pixels - mean) * scale, cropped and perhaps mirrored.

        Parameters
        ----------
        pixels : (C, H, W) uint8 or float32
        flip : bool
            Mirror once more.

        Returns
        -------
        (C, h, w) float32

        Raises
        ------
        CheckError
            When crop or mean do not fit the pixels.
        """
        c, h, w = self.shape(pixels.shape)
        _, full_h, full_w = pixels.shape
        if self.train:
            top, left = int(generator().integers(full_h - h + 1)), int(generator().integers(full_w - w + 1))
        else:
            top, left = (full_h - h) // 2, (full_w - w) // 2
        window = (slice(None), slice(top, top + h), slice(left, left + w))
        out = pixels[window].astype(np.float32)
        if self.mean is not None:
            out -= self._mean_for(pixels.shape, window)
        if self.params.scale != 1:
            out *= np.float32(self.params.scale)
        mirrored = self.params.mirror and bool(generator().integers(2))
        return out[:, :, ::-1] if mirrored != flip else out

    def _mean_for(self, shape: tuple[int, ...], window: tuple[slice, ...]) -> np.ndarray:
        assert self.mean is not None
        if self.params.mean_file and self.mean.shape[1:] != (1, 1):
            if self.mean.shape != shape:
                raise CheckError(f"{self.owner}: the mean file '{self.params.mean_file}' has the shape {self.mean.shape} "
                                 f"and an image {shape}; they must be equal")
            return self.mean[window]
        if self.mean.shape[0] not in (1, shape[0]):
            raise CheckError(f"{self.owner}: has {self.mean.shape[0]} mean values for {shape[0]} channels; give one, or one for each channel")
        return self.mean
