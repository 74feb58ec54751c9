"""Pictures of a set as a camera would have sent them: as large as photographs, coded as JPEG."""
from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.provider import image_name
from pycaffe_acc.image_load import decode_bgr

_QUALITY = 90
_THREADS = 2


class Photographs:
    """Pictures of a set, enlarged and coded anew.

    Sets that are handed around hold small pictures, which take no time to decode. Where that time is the question, these stand for what users
    have. The files are in memory, made before anything is timed.

    Parameters
    ----------
    dataset : Dataset
        Of coloured pictures.
    factor : int
        Of height and width.

    Attributes
    ----------
    name : str
    labels : (N,) int64
    """

    def __init__(self, dataset: Dataset, factor: int):
        self._dataset, self.labels = dataset, np.asarray(dataset.labels)
        self.name = f"{dataset.name} (enlarged {factor} times, JPEG)"
        with ThreadPoolExecutor(_THREADS) as pool:  # Pillow lets other threads run while it works
            self._files = list(pool.map(lambda i: _enlarged(dataset.read(i, 3), factor), range(len(dataset))))

    def __len__(self) -> int:
        return len(self._files)

    def read(self, index: int, channels: int) -> np.ndarray:
        """Decode picture `index`, as `Dataset.read`."""
        pixels = decode_bgr(self._files[index], gray=channels == 1)
        return pixels[:, :, None] if pixels.ndim == 2 else pixels

    def where(self, index: int) -> str:
        """What a picture is called."""
        return image_name(self._dataset, index)


def _enlarged(bgr: np.ndarray, factor: int) -> bytes:
    picture = Image.fromarray(np.ascontiguousarray(bgr[:, :, ::-1]))
    stream = io.BytesIO()
    picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
