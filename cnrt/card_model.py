"""The numbers of a virtual card: files in `cnrt/devices/specs/`, each number with its source."""
from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cnrt.device import DeviceSpec
from cnrt.errors import CnrtError, RetCode

FOLDER = Path(__file__).parent / "devices" / "specs"
SCHEMA = "pycaffe-acc/card/1"
#: published: somebody measured or announced it; derived: follows from published numbers; assumed: nobody says; fitted: chosen so that published
#: measurements come out (`docs/virtual_cards.md`)
KINDS = ("published", "derived", "assumed", "fitted")
_RATE = "macs_per_second."
#: numbers that divide: at 0 nothing would ever end
_ABOVE_ZERO = frozenset({"clock_hz", "mac_efficiency", "vector_ops_per_second", "ddr_bytes_per_second", "ddr_efficiency", "core_bytes_per_second",
                         "noc_bytes_per_second", "pcie_bytes_per_second", "convert_bytes_per_second", "host_bytes_per_second",
                         "decode_pixels_per_second"})


@dataclass(frozen=True)
class CardModel:
    """What the event model knows of a card and its host. Seconds, bytes, and both a second; "a core" is one of `channels * cores_per_channel`.

    Attributes
    ----------
    name, title : str
    channels, cores_per_channel : int
    memory_bytes_per_channel, max_parallelism, max_stack_mb : int
    clock_hz : float
    macs_per_second : mapping of str to float
        Peak of a core for each dtype.
    array_inner, array_outer : int
        Extents of a core's multiplier array; smaller products leave it partly empty.
    mac_efficiency : float
        Share of the peak that a large convolution reaches.
    vector_ops_per_second : float
        Element operations of a core.
    onchip_bytes : float
        A tensor of a core that is not larger stays beside the core and never goes to DDR.
    ddr_bytes_per_second : float
        Peak of one channel.
    ddr_efficiency : float
        Share of that which reads and writes reach.
    core_bytes_per_second : float
        What one core can draw.
    weight_sharing : float
        0: cores of one invocation read weights once for all; 1: each for itself.
    noc_bytes_per_second : float
        Of one channel's port to the others.
    launch_seconds, instruction_seconds, barrier_seconds : float
        For an invocation, for an instruction on a core, and for cores that share an image to meet.
    sparse_floor, sparse_efficiency : float
        A sparse kernel takes max(floor, 1 - efficiency * (1 - density)) of the dense one's time.
    pcie_bytes_per_second, copy_seconds : float
        Each way, and for starting a copy.
    host_cores : int
    convert_bytes_per_second, host_bytes_per_second : float
        Layout and type conversion of one host thread, and of all together.
    decode_pixels_per_second : float
        Reading, decoding and resizing pictures on one host thread, in pixels of the net's input.
    online_image_seconds, online_seconds : float
        What a framework between program and card adds to an image, and to an invocation.
    interleaved : int
        1: what an invocation works on is spread over all channels; 0: it is on the channel of its queue.
    """

    name: str
    title: str
    channels: int
    cores_per_channel: int
    memory_bytes_per_channel: int
    clock_hz: float
    macs_per_second: Mapping[str, float]
    array_inner: int
    array_outer: int
    mac_efficiency: float
    vector_ops_per_second: float
    onchip_bytes: float
    ddr_bytes_per_second: float
    ddr_efficiency: float
    core_bytes_per_second: float
    weight_sharing: float
    noc_bytes_per_second: float
    launch_seconds: float
    instruction_seconds: float
    barrier_seconds: float
    sparse_floor: float
    sparse_efficiency: float
    pcie_bytes_per_second: float
    copy_seconds: float
    host_cores: int
    convert_bytes_per_second: float
    host_bytes_per_second: float
    decode_pixels_per_second: float
    online_image_seconds: float
    online_seconds: float
    interleaved: int
    max_parallelism: int = 32
    max_stack_mb: int = 512

    @property
    def cores(self) -> int:
        """Cores of all channels."""
        return self.channels * self.cores_per_channel

    def with_constants(self, **values: float) -> CardModel:
        """The same card with other constants, for fits and what-if questions."""
        return replace(self, **values)  # type: ignore[arg-type]

    def at_clock(self, hertz: float) -> CardModel:
        """The same card at another clock: arithmetic follows it, memory and host do not."""
        faster = hertz / self.clock_hz
        return replace(self, clock_hz=hertz, macs_per_second=MappingProxyType({k: v * faster for k, v in self.macs_per_second.items()}),
                       vector_ops_per_second=self.vector_ops_per_second * faster)

    def device_spec(self) -> DeviceSpec:
        """The part that devices enforce."""
        peaks = MappingProxyType({k: 2 * v for k, v in self.macs_per_second.items()})
        return DeviceSpec(self.name, self.channels, self.cores_per_channel, self.memory_bytes_per_channel, self.clock_hz, peaks,
                          self.ddr_bytes_per_second, self.pcie_bytes_per_second, self.max_parallelism, self.max_stack_mb)


