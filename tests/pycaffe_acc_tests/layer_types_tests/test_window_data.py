"""WindowData: batches of warped windows."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import pycaffe_acc as caffe


def net(tmp_path, text):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return caffe.Net(str(path), caffe.TEST)


def window_net(folder, crop=4, extra="", transform=""):
    return (f"layer {{ name: 'w' type: 'WindowData' top: 'data' top: 'label' window_data_param {{ source: '{folder}/w.txt' root_folder: '{folder}/' "
            f"batch_size: 8 fg_fraction: 0.25 {extra} }} transform_param {{ crop_size: {crop} {transform} }} }}")


@pytest.fixture
def windows(tmp_path):
    # the object is bright, the background dark
    image = np.full((20, 30, 3), 10, np.uint8)
    image[4:12, 6:14] = 200
    Image.fromarray(image).save(tmp_path / "a.png")
    (tmp_path / "w.txt").write_text("# 0\na.png\n3\n20\n30\n3\n7 0.9 6 4 13 11\n7 0.1 16 13 25 18\n3 0.0 0 13 5 18\n")
    return tmp_path


def test_window_batches(windows):
    n = net(windows, window_net(windows, extra="cache_images: true", transform="mean_value: 10"))
    out = n.forward()
    np.testing.assert_array_equal(out["label"], [0] * 6 + [7] * 2)
    np.testing.assert_array_equal(out["data"][:6], 0)
    np.testing.assert_array_equal(out["data"][6:], 190)


def test_window_context_and_mean_file(windows):
    np.save(windows / "mean.npy", np.full((3, 12, 12), 10, np.float32))
    extra = "context_pad: 2 crop_mode: 'square' scale: 0.5"
    text = window_net(windows, crop=8, extra=extra, transform=f"mean_file: '{windows}/mean.npy' mirror: true")
    out = net(windows, text).forward()["data"]
    assert out[6, :, 3:5, 3:5].min() == 95 and out[6, 0, 0, 0] == 0


@pytest.mark.parametrize("kwargs,words", [
    ({"crop": 0}, "crop_size is 0"),
    ({"extra": "context_pad: 2"}, "twice the context"),
    ({"extra": "fg_threshold: 0.95"}, "no object window"),
    ({"extra": "bg_threshold: 0"}, "no background window"),
    ({"transform": "mean_value: 1 mean_value: 2"}, "2 mean values"),
])
def test_window_refused(windows, kwargs, words):
    with pytest.raises(caffe.CheckError, match=words):
        net(windows, window_net(windows, **kwargs))


def test_window_files_that_are_wrong(windows):
    text = (windows / "w.txt").read_text()
    changes = ((("7 0.9 6 4 13 11", "0 0.9 6 4 13 11"), "begin at 1"), (("6 4 13 11", "6 4 13 40"), "does not lie in the image"),
               (("a.png", "b.png"), "b.png"))
    for change, words in changes:
        (windows / "w.txt").write_text(text.replace(*change))
        with pytest.raises(caffe.CheckError, match=words):
            net(windows, window_net(windows)).forward()
    (windows / "w.txt").write_text("nothing")
    with pytest.raises(caffe.CheckError, match="near word"):
        net(windows, window_net(windows))
