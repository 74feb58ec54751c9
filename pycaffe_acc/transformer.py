"""The preprocessing of pycaffe: from an image to a net's input, and back."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pycaffe_acc.image_error import ImageError
from pycaffe_acc.pycaffe_resize import resize_image


class Transformer:
    """Turn images (H x W x C) into net inputs.

    The order is fixed, whatever order the setters are called in: resize, transpose, channel_swap, raw_scale, mean, input_scale. The mean is
    subtracted after raw_scale and before input_scale.

    Parameters
    ----------
    inputs : mapping of str to shape
        Input blob name → (N, C, H, W), e.g. `{"data": net.blobs["data"].data.shape}`.
    """

    def __init__(self, inputs: Mapping[str, Sequence[int]]):
        self.inputs = inputs
        self.transpose: dict[str, Sequence[int]] = {}
        self.channel_swap: dict[str, Sequence[int]] = {}
        self.raw_scale: dict[str, float] = {}
        self.mean: dict[str, np.ndarray] = {}
        self.input_scale: dict[str, float] = {}

    def _check_input(self, in_: str) -> None:
        if in_ not in self.inputs:
            raise ImageError(f"Transformer: '{in_}' is not one of the net inputs: {', '.join(map(str, self.inputs))}")

    def _stages(self, in_: str, data: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """Name and result of each stage; a stage that is not set does not appear. The arrays may be one and the same memory."""
        out = data.astype(np.float32, copy=False)
        stages = [("image", out)]
        dims = tuple(self.inputs[in_][2:])
        if tuple(out.shape[:2]) != dims:
            out = resize_image(out, (dims[0], dims[1]))
            stages.append(("resize", out))
        if self.transpose.get(in_) is not None:
            out = out.transpose(self.transpose[in_])
            stages.append(("transpose", out))
        if self.channel_swap.get(in_) is not None:
            out = out[list(self.channel_swap[in_]), :, :]
            stages.append(("channel_swap", out))
        return stages

    def preprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """Make the input `in_` of an image.

        As in pycaffe the arithmetic is done in place: a float32 image that needs neither resize nor channel swap is changed itself (`transpose` is
        only a view). Pass a copy to keep it.

        Parameters
        ----------
        in_ : str
            Input blob name.
        data : (H, W, C) array

        Returns
        -------
        (C, H, W) float32, without the batch axis

        Raises
        ------
        ImageError
            When `in_` is no input, or the image does not fit.
        """
        self._check_input(in_)
        out = self._stages(in_, data)[-1][1]
        if self.raw_scale.get(in_) is not None:
            out *= np.float32(self.raw_scale[in_])
        if self.mean.get(in_) is not None:
            _subtract(out, self.mean[in_])
        if self.input_scale.get(in_) is not None:
            out *= np.float32(self.input_scale[in_])
        return out

    def explain(self, img: np.ndarray, in_: str | None = None) -> str:
        """Print and return what each stage does to an image: shape, minimum, maximum, mean, and a warning where the range looks wrong.

        Parameters
        ----------
        img : (H, W, C) array
            Not changed.
        in_ : str, optional
            Input blob name; default the first input.

        Returns
        -------
        str
        """
        name = next(iter(self.inputs)) if in_ is None else in_
        self._check_input(name)
        stages = self._stages(name, np.array(img, dtype=np.float32))
        out = stages[-1][1].copy()
        if self.raw_scale.get(name) is not None:
            out = out * np.float32(self.raw_scale[name])
            stages.append((f"raw_scale {self.raw_scale[name]:g}", out))
        scaled = out
        if self.mean.get(name) is not None:
            out = out.copy()
            _subtract(out, self.mean[name])
            stages.append(("mean", out))
        if self.input_scale.get(name) is not None:
            stages.append((f"input_scale {self.input_scale[name]:g}", out * np.float32(self.input_scale[name])))
        lines = [f"{'stage':<20} {'shape':<18} {'min':>10} {'max':>10} {'mean':>10}"]
        lines += [f"{stage:<20} {str(a.shape):<18} {a.min():>10.4g} {a.max():>10.4g} {a.mean():>10.4g}" for stage, a in stages]
        lines += self._warnings(name, scaled)
        text = "\n".join(lines)
        print(text)  # noqa: T201 - printing is what it is for
        return text

    def _warnings(self, in_: str, scaled: np.ndarray) -> list[str]:
        mean = self.mean.get(in_)
        if scaled.max() > 1.0 or mean is None or np.abs(mean).max() <= 1.0:
            return []
        return [f"warning: the image is at most {scaled.max():.3g} where the mean (up to {np.abs(mean).max():.4g}) is subtracted; "
                "load_image gives [0, 1], so set_raw_scale(…, 255) is probably missing"]

    def deprocess(self, in_: str, data: np.ndarray) -> np.ndarray:
        """Undo `preprocess`, except for the resize.

        Parameters
        ----------
        in_ : str
        data : (C, H, W) or (1, C, H, W) array

        Returns
        -------
        (H, W, C) array
            A copy; axes of extent 1 are removed, as in pycaffe.
        """
        self._check_input(in_)
        out = data.copy().squeeze()
        if self.input_scale.get(in_) is not None:
            out /= out.dtype.type(self.input_scale[in_])
        if self.mean.get(in_) is not None:
            out += self.mean[in_].astype(out.dtype, copy=False)
        if self.raw_scale.get(in_) is not None:
            out /= out.dtype.type(self.raw_scale[in_])
        if self.channel_swap.get(in_) is not None:
            out = out[np.argsort(self.channel_swap[in_]), :, :]
        if self.transpose.get(in_) is not None:
            out = out.transpose(np.argsort(self.transpose[in_]))
        return out

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        """Order of the image's axes in the input: (2, 0, 1) for H x W x C → C x H x W.

        Raises
        ------
        ImageError
            When its length is not that of the input's shape without the batch axis.
        """
        self._check_input(in_)
        wanted = len(self.inputs[in_]) - 1
        if len(order) != wanted:
            raise ImageError(f"Transformer.set_transpose('{in_}', {tuple(order)}): the input has {wanted} axes besides the batch, so the order must "
                             f"name {wanted}")
        self.transpose[in_] = order

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        """Order of the channels, after the transpose: (2, 1, 0) for RGB → BGR.

        Raises
        ------
        ImageError
            When its length is not the input's number of channels.
        """
        self._check_input(in_)
        if len(order) != self.inputs[in_][1]:
            raise ImageError(f"Transformer.set_channel_swap('{in_}', {tuple(order)}): the input has {self.inputs[in_][1]} channels, the order names "
                             f"{len(order)}")
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_: str, scale: float) -> None:
        """Factor before the mean: 255 for images in [0, 1] and a mean in [0, 255]."""
        self._check_input(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_: str, mean: np.ndarray) -> None:
        """What to subtract, in the input's channel order and range after raw_scale.

        Parameters
        ----------
        in_ : str
        mean : (C,) array, or (C, H, W) or (H, W) array
            One value a channel, or a mean image; one of another size is resized.

        Raises
        ------
        ImageError
            When channels or axes do not fit the input.
        """
        self._check_input(in_)
        mean = np.asarray(mean)
        shape = tuple(self.inputs[in_][1:])
        if mean.ndim == 1:
            if mean.shape[0] != shape[0]:
                raise ImageError(f"Transformer.set_mean('{in_}'): the mean has {mean.shape[0]} values and the input {shape[0]} channels; they must "
                                 "be equal")
            self.mean[in_] = mean[:, np.newaxis, np.newaxis]
            return
        given = (1,) + mean.shape if mean.ndim == 2 else mean.shape
        if len(given) != 3 or given[0] not in (1, shape[0]):
            raise ImageError(f"Transformer.set_mean('{in_}'): the mean has the shape {mean.shape}; it must be ({shape[0]},) or {shape} "
                             "(an array of a binaryproto has a batch axis in front: pass mean[0])")
        self.mean[in_] = mean if given[1:] == shape[1:] else _resized_mean(mean.reshape(given), shape[1:])

    def set_input_scale(self, in_: str, scale: float) -> None:
        """Factor after the mean: 0.017 for MobileNet and DenseNet."""
        self._check_input(in_)
        self.input_scale[in_] = scale


def _resized_mean(mean: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
    """A (C, H, W) mean image resized to (C, h, w)."""
    return resize_image(mean.transpose((1, 2, 0)), (dims[0], dims[1])).transpose((2, 0, 1))


def _subtract(out: np.ndarray, mean: np.ndarray) -> None:
    # in the wider of both types, rounded once, as NumPy's in-place subtraction does
    try:
        np.subtract(out, mean, out=out, casting="same_kind")
    except ValueError as e:
        raise ImageError(f"Transformer: the image is {out.shape} where the mean {mean.shape} is subtracted; channels must come first: "
                         "set_transpose(…, (2, 0, 1))") from e
