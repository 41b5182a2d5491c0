"""Names to classes, for the outermost doors only: "infonce" is `InfoNCE`, "joint" or "jointcritic" is `JointCritic`."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from mibounds import bounds, critics
from mibounds._checks import nearest
from mibounds.bounds import Bound
from mibounds.critics import Critic

__all__ = ["bound_names", "build_bound", "build_critic", "critic_names"]


def bound_names() -> dict[str, type[Bound]]:
    """The bounds by their names in lower case."""
    return {name.lower(): kind for name, kind in _classes(bounds, Bound).items()}


def critic_names() -> dict[str, type[Critic]]:
    """The critics that are built from the widths of x and y, by their names in lower case without the suffix Critic."""
    return {
        name.lower().removesuffix("critic"): kind
        for name, kind in _classes(critics, Critic).items()
        if list(inspect.signature(kind).parameters)[:2] == ["dim_x", "dim_y"]
    }


def build_bound(choice: str | Bound) -> Bound:
    """The bound of that name with its default parameters; a bound is passed through.

    >>> build_bound("smile")
    SMILE(clip=5.0)
    """
    if isinstance(choice, Bound):
        return choice
    names = bound_names()
    if str(choice).lower() not in names:
        raise ValueError(f"bound is {choice!r}, which is no bound here. {nearest(str(choice).lower(), names)}")
    return names[choice.lower()]()


def build_critic(choice: str | Critic, dim_x: int, dim_y: int, seed: int = 0, **options: Any) -> Critic:
    """The critic of that name, with or without the suffix Critic; a critic is passed through.

    Its first weights come from `seed` and no global random state moves. Options that the class does not have are
    left out (a bilinear critic has no hidden layers).

    >>> type(build_critic("joint", 2, 3, hidden=(8,))).__name__
    'JointCritic'
    """
    if isinstance(choice, Critic):
        return choice
    names = critic_names()
    wanted = str(choice).lower().removesuffix("critic")
    if wanted not in names:
        raise ValueError(f"critic is {choice!r}, which is no critic here. {nearest(wanted, names)}")
    kind: Any = names[wanted]
    known = inspect.signature(kind).parameters
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built: Critic = kind(dim_x, dim_y, **{name: value for name, value in options.items() if name in known})
    return built


def _classes(module: Any, base: type) -> dict[str, Any]:
    members = {name: getattr(module, name) for name in module.__all__}
    return {
        name: kind
        for name, kind in members.items()
        if inspect.isclass(kind) and issubclass(kind, base) and kind is not base
    }
