"""The version, in a file that packaging can read without importing anything."""
from __future__ import annotations

VERSION = "0.1.0"
