"""`python -m pycaffe_acc script.py …` runs a pycaffe script; everything else is the command line `pycaffe-acc`."""
from __future__ import annotations

import sys

from pycaffe_acc.script_runner import is_script, run_script


def main(argv: list[str]) -> int:
    """Run a script or a verb.

    Parameters
    ----------
    argv : list of str
        Without the program's name; empty shows the help.

    Returns
    -------
    int
        Exit status.
    """
    if is_script(argv):
        run_script(argv)
        return 0
    # a script must not pay for importing every verb
    from pycaffe_acc.tools.main import main as command_line

    return command_line(argv or ["--help"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
