"""Mean average precision against VOC annotations."""
from __future__ import annotations

import json

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.voc_map import (
    Detection,
    Truth,
    average_precision,
    class_precisions,
    image_names,
    overlap,
    read_annotation,
    read_detections,
)
from pycaffe_acc.tools.main import main

ANNOTATION = """<annotation><filename>x.jpg</filename><size><width>200</width><height>100</height><depth>3</depth></size>OBJECTS</annotation>"""
OBJECT = """<object><name>NAME</name><pose>Left</pose><truncated>0</truncated><difficult>DIFFICULT</difficult>
<bndbox><xmin>XMIN</xmin><ymin>YMIN</ymin><xmax>XMAX</xmax><ymax>YMAX</ymax></bndbox></object>"""


def xml_object(name, box, difficult="0"):
    """An object in pixels."""
    text = OBJECT.replace("NAME", name).replace("DIFFICULT", difficult)
    for word, value in zip(("XMIN", "YMIN", "XMAX", "YMAX"), box, strict=True):
        text = text.replace(word, str(value))
    return text


def truth(label, *box, difficult=False):
    """A Truth."""
    return Truth(label, np.array(box, float), difficult)


def found(label, score, *box):
    """A Detection."""
    return Detection(label, score, np.array(box, float))


def slow_average_precision(hits, misses, objects):
    """The definition: for each recall that is reached, the best precision at it or beyond."""
    tp = fp = 0
    points = []
    for hit, miss in zip(hits, misses, strict=True):
        tp, fp = tp + hit, fp + miss
        points.append((tp, tp / max(tp + fp, 1)))
    return sum(max((p for t, p in points if t >= k), default=0) for k in range(1, objects + 1)) / objects


@pytest.mark.parametrize("seed", range(20))
def test_average_precision_is_its_definition(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(0, 30))
    hits = random.random(n) < 0.5
    misses = ~hits & (random.random(n) < 0.8)
    objects = int(hits.sum() + random.integers(0, 4)) or 1
    assert average_precision(hits, misses, objects) == pytest.approx(slow_average_precision(hits, misses, objects))


def test_known_curve():
    # right, wrong, right of 4 objects: 1 up to recall 1/4, then 2/3 up to 1/2
    assert average_precision(np.array([1, 0, 1], bool), np.array([0, 1, 0], bool), 4) == pytest.approx(0.25 + 0.25 * 2 / 3)


def test_overlap():
    boxes = np.array([[0, 0, 1, 1], [0.5, 0, 1.5, 1], [2, 2, 3, 3], [0, 0, 0, 0]], float)
    np.testing.assert_allclose(overlap(boxes, boxes[0]), [1, 1 / 3, 0, 0])
    np.testing.assert_array_equal(overlap(boxes[3:], boxes[3]), [0])


def test_exactly_half_is_not_enough():
    truths = [[truth("a", 0, 0, 1, 1)]]
    assert class_precisions(truths, [[found("a", 1, 0, 0, 1, 0.5)]]) == {"a": 0.0}
    assert class_precisions(truths, [[found("a", 1, 0, 0, 1, 0.51)]]) == {"a": 1.0}


def test_classes_images_and_order():
    truths = [[truth("b", 0, 0, 1, 1), truth("a", 0, 0, 1, 1)], [truth("a", 0, 0, 1, 1)], []]
    detections = [[found("c", 1, 0, 0, 1, 1)], [found("a", 0.5, 0, 0, 1, 1), found("a", 0.4, 0, 0, 1, 1)], [found("a", 0.9, 0, 0, 1, 1)]]
    result = class_precisions(truths, detections)
    # a: wrong image first, then right, then the same object again
    assert list(result) == ["a", "b"] and result["b"] == 0
    assert result["a"] == pytest.approx(0.5 * 0.5)


def test_difficult_objects_are_neither_found_nor_missed():
    truths = [[truth("a", 0, 0, 1, 1, difficult=True), truth("a", 2, 2, 3, 3)], [truth("b", 0, 0, 1, 1, difficult=True)]]
    detections = [[found("a", 0.9, 0, 0, 1, 1), found("a", 0.8, 0, 0, 1, 1), found("a", 0.7, 2, 2, 3, 3)], [found("b", 1, 5, 5, 6, 6)]]
    assert class_precisions(truths, detections) == {"a": 1.0}


