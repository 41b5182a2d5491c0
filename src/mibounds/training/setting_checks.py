"""Checks of the settings of a recipe: each returns the value to keep, or raises with one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from mibounds._checks import check_choice, check_device, check_flag, check_integer, check_number, check_seed

if TYPE_CHECKING:
    import torch

    from mibounds.bounds import Bound
    from mibounds.critics import Critic

__all__ = [
    "OF_TORCH", "bound", "critic", "device", "folder", "fraction", "negatives", "not_negative", "one_of", "positive",
    "progress", "required_whole", "seed", "splitter", "whole",
]  # fmt: skip


def whole(least: int) -> Callable[[str, Any], Any]:
    """None, or a whole number of at least that."""
    return lambda name, value: None if value is None else check_integer(name, value, least)


def required_whole(least: int) -> Callable[[str, Any], Any]:
    """A whole number of at least that."""
    return lambda name, value: check_integer(name, value, least)


def positive(name: str, value: Any) -> float:
    """A number above 0."""
    return check_number(name, value, above=0)


def not_negative(name: str, value: Any) -> float:
    """A number of at least 0."""
    return check_number(name, value, least=0)


def fraction(name: str, value: Any) -> float:
    """A number between 0 and 1."""
    return check_number(name, value, above=0, below=1)


def one_of(*choices: str) -> Callable[[str, Any], Any]:
    """One of the choices."""
    return lambda name, value: check_choice(name, value, choices)


def bound(name: str, value: Any) -> str | Bound:
    """A bound or the name of one."""
    from mibounds.choices import build_bound

    build_bound(value)
    return cast("str | Bound", value)


def critic(name: str, value: Any) -> str | Critic:
    """A critic or the name of one."""
    from mibounds.choices import check_critic

    check_critic(value)
    return cast("str | Critic", value)


def device(name: str, value: Any) -> torch.device:
    """A device that torch can use here."""
    return check_device(value)


OF_TORCH = (bound, critic, device)
"""The checks that import torch."""


def negatives(name: str, value: Any) -> int | str:
    """The word "all", or a number of mismatched pairs."""
    if isinstance(value, str) and value != "all":
        raise ValueError(f"{name} is {value!r}: expected 'all' or a whole number of at least 1.")
    return value if isinstance(value, str) else check_integer(name, value, 1)


def seed(name: str, value: Any) -> int:
    """A seed."""
    return check_seed(value)


def splitter(name: str, value: Any) -> Any:
    """None, an object with a method `split`, or pairs of rows; a list of what can be read only once."""
    if isinstance(value, type):
        raise TypeError(f"{name} is the class {value.__name__}: expected a splitter, for example {value.__name__}().")
    pairs = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    if not (value is None or pairs or (hasattr(value, "split") and not isinstance(value, str | bytes))):
        raise TypeError(
            f"{name} is {value!r}: expected a splitter with split(X, y, groups), such as KFold(5), or pairs of "
            "training and test rows. For a number of folds pass folds=."
        )
    return list(value) if isinstance(value, Iterator) else value


def progress(name: str, value: Any) -> bool | str:
    """The word "auto", or True or False."""
    if isinstance(value, str) and value != "auto":
        raise ValueError(f"{name} is {value!r}: expected 'auto', True or False.")
    return "auto" if isinstance(value, str) else check_flag(name, value)


def folder(name: str, value: Any) -> str | os.PathLike[str] | None:
    """None, or the path of a folder."""
    if value is not None and not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} is {value!r}: expected the path of a folder.")
    return value
