"""Units of information."""

from __future__ import annotations

import math
from typing import Literal

__all__ = ["Unit", "nats_in"]

Unit = Literal["nats", "bits"]
_NATS_IN = {"nats": 1.0, "bits": math.log(2)}


def nats_in(unit: str) -> float:
    """How many nats a unit is.

    Raises:
        ValueError: if the unit is unknown.
    """
    if unit not in _NATS_IN:
        raise ValueError(f"unit is {unit!r}, and must be 'nats' or 'bits'.")
    return _NATS_IN[unit]
