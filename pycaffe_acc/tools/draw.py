"""`draw`: a net as SVG or DOT."""
from __future__ import annotations

import argparse
from pathlib import Path

from cnrt.whole_file import whole_file
from pycaffe_acc.draw import RANKDIRS, draw_net
from pycaffe_acc.errors import CaffeError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.text_format import read_net
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.upgrade import upgrade_net

NAME = "draw"
HELP = "draw a net as SVG or DOT (other formats need Graphviz)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Prototxt, file, direction."""
    parser.add_argument("model", metavar="P", help="net description (.prototxt)")
    parser.add_argument("--out", metavar="F", type=Path, help="file whose suffix is the format (default: the prototxt's name with .svg, in the "
                        "current folder)")
    parser.add_argument("--rankdir", choices=RANKDIRS, default="TB", help="where the net runs (default TB, top to bottom)")
    parser.add_argument("--phase", choices=("TEST", "TRAIN"), help="leave out layers of the other phase")


def run(args: argparse.Namespace) -> int:
    """Draw, with blob shapes when the net can be built."""
    message = upgrade_net(read_net(args.model, allow_unknown_fields=True).message)
    target = args.out or Path(Path(args.model).with_suffix(".svg").name)
    phase = None if args.phase is None else int(args.phase == "TEST")
    try:
        net = Net(args.model, TEST if phase is None else phase, allow_unknown_fields=True)
        shapes = {name: blob.shape for name, blob in net.blobs.items()}
    except CaffeError as e:
        note(f"drawn without shapes, since the net cannot be built: {e}")
        shapes = None
    picture = draw_net(message, args.rankdir, target.suffix[1:].lower() or "svg", phase, shapes=shapes)
    with whole_file(target) as part:
        part.write_bytes(picture)
    emit(args, {"model": args.model, "out": str(target), "layers": len(message.layer)}, f"wrote {target}")
    return 0
