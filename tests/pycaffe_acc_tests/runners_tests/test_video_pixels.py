"""Files of video pixels."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.runners.batches import batches
from pycaffe_acc.runners.figures import Figure
from pycaffe_acc.runners.pixels import Preparation
from pycaffe_acc.runners.video_pixels import read_frame


@pytest.fixture
def frame(rng):
    """Of 4 x 6 pixels, with line feeds among its bytes."""
    values = rng.integers(0, 256, (6, 6)).astype(np.uint8)
    values[0, :3] = 10
    return values


def test_both_kinds_of_files(tmp_path, frame):
    frame.tofile(tmp_path / "plain")
    (tmp_path / "lines").write_bytes(b"".join(bytes([b]) + b"\n" for b in frame.tobytes()))
    for name in ("plain", "lines"):
        np.testing.assert_array_equal(read_frame(tmp_path / name, 6, 6)[:, :, 0], frame)


def test_files_that_are_no_frames(tmp_path, frame):
    (tmp_path / "short").write_bytes(b"12")
    (tmp_path / "odd").write_bytes(bytes(72))
    with pytest.raises(ImageError, match="has 2 bytes; 6 x 4 pixels in YUV420SP have 36, or 72"):
        read_frame(tmp_path / "short", 6, 6)
    with pytest.raises(ImageError, match="no line feed behind each"):
        read_frame(tmp_path / "odd", 6, 6)
    with pytest.raises(MissingFileError):
        read_frame(tmp_path / "none", 6, 6)


def test_a_batch(tmp_path, frame):
    """Values as they are, and the picture's size for whoever places boxes in it."""
    frame.tofile(tmp_path / "a")
    batch, = batches([Figure("a", tmp_path / "a", 3)], 2, Preparation((1, 6, 6), video=True), print)
    np.testing.assert_array_equal(batch.values[0, 0], frame)
    assert batch.sizes == [(4, 6), (4, 6)] and batch.labels == [3, -1]


@pytest.mark.parametrize("shape", [(3, 6, 6), (1, 7, 6), (1, 6, 5)])
def test_nets_that_take_none(shape):
    with pytest.raises(CheckError, match="-yuv 1 feeds frames of one channel"):
        Preparation(shape, video=True)
