"""Damaged image files: a picture or an ImageError, never anything else."""
from __future__ import annotations

import io
import random
import warnings

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.image_error import ImageError
from pycaffe_acc.image_load import decode_bgr, load_image
from pycaffe_acc.runners.batches import batches
from pycaffe_acc.runners.figures import Figure
from pycaffe_acc.runners.pixels import Preparation

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "PPM", "TGA", "DDS", "SGI")


def image_file(kind):
    """The bytes of a small picture."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8))
    stream, more = io.BytesIO(), {}
    if kind == "JPEG":
        exif = picture.getexif()
        exif[0x0112], exif[0x010E] = 6, "a description"
        more = {"exif": exif}
    try:
        picture.save(stream, kind, **more)
    except (KeyError, OSError):
        pytest.skip(f"this Pillow cannot write {kind}")
    return stream.getvalue()


def damaged(data, rng):
    """Bytes changed, cut off or put in, most of them near the beginning."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(min(len(out), rng.choice((40, 200, len(out)))))
        kind = rng.random()
        if kind < 0.6:
            out[at] = rng.randrange(256)
        elif kind < 0.8:
            out = out[:at + 1]
        else:
            out[at:at] = bytes([rng.randrange(256)] * rng.randrange(1, 9))
    return bytes(out)


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files(kind):
    data, rng, refused = image_file(kind), random.Random(kind), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about what it repaired
        for _ in range(150):
            torn = damaged(data, rng)
            for read in (decode_bgr, lambda b: decode_bgr(b, gray=True, least=(4, 4)), load_image):
                try:
                    assert read(torn).size > 0
                except ImageError:
                    refused += 1
    assert refused > 0


def test_a_runner_passes_over_them(tmp_path):
    """What raised a ValueError inside Pillow once."""
    (tmp_path / "torn.dds").write_bytes(image_file("DDS")[:300])
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "good.png")
    said = []
    figures = [Figure(name, tmp_path / name, 0) for name in ("torn.dds", "good.png")]
    (batch,) = batches(figures, 1, Preparation((3, 4, 4)), said.append)
    assert batch.names == ["good.png"] and said == ["failed to read torn.dds"]
