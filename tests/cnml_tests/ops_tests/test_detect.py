"""Output layers of the vendor's detection networks."""
from __future__ import annotations

import numpy as np
import pytest

from cnml.errors import CnmlError
from cnml.ops.detect import ImageDetect, RegionOutput, Yolov3Detection
from cnml.reference.image_detect import ImageDetectOptions
from cnml.reference.region_output import RegionOptions, region_boxes
from cnml.reference.yolov3_detection import Yolov3Options, yolov3_boxes

ANCHORS = (1.08, 1.19, 3.42, 4.41)


def region(form="clean", confidence=0.1):
    """The options of the stored cases."""
    return RegionOptions(4, 3, 2, confidence, 0.45, ANCHORS, form)


def test_region_form_of_the_second_generation(data_dir):
    """The stored outputs of the MLU270 fork (whose layer has the name and fields of the MLU100 one)."""
    folder = data_dir / "vendor_golden/layers/cases/m270_detout2_batch2"
    got = RegionOutput(region("MLU270")).reference([np.load(folder / "inputs.npz")["data"]], [])[0]
    want = np.load(folder / "outputs.npz")["out"]
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_region_boxes_of_zeros_are_the_anchors():
    boxes, confidences = region_boxes(np.zeros((16, 4, 4)), region())
    np.testing.assert_allclose(boxes[0], [0.125, 0.125, 1.08 / 4, 1.19 / 4], rtol=1e-6)
    np.testing.assert_allclose(boxes[-1], [0.875, 0.875, 3.42 / 4, 4.41 / 4], rtol=1e-6)
    np.testing.assert_allclose(confidences, 0.5 / 3, rtol=1e-6)


def test_clean_region_form_treats_images_alone(rng):
    x = 2 * rng.standard_normal((2, 16, 4, 4)).astype(np.float32)
    both = RegionOutput(region()).reference([x], [])[0][0, 0]
    for i in (0, 1):
        alone = RegionOutput(region()).reference([x[i:i + 1]], [])[0][0, 0]
        np.testing.assert_array_equal(both[both[:, 0] == i][:, 1:], alone[:, 1:])
    empty = RegionOutput(region(confidence=2.0)).reference([x], [])[0]
    assert empty[0, 0, :, :2].tolist() == [[0, -1], [1, -1]]


def test_one_detection_of_yolov3():
    """A single strong cell: its box in pixels, the count in front."""
    x = np.full((1, 7, 2, 2), -20, np.float32)
    x[0, :4, 1, 0] = 0
    x[0, 4:6, 1, 0] = 20
    options = Yolov3Options(2, 8, 0.5, 0.45, 1, (16.0, 32.0), (64, 64))
    y = Yolov3Detection(options).reference([x], [])[0].reshape(-1)
    assert y[0] == 1 and y.size == 64 + 56 and (y[1:64] == -1).all() and (y[71:] == -1).all()
    np.testing.assert_allclose(y[64:71], [0, 0, 1, 8 / 64, 32 / 64, 24 / 64, 64 / 64], rtol=1e-5)


def test_yolov3_boxes_grow_with_the_anchor():
    boxes, _, _ = yolov3_boxes(np.zeros((12, 2, 2)), np.array([[4, 6], [8, 10]]), Yolov3Options(1, 8, 0.5, 0.45, 2, (4, 6, 8, 10), (64, 64)))
    np.testing.assert_allclose(boxes[:2, 2:] - boxes[:2, :2], [(4, 6), (8, 10)])


def test_image_detect_keeps_the_better_of_two():
    rois = np.array([[0, 10, 10, 29, 29], [0, 11, 11, 30, 30], [0, 60, 60, 79, 79]], np.float32)
    scores = np.array([[0.1, 0.6], [0.1, 0.9], [0.1, 0.04]], np.float32)
    y = ImageDetect(ImageDetectOptions(2, 100, 100, confidence=0.5)).reference([np.zeros((3, 8), np.float32), scores, rois], [])[0]
    assert y.shape == (1, 6, 1, 6) and (y[0, 1:] == 0).all()
    np.testing.assert_allclose(y[0, 0, 0], [11, 11, 31, 31, 1, 0.9], rtol=1e-6)


@pytest.mark.parametrize(("op", "shapes"), [
    (RegionOutput(region()), [(1, 15, 4, 4)]), (RegionOutput(RegionOptions(4, 3, 2, 0.1, 0.4, (1.0,))), [(1, 16, 4, 4)]),
    (ImageDetect(ImageDetectOptions(2)), [(3, 8), (3, 3), (3, 5)]), (ImageDetect(ImageDetectOptions(0)), [(3, 0), (3, 0), (3, 5)]),
    (Yolov3Detection(Yolov3Options(2, 8, 0.5, 0.4, 1, (1.0, 2.0), (64, 64))), [(1, 8, 2, 2)]),
    (Yolov3Detection(Yolov3Options(2, 8, 0.5, 0.4, 1, (1.0,), (64, 64))), [(1, 7, 2, 2)]),
    (Yolov3Detection(Yolov3Options(2, 0, 0.5, 0.4, 1, (1.0, 2.0), (64, 64))), [(1, 7, 2, 2)])])
def test_shapes_that_do_not_fit_are_refused(op, shapes):
    with pytest.raises(CnmlError):
        op.reshape(shapes, [])
