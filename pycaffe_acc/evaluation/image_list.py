"""Lists of `path label` lines, and the images they name."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.image_load import decode_bgr, load_image


class ImageList:
    """Pictures with labels.

    Parameters
    ----------
    paths : sequence of Path
    labels : sequence of int
    name : str
        Shown in reports.
    as_pycaffe : bool
        Read pictures as pycaffe does, which ignores their EXIF orientation, rather than as OpenCV does.

    Attributes
    ----------
    least : (int, int) or None
        Height and width that are enough: a JPEG may be decoded at a half, a quarter or an eighth of its size if it stays that large.
    """

    def __init__(self, paths: Sequence[Path], labels: Sequence[int], name: str, as_pycaffe: bool = False):
        self._paths = list(paths)
        self._as_pycaffe = as_pycaffe
        self.labels = np.asarray(labels, np.int64)
        self.name = name
        self.least: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self._paths)

    def where(self, index: int) -> str:
        """The path of picture `index`."""
        return str(self._paths[index])

    def read(self, index: int, channels: int) -> np.ndarray:
        """Decode picture `index`: (H, W, channels) uint8, BGR or gray."""
        if self._as_pycaffe:
            return np.rint(load_image(self._paths[index], color=channels != 1) * np.float32(255)).astype(np.uint8)[:, :, ::-1]
        pixels = decode_bgr(self._paths[index], gray=channels == 1, least=self.least)
        return pixels[:, :, None] if pixels.ndim == 2 else pixels


def read_image_list(path: str | Path, root: str | Path | None = None, as_pycaffe: bool = False) -> ImageList:
    """Read a list of `path label` lines.

    Parameters
    ----------
    path : str or Path
        Text, UTF-8. Empty lines are passed over. The label is the last word of a line, so paths may hold spaces.
    root : str or Path, optional
        Folder of the pictures; default: the list's own folder.
    as_pycaffe : bool
        See `ImageList`.

    Returns
    -------
    ImageList

    Raises
    ------
    MissingFileError, CheckError
        Naming file and line.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, "image list")
    folder = Path(root) if root is not None else path.parent
    if not folder.is_dir():
        raise MissingFileError(folder, "image folder")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise CheckError(f"{path}: the list is not UTF-8 text ({e}); it must hold lines of 'path label'") from e
    paths, labels = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.isdigit():
            raise CheckError(f"{path}:{number}: the line '{line.strip()[:80]}' is not 'path label' with a label of 0 or more")
        paths.append(folder / name.strip())
        labels.append(int(label))
    if not paths:
        raise CheckError(f"{path}: the list names no images; it must hold lines of 'path label'")
    return ImageList(paths, labels, path.name, as_pycaffe)
