"""Argument checks. An error says what came, what was expected and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import torch

__all__ = ["check_at_least", "check_device", "check_fraction", "check_paired", "nearest"]


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the nearest known name, or all of them when none is near."""
    known = [str(entry) for entry in known]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    shown = ", ".join(repr(entry) for entry in known[:12])
    return f"Known: {shown}{', ...' if len(known) > 12 else ''}."


def check_at_least(name: str, value: float, least: float, advice: str = "") -> None:
    """Raise a ValueError unless value >= least."""
    if not value >= least:
        raise ValueError(f"{name} is {value!r}, and must be at least {least}.{' ' + advice if advice else ''}")


def check_fraction(name: str, value: float) -> None:
    """Raise a ValueError unless 0 < value < 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}, and must lie strictly between 0 and 1.")


def check_paired(rows_x: int, rows_y: int, *, name_y: str = "y") -> None:
    """Raise a ValueError unless both variables have the same number of rows."""
    if rows_x != rows_y:
        raise ValueError(
            f"x has {rows_x} rows and {name_y} has {rows_y}: rows are paired samples, so their numbers must agree."
        )


def check_device(device: str | torch.device | None) -> torch.device:
    """The torch device of that name, if this machine has it; the CPU for None."""
    if device is None:
        return torch.device("cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        here = ["cpu"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            here.append("mps")
        raise ValueError(
            f"device is {str(device)!r}, which this machine does not have. Here: {', '.join(here)}."
        ) from error
    return found
