"""All operators of the vendor's MLU100 interface by name."""
from __future__ import annotations

from types import MappingProxyType

from cnml.api.constructor import Constructor
from cnml.api.rows import activation, arithmetic, convolution, detection, image, linear, logic, normalisation, order, padding, pooling, reduction
from cnml.errors import CnmlError, Status

_FAMILIES = (convolution, padding, pooling, linear, activation, arithmetic, logic, reduction, normalisation, order, image, detection)

CONSTRUCTORS = MappingProxyType({row.name: row for family in _FAMILIES for row in family.ROWS})


def constructor(name: str) -> Constructor:
    """The row of a name.

    Raises
    ------
    CnmlError
        UNSUPPORT, for a name the vendor has not.
    """
    if name not in CONSTRUCTORS:
        raise CnmlError(f"failed to find the operator '{name}': the vendor has {len(CONSTRUCTORS)}, listed in docs/cnml_support.md", Status.UNSUPPORT)
    return CONSTRUCTORS[name]
