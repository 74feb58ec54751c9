"""What the image functions raise."""
from __future__ import annotations

from pycaffe_acc.errors import CheckError


class ImageError(CheckError, ValueError):
    """An image, a size or a preprocessing value that cannot be used (pycaffe raises ValueError in these places, so this is one too)."""
