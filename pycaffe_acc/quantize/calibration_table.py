"""The calibration table: every range of a quantized net in a text file that people can read, compare and edit."""
from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from cnml.quantization import QuantParam
from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16, DT_UINT8, LIMITS, nth_field, read_param, write_param
from pycaffe_acc.quantize.layer_ranges import channel_axis
from pycaffe_acc.quantize.value_range import param_of, reach

_TITLE = "# pycaffe-acc calibration table 1"
_COLUMNS = ("layer", "what", "blob", "method", "type", "range", "position", "scale")
_NOTES = ("# q = round(x * scale / 2^position); range: the magnitude that becomes the largest code. Where position and scale are both -, they follow "
          "from range.\n# Values with commas are one per output channel. Layers without lines stay in floating point.")
_TYPES = {"int8": DT_INT8, "int16": DT_INT16, "uint8": DT_UINT8}
_NAMES = {value: name for name, value in _TYPES.items()}
_WEIGHTS = "weights"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


@dataclass(frozen=True)
class TableRow:
    """A line.

    Attributes
    ----------
    layer, what : str
        Name; "bottom 0" and so on, or "weights".
    blob : str
        Name of the bottom; "-" for weights.
    method : str
        What the range was found by; for people.
    dtype : int
    param : QuantParam
    line : int
        In the file; 0 for rows that come from none.
    """

    layer: str
    what: str
    blob: str
    method: str
    dtype: int
    param: QuantParam
    line: int = 0

    def text(self) -> str:
        """As it stands in the file."""
        ranges, positions = reach(self.param, LIMITS[self.dtype]), np.atleast_1d(self.param.position)
        cells = (_escaped(self.layer), self.what, _escaped(self.blob), self.method, _NAMES[self.dtype], _floats(ranges),
                 ",".join(map(str, positions)), _floats(self.param.scale))
        return "\t".join(cells)


@dataclass(frozen=True)
class CalibrationTable:
    """The ranges of a net.

    Attributes
    ----------
    rows : tuple of TableRow
        In the order of the net's layers.
    source : str
        File name, for messages.
    """

    rows: tuple[TableRow, ...]
    source: str = "table"

    @classmethod
    def of(cls, layers: Iterable[Any], method: str, weight_method: str) -> CalibrationTable:
        """Of quantized layers.

        Parameters
        ----------
        layers : iterable of LayerParameter
        method, weight_method : str
            By which the ranges of bottoms and weights were found.
        """
        rows = []
        for layer in layers:
            for j, field in enumerate(layer.bottom_mlu_dtype):
                rows += _row(layer, f"bottom {j}", layer.bottom[j], method, field)
            if layer.blobs_dtype:
                rows += _row(layer, _WEIGHTS, "-", weight_method, layer.blobs_dtype[0])
        return cls(tuple(rows))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all."""
        lines = [_TITLE, _NOTES, "# " + "\t".join(_COLUMNS), *(row.text() for row in self.rows)]
        with whole_file(path) as part:
            part.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def check(self, names: Iterable[str]) -> None:
        """That every row belongs to a layer of a net.

        Raises
        ------
        CheckError
        """
        known = set(names)
        for row in self.rows:
            if row.layer not in known:
                raise CheckError(f"{self.source}:{row.line}: the net has no layer '{row.layer}'; the table belongs to another net")

    def write(self, layer: Any, blobs: list[np.ndarray]) -> bool:
        """Put a layer's rows into its message.

        Parameters
        ----------
        layer : LayerParameter
        blobs : list of ndarray
            Its parameter blobs.

        Returns
        -------
        bool
            Whether there were any.

        Raises
        ------
        CheckError
            Naming line and layer, for rows that do not fit it.
        """
        rows = {row.what: row for row in self.rows if row.layer == layer.name}
        weights = rows.pop(_WEIGHTS, None)
        for j, name in enumerate(layer.bottom):
            row = rows.pop(f"bottom {j}", None)
            if row is None:
                continue
            if row.blob != name:
                self._refuse(row, f"bottom {j} is '{name}', not '{row.blob}'; the table belongs to another net")
            write_param(nth_field(layer.bottom_mlu_dtype, j), row.param, row.dtype)
        for row in rows.values():
            self._refuse(row, f"the layer has {len(layer.bottom)} bottoms, and the line is about '{row.what}'")
        if weights is not None:
            self._write_weights(weights, layer, blobs)
        return bool(layer.bottom_mlu_dtype or weights)

    def _write_weights(self, row: TableRow, layer: Any, blobs: list[np.ndarray]) -> None:
        if not blobs:
            self._refuse(row, "the layer has no weights")
        if not layer.bottom_mlu_dtype:
            self._refuse(row, "there is a line for the weights and none for bottom 0; a layer needs both, or neither to stay in floating point")
        axis = channel_axis(layer)
        numbers = np.size(row.param.position), np.size(row.param.scale)
        channels = 1 if axis is None else blobs[0].shape[axis]
        if not set(numbers) <= {1, channels}:
            self._refuse(row, f"there are {max(numbers)} positions or scales, and the layer has {channels} output channels")
        write_param(nth_field(layer.blobs_dtype, 0), row.param, row.dtype)

    def _refuse(self, row: TableRow, why: str) -> NoReturn:
        raise CheckError(f"{self.source}:{row.line}: layer '{row.layer}': {why}")


def read_table(path: str | os.PathLike[str]) -> CalibrationTable:
    """Read a calibration table.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    CalibrationTable

    Raises
    ------
    MissingFileError
    CheckError
        With the line: another title, a wrong number of columns, a type that is not known, numbers that are none, ranges or scales that are not
        positive and finite, two lines about the same.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "calibration table")
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].strip() != _TITLE:
        raise CheckError(f"{path}:1: a calibration table begins with the line '{_TITLE}'")
    rows: dict[tuple[str, str], TableRow] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        row = _parsed(line, number, f"{path}:{number}")
        if (row.layer, row.what) in rows:
            raise CheckError(f"{path}:{number}: layer '{row.layer}' has a line about its {row.what} already, line {rows[row.layer, row.what].line}")
        rows[row.layer, row.what] = row
    return CalibrationTable(tuple(rows.values()), os.fspath(path))


