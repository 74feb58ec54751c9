"""Stands in for Caffe: importing it replaces itself by pycaffe_acc."""
from __future__ import annotations

from pycaffe_acc.compat import install_as_caffe

install_as_caffe()
