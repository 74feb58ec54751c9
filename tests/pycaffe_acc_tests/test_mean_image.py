"""Mean image of a database."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.datum import parse_datum
from pycaffe_acc.errors import BinaryProtoError, CheckError
from pycaffe_acc.image_datum import encode_image, pixels_datum
from pycaffe_acc.lmdb_writer import new_lmdb
from pycaffe_acc.mean_file import read_mean_file
from pycaffe_acc.mean_image import channel_means, mean_blob, mean_image
from pycaffe_acc.proto import caffe_pb2


def write(path, datums):
    """A database of messages."""
    with new_lmdb(path) as database:
        for i, datum in enumerate(datums):
            database.put(f"{i:08d}", datum.SerializeToString())
    return str(path)


def test_mean_of_pixels_encoded_images_and_floats(tmp_path, rng):
    planes = rng.integers(0, 256, (5, 3, 6, 4), np.uint8)
    datums = [pixels_datum(p, 0) for p in planes[:3]]
    datums.append(caffe_pb2.Datum(data=encode_image(planes[3].transpose(1, 2, 0), "png", ""), encoded=True))
    datums.append(caffe_pb2.Datum(channels=3, height=6, width=4, float_data=planes[4].ravel() + 0.5))
    seen = []
    mean, count = mean_image(write(tmp_path / "db", datums), seen.append)
    assert count == 5 and seen == [1, 2, 3, 4, 5] and mean.dtype == np.float32
    expected = (planes.astype(np.float64).sum(0) + 0.5) / 5
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    np.testing.assert_allclose(channel_means(mean), expected.mean((1, 2)), rtol=1e-6)
    (tmp_path / "mean.binaryproto").write_bytes(mean_blob(mean).SerializeToString())
    np.testing.assert_array_equal(read_mean_file(tmp_path / "mean.binaryproto"), mean)


def test_channel_means_add_in_float32_one_by_one():
    plane = np.full((1, 1, 2**17), 200.1, np.float32)
    total = np.float32(0)
    for value in plane.ravel():
        total += value
    assert channel_means(plane) == [float(total / np.float32(2**17))]
    assert channel_means(plane)[0] != pytest.approx(200.1, rel=1e-6)


def test_refusals(tmp_path):
    with pytest.raises(CheckError, match=r"record '00000001' .* shape \(3, 2, 2\) and the first record \(1, 2, 2\)"):
        mean_image(write(tmp_path / "a", [pixels_datum(np.zeros((c, 2, 2), np.uint8), 0) for c in (1, 3)]))
    with pytest.raises(CheckError, match="is empty"):
        mean_image(write(tmp_path / "b", []))
    with new_lmdb(tmp_path / "c") as database:
        database.put("k", b"\xff\xff")
    with pytest.raises(BinaryProtoError, match="record 'k'"):
        mean_image(str(tmp_path / "c"))
    assert parse_datum(b"", "d").label == 0
