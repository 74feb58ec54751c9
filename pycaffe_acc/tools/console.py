"""What a verb writes: one JSON document or text on stdout, everything else on stderr."""
from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any


def emit(args: argparse.Namespace, document: Any, text: str) -> None:
    """Write a verb's result.

    Parameters
    ----------
    args : Namespace
        With `json`.
    document : dict or list
        Written as JSON when `--json` was given (NaN and infinities become null).
    text : str
        Written otherwise.
    """
    print(json_text(document) if args.json else text)
    sys.stdout.flush()


def json_text(document: Any) -> str:
    """A document as `emit` writes it."""
    return json.dumps(_finite(document), indent=1, allow_nan=False)


def note(message: str) -> None:
    """A line for the person at the terminal: stderr, so that it never mixes with a result."""
    print(message, file=sys.stderr, flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