def test_a_second_detection_may_take_the_next_object_when_vendor_exact():
    # both detections overlap the first object most, and the second by more than one half
    truths = [[truth("a", 0, 0, 10, 10), truth("a", 0, 2, 10, 12)]]
    detections = [[found("a", 0.9, 0, 0, 10, 10), found("a", 0.8, 0, 0.4, 10, 10.4)]]
    assert class_precisions(truths, detections) == {"a": 0.5}
    assert class_precisions(truths, detections, vendor_exact=True) == {"a": 1.0}


def test_files(tmp_path):
    objects = xml_object("dog", (20, 10, 120, 60)) + xml_object("cat", (0, 0, 200, 100), "1")
    (tmp_path / "x.xml").write_text(ANNOTATION.replace("OBJECTS", objects))
    dog, cat = read_annotation(tmp_path / "x.xml")
    assert (dog.label, dog.difficult, cat.label, cat.difficult) == ("dog", False, "cat", True)
    np.testing.assert_allclose(dog.box, [0.1, 0.1, 0.6, 0.6])
    (tmp_path / "x.txt").write_text("dog 0.5 0.1 0.2 0.3 0.4\n\ncat 1e-2 0 0 1 1 \n")
    first, second = read_detections(tmp_path / "x.txt")
    assert (first.label, first.score, first.box.tolist(), second.score) == ("dog", 0.5, [0.1, 0.2, 0.3, 0.4], 0.01)
    (tmp_path / "list").write_text("/d/VOC/000001.jpg\n\nsub/000002.jpg 0\n000003\n")
    assert image_names(tmp_path / "list") == ["000001", "000002", "000003"]


@pytest.mark.parametrize(("objects", "message"), [
    ("<object>", "is no PASCAL VOC annotation"),
    ("<object><name>a</name></object>", "<object> has no bndbox/xmin"),
    (xml_object("a", (0, 0, "x", 1)), "could not convert"),
])
def test_annotations_that_are_none(tmp_path, objects, message):
    (tmp_path / "x.xml").write_text(ANNOTATION.replace("OBJECTS", objects))
    with pytest.raises(CheckError, match=message):
        read_annotation(tmp_path / "x.xml")


def test_bad_files(tmp_path):
    (tmp_path / "x.xml").write_text(ANNOTATION.replace("<width>200", "<width>0"))
    with pytest.raises(CheckError, match="size is 0 x 100"):
        read_annotation(tmp_path / "x.xml")
    for line in ("dog 0.5 1 2 3", "dog high 1 2 3 4", "dog"):
        (tmp_path / "x.txt").write_text(f"cat 1 0 0 1 1\n{line}\n")
        with pytest.raises(CheckError, match="line 2 of"):
            read_detections(tmp_path / "x.txt")
    (tmp_path / "list").write_text("\n")
    with pytest.raises(CheckError, match="is empty"):
        image_names(tmp_path / "list")
    for reader in (read_annotation, read_detections, image_names):
        with pytest.raises(MissingFileError):
            reader(tmp_path / "none")


@pytest.fixture
def results(tmp_path):
    """Two images with annotations and results."""
    for folder in ("annotations", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "list.txt").write_text("a.jpg\nb.jpg\n")
    (tmp_path / "annotations/a.xml").write_text(ANNOTATION.replace("OBJECTS", xml_object("dog", (20, 10, 120, 60)) + xml_object("cat", (0, 0, 9, 9))))
    (tmp_path / "annotations/b.xml").write_text(ANNOTATION.replace("OBJECTS", xml_object("dog", (0, 0, 200, 100))))
    (tmp_path / "results/a.txt").write_text("dog 0.9 0.1 0.1 0.6 0.6\n")
    (tmp_path / "results/b.txt").write_text("")
    return [str(tmp_path / "list.txt"), str(tmp_path / "results/"), str(tmp_path / "annotations/")]


def test_the_command(results, capsys):
    assert main(["meanAP_VOC", *results]) == 0
    assert capsys.readouterr().out == "AP of cat: 0.000000\nAP of dog: 0.500000\nmAP: 0.250000\n"
    assert main(["meanAP_VOC", *results, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"map": 0.25, "classes": {"cat": 0.0, "dog": 0.5}, "images": 2, "objects": 3, "detections": 1}


def test_the_command_refuses(results, tmp_path, capsys):
    (tmp_path / "results/b.txt").unlink()
    assert main(["meanAP_VOC", *results]) == 3
    assert "b.txt" in capsys.readouterr().err
    (tmp_path / "results/b.txt").touch()
    for name in "ab":
        (tmp_path / f"annotations/{name}.xml").write_text(ANNOTATION.replace("OBJECTS", xml_object("dog", (0, 0, 9, 9), "1")))
    assert main(["meanAP_VOC", *results]) == 3
    assert "no object to be found" in capsys.readouterr().err
