"""What the training script of the CIFAR-10 ResNet-50 learns from: pictures, parts of them, changes of them, rates. No PyTorch needed."""
from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.errors import CheckError, MissingFileError

pytestmark = pytest.mark.usefixtures("scripts_on_path")


def part(name):
    """A module of scripts/cifar_training."""
    return importlib.import_module(f"cifar_training.{name}")


def test_binary_batches(cifar):
    folder, images, labels = cifar
    found, known = part("labelled_images").read_training_set(folder)
    assert found.dtype == np.uint8 and known.dtype == np.int64
    np.testing.assert_array_equal(found, images)
    np.testing.assert_array_equal(known, labels)


def test_damaged_batches_are_refused(cifar):
    folder, *_ = cifar
    read = part("labelled_images").read_training_set
    path = folder / "data_batch_3.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(CheckError, match=r"data_batch_3\.bin: has \d+ bytes, no whole number of records of 3073"):
        read(folder)
    path.write_bytes(b"\x0a" + whole[1:])
    with pytest.raises(CheckError, match="record 0 has the label 10"):
        read(folder)
    path.unlink()
    with pytest.raises(MissingFileError, match=r"data_batch_3\.bin"):
        read(folder)


def test_pickled_batches_are_not_read(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(b"")
    with pytest.raises(CheckError, match="pickled; take the binary version"):
        part("labelled_images").read_training_set(tmp_path)


def test_labelled_archive_and_mean(tmp_path, rng):
    images, labels = rng.integers(0, 256, (4, 3, 32, 32), np.uint8), np.array([0, 9, 3, 3])
    np.savez(tmp_path / "some.npz", images=images, labels=labels)
    labelled = part("labelled_images")
    found, known = labelled.read_labelled(tmp_path / "some.npz")
    np.testing.assert_array_equal(found, images)
    np.testing.assert_array_equal(known, labels)
    np.savez(tmp_path / "other.npz", images=images, labels=labels + 1)
    with pytest.raises(CheckError, match="labels from 0 to 9"):
        labelled.read_labelled(tmp_path / "other.npz")
    np.save(tmp_path / "mean.npy", np.array([1, 2, 3.]))
    mean = labelled.read_mean(tmp_path / "mean.npy")
    assert mean.shape == (3, 32, 32) and mean.dtype == np.float32 and mean[2, 5, 5] == 3
    np.testing.assert_array_equal(labelled.centred(images, mean)[:, 1], images[:, 1].astype(np.float32) - 2)
    np.save(tmp_path / "mean.npy", np.zeros((32, 32)))
    with pytest.raises(CheckError, match=r"the shape \(32, 32\)"):
        labelled.read_mean(tmp_path / "mean.npy")


def test_shifts_and_flips(rng):
    augmentation = part("augmentation")
    inputs = rng.normal(size=(200, 1, 6, 6)).astype(np.float32)
    flipped = augmentation.flipped(inputs, rng)
    same = (flipped == inputs).all((1, 2, 3))
    assert 60 < same.sum() < 140
    np.testing.assert_array_equal(flipped[~same], inputs[~same][..., ::-1])
    moves = set()
    for before, after in zip(inputs, augmentation.shifted(inputs, rng, pad=1), strict=True):
        around = np.pad(before, ((0, 0), (1, 1), (1, 1)))
        moves |= {(y, x) for y in range(3) for x in range(3) if (around[:, y:y + 6, x:x + 6] == after).all()}
    assert len(moves) == 9


def test_mixing(rng):
    inputs = np.broadcast_to(np.arange(100, dtype=np.float32)[:, None, None, None], (100, 3, 2, 2))
    mixed, changed = part("augmentation").mixed(inputs, 0.4, rng)
    assert 20 < changed.sum() < 60 and mixed.dtype == np.float32
    np.testing.assert_array_equal(mixed[~changed], inputs[~changed])
    moved = np.abs(mixed - inputs)[:, 0, 0, 0]
    assert (moved[changed] > 0).mean() > 0.9 and moved.max() <= 50
    assert not part("augmentation").mixed(inputs, 0, rng)[1].any()


def test_learning_rate():
    rates = [part("schedule").learning_rate(i, 100, 0.5, 10) for i in range(100)]
    assert rates[:11] == sorted(rates[:11]) and rates[10] == max(rates) == 0.5
    assert rates[10:] == sorted(rates[10:], reverse=True) and 0 < rates[-1] < 0.001
    assert math.isclose(rates[55], 0.25)
    assert part("schedule").learning_rate(0, 5, 0.5, 0) == 0.5


def test_boxes_lie_in_the_picture(rng):
    shares = []
    for _ in range(500):
        left, top, right, bottom = part("picture_crops").random_box(60, 90, rng, 0.25)
        assert 0 <= left < right <= 90 and 0 <= top < bottom <= 60
        shares.append((right - left) * (bottom - top) / 5400)
        assert 0.7 < (right - left) / (bottom - top) < 1.6
    assert 0.24 < min(shares) < 0.35 and max(shares) > 0.85


def test_crops_of_listed_pictures(tmp_path, rng):
    picture_crops = part("picture_crops")
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    for i, colour in enumerate(colours):
        Image.new("RGB", (300 + i, 200 - 90 * i), colour).save(tmp_path / f"{i}.png")
    (tmp_path / "list.txt").write_text("0.png 0\n1.png 7\n2.png 1\n", encoding="utf-8")
    pictures = picture_crops.read_pictures([(tmp_path / "list.txt", None)])
    assert [p.shape for p in pictures] == [(128, 192, 3), (110, 301, 3), (20, 302, 3)]
    found = picture_crops.crops(pictures, 30, rng)
    assert found.shape == (30, 3, 32, 32) and found.dtype == np.uint8
    assert {tuple(c[:, 0, 0]) for c in found} == set(colours)
    assert (found == found[:, :, :1, :1]).all()
    learned, held = picture_crops.split(pictures, every=2)
    assert [p.shape[1] for p in learned] == [301] and [p.shape[1] for p in held] == [192, 302]
    with pytest.raises(CheckError, match="must be two"):
        picture_crops.split(pictures[:1])


def test_the_same_generator_gives_the_same_crops(rng):
    pictures = [rng.integers(0, 256, (40, 50, 3), np.uint8)]
    first, again, other = (part("picture_crops").crops(pictures, 4, np.random.default_rng((5, n))) for n in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