def _row(layer: Any, what: str, blob: str, method: str, field: Any) -> list[TableRow]:
    param = read_param(field, f"layer '{layer.name}': {what}")
    return [] if param is None else [TableRow(layer.name, what, blob, method, field.type, param)]


def _parsed(line: str, number: int, place: str) -> TableRow:
    cells = line.split("\t")
    if len(cells) != len(_COLUMNS):
        raise CheckError(f"{place}: there are {len(cells)} columns; there must be {len(_COLUMNS)}, with tabs between them: {', '.join(_COLUMNS)}")
    layer, what, blob, method, kind, reaches, positions, scales = (c.strip() for c in cells)
    if kind not in _TYPES:
        raise CheckError(f"{place}: layer '{layer}': the type is '{kind}'; it must be one of {', '.join(_TYPES)}")
    where = f"{place}: layer '{layer}': {what}"
    if (positions == "-") != (scales == "-"):
        raise CheckError(f"{where}: position and scale must both be numbers, or both '-'")
    if positions == "-":
        params = [param_of(v, LIMITS[_TYPES[kind]]) for v in _positive(reaches, "range", where)]
        param = QuantParam(_one(p.position for p in params), _one(p.scale for p in params))
    else:
        param = QuantParam(_one(_whole(positions, where)), _one(_positive(scales, "scale", where)))
    return TableRow(_plain(layer), what, _plain(blob), method, _TYPES[kind], param, number)


def _one(values: Iterable[Any]) -> Any:
    several = tuple(values)
    return several if len(several) > 1 else several[0]


def _whole(text: str, where: str) -> list[int]:
    try:
        return [int(v) for v in text.split(",")]
    except ValueError:
        raise CheckError(f"{where}: the position is '{text}'; it must be a whole number, or one per channel with commas between them") from None


def _positive(text: str, what: str, where: str) -> list[float]:
    try:
        values = [float(np.float32(v)) for v in text.split(",")]
    except ValueError:
        raise CheckError(f"{where}: the {what} is '{text}'; it must be a number, or one per channel with commas between them") from None
    for v in values:
        if not (np.isfinite(v) and v > 0):
            raise CheckError(f"{where}: the {what} is {v:g}; it must be positive and finite")
    return values


def _floats(values: Any) -> str:
    """The shortest digits that give the same float32 again."""
    return ",".join(str(np.float32(v)) for v in np.atleast_1d(values))


def _escaped(name: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in name)


def _plain(text: str) -> str:
    parts = text.split("\\\\")
    for mark, code in (("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")):
        parts = [p.replace(mark, code) for p in parts]
    return "\\".join(parts)