def card_names() -> tuple[str, ...]:
    """Cards with a file, sorted."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.json")))


@functools.cache
def card_model(name: str) -> CardModel:
    """A card by its name.

    Raises
    ------
    CnrtError
        NODEV, listing the cards.
    """
    if name not in card_names():
        raise CnrtError(RetCode.ERR_NODEV, f"failed to find the card '{name}': there are specs of {', '.join(card_names())}")
    return read_card(FOLDER / f"{name}.json")


def read_card(path: Path) -> CardModel:
    """A card from a file, which may be the user's own.

    Raises
    ------
    CnrtError
        INVALID, naming file and number, for a file of another schema, a missing, unknown or impossible number, or one without a source.
    """
    table = card_table(path)
    values: dict[str, Any] = {key: row["value"] for key, row in table["constants"].items()}
    rates = {key.removeprefix(_RATE): float(values.pop(key)) for key in list(values) if key.startswith(_RATE)}
    known = {f for f in CardModel.__dataclass_fields__ if f not in ("name", "title", "macs_per_second")}
    optional = {"max_parallelism", "max_stack_mb"}
    lost, extra = known - optional - values.keys(), values.keys() - known
    if lost or extra or not rates:
        raise _invalid(path, f"it lacks {', '.join(sorted(lost)) or 'nothing'}{'' if rates else ', macs_per_second.*'} and has the unknown "
                             f"{', '.join(sorted(extra)) or 'nothing'}")
    whole = {f for f in known if CardModel.__dataclass_fields__[f].type == "int"}
    for key, value in values.items():
        if key in whole and (value != int(value) or value < (key != "interleaved")):
            raise _invalid(path, f"'{key}' is {value}; it must be a whole number of at least {int(key != 'interleaved')}")
    numbers = {k: int(v) if k in whole else float(v) for k, v in values.items()}
    return CardModel(name=table["name"], title=table["title"], macs_per_second=MappingProxyType(rates), **numbers)  # type: ignore[arg-type]


def card_table(path: Path) -> dict[str, Any]:
    """A card's file as it is: `name`, `title` and for each constant `value`, `unit`, `kind` and `source`.

    Raises
    ------
    CnrtError
        INVALID.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise _invalid(path, f"it is no readable JSON file ({e})") from e
    if not isinstance(table, dict) or table.get("schema") != SCHEMA or not isinstance(table.get("constants"), dict):
        raise _invalid(path, f"it must be an object with \"schema\": \"{SCHEMA}\" and \"constants\"")
    for key, row in table["constants"].items():
        value = row.get("value") if isinstance(row, dict) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
            raise _invalid(path, f"'{key}' is {value!r}; it must be a number of at least 0")
        if value == 0 and (key in _ABOVE_ZERO or key.startswith(_RATE)):
            raise _invalid(path, f"'{key}' is 0; it must be above 0")
        if row.get("kind") not in KINDS or not row.get("source"):
            raise _invalid(path, f"'{key}' must say its kind ({', '.join(KINDS)}) and its source")
    return {"name": path.stem, "title": path.stem, **table}


def _invalid(path: Path, why: str) -> CnrtError:
    return CnrtError(RetCode.ERR_INVALID, f"failed to read the card {path}: {why}")
