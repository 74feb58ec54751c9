"""Runs of the vendor's quantization tools: their folders made ready, their command lines taken apart."""
from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from pycaffe_acc.text_format import read_net

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
TOOLS = "vendor_golden/tools"


def cases(folder: str) -> list[str]:
    """Names of the case folders, or one that only skips where there is no data."""
    root = Path(DATA) / TOOLS / folder
    found = sorted(p.name for p in root.iterdir() if (p / "meta.json").is_file()) if DATA and root.is_dir() else []
    return found or ["(no data)"]


def prepare(data_dir: Path, folder: str, case: str, target: Path) -> dict[str, Any]:
    """Copy a case to `target` with the images and weights it names.

    Returns
    -------
    dict
        meta.json, with `words`: the command line without the program.
    """
    source = data_dir / TOOLS / folder / case
    for path in source.iterdir():
        if path.name != "output.prototxt":
            shutil.copy(path, target / path.name)
    if case.startswith("lenet"):
        shutil.copy(data_dir / "models/lenet_mnist/lenet_iter_10000.caffemodel", target / "weights.caffemodel")
    elif case.startswith("squeezenet"):
        shutil.copy(data_dir / "models/squeezenet_v1.1/squeezenet_v1.1.caffemodel", target / "weights.caffemodel")
    if folder == "generate_int8_db":
        shutil.copytree(source.parent / "db", target / "db")
    else:
        _images(data_dir, case, target)
    meta = json.loads((source / "meta.json").read_text())
    meta["words"] = shlex.split(meta["command"])[1:]
    return meta


def _images(data_dir: Path, case: str, target: Path) -> None:
    (target / "images").mkdir()
    for line in (target / "file_list").read_text().splitlines():
        name = line.split()[0]
        if case.startswith("lenet"):
            _digit(data_dir, int(name.rpartition("_")[2].partition(".")[0]), target / name)
        elif case.startswith("squeezenet"):
            shutil.copy(data_dir / "imagenet1000/img" / Path(name).name, target / name)
        else:
            shutil.copy(data_dir / TOOLS / "generate_int8" / name, target / name)


def _digit(data_dir: Path, index: int, path: Path) -> None:
    """Picture `index` of MNIST's test set as a gray PNG."""
    import gzip

    import numpy as np
    from PIL import Image
    file = next((data_dir / "mnist").rglob("t10k-images*"))
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    pixels = np.frombuffer(raw, np.uint8, 784, 16 + 784 * index).reshape(28, 28)
    Image.fromarray(pixels).save(path)


def expected(data_dir: Path, folder: str, case: str) -> Any:
    """The vendor's result as a message, or None where its tool wrote none."""
    path = data_dir / TOOLS / folder / case / "output.prototxt"
    return read_net(path).message if path.is_file() else None
