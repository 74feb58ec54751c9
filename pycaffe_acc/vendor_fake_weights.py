"""The weights that the vendor's create_fake_caffemodel gives a net: small positive numbers, the same every time."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.net import Net
from pycaffe_acc.rand_r import RAND_MAX, RandR

#: the tool's only seed
SEED = 1


def fill_vendor_fake(net: Net) -> None:
    """Fill every weight blob with the vendor's numbers.

    One generator (`RandR`, seed 1) runs through the blobs in net order; each value is rand / RAND_MAX / count in float64, rounded to float32, with
    the blob's number of elements as count. All are positive and the sum of a blob is about one half, so activations shrink from layer to layer: good
    for trying a net's shapes, not its values (`fake_caffemodel` has weights that keep activations at their size). A blob that layers share has the
    values of the last one.

    Parameters
    ----------
    net : Net
    """
    generator = RandR(SEED)
    for layer in net.layers:
        for blob in layer.blobs:
            if blob.count:
                blob.data[...] = (generator.draw(blob.count) / RAND_MAX / blob.count).astype(np.float32).reshape(blob.shape)
