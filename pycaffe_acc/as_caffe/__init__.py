"""Put this folder on PYTHONPATH and `import caffe` is this package. Empty itself."""
from __future__ import annotations
