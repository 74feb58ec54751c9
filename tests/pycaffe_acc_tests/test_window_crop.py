"""R-CNN's windows: file, placement, warping."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.window_crop import cut_window, place_window
from pycaffe_acc.window_file import Window, read_window_file


def test_without_context_the_box_is_warped():
    place = place_window((2, 3, 9, 12), (20, 30), 8, 0, False, False)
    assert place == ((2, 3, 9, 12), (8, 8), (0, 0))


def test_context_inside_the_image():
    # a box of 10 x 10 in a crop of 20 with 5 pixels around it: the region doubles
    place = place_window((20, 20, 29, 29), (60, 60), 20, 5, False, False)
    assert place.box == (15, 15, 35, 35) and place.size == (20, 20) and place.offset == (0, 0)


def test_what_lies_outside_becomes_padding():
    left = place_window((0, 20, 9, 29), (60, 60), 20, 5, False, False)
    assert left.box[0] == 0 and left.offset == (0, 5) and left.size[1] + left.offset[1] <= 20
    mirrored = place_window((0, 20, 9, 29), (60, 60), 20, 5, False, True)
    assert mirrored.offset == (0, 0) and mirrored.box == left.box
    corner = place_window((50, 50, 59, 59), (60, 60), 20, 5, False, False)
    assert corner.box[2:] == (59, 59) and corner.offset == (0, 0) and corner.size[0] < 20


def test_square_takes_the_longer_side():
    place = place_window((20, 10, 29, 49), (60, 60), 20, 0, True, False)
    x1, y1, x2, y2 = place.box
    assert y2 - y1 == x2 - x1 == 40


def test_cut(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    place = place_window((4, 5, 11, 12), (20, 30), 8, 0, False, False)
    np.testing.assert_array_equal(cut_window(image, place, False), image[5:13, 4:12].transpose(2, 0, 1))
    np.testing.assert_array_equal(cut_window(image, place, True), image[5:13, 4:12][:, ::-1].transpose(2, 0, 1))


def test_window_file(tmp_path):
    path = tmp_path / "w.txt"
    path.write_text("# 0\na.png\n3\n20\n30\n2\n5 0.75 1 2 8 9\n0 0.1 0 0 3 3\n# 1\nb.png\n3\n20\n30\n1\n2 1 1 1 2 2\n")
    images, windows = read_window_file(str(path))
    assert images == ["a.png", "b.png"]
    assert windows == [Window(0, 5, 0.75, (1, 2, 8, 9)), Window(0, 0, 0.1, (0, 0, 3, 3)), Window(1, 2, 1.0, (1, 1, 2, 2))]


@pytest.mark.parametrize("text", ["# 0\na.png\n3\n20\n30\n2\n5 0.75 1 2 8 9\n", "a.png 3", "# 0\na.png\n3\n20\n30\nmany\n"])
def test_broken_window_files(tmp_path, text):
    path = tmp_path / "w.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="near word"):
        read_window_file(str(path))
    with pytest.raises(MissingFileError):
        read_window_file(str(tmp_path / "none"))
