"""COCO's figures against what pycocotools 2.0.11 gives for the same boxes, and the command that prints them."""
from __future__ import annotations

import json

import numpy as np
import pytest

from pycaffe_acc.evaluation.coco_map import AREAS, CocoDetection, CocoObject, coco_figures, overlaps
from pycaffe_acc.tools.main import main

#: seed → the twelve figures of pycocotools 2.0.11 (COCOeval.stats) for `scene(seed)`
KNOWN = {
    3: [0.3711902745, 0.6262284562, 0.4018421450, 0.4687956415, 0.4128614647, 0.2315181518, 0.2677849928, 0.5416305916, 0.5416305916, 0.6000000000,
        0.5622222222, 0.2500000000],
    8: [0.3288848674, 0.5858258903, 0.3239627443, 0.3428471180, 0.3004950495, 0.5221287129, 0.2167521368, 0.4646153846, 0.4646153846, 0.4216666667,
        0.3422222222, 0.7000000000],
    21: [0.4318066688, 0.5704463303, 0.5440436901, 0.5743784378, 0.3360396040, 0.4000000000, 0.3296296296, 0.5074074074, 0.5074074074, 0.6171428571,
         0.4111111111, 0.5000000000],
}


def scene(seed):
    """Random objects of some classes, sizes and images, and detections near them, some twice, some of another class."""
    rng = np.random.default_rng(seed)
    truths, found = {}, {}
    for image in range(1, 9):
        truths[image], found[image] = [], []
        for _ in range(rng.integers(0, 9)):
            box = np.concatenate([rng.uniform(0, 300, 2), np.exp(rng.uniform(1.5, 5.5, 2))])
            category, crowd = int(rng.integers(1, 4)), bool(rng.random() < 0.12)
            truths[image].append(CocoObject(category, box, float(box[2] * box[3] * rng.uniform(0.4, 1)), crowd))
            for _ in range(rng.integers(0, 4)):
                near = np.concatenate([box[:2] + rng.normal(0, 0.05, 2) * box[2:], box[2:] * np.exp(rng.normal(0, 0.08, 2))])
                other = category if rng.random() < 0.85 else int(rng.integers(1, 4))
                found[image].append(CocoDetection(other, float(np.round(rng.random(), 2)), near))
    return truths, found


@pytest.mark.parametrize("seed", KNOWN)
def test_against_the_original(seed):
    figures = coco_figures(*scene(seed))
    np.testing.assert_allclose([f.value for f in figures], KNOWN[seed], rtol=0, atol=1e-9)


def box(*values):
    """A box."""
    return np.array(values, float)


def one(truths, found):
    """The figures of one image, by their lines' beginnings."""
    return {(f.precision, f.overlap, f.area, f.most): f.value for f in coco_figures({7: truths}, {7: found})}


def test_what_is_found_exactly():
    figures = one([CocoObject(1, box(0, 0, 50, 50), 2500.0, False)], [CocoDetection(1, 0.3, box(0, 0, 50, 50))])
    assert figures[True, None, "all", 100] == figures[False, None, "medium", 100] == pytest.approx(1) and figures[True, None, "small", 100] == -1


def test_overlap_decides():
    """An overlap of 0.6: right up to 0.6, wrong above: 3 of 10 thresholds."""
    figures = one([CocoObject(1, box(0, 0, 100, 100), 1e4, False)], [CocoDetection(1, 0.9, box(0, 0, 60.0001, 100))])
    assert figures[True, 0.5, "all", 100] == pytest.approx(1) and figures[True, 0.75, "all", 100] == 0
    assert figures[True, None, "all", 100] == pytest.approx(0.3)


def test_crowds_neither_count_nor_are_used_up():
    crowd, alone = CocoObject(1, box(200, 0, 100, 100), 1e4, True), CocoObject(1, box(0, 0, 50, 50), 2500.0, False)
    inside = [CocoDetection(1, 0.9, box(210 + 20 * i, 10, 15, 15)) for i in range(3)]
    figures = one([crowd, alone], [*inside, CocoDetection(1, 0.1, alone.box)])
    assert figures[True, None, "all", 100] == pytest.approx(1), "three sure detections in the crowd are no mistakes"


