"""Preprocessing profiles: the ways from an image file to a net's input that people measured accuracies with."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pycaffe_acc.image_error import ImageError
from pycaffe_acc.image_load import ImageSource, decode_bgr, load_image
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.mean_file import parse_values, read_mean_file
from pycaffe_acc.pycaffe_resize import resize_image

Size = tuple[int, int]

_RESIZERS = {
    "opencv": "OpenCV's 8-bit bilinear",
    "pycaffe": "pycaffe's float bilinear with anti-aliasing",
    "pycaffe-era": "pycaffe's float bilinear without anti-aliasing",
    "pillow": "Pillow's bilinear",
}


@dataclass(frozen=True)
class Preprocess:
    """From an image file to a net's input: decode, resize, centre crop, channel order, then (x - mean) / std * scale with x in 0..255.

    Immutable, and its methods may be called by several threads at once.

    Attributes
    ----------
    name : str
    resizer : {"opencv", "pycaffe", "pycaffe-era", "pillow"}
    order : {"BGR", "RGB"}
    resize : "input", int, (int, int) or None
        Straight to the net's input; short side to so many pixels (input / 0.875 when that is less than an input that is then cropped);
        height and width; not at all.
    crop : "input", (int, int) or None
        Centre crop after the resize; a crop that is not of the input's size is resized to it.
    mean, std : tuple of float, or None
        One value, or one a channel, in the channel order of the net.
    scale : float
    mean_image : (C, H, W) float32, optional
        Subtracted instead of `mean`; cropped like the image when it has the size of the resized image, else resized to the input.
    """

    name: str
    resizer: str = "opencv"
    order: str = "BGR"
    resize: str | int | Size | None = "input"
    crop: str | Size | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    scale: float = 1.0
    mean_image: np.ndarray | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.resizer not in _RESIZERS:
            raise ImageError(f"preprocessing '{self.name}': resizer is '{self.resizer}'; known: {', '.join(_RESIZERS)}")
        if self.order not in ("BGR", "RGB"):
            raise ImageError(f"preprocessing '{self.name}': order is '{self.order}'; it must be BGR or RGB")
        if self.std is not None and 0.0 in self.std:
            raise ImageError(f"preprocessing '{self.name}': std is {self.std}; it divides, so it must not be 0")

    def describe(self) -> str:
        """One line that says all of it; printed with every accuracy."""
        parts = []
        if self.resize is not None:
            how = {True: "straight to the input", False: f"short side {self.resize}"}[self.resize == "input"]
            how = f"{self.resize[0]}x{self.resize[1]}" if isinstance(self.resize, tuple) else how
            parts.append(f"resize {how} ({_RESIZERS[self.resizer]})")
        if self.crop is not None:
            parts.append("centre crop of the input's size" if self.crop == "input" else f"centre crop {self.crop[0]}x{self.crop[1]}")
        parts.append(self.order)
        if self.mean_image is not None:
            parts.append("minus mean image " + "x".join(map(str, self.mean_image.shape)))
        elif self.mean is not None:
            parts.append("minus mean " + _listed(self.mean))
        if self.std is not None:
            parts.append("divided by " + _listed(self.std))
        if self.scale != 1.0:
            parts.append(f"times {self.scale:g}")
        return f"{self.name}: " + ", ".join(parts)

    def apply(self, image: ImageSource | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Make a net input.

        Parameters
        ----------
        image : path, bytes of an image file, open binary file, or (H, W, 3) uint8 array in BGR order
        shape : (C, H, W) or (N, C, H, W)
            Of the net's input; N is ignored. C is 1 (gray) or 3.

        Returns
        -------
        (C, H, W) float32

        Raises
        ------
        MissingFileError, ImageError
        """
        pixels, resized = self._pixels(image, shape)
        out = np.empty(tuple(shape[-3:]), dtype=np.float32)
        out[...] = pixels.transpose(2, 0, 1)
        self._normalise(out, resized)
        return out

    def apply_u8(self, image: ImageSource | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """As `apply`, up to the channel order: (C, H, W) uint8 before mean, std and scale (float resizers are rounded)."""
        pixels, _ = self._pixels(image, shape)
        if pixels.dtype != np.uint8:
            pixels = np.rint(pixels).clip(0, 255).astype(np.uint8)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def _pixels(self, image: ImageSource | np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, Size]:
        """(H, W, C) of the input's size, 0..255, in the net's channel order; and the size between resize and crop."""
        channels, height, width = (int(v) for v in shape[-3:])
        if channels not in (1, 3):
            raise ImageError(f"preprocessing '{self.name}': the net's input has {channels} channels; images have 1 (gray) or 3")
        pixels = self._decode(image, channels)
        pixels = self._scaled(pixels, self._resized_size(pixels.shape[:2], (height, width)))
        resized = (pixels.shape[0], pixels.shape[1])
        if self.crop is not None:
            pixels = self._cropped(pixels, (height, width) if self.crop == "input" else self.crop)  # type: ignore[arg-type]
        pixels = self._scaled(pixels, (height, width))
        return (pixels[:, :, ::-1] if self.order == "RGB" and channels == 3 else pixels), resized

    def _decode(self, image: ImageSource | np.ndarray, channels: int) -> np.ndarray:
        """(H, W, C) BGR or gray; uint8, or float32 in 0..255 for pycaffe's resizers."""
        if isinstance(image, np.ndarray):
            if image.ndim != 3 or image.shape[2] != channels or image.dtype != np.uint8:
                raise ImageError(f"preprocessing '{self.name}': the array is {image.dtype} {image.shape}; it must be uint8 of shape (H, W, "
                                 f"{channels})")
            return image.astype(np.float32) if self.resizer.startswith("pycaffe") else image
        if self.resizer.startswith("pycaffe"):
            # a factor commutes with the resize, so pycaffe's [0, 1] is left here already
            return load_image(image, color=channels == 3)[:, :, ::-1] * np.float32(255)
        pixels = decode_bgr(image, gray=channels == 1)
        return pixels[:, :, np.newaxis] if channels == 1 else pixels

    def _resized_size(self, given: tuple[int, ...], target: Size) -> Size:
        if self.resize is None:
            return given[0], given[1]
        if self.resize == "input":
            return target
        if isinstance(self.resize, tuple):
            return self.resize
        short, wanted = min(given[:2]), int(self.resize)
        if self.crop == "input" and wanted < max(target):
            # the customary 224 of 256, for nets with larger inputs
            wanted = round(max(target) / 0.875)
        # torchvision truncates the long side, everyone else rounds it
        to_int = int if self.resizer == "pillow" else round
        return tuple(wanted if v == short else max(wanted, to_int(v * wanted / short)) for v in given[:2])  # type: ignore[return-value]

    def least_size(self, shape: tuple[int, ...]) -> Size | None:
        """Height and width of a decoded image that are enough to resize it from; None when it must have all of its pixels.

        Parameters
        ----------
        shape : (C, H, W) or (N, C, H, W)
            Of the net's input.
        """
        if self.resize is None or self.resizer.startswith("pycaffe"):
            return None
        return self._resized_size((1, 1), (int(shape[-2]), int(shape[-1])))

    def _scaled(self, pixels: np.ndarray, size: Size) -> np.ndarray:
        if pixels.shape[:2] == size:
            return pixels
        if self.resizer == "opencv":
            return resize_bilinear(pixels, size)
        if self.resizer == "pillow":
            source = Image.fromarray(np.ascontiguousarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]))
            return np.asarray(source.resize((size[1], size[0]), Image.Resampling.BILINEAR)).reshape(size + (-1,))
        return resize_image(pixels, size, anti_aliasing=self.resizer == "pycaffe")

    def _cropped(self, pixels: np.ndarray, size: Size) -> np.ndarray:
        height, width = pixels.shape[:2]
        if size[0] > height or size[1] > width:
            raise ImageError(f"preprocessing '{self.name}': a crop of {size[0]}x{size[1]} does not fit into the image of {height}x{width} after the "
                             "resize; "
                             "resize to a larger size or crop less")
        y, x = _offset(height - size[0], self.resizer), _offset(width - size[1], self.resizer)
        return pixels[y:y + size[0], x:x + size[1]]

    def _normalise(self, out: np.ndarray, resized: Size) -> None:
        """(x - mean) / std * scale in place on (C, H, W) float32."""
        if self.mean_image is not None:
            out -= self._fitted_mean(out.shape, resized)
        elif self.mean is not None:
            out -= self._per_channel(self.mean, "mean", len(out))
        if self.std is not None:
            out /= self._per_channel(self.std, "std", len(out))
        if self.scale != 1.0:
            out *= np.float32(self.scale)

    def _per_channel(self, values: tuple[float, ...], what: str, channels: int) -> np.ndarray:
        if len(values) not in (1, channels):
            raise ImageError(f"preprocessing '{self.name}': {what} has {len(values)} values and the net's input {channels} channels; give one, or "
                             "one a channel")
        return np.array(values, dtype=np.float32).reshape(-1, 1, 1)

    def _fitted_mean(self, shape: tuple[int, ...], resized: Size) -> np.ndarray:
        mean = self.mean_image
        assert mean is not None
        if mean.shape[0] not in (1, shape[0]):
            raise ImageError(f"preprocessing '{self.name}': the mean image has {mean.shape[0]} channels and the net's input {shape[0]}")
        pixels = mean.transpose(1, 2, 0)
        if pixels.shape[:2] == resized and self.crop is not None:
            pixels = self._cropped(pixels, shape[1:] if self.crop == "input" else self.crop)  # type: ignore[arg-type]
        if pixels.shape[:2] != shape[1:]:
            pixels = resize_bilinear(np.ascontiguousarray(pixels), (shape[1], shape[2]))
        return pixels.transpose(2, 0, 1)


