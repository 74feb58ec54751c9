"""Caffe's messages: the merged schema of BVLC, SSD, common forks and the vendor (`proto/caffe.proto`, compiled to `caffe.desc`).

Use `from pycaffe_acc.proto import caffe_pb2`, as with Caffe's own generated module.
"""
from __future__ import annotations

from pycaffe_acc.proto import caffe_pb2

__all__ = ["caffe_pb2"]
