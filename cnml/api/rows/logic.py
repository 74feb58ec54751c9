"""Truth values and comparisons. Anything but 0 is true; results are 1 and 0 in the type of the output tensor."""
from __future__ import annotations

from cnml.api.constructor import row
from cnml.api.rows.arithmetic import by_channel, equal_shapes
from cnml.ops.elementwise import Elementwise

_FUNCTIONS = {"And": ("and", "a and b"), "Or": ("or", "a or b"), "Xor": ("xor", "one of a and b, not both"), "Equal": ("equal", "a = b"),
              "NEqual": ("not_equal", "a ≠ b"), "LessEqual": ("less_equal", "a ≤ b"), "Less": ("less", "a < b"),
              "GreaterEqual": ("greater_equal", "a ≥ b"), "Greater": ("greater", "a > b")}


def _rows() -> list:  # type: ignore[type-arg]
    made = []
    for name, (function, what) in _FUNCTIONS.items():
        made.append(equal_shapes(f"{name}Op", what, lambda function=function: Elementwise(function)))  # type: ignore[misc]
        made.append(by_channel(f"Cycle{name}Op", f"{what}, b with a value for each channel",
                               lambda function=function: Elementwise(function)))  # type: ignore[misc]
    return made


ROWS = [row("NotOp", "<input >output", lambda b: b.add(Elementwise("not"), b.x()), "1 where x is 0, else 0"), *_rows()]
