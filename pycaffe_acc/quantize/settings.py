"""What the vendor's quantization tools are told by their ini file and flags."""
from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.ini_file import IniFile, read_ini

_log = logging.getLogger("caffe")

_LISTS = ("data.images_list_path", "data.images_folder_path")
_DATABASE = "data.images_db_path"
_KNOWN = ("model.original_models_path", "model.save_model_path", *_LISTS, _DATABASE, "data.used_images_num", "weights.original_weights_path",
          "preprocess.mean", "preprocess.std", "preprocess.scale", "preprocess.crop", "config.use_firstconv",
          # the vendor's files have one of these, and its tools never read it
          "config.int8_op_list", "config.fix8_op_list", "config.quantize_op_list", "config.op_list")
_NO_MEAN = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Calibration:
    """Where calibration images come from and how they become the net's input: the ini file's half of the settings.

    Attributes
    ----------
    images : str
        List of `path label` lines; "" with a database.
    database : str
        Folder of an LMDB; "" with a list.
    mean : tuple of float
        One a channel (BGR), or one for all.
    std : float
        Multiplies, after the mean.
    size : (int, int) or None
        Height and width that images of a list are resized to.
    crop : int
        Side of the square that records of a database are cropped to; 0: whole records.
    first_convolution : bool
        Mean and std go into the first convolution, and images stay as they are.
    """

    images: str
    database: str
    mean: tuple[float, ...] = _NO_MEAN
    std: float = 1.0
    size: tuple[int, int] | None = None
    crop: int = 0
    first_convolution: bool = False


@dataclass(frozen=True)
class Settings:
    """One run of a vendor's tool.

    Attributes
    ----------
    model, weights, output : str
        Prototxt and caffemodel to read, prototxt to write.
    iterations : int
        Forwards, of one batch each.
    calibration : Calibration or None
        None without an ini file: the net brings its own data layer.
    """

    model: str
    weights: str
    output: str
    iterations: int
    calibration: Calibration | None


def read_settings(ini: str, flags: Mapping[str, str], iterations: int, database_first: bool) -> Settings:
    """Ini file and flags → Settings.

    Parameters
    ----------
    ini : str
        Path; "" for none.
    flags : mapping
        `model`, `weights`, `outputmodel`; what is not empty wins over the ini file.
    iterations : int
        Counts where the ini file has no `used_images_num`.
    database_first : bool
        Where an ini file names a list and a database, the MLU100 tool takes the database and the MLU270 tool the list.

    Returns
    -------
    Settings

    Raises
    ------
    MissingFileError, CheckError
        Naming file, section and key. Unknown keys are only reported in the log.
    """
    if not ini:
        empty = [f"-{name}" for name in ("model", "weights", "outputmodel") if not flags[name]]
        if empty:
            raise CheckError(f"without -ini_file, the flags -model, -weights and -outputmodel must be given; missing: {', '.join(empty)}")
        return Settings(flags["model"], flags["weights"], flags["outputmodel"], iterations, None)
    file = read_ini(ini)
    strangers = file.unknown(_KNOWN)
    if strangers:
        _log.warning("%s: unknown keys are ignored: %s (known: %s)", file.source, ", ".join(strangers), ", ".join(_KNOWN))
    model = flags["model"] or file.required("model.original_models_path", "the prototxt of the float net")
    output = flags["outputmodel"] or file.required("model.save_model_path", "the prototxt to write")
    weights = flags["weights"] or file.required("weights.original_weights_path", "the caffemodel of the float net")
    return Settings(model, weights, output, file.whole_number("data.used_images_num", iterations), _calibration(file, database_first))


def _calibration(file: IniFile, database_first: bool) -> Calibration:
    images = next((path for path in map(file.text, _LISTS) if path), "")
    database = file.text(_DATABASE) or ""
    if not images and not database:
        raise CheckError(f"{file.source}: [data] names no calibration images; give images_list_path (or images_folder_path: a list as well) or "
                         "images_db_path")
    if images and database:
        images, database = ("", database) if database_first else (images, "")
    std = file.numbers("preprocess.std", (1.0,))
    if len(std) != 1:
        raise CheckError(f"{file.source}: preprocess.std is '{file.text('preprocess.std')}'; it must be one number, which multiplies")
    crop = file.numbers("preprocess.crop", (0.0,))
    square = len(set(crop)) == 1 and crop[0] > 0
    return Calibration(images, database, file.numbers("preprocess.mean", _NO_MEAN), std[0], None if database else _size(file),
                       int(crop[0]) if square else 0, _first_convolution(file))


def _size(file: IniFile) -> tuple[int, int]:
    text = file.text("preprocess.scale")
    if text is None:
        raise CheckError(f"{file.source}: preprocess.scale is missing; images of a list need it: 'height, width' of the net's input")
    numbers = file.numbers("preprocess.scale", ())
    if len(numbers) != 2 or any(v < 1 for v in numbers):
        raise CheckError(f"{file.source}: preprocess.scale is '{text}'; it must be two numbers of at least 1: 'height, width'")
    return int(numbers[0]), int(numbers[1])


def _first_convolution(file: IniFile) -> bool:
    """0 is no, another whole number yes; a word is read as 0 by the vendor's tools, silently."""
    text = file.required("config.use_firstconv", "0, or 1: mean and std become fields of the first convolution")
    try:
        return int(text) != 0
    except ValueError:
        _log.warning("%s: config.use_firstconv is '%s', which counts as 0; write 0 or 1", file.source, text)
        return False
