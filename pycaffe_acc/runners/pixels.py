"""From image files to what a net takes, by the runners' rules."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.runners.video_pixels import pixel_size, read_frame

#: what -preprocess_option 1 and 3 make of the short side
_SHORT_SIDES = {1: 256, 3: 320}
#: what -preprocess_option 2 resizes to
_SQUARE = 256
#: the border of a letterbox
_GRAY = 128


def read_pixels(file: Path, channels: int) -> np.ndarray:
    """Decode an image file as it lies there: its EXIF orientation is ignored.

    Parameters
    ----------
    file : Path
    channels : int
        1 for gray (the luminance of a colour image), 3 for BGR, 4 for BGR with an opaque fourth channel.

    Returns
    -------
    (H, W, channels) uint8

    Raises
    ------
    MissingFileError, ImageError
    CheckError
        For another number of channels.
    """
    pixels = decode_bgr(file, upright=False)
    if channels == 3:
        return pixels
    if channels == 1:
        b, g, r = (pixels[:, :, k].astype(np.int32) for k in range(3))
        return ((4899 * r + 9617 * g + 1868 * b + 8192) >> 14).astype(np.uint8)[:, :, None]
    if channels == 4:
        return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
    raise CheckError(f"the net's input has {channels} channels; images become 1 (gray), 3 (BGR) or 4 (BGR and one more)")


@dataclass(frozen=True)
class Preparation:
    """What becomes of an image.

    Attributes
    ----------
    shape : (int, int, int)
        Channels, height and width of the net's input.
    means : tuple of float
        One a channel, subtracted; empty for none.
    scale : float
        Multiplied after a mean was subtracted; without means it is not used, as in the original.
    raw : bool
        Pixels as they are (-int8): mean and scale are in the first convolution.
    option : int
        -preprocess_option: 0 resizes; 1 resizes the short side to 256, 2 to 256 x 256, 3 the short side to 320, and each cuts out the centre;
        4 keeps the sides' proportion and fills with gray.
    video : bool
        Images are frames of video pixels (-yuv): they go into the net as they are, and `shape` is (1, 3 H / 2, W).
    """

    shape: tuple[int, int, int]
    means: tuple[float, ...] = ()
    scale: float = 1.0
    raw: bool = False
    option: int = 0
    video: bool = False

    def __post_init__(self) -> None:
        channels, rows, width = self.shape
        if self.video and (channels != 1 or rows % 3 or width % 2):
            raise CheckError(f"-yuv 1 feeds frames of one channel and 3 H / 2 rows of even width, and the net's input is {self.shape}; use a net "
                             "that begins with MLUYUVtoRGB, or give JPEG or PNG files")
        if self.option not in _FITS:
            raise CheckError(f"the preprocessing is {self.option}; it must be one of {', '.join(map(str, _FITS))}")
        if len(self.means) not in (0, self.shape[0]):
            raise CheckError(f"{len(self.means)} mean values for an input of {self.shape[0]} channels; there must be one for each")

    def read(self, file: Path) -> np.ndarray:
        """Decode an image file, or read a frame: (H, W, C) uint8; errors as `read_pixels` and `read_frame`."""
        return read_frame(file, *self.shape[1:]) if self.video else read_pixels(file, self.shape[0])

    def size(self, pixels: np.ndarray) -> tuple[int, int]:
        """Height and width of the picture that was read."""
        return pixel_size(*pixels.shape[:2]) if self.video else (pixels.shape[0], pixels.shape[1])

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Prepare an image.

        Parameters
        ----------
        pixels : (H, W, C) uint8

        Returns
        -------
        (C, height, width) float32
        """
        if self.video:
            return pixels.astype(np.float32).transpose(2, 0, 1)
        fitted = _FITS[self.option](self.option, pixels, self.shape[1:])
        values = fitted.reshape(*self.shape[1:], self.shape[0]).astype(np.float32)
        if self.means and not self.raw:
            values -= np.asarray(self.means, np.float32)
            values *= np.float32(self.scale)
        return np.ascontiguousarray(values.transpose(2, 0, 1))


def _plain(option: int, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return resize_bilinear(pixels, size)


def _short_side(option: int, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width, _ = pixels.shape
    side = _SHORT_SIDES[option]
    wanted = (side, side * width // height) if height < width else (side * height // width, side)
    return _centre(resize_bilinear(pixels, wanted), size)


def _square(option: int, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return _centre(resize_bilinear(pixels, (_SQUARE, _SQUARE)), size)


def _letterbox(option: int, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width, channels = pixels.shape
    factor = min(size[0] / height, size[1] / width)
    inner = resize_bilinear(pixels, (max(1, int(height * factor)), max(1, int(width * factor))))
    out = np.full((*size, channels), _GRAY, np.uint8)
    top, left = (size[0] - inner.shape[0]) // 2, (size[1] - inner.shape[1]) // 2
    out[top:top + inner.shape[0], left:left + inner.shape[1]] = inner
    return out


def _centre(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width, _ = pixels.shape
    if size[0] > height or size[1] > width:
        raise CheckError(f"the preprocessing makes images of {height} x {width}, and the net's input takes {size[0]} x {size[1]}; choose another one")
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return pixels[top:top + size[0], left:left + size[1]]


_FITS: dict[int, Callable[[int, np.ndarray, tuple[int, int]], np.ndarray]] = {0: _plain, 1: _short_side, 2: _square, 3: _short_side, 4: _letterbox}
