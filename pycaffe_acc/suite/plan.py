"""What a suite is to measure: its file, read and checked."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.suite.schema_check import SchemaError, check, schema

FOLDER = Path(__file__).parent / "suites"
SCHEMA = "pycaffe-acc/suite/1"
#: the device whose times a clock gives
HOST = "host"


@dataclass(frozen=True)
class ImageSet:
    """Labelled images; paths are below the data folder. See `suite.schema.json`."""

    list: str = ""
    root: str = ""
    dataset: str = ""
    only_every: int | None = None
    not_every: int | None = None
    limit: int | None = None
    enlarged: int | None = None


@dataclass(frozen=True)
class Variant:
    """How a net computes, and how it got there.

    Attributes
    ----------
    name, title : str
    precision : str
        See `cnml.executable.PRECISIONS`.
    method : str
        Of quantization; empty for floats.
    bias_correction : bool
    weight_rounding : {"nearest", "adaptive"}
    """

    name: str
    title: str
    precision: str
    method: str = ""
    bias_correction: bool = False
    weight_rounding: str = "nearest"


@dataclass(frozen=True)
class Pruning:
    """How weights become zero.

    Attributes
    ----------
    name, title : str
    method : str
        See `pycaffe_acc.prune.prune_options.METHODS`.
    compensate : bool
        Whether the remaining weights are set anew on the calibration images.
    """

    name: str = "vendor"
    title: str = "vendor's pruning"
    method: str = "vendor"
    compensate: bool = False


#: the one that is always there
VENDOR = Pruning()


@dataclass(frozen=True)
class DevicePlan:
    """Where nets run. `host` is measured, every other device simulated.

    Attributes
    ----------
    name : str
    variants : tuple of str
    models : tuple of str
        Empty: all.
    sparsity : bool
        Whether pruned nets run here.
    dp, mp, threads : int
        Of a card.
    """

    name: str
    variants: tuple[str, ...]
    models: tuple[str, ...] = ()
    sparsity: bool = True
    dp: int = 1
    mp: int = 1
    threads: int = 1

    def runs(self, model: str, variant: str, sparsity: float = 0.0) -> bool:
        """Whether a net runs here."""
        return variant in self.variants and (not self.models or model in self.models) and (self.sparsity or not sparsity)


@dataclass(frozen=True)
class ModelPlan:
    """A network and its images. See `suite.schema.json`.

    Attributes
    ----------
    variants : tuple of str
    sparsities : tuple of float
        Without 0.
    """

    name: str
    title: str
    images: str
    variants: tuple[str, ...]
    model: str = ""
    weights: str = ""
    zoo: str = ""
    builder: str = ""
    calibration: str = ""
    calibration_images: int = 200
    preprocess: dict[str, str] = field(default_factory=dict)
    sequence: bool = False
    keep_float: tuple[str, ...] = ()
    sparsities: tuple[float, ...] = ()
    sparse_variants: tuple[str, ...] = ()
    prunings: tuple[str, ...] = ("vendor",)
    runtimes: tuple[str, ...] = ()
    limit: int | None = None
    batch: int = 8

    @property
    def trained(self) -> bool:
        """Whether its accuracy means something."""
        return bool(self.weights)


@dataclass(frozen=True)
class Suite:
    """A suite's file.

    Attributes
    ----------
    name, about : str
    seed : int
    within : float
        Percent of FP16's top-1 that a valid row may lose.
    images : dict of str to ImageSet
    variants : dict of str to Variant
    devices : tuple of DevicePlan
    models : tuple of ModelPlan
    sha256 : str
        Of the file.
    embedded : bool
        Whether the data comes with the package.
    prunings : dict of str to Pruning
    """

    name: str
    about: str
    seed: int
    within: float
    images: dict[str, ImageSet]
    variants: dict[str, Variant]
    devices: tuple[DevicePlan, ...]
    models: tuple[ModelPlan, ...]
    sha256: str
    embedded: bool = False
    prunings: dict[str, Pruning] = field(default_factory=lambda: {VENDOR.name: VENDOR})

    @property
    def host(self) -> DevicePlan | None:
        """The measured device, if it is in the plan."""
        return next((d for d in self.devices if d.name == HOST), None)

    def narrowed(self, models: Sequence[str] | None, devices: Sequence[str] | None) -> Suite:
        """Only some models and devices.

        Raises
        ------
        CheckError
            For a name that the suite does not have.
        """
        kept_models, kept_devices = self.models, self.devices
        if models is not None:
            _known("model", models, [m.name for m in self.models], self.name)
            kept_models = tuple(m for m in self.models if m.name in models)
        if devices is not None:
            _known("device", devices, [d.name for d in self.devices], self.name)
            kept_devices = tuple(d for d in self.devices if d.name in devices)
        return replace(self, devices=kept_devices, models=kept_models)


def suite_names() -> tuple[str, ...]:
    """Suites that come with the package."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.json")))


