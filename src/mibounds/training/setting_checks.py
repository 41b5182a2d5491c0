"""Checks of the settings of a recipe: each returns the value to keep, or raises with one sentence."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from mibounds._checks import (
    check_choice,
    check_device,
    check_flag,
    check_integer,
    check_number,
    check_seed,
    unknown_keyword,
)

if TYPE_CHECKING:
    import torch

    from mibounds.bounds import Bound
    from mibounds.critics import Critic

__all__ = [
    "OF_TORCH", "arguments", "bound", "critic", "device", "folder", "fraction", "negatives", "not_negative", "one_of",
    "positive", "progress", "required_whole", "seed", "splitter", "whole",
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


def arguments(label: str, signature: inspect.Signature, known: Sequence[str], given: Sequence[Any], named: Any) -> None:
    """Raise a TypeError for arguments that a function does not have, that are missing, too many or given twice.

    Arguments:
        label: of the function, for sentences.
        signature: of the function that is called, with its own arguments and any keywords.
        known: names of all arguments that it has.
        given: arguments by position.
        named: arguments by name.
    """
    for name in named:
        if name not in known:
            raise TypeError(unknown_keyword(label, name, known))
    try:
        signature.bind(*given, **named)
    except TypeError as error:
        raise TypeError(_misplaced(label, [*signature.parameters.values()], len(given), named)) from error


def _misplaced(label: str, parameters: Sequence[inspect.Parameter], given: int, named: Mapping[str, Any]) -> str:
    by_place = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    required = [p.name for p in parameters if p.name in by_place and p.default is p.empty and p.name != "self"]
    missing = [name for name in required if name not in (*by_place[:given], *named)]
    names = [name for name in by_place if name != "self"]
    if given > len(by_place):
        came = given - len(by_place) + len(names)
        return (
            f"{label} takes {', '.join(names) or 'nothing'} by position, and got {came} arguments: pass the others by "
            f"their names.{' For a third variable use mi.conditional(x, y, z).' if names == ['x', 'y'] else ''}"
        )
    if missing:
        data = " Of a dataset pass the tensors of both variables, of a table also the name of its column y."
        return (
            f"{label} needs {' and '.join(missing)}: {label}({', '.join(required)}).{data if missing == ['y'] else ''}"
        )
    twice = [name for name in by_place[:given] if name in named]
    return f"{label} got {' and '.join(twice)} by position and by name: give it once."
