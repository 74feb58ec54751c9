"""-labelmapfile: names of the classes of a detector."""
from __future__ import annotations

from pathlib import Path

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import read_message


def read_label_map(path: str | Path) -> dict[int, str]:
    """Class → name, from a LabelMap message as text. Blanks in a name become underscores, since names are words in result files.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    CaffeError
        For a missing file, or one that is no LabelMap.
    CheckError
        When it names no class, or one twice.
    """
    names: dict[int, str] = {}
    for item in read_message(path, caffe_pb2.LabelMap).message.item:
        if item.label in names:
            raise CheckError(f"{path}: the label {item.label} stands for '{names[item.label]}' and for '{item.display_name or item.name}'")
        names[item.label] = "_".join((item.display_name or item.name).split()) or str(item.label)
    if not names:
        raise CheckError(f"{path}: the label map has no items")
    return names
