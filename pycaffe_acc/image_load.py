"""Decoding image files, as pycaffe's load_image and as OpenCV's imread do it."""
from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.image_error import ImageError

ImageSource = str | Path | bytes | BinaryIO

#: luminance as scikit-image computes it (Rec. 709), for load_image(color=False)
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721])


def load_image(filename: ImageSource, color: bool = True) -> np.ndarray:
    """Read an image as RGB or gray in [0, 1], as pycaffe does. EXIF orientation is ignored, as there.

    Parameters
    ----------
    filename : path, bytes of an image file, or an open binary file
    color : bool
        True repeats a gray image three times; False turns a colour image into its luminance.

    Returns
    -------
    (H, W, 3) float32, or (H, W, 1) float32 with color=False
        8-bit values / 255, 16-bit values / 65535; an alpha channel is dropped.

    Raises
    ------
    MissingFileError
        When the file does not exist.
    ImageError
        When it is no image that can be decoded.
    """
    pixels = _unit_float(_skimage_pixels(_open(filename)))
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    pixels = pixels[:, :, :3]
    if color:
        return np.tile(pixels, (1, 1, 3)) if pixels.shape[2] == 1 else np.ascontiguousarray(pixels)
    if pixels.shape[2] == 3:
        return (pixels.astype(np.float64) @ _LUMINANCE)[:, :, np.newaxis].astype(np.float32)
    return pixels


def decode_bgr(source: ImageSource, gray: bool = False, upright: bool = True, least: tuple[int, int] | None = None) -> np.ndarray:
    """Read an image as OpenCV's imread does: 8-bit BGR, turned upright by its EXIF orientation.

    Parameters
    ----------
    source : path, bytes of an image file, or an open binary file
    gray : bool
        One channel instead of three.
    upright : bool
        False leaves the EXIF orientation alone, as imread with IMREAD_UNCHANGED does.
    least : (int, int), optional
        Height and width that are enough: a JPEG is decoded at a half, a quarter or an eighth of its size if it stays that large, which its decoder
        does by transforming fewer coefficients. The pixels are not those of a later resize.

    Returns
    -------
    (H, W, 3) uint8, or (H, W) uint8

    Raises
    ------
    MissingFileError, ImageError
    """
    pixels = _upright(source, "L" if gray else "RGB", upright, least)
    return np.ascontiguousarray(pixels if gray else pixels[:, :, ::-1])


def decode_rgb(source: ImageSource) -> np.ndarray:
    """`decode_bgr` with the channels in RGB order: (H, W, 3) uint8."""
    return _upright(source, "RGB")


def _upright(source: ImageSource, mode: str, turn: bool = True, least: tuple[int, int] | None = None) -> np.ndarray:
    opened = _open(source, luminance=mode == "L", least=least)
    image = ImageOps.exif_transpose(opened) if turn else opened
    if image.mode.startswith(("I", "F")):
        # OpenCV keeps the upper byte of 16-bit values
        wide = np.asarray(image)
        image = Image.fromarray((wide.astype(np.uint32) >> 8).astype(np.uint8)) if image.mode.startswith("I") else image
    if mode == "L" and image.mode not in ("L", "1"):
        return _gray_u8(np.asarray(_as_rgb(image)), opened.format == "PNG")
    return np.asarray(image.convert("L") if mode == "L" else _as_rgb(image))


def _as_rgb(image: Image.Image) -> Image.Image:
    # via RGBA, a palette with transparency would be blended by some Pillow versions; its colours alone are wanted
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _gray_u8(rgb: np.ndarray, png: bool) -> np.ndarray:
    """Fixed-point luminance: (4899 R + 9617 G + 1868 B + 8192) >> 14, OpenCV's, or libpng's (9797 R + 19234 G + 3737 B) >> 15."""
    r, g, b = (rgb[:, :, k].astype(np.int32) for k in range(3))
    gray = (9797 * r + 19234 * g + 3737 * b) >> 15 if png else (4899 * r + 9617 * g + 1868 * b + 8192) >> 14
    return gray.astype(np.uint8)


def _open(source: ImageSource, luminance: bool = False, least: tuple[int, int] | None = None) -> Image.Image:
    """The decoded image; with `luminance` a JPEG's own Y channel, as OpenCV reads it in gray, rather than its colours; `least` as in `decode_bgr`."""
    name = "the given bytes" if isinstance(source, bytes) else str(getattr(source, "name", source))
    try:
        if isinstance(source, bytes):
            return _loaded(io.BytesIO(source), luminance, least)
        if not isinstance(source, (str, Path)):
            return _loaded(source, luminance, least)
        if os.path.exists(source) and not os.path.isfile(source):
            raise ImageError(f"'{name}' is no regular file, and reading it could take for ever; give the path of an image file")
        with open(source, "rb") as stream:  # Pillow leaves a file open when its decoder fails
            return _loaded(stream, luminance, least)
    except FileNotFoundError as e:
        raise MissingFileError(name, "image") from e
    except UnidentifiedImageError as e:
        raise ImageError(f"'{name}' is no image that Pillow can decode; check the file, or convert it to JPEG or PNG") from e
    except ImageError:
        raise
    except Exception as e:  # decoders meet files that nobody foresaw, and raise whatever they run into
        raise ImageError(f"image '{name}' cannot be decoded: {e}") from e


def _loaded(stream: BinaryIO, luminance: bool, least: tuple[int, int] | None) -> Image.Image:
    image = Image.open(stream)
    if image.format == "JPEG" and (luminance or least is not None):
        image.draft("L" if luminance else None, image.size if least is None else _as_stored(image, least))
    image.load()
    return image


def _as_stored(image: Image.Image, least: tuple[int, int]) -> tuple[int, int]:
    """Width and height of `least` as the file has them: it may lie on its side. Width and height are never less than one."""
    side = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    height, width = least if not side else least[::-1]
    return max(1, width), max(1, height)


def _skimage_pixels(image: Image.Image) -> np.ndarray:
    """The array that scikit-image's reader made of a Pillow image: palettes and CMYK expanded, 16 bits kept."""
    mode = image.mode
    if mode == "P":
        gray = _has_gray_palette(image)
        image = image.convert("RGBA" if "transparency" in image.info else "L" if gray else "RGB")
    elif mode == "1":
        image = image.convert("L")
    elif mode in ("LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
    elif mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    return pixels.astype(np.uint16) if mode.startswith("I") and pixels.size and 0 <= pixels.min() and pixels.max() < 65536 else pixels


def _has_gray_palette(image: Image.Image) -> bool:
    palette = np.asarray(image.getpalette() or [0, 0, 0], dtype=np.uint8).reshape(-1, 3)
    return bool((palette[:, 0] == palette[:, 1]).all() and (palette[:, 1] == palette[:, 2]).all())


def _unit_float(pixels: np.ndarray) -> np.ndarray:
    """Integers divided by their type's largest value, in float64 and then rounded to float32; floats as they are."""
    if pixels.dtype == np.bool_:
        return pixels.astype(np.float32)
    if np.issubdtype(pixels.dtype, np.unsignedinteger):
        return (pixels * (1.0 / np.iinfo(pixels.dtype).max)).astype(np.float32)
    if np.issubdtype(pixels.dtype, np.integer):
        raise ImageError(f"the image has {pixels.dtype} pixels from {pixels.min()} to {pixels.max()}; only 8-bit, 16-bit and float images have a "
                         "defined range")
    return pixels.astype(np.float32)