def read_suite(name: str) -> Suite:
    """A suite by its name, or from the user's own file.

    Parameters
    ----------
    name : str
        Of `suite_names`, or a path that ends with .json.

    Raises
    ------
    MissingFileError, CheckError
        For an unknown name, a file that is no JSON, breaks the schema, or names something that it does not define.
    """
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    if not path.is_file():
        if name.endswith(".json"):
            raise MissingFileError(path, "suite")
        raise CheckError(f"there is no suite '{name}'; known: {', '.join(suite_names())}, or give a file of your own that ends with .json")
    raw = path.read_bytes()
    try:
        table = json.loads(raw)
        check(table, schema("suite"))
    except (ValueError, UnicodeDecodeError) as e:
        raise CheckError(f"suite '{path.name}' is no JSON: {e}") from e
    except SchemaError as e:
        raise CheckError(f"suite '{path.name}': {e}") from e
    return _suite(table, path.name, hashlib.sha256(raw).hexdigest())


def _suite(table: dict[str, Any], file: str, digest: str) -> Suite:
    variants = {k: Variant(**{"title": k, **v, "name": k}) for k, v in table["variants"].items()}
    for v in variants.values():
        if (v.precision in ("int8", "mlu")) != bool(v.method):
            raise CheckError(f"suite '{file}': variant '{v.name}' has the precision {v.precision} and "
                             f"{'the method ' + v.method if v.method else 'no method'}; int8 and mlu need one, floats have none")
    models = tuple(_model(m, table, variants, file) for m in table["models"])
    names = [m.name for m in models]
    if len(set(names)) != len(names):
        raise CheckError(f"suite '{file}': two models are called '{next(n for n in names if names.count(n) > 1)}'; names must differ")
    devices = tuple(DevicePlan(**{**d, "variants": tuple(d["variants"]), "models": tuple(d.get("models", ()))}) for d in table["devices"])
    for d in devices:
        _known("variant", d.variants, list(variants), file)
        _known("model", d.models, names, file)
    return Suite(table["name"], table["about"], table.get("seed", 0), float(table.get("within", 1.0)),
                 {k: ImageSet(**v) for k, v in table["images"].items()}, variants, devices, models, digest, table.get("embedded", False),
                 _prunings(table))


def _prunings(table: dict[str, Any]) -> dict[str, Pruning]:
    own = {k: Pruning(**{"title": k, **v, "name": k}) for k, v in table.get("prunings", {}).items()}
    return {VENDOR.name: VENDOR} | own


def _model(given: dict[str, Any], table: dict[str, Any], variants: dict[str, Variant], file: str) -> ModelPlan:
    name = given["name"]
    if sum(bool(given.get(k)) for k in ("model", "zoo", "builder")) != 1:
        raise CheckError(f"suite '{file}': model '{name}' must have exactly one of model, zoo and builder")
    tuples = {k: tuple(given.get(k, ())) for k in ("keep_float", "sparsities", "sparse_variants", "runtimes")}
    if "prunings" in given:
        tuples["prunings"] = tuple(given["prunings"])
    plan = ModelPlan(**{"title": name, "batch": table.get("batch", 8), **given, **tuples, "variants": tuple(given.get("variants", variants)),
                        "preprocess": dict(given.get("preprocess", {}))})
    _known("images", [plan.images, *([plan.calibration] if plan.calibration else [])], list(table["images"]), file)
    _known("variant", (*plan.variants, *plan.sparse_variants), list(variants), file)
    prunings = _prunings(table)
    _known("pruning", plan.prunings, list(prunings), file)
    compensated = [p for p in plan.prunings if prunings[p].compensate]
    if compensated and plan.sparsities and not plan.calibration:
        raise CheckError(f"suite '{file}': model '{name}' is pruned by '{compensated[0]}', which looks at images; name them with \"calibration\"")
    coded = [v for v in (*plan.variants, *plan.sparse_variants) if variants[v].method]
    if coded and not plan.calibration:
        raise CheckError(f"suite '{file}': model '{name}' has the variant '{coded[0]}', which is quantized on images; name them with \"calibration\"")
    return plan


def _known(what: str, names: Sequence[str], known: Sequence[str], where: str) -> None:
    for name in names:
        if name not in known:
            raise CheckError(f"suite '{where}' has no {what} '{name}'; it has {', '.join(known)}")
