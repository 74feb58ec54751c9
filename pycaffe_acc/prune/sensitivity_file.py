"""Sensitivities as JSON, and the shares of zeros that follow from them."""
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.prune.candidates import Candidate

_STEPS = 400  # shares of a layer that are told apart


def read_sensitivities(path: str | Path) -> dict[str, Any]:
    """What `prune-sensitivity --json` wrote.

    Returns
    -------
    dict
        With `sparsities`, and `layers`: rows with `name` and `scores_db`.

    Raises
    ------
    MissingFileError, CheckError
    """
    if not Path(path).is_file():
        raise MissingFileError(str(path), "sensitivities")
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        sparsities = [float(s) for s in found["sparsities"]]
        rows = [(str(row["name"]), [None if db is None else float(db) for db in row["scores_db"]]) for row in found["layers"]]
    except (ValueError, KeyError, TypeError) as e:
        raise CheckError(f"{path}: is not what prune-sensitivity --json writes ({e})") from e
    if sorted(set(sparsities)) != sparsities or not sparsities or not all(0 < s < 1 for s in sparsities):
        raise CheckError(f"{path}: its sparsities are {sparsities}; they must grow and lie between 0 and 1")
    bad = next((name for name, values in rows if len(values) != len(sparsities)), None)
    if bad is not None:
        raise CheckError(f"{path}: layer '{bad}' has not one value a sparsity")
    return {"sparsities": sparsities, "layers": [{"name": name, "scores_db": values} for name, values in rows]}


def shares_of_table(found: dict[str, Any], candidates: Sequence[Candidate], sparsity: float) -> dict[int, float]:
    """Shares of zeros with the smallest sum of the layers' errors.

    A layer's error at a sparsity is 10^(-dB / 10), the scores' relative squared error with that layer alone pruned; between the scanned sparsities
    it is interpolated, and errors are taken to add up. Weights are removed where the next ones cost least.

    Parameters
    ----------
    found : dict
        See `read_sensitivities`.
    candidates : sequence of Candidate
        Those that are left alone are passed over.
    sparsity : float
        Share of all weights of the others.

    Returns
    -------
    dict of int to float
        By the layers' places; none above the largest scanned sparsity, unless nothing else gives so many zeros.

    Raises
    ------
    CheckError
        For a layer that was not scanned.
    """
    known = {row["name"]: row["scores_db"] for row in found["layers"]}
    chosen = [c for c in candidates if not c.left]
    missing = [c.name for c in chosen if c.name not in known]
    if missing:
        raise CheckError(f"--sensitivities: layers {', '.join(missing[:8])} were not scanned; scan with the same --keep and --include options")
    grid = np.array([0.0, *found["sparsities"]])
    most = float(grid[-1])
    if sparsity > most:
        return {c.place: sparsity for c in chosen}
    costs, sizes, owners = [], [], []
    for k, c in enumerate(chosen):
        errors = np.array([0.0, *(0.0 if db is None else 10 ** (-db / 10) for db in known[c.name])])
        hull = np.interp(np.linspace(0, most, _STEPS + 1), grid, np.maximum.accumulate(errors))
        rise = np.diff(hull) / (c.size * most / _STEPS)
        costs.append(np.maximum.accumulate(rise))  # the first weights of a layer cannot cost more than the next
        sizes.append(np.full(_STEPS, c.size * most / _STEPS))
        owners.append(np.full(_STEPS, k))
    order = np.argsort(np.concatenate(costs), kind="stable")
    weighed = np.cumsum(np.concatenate(sizes)[order])
    taken = order[:int(np.searchsorted(weighed, sparsity * sum(c.size for c in chosen)))]
    steps = np.bincount(np.concatenate(owners)[taken], minlength=len(chosen))
    return {c.place: float(steps[k]) * most / _STEPS for k, c in enumerate(chosen)}
