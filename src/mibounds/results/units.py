"""Units of information."""

from __future__ import annotations

import math
from typing import Literal

from mibounds._checks import check_choice

__all__ = ["Unit", "nats_in"]

Unit = Literal["nats", "bits"]
_NATS_IN = {"nats": 1.0, "bits": math.log(2)}


def nats_in(unit: str) -> float:
    """How many nats a unit is.

    Raises:
        TypeError: unless the unit is text.
        ValueError: if it is unknown.
    """
    return _NATS_IN[check_choice("unit", unit, _NATS_IN)]
