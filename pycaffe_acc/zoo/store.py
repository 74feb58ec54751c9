"""Where downloaded networks are kept."""
from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.zoo.deploy import deploy_prototxt, entry
from pycaffe_acc.zoo.entry import ZooEntry
from pycaffe_acc.zoo.readme import readme

VARIABLE = "PYCAFFE_ACC_ZOO"


def zoo_folder() -> Path:
    """The folder of the zoo: `PYCAFFE_ACC_ZOO` if set, else `pycaffe-acc/zoo` in the user's cache folder.

    Returns
    -------
    pathlib.Path
        Not necessarily existing.
    """
    asked = os.environ.get(VARIABLE)
    if asked:
        return Path(asked).expanduser().absolute()
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif os.name == "nt" and os.environ.get("LOCALAPPDATA"):
        base = Path(os.environ["LOCALAPPDATA"])
    elif os.environ.get("HOME"):
        base = Path(os.environ["HOME"]) / ".cache"
    else:
        base = Path(tempfile.gettempdir())
    return base / "pycaffe-acc" / "zoo"


def weights_path(network: ZooEntry) -> Path:
    """Where a network's weights are, or will be."""
    return zoo_folder() / network.name / network.caffemodel


def make_folder(network: ZooEntry) -> Path:
    """The network's folder, made if need be.

    Parameters
    ----------
    network : ZooEntry

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OSError
    """
    folder = zoo_folder() / network.name
    # the cache of compiled kernels beside it refuses a root that others may write to
    folder.parents[1].mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_deploy(network: ZooEntry, folder: Path, batch: int = 1, **variants: bool) -> Path:
    """Write a network's deploy.prototxt, whole or not at all.

    Parameters
    ----------
    network : ZooEntry
    folder : pathlib.Path
        Must exist.
    batch : int
    **variants
        See `build`.

    Returns
    -------
    pathlib.Path
    """
    path = folder / "deploy.prototxt"
    with whole_file(path) as part:
        part.write_text(deploy_prototxt(network.name, batch, **variants), encoding="utf-8")
    return path


def write_model_folder(name: str, folder: Path) -> None:
    """Write what a folder below `models/` holds: deploy.prototxt and README.md.

    Parameters
    ----------
    name : str
    folder : pathlib.Path
        Must exist.
    """
    found = entry(name)
    write_deploy(found, folder)
    with whole_file(folder / "README.md") as part:
        part.write_text(readme(found), encoding="utf-8")