def _offset(spare: int, resizer: str) -> int:
    # torchvision rounds a half to the even neighbour, Caffe divides integers
    return round(spare / 2.0) if resizer == "pillow" else spare // 2


def _listed(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:g}" for v in values) + ")"


_CAFFE_MEAN = (104.0, 117.0, 123.0)
_TORCH_MEAN = tuple(255 * v for v in (0.485, 0.456, 0.406))
_TORCH_STD = tuple(255 * v for v in (0.229, 0.224, 0.225))

#: the known profiles; `caffe-tool` is how the vendor's tools and Caffe's ImageData layer feed images
PROFILES: dict[str, Preprocess] = {p.name: p for p in (
    Preprocess("caffe", resizer="pycaffe", mean=_CAFFE_MEAN),
    Preprocess("caffe-era", resizer="pycaffe-era", mean=_CAFFE_MEAN),
    Preprocess("caffe-tool", mean=_CAFFE_MEAN),
    Preprocess("caffe-crop", resize=256, crop="input", mean=_CAFFE_MEAN),
    Preprocess("mobilenet", resize=256, crop="input", mean=(127.5,), std=(127.5,)),
    Preprocess("mobilenet-0.017", resize=256, crop="input", mean=(103.94, 116.78, 123.68), scale=0.017),
    Preprocess("torch", resizer="pillow", order="RGB", resize=256, crop="input", mean=_TORCH_MEAN, std=_TORCH_STD),
    Preprocess("raw"),
)}


