"""Ten crops of an image: four corners, the centre, and their mirror images."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pycaffe_acc.image_error import ImageError


def centre_crop(image_dims: Sequence[int], crop_dims: Sequence[int]) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the crop in the middle, truncated to whole pixels as pycaffe does.

    Parameters
    ----------
    image_dims, crop_dims : (int, int)
        Height and width.
    """
    top, left, bottom, right = (int(image_dims[k % 2] / 2.0 + side * crop_dims[k % 2] / 2.0) for k, side in ((0, -1), (1, -1), (2, 1), (3, 1)))
    return top, left, bottom, right


def oversample(images: Sequence[np.ndarray], crop_dims: Sequence[int]) -> np.ndarray:
    """Crop each image ten times.

    Parameters
    ----------
    images : sequence of (H, W, C) arrays, all of the first one's shape
    crop_dims : (int, int)
        Height and width of a crop.

    Returns
    -------
    (10 * len(images), h, w, C) float32
        For each image: top left, top right, bottom left, bottom right, centre, then the five mirrored left to right.

    Raises
    ------
    ImageError
        When the crop is larger than the images, or they differ in shape.
    """
    height, width = (int(v) for v in crop_dims)
    shape = images[0].shape
    if height > shape[0] or width > shape[1]:
        raise ImageError(f"oversample: crops of {height} x {width} do not fit into images of {shape[0]} x {shape[1]}; resize the images first")
    corners = [(y, x) for y in (0, shape[0] - height) for x in (0, shape[1] - width)]
    corners.append(centre_crop(shape[:2], (height, width))[:2])
    crops = np.empty((len(images), 10, height, width, shape[-1]), dtype=np.float32)
    for n, image in enumerate(images):
        if image.shape != shape:
            raise ImageError(f"oversample: image {n} has the shape {image.shape} and image 0 {shape}; resize them to one shape first")
        for k, (y, x) in enumerate(corners):
            crops[n, k] = image[y:y + height, x:x + width]
        crops[n, 5:] = crops[n, :5, :, ::-1]
    return crops.reshape((-1,) + crops.shape[2:])
