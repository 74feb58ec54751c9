"""`convert_imageset`: image files of a list into an LMDB of Datum records."""
from __future__ import annotations

from collections.abc import Sequence

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.filler import generator
from pycaffe_acc.image_datum import ENCODINGS, ImageForm, image_datum
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.layer_types.image_data import read_image_list
from pycaffe_acc.lmdb_writer import new_lmdb
from pycaffe_acc.tools.database_backend import check_backend
from pycaffe_acc.tools.exit_code import UsageError
from pycaffe_acc.tools.gflags import Value, parse_flags
from pycaffe_acc.tools.glog import GLOG_FLAGS, glog

NAME = "convert_imageset"
HELP = "write the images of a list into an LMDB: convert_imageset -flag value… ROOTFOLDER/ LISTFILE DB_NAME"

FLAGS: dict[str, Value] = {"gray": False, "shuffle": False, "backend": "lmdb", "resize_width": 0, "resize_height": 0, "check_size": False,
                           "encoded": False, "encode_type": "", **GLOG_FLAGS}
USAGE = f"""Convert a set of images to the LMDB format that Data layers read.
usage: convert_imageset [flags] ROOTFOLDER/ LISTFILE DB_NAME

  ROOTFOLDER/             stands in front of each name of the list
  LISTFILE                lines "name label"
  DB_NAME                 the folder of the database; must not exist
  -gray                   one channel
  -shuffle                records in random order
  -backend lmdb           the only kind
  -resize_width W  -resize_height H
                          resize, when both are given
  -check_size             stop at an image of another size than the first
  -encoded                store image files instead of pixels
  -encode_type png        their kind: {', '.join(ENCODINGS)}; default: each file's own"""

_REPORT_EVERY = 1000


def run(words: Sequence[str]) -> int:
    """Read the list, write the database.

    Raises
    ------
    UsageError, CaffeError
    """
    if not words or words[0] in ("-help", "--help", "-h"):
        print(USAGE)
        return 0 if words else 2
    flags, names = parse_flags(words, FLAGS)
    if len(names) != 3:
        raise UsageError(f"convert_imageset takes ROOTFOLDER/ LISTFILE DB_NAME, and got {names}")
    check_backend(str(flags["backend"]))
    form = _form(flags)
    root, listing, target = names
    try:
        lines = read_image_list(listing)
    except ValueError as e:
        raise CheckError(str(e)) from e
    if flags["shuffle"]:
        glog("Shuffling data")
        generator().shuffle(lines)
    glog(f"A total of {len(lines)} images.")
    if form.encode_type and not form.encoded:
        glog("encode_type specified, assuming encoded=true.")
    count = _write(root, lines, target, form, bool(flags["check_size"]))
    if count < len(lines):
        glog(f"{len(lines) - count} images could not be read and were left out", "W")
    return 0


def _form(flags: dict[str, Value]) -> ImageForm:
    height, width = max(0, int(flags["resize_height"])), max(0, int(flags["resize_width"]))
    if (height > 0) != (width > 0):
        glog(f"resize_height {height} and resize_width {width}: one alone has no effect", "W")
        height = width = 0
    kind = str(flags["encode_type"]).lower()
    if kind and kind not in ENCODINGS:
        raise UsageError(f"-encode_type {kind} is unknown; it must be one of {', '.join(ENCODINGS)}")
    return ImageForm(bool(flags["gray"]), (height, width), bool(flags["encoded"]), kind)


def _write(root: str, lines: list[tuple[str, int]], target: str, form: ImageForm, check_size: bool) -> int:
    """The number of records."""
    count = 0
    first: tuple[int, int, int] | None = None
    with new_lmdb(target) as database:
        for i, (name, label) in enumerate(lines):
            try:
                datum, shape = image_datum(root + name, label, form)
            except (ImageError, MissingFileError) as e:
                glog(f"Could not open or find file {root + name}: {e}", "E")
                continue
            first = first or shape
            if check_size and shape != first:
                raise CheckError(f"the image '{root + name}' has the shape {shape} and the first {first}; with -check_size all must have one size. "
                                 "Give -resize_height and -resize_width")
            database.put(f"{i:08d}_{name}", datum.SerializeToString())
            count += 1
            if count % _REPORT_EVERY == 0:
                glog(f"Processed {count} files.")
        if not count:
            raise CheckError(f"none of the {len(lines)} images could be read; '{root}' stands directly in front of each name, so a folder must end "
                             "with a slash")
    if count % _REPORT_EVERY:
        glog(f"Processed {count} files.")
    return count
