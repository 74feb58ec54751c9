"""Write deploy.prototxt and README.md of this folder; the builder is in pycaffe_acc/zoo."""
from __future__ import annotations

from pathlib import Path

from pycaffe_acc.zoo.store import write_model_folder

if __name__ == "__main__":
    write_model_folder("resnet101", Path(__file__).resolve().parent)
