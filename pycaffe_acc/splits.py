"""Split layers, and the vendor's renaming of in-place tops: rewrites of a list of layer messages."""
from __future__ import annotations

from collections import defaultdict
from typing import Any

from pycaffe_acc.errors import CheckError

Top = tuple[int, int]  # layer index, top index


def split_name(blob: str, layer: str, top: int) -> str:
    """Caffe's name of the Split layer behind a top."""
    return f"{blob}_{layer}_{top}_split"


def insert_splits(layers: list[Any], make: Any) -> list[Any]:
    """Put a Split behind every top that is read more than once (a non-zero explicit loss weight counts as a reader).

    Parameters
    ----------
    layers : list of LayerParameter
        In net order; not changed.
    make : callable
        Returns an empty LayerParameter.

    Returns
    -------
    list of LayerParameter
        Copies with renamed bottoms, and the Splits.

    Raises
    ------
    CheckError
        For a bottom that no earlier layer makes.
    """
    last_top: dict[str, Top] = {}
    source: dict[Top, Top] = {}
    readers: dict[Top, int] = defaultdict(int)
    loss_weight: dict[Top, float] = {}
    for i, message in enumerate(layers):
        for j, blob in enumerate(message.bottom):
            if blob not in last_top:
                raise CheckError(f"unknown bottom blob '{blob}' (layer '{message.name}', bottom index {j}): no earlier layer has it as a top; "
                                 f"blobs so far: {', '.join(sorted(last_top)) or 'none'}")
            source[i, j] = last_top[blob]
            readers[last_top[blob]] += 1
        for j, blob in enumerate(message.top):
            last_top[blob] = (i, j)
        for j, weight in enumerate(list(message.loss_weight)[:len(message.top)]):
            top = last_top[message.top[j]]
            loss_weight[top] = weight
            readers[top] += bool(weight)
    used: dict[Top, int] = defaultdict(int)
    result = []
    for i, message in enumerate(layers):
        copy = make()
        copy.CopyFrom(message)
        for j, blob in enumerate(message.bottom):
            top = source[i, j]
            if readers[top] > 1:
                copy.bottom[j] = f"{split_name(blob, layers[top[0]].name, top[1])}_{used[top] + bool(loss_weight.get(top))}"
                used[top] += 1
        result.append(copy)
        for j, blob in enumerate(message.top):
            if readers[i, j] > 1:
                result.append(_split(make(), blob, message.name, j, readers[i, j], loss_weight.get((i, j), 0.0)))
                if loss_weight.get((i, j)):
                    del copy.loss_weight[:]
    return result


def _split(split: Any, blob: str, layer: str, top: int, number: int, weight: float) -> Any:
    split.name = split_name(blob, layer, top)
    split.type = "Split"
    split.bottom.append(blob)
    for k in range(number):
        split.top.append(f"{split.name}_{k}")
        if weight:
            split.loss_weight.append(0.0 if k else weight)
    return split


def rename_in_place(layers: list[Any], make: Any) -> list[Any]:
    """The vendor's loader: an in-place top X becomes X_inp (again: X_inp_inp), and later readers follow.

    Parameters
    ----------
    layers : list of LayerParameter
    make : callable
        Returns an empty LayerParameter.

    Returns
    -------
    list of LayerParameter
    """
    now: dict[str, str] = {}
    result = []
    for message in layers:
        copy = make()
        copy.CopyFrom(message)
        for j, blob in enumerate(message.bottom):
            copy.bottom[j] = now.get(blob, blob)
        for j, blob in enumerate(message.top):
            if blob in message.bottom:
                now[blob] = f"{now.get(blob, blob)}_inp"
                copy.top[j] = now[blob]
            elif blob in now:
                copy.top[j] = now[blob]
        result.append(copy)
    return result