def test_only_so_many_detections_count():
    objects = [CocoObject(1, box(60 * i, 0, 50, 50), 2500.0, False) for i in range(20)]
    figures = one(objects, [CocoDetection(1, 1 - i / 100, o.box) for i, o in enumerate(objects)])
    assert [figures[False, None, "all", most] for most in (1, 10, 100)] == pytest.approx([0.05, 0.5, 1.0])


def test_overlaps_of_nothing():
    assert overlaps([], []).shape == (0, 0) and overlaps([box(0, 0, 0, 0)], [CocoObject(1, box(0, 0, 0, 0), 0.0, False)]).tolist() == [[0.0]]
    assert [f.value for f in coco_figures({}, {})] == [-1.0] * 12


# ---- the command ------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A scene as files: an annotation file, a list, results in shares."""
    truths, found = scene(3)
    (tmp_path / "annotations").mkdir()
    images = [{"id": i, "file_name": f"COCO_val2014_{i:012d}.jpg", "width": 640, "height": 480} for i in truths]
    annotations = [{"id": n, "image_id": i, "category_id": t.category, "bbox": t.box.tolist(), "area": t.area, "iscrowd": int(t.crowd)}
                   for n, (i, t) in enumerate((i, t) for i, ts in truths.items() for t in ts)]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "traffic light"}, {"id": 3, "name": "cat"}]
    (tmp_path / "annotations" / "instances_val2014.json").write_text(json.dumps({"images": images, "annotations": annotations,
                                                                                 "categories": categories}))
    names = {1: "person", 2: "traffic_light", 3: "3"}
    for scale, where in ((box(640, 480, 640, 480), "shares"), (np.ones(4), "pixels")):
        (tmp_path / where).mkdir()
        for i, detections in found.items():
            corners = [(d, np.concatenate([d.box[:2], d.box[:2] + d.box[2:]]) / scale) for d in detections]
            lines = [f"{names[d.category]} {d.score!r} {' '.join(repr(float(v)) for v in c)}\n" for d, c in corners]
            (tmp_path / where / f"COCO_val2014_{i:012d}.txt").write_text("".join(lines))
    (tmp_path / "list").write_text("".join(f"images/{i['file_name']}\n" for i in images))
    return tmp_path


def words(folder, where="shares", *more):
    """The command line."""
    return ["meanAP_COCO", "--file_list", str(folder / "list"), "--result_dir", str(folder / where), "--ann_dir", str(folder), *more]


@pytest.mark.parametrize("where", ["shares", "pixels"])
def test_the_command(folder, capsys, where):
    assert main(words(folder, where, "--coordinates", where, "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    values = [-1 if row["value"] is None else row["value"] for row in document["figures"]]
    np.testing.assert_allclose(values, KNOWN[3], atol=1e-9)
    assert document["images"] == 8 and document["map"] == values[0] and {row["area"] for row in document["figures"]} == set(AREAS)


def test_its_lines(folder, capsys):
    assert main(words(folder)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert lines[0] == f" Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = {KNOWN[3][0]:0.3f}"
    assert lines[1].startswith(" Average Precision  (AP) @[ IoU=0.50      | area=   all") and lines[6].startswith(
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = ")


@pytest.mark.parametrize(("change", "said"), [
    (lambda f: (f / "list").write_text("other.jpg\n"), "have no image 'other'"),
    (lambda f: (f / "shares" / "COCO_val2014_000000000001.txt").write_text("dog 0.5 0 0 1 1\n"), "has the class 'dog'"),
    (lambda f: (f / "shares" / "COCO_val2014_000000000001.txt").write_text("cat 0.5 0 0 1\n"), "line 1 of"),
    (lambda f: (f / "shares" / "COCO_val2014_000000000001.txt").unlink(), "COCO_val2014_000000000001.txt"),
    (lambda f: (f / "annotations" / "instances_val2014.json").write_text("{"), "no COCO instances file"),
    (lambda f: (f / "annotations" / "instances_val2014.json").write_text('{"images": []}'), "no COCO instances file"),
    (lambda f: (f / "annotations" / "instances_val2014.json").unlink(), "COCO annotations"),
])
def test_bad_files_are_status_3(folder, capsys, change, said):
    change(folder)
    assert main(words(folder)) == 3
    captured = capsys.readouterr()
    assert captured.out == "" and said in captured.err and "Traceback" not in captured.err