def preprocess_profile(name: str, **overrides: Any) -> Preprocess:
    """A profile by name, with explicit changes.

    Parameters
    ----------
    name : str
        A key of `PROFILES`.
    **overrides
        As the command line gives them, None meaning unchanged: `mean` ("104,117,123", numbers, array, or a .npy or .binaryproto file),
        `std` (divides), `scale` (multiplies), `resize` ("input", "256" = short side, "256x256", "none"), `crop` ("input", "224", "224x224",
        "none"), `order` ("BGR" or "RGB").

    Returns
    -------
    Preprocess

    Raises
    ------
    ImageError
        For an unknown profile, an unknown override, or a value that cannot be read.
    """
    base = PROFILES.get(name)
    if base is None:
        raise ImageError(f"preprocessing profile '{name}' is not known; known: {', '.join(PROFILES)}")
    given = {k: v for k, v in overrides.items() if v is not None}
    changes: dict[str, Any] = {}
    for key, value in given.items():
        if key == "mean":
            changes.update(_mean_fields(value))
        elif key == "std":
            changes["std"] = _values(value, "--std")
        elif key == "scale":
            changes["scale"] = _values(value, "--scale")[0]
        elif key == "resize":
            changes["resize"] = _size(value, "--resize", short_side=True)
        elif key == "crop":
            changes["crop"] = _size(value, "--crop", short_side=False)
        elif key == "order":
            changes["order"] = str(value).upper()
        else:
            raise ImageError(f"preprocessing override '{key}' is not known; known: mean, std, scale, resize, crop, order")
    return replace(base, **changes)


def _mean_fields(value: Any) -> dict[str, Any]:
    if isinstance(value, (str, Path)):
        text = str(value)
        if Path(text).suffix in (".npy", ".binaryproto") or Path(text).is_file():
            value = read_mean_file(text)
        else:
            return {"mean": parse_values(text, "--mean"), "mean_image": None}
    array = np.asarray(value, dtype=np.float32)
    if array.ndim <= 1:
        return {"mean": tuple(float(v) for v in array.reshape(-1)), "mean_image": None}
    return {"mean": None, "mean_image": np.ascontiguousarray(array.reshape((-1,) + array.shape[-2:]))}


def _values(value: Any, what: str) -> tuple[float, ...]:
    return parse_values(value, what) if isinstance(value, str) else tuple(float(v) for v in np.asarray(value, dtype=np.float64).reshape(-1))


def _size(value: Any, what: str, short_side: bool) -> Any:
    """"input", None, a short side or (height, width)."""
    text = "x".join(str(v) for v in value) if isinstance(value, (tuple, list)) else str(value).strip().lower()
    if text == "input":
        return text
    if text == "none":
        return None
    parts = text.split("x")
    if len(parts) > 2 or not all(p.strip().isdigit() and int(p) > 0 for p in parts):
        raise ImageError(f"{what} is '{value}'; it must be input, none, a number of pixels, or HEIGHTxWIDTH")
    sizes = [int(p) for p in parts]
    if len(sizes) == 1:
        return sizes[0] if short_side else (sizes[0], sizes[0])
    return sizes[0], sizes[1]
