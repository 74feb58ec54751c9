"""caffe.io: Transformer with all stages, its inverse, its refusals; datums and blobs; crops."""
from __future__ import annotations

import caffe
import numpy as np

rng = np.random.RandomState(0)
t = caffe.io.Transformer({"data": (10, 3, 12, 14), "label": (10, 1)})
t.set_transpose("data", (2, 0, 1))
t.set_channel_swap("data", (2, 1, 0))
t.set_raw_scale("data", 255)
t.set_mean("data", np.array([100.0, 110.0, 120.0]))
t.set_input_scale("data", 0.017)
image = rng.rand(12, 14, 3).astype(np.float32)
got = t.preprocess("data", image)
want = ((image.transpose(2, 0, 1)[::-1] * 255) - np.array([100.0, 110.0, 120.0]).reshape(3, 1, 1)) * 0.017
assert got.dtype == np.float32 and got.shape == (3, 12, 14) and np.allclose(got, want, atol=1e-4)
assert np.allclose(t.deprocess("data", got), image, atol=1e-5)
large = rng.rand(33, 20, 3).astype(np.float32)
resized = caffe.io.resize_image(large, (12, 14))
assert np.allclose(t.preprocess("data", large), ((resized.transpose(2, 0, 1)[::-1] * 255) - np.array([100, 110, 120]).reshape(3, 1, 1)) * 0.017,
                   atol=1e-4)
assert caffe.io.resize_image(large[:, :, :1], (5, 6)).shape == (5, 6, 1) and resized.max() <= large.max() + 1e-6
mean_image = rng.rand(3, 12, 14).astype(np.float32)
t.set_mean("data", mean_image)
assert np.allclose(t.preprocess("data", image), ((image.transpose(2, 0, 1)[::-1] * 255) - mean_image) * 0.017, atol=1e-4)


def refused(call, *args):
    """pycaffe raises for these."""
    try:
        call(*args)
    except Exception as e:
        assert str(e)
        return
    raise AssertionError(f"{call} took {args}")


refused(t.set_mean, "data", np.zeros(4))
refused(t.set_mean, "data", np.zeros((1, 3, 12, 14)))
t.set_mean("data", rng.rand(3, 24, 28))
assert t.mean["data"].shape == (3, 12, 14)
refused(t.set_transpose, "data", (0, 1))
refused(t.set_channel_swap, "data", (0, 1))
refused(t.preprocess, "image", image)

crops = caffe.io.oversample([large, large], (12, 14))
assert crops.shape == (20, 12, 14, 3) and np.array_equal(crops[5], crops[0][:, ::-1])
datum = caffe.io.array_to_datum((image.transpose(2, 0, 1) * 255).astype(np.uint8), 7)
assert datum.label == 7 and np.array_equal(caffe.io.datum_to_array(datum), (image.transpose(2, 0, 1) * 255).astype(np.uint8))
again = caffe.proto.caffe_pb2.Datum()
again.ParseFromString(datum.SerializeToString())
assert again == datum
floats = caffe.io.array_to_datum(rng.rand(2, 3, 4))
assert len(floats.float_data) == 24 and caffe.io.datum_to_array(floats).shape == (2, 3, 4)
blob = caffe.io.array_to_blobproto(mean_image[np.newaxis])
assert np.array_equal(caffe.io.blobproto_to_array(blob), mean_image[np.newaxis])
vector = caffe.io.arraylist_to_blobprotovector_str([mean_image[np.newaxis], mean_image[np.newaxis] * 2])
assert np.array_equal(caffe.io.blobprotovector_str_to_arraylist(vector)[1], mean_image[np.newaxis] * 2)
