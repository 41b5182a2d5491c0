"""Names to classes, for the outermost doors only: "infonce" is `InfoNCE`, "joint" or "jointcritic" is `JointCritic`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from functools import cache
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import nn

from mibounds import bounds, critics
from mibounds._checks import described, nearest
from mibounds._random import seeded
from mibounds.bounds import Bound
from mibounds.critics import CategoricalCritic, Critic, Encoded
from mibounds.networks import ConvEncoder

__all__ = [
    "Shape",
    "bound_names",
    "build_bound",
    "build_critic",
    "check_critic",
    "check_fit",
    "critic_names",
    "shape_sizes",
]


Shape = int | tuple[int, ...]
_FEWEST_PIXELS = 8  # of the height and the width of images
_ALIASES = {"dv": "donskervaradhan", "js": "jensenshannon", "jsd": "jensenshannon", "cpc": "infonce", "nce": "infonce"}


@cache
def bound_names() -> dict[str, type[Bound]]:
    """The bounds that need no argument, by their names in lower case."""
    return {name.lower(): kind for name, kind in _classes(bounds, Bound).items() if not _required(kind)}


@cache
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
    _check_called("bound", choice, Bound)
    names = bound_names()
    wanted = _ALIASES.get(str(choice).lower(), str(choice).lower())
    if wanted not in names:
        raise ValueError(_unknown("bound", choice, wanted, names, _classes(bounds, Bound)))
    return names[wanted]()


def build_critic(choice: str | Critic, x_shape: Shape, y_shape: Shape, seed: int = 0, **options: Any) -> Critic:
    """The critic of that name, with or without the suffix Critic; a critic is passed through.

    Shapes are without the rows: a number of columns, (C, H, W) for images, which get a convolutional encoder, or
    any other, which is flattened. The first weights come from `seed` and no global random state moves. Options that
    the class does not have are left out (a bilinear critic has no hidden layers).

    >>> type(build_critic("joint", 2, 3, hidden=(8,))).__name__
    'JointCritic'
    """
    if isinstance(choice, Critic):
        _check_classes(type(choice), y_shape)
        return choice
    _check_called("critic", choice, Critic)
    if callable(choice) and not isinstance(choice, type | Bound):
        raise TypeError(
            f"critic is {_kind_of(choice)}: expected a mi.critics object or a name, so wrap a function in "
            "mi.critics.FunctionCritic."
        )
    names = critic_names()
    wanted = str(choice).lower().removesuffix("critic")
    if wanted not in names:
        raise ValueError(_unknown("critic", choice, wanted, names, _classes(critics, Critic)))
    kind: Any = names[wanted]
    _check_classes(kind, y_shape)
    known = inspect.signature(kind).parameters
    with seeded(seed):
        encoder_x, dim_x = _encoder("x", x_shape, flat=False)
        # A density is one of y itself, not of a code that could shrink.
        encoder_y, dim_y = _encoder("y", y_shape, flat=kind.is_conditional_density)
        critic: Critic = kind(dim_x, dim_y, **{name: value for name, value in options.items() if name in known})
    return critic if encoder_x is None and encoder_y is None else Encoded(critic, encoder_x, encoder_y)


def check_fit(critic: Critic, bound: Bound) -> None:
    """Raise a ValueError if a bound has no use for the scores of a critic that is not normalized.

    A density log q(z|x) differs from the log density ratio by a function of z: a bound whose value or training depends
    on it takes log densities for information. A bound that is trained by likelihood takes nothing else.

    >>> check_fit(critics.SeparableCritic(1, 1), bounds.InfoNCE())
    """
    name = type(critic.critic if isinstance(critic, Encoded) else critic).__name__
    if bound.needs_conditional_density and not critic.is_conditional_density:
        raise ValueError(
            f"{type(bound).__name__} needs a critic that is a density log q(z|x), and {name} is none: use "
            'critic="diagonalgaussian", "fullgaussian" or "flow", or "categorical" for labels.'
        )
    if not critic.is_conditional_density or bound.takes_raw_scores:
        return
    trains = bound.needs_conditional_density or bound.unidentified == "function of y"
    if not (trains and _ignores_function_of_y(bound)):
        raise ValueError(
            f"{type(bound).__name__} needs a log density ratio, and {name} is a density log q(z|x), whose mean is no "
            'information: use bound="leaveoneout" or "infonce", or mi.bounds.BarberAgakov(entropy=...).'
        )


def _ignores_function_of_y(bound: Bound) -> bool:
    """Is the value the same if each y has a number of its own added to its scores?"""
    with torch.device("cpu"):  # a model may be built on "meta"
        joint, product, added = torch.tensor([2.0, 0.0]), torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 3.0])
        return torch.allclose(bound(joint + added, product + added[:, None]), bound(joint, product))


def _unknown(argument: str, choice: Any, wanted: str, names: Iterable[str], classes: dict[str, Any]) -> str:
    """The error for a name that cannot be built from: the class that needs an object, or the nearest name."""
    module = f"mi.{argument}s"
    if not isinstance(choice, str):
        return (
            f"{argument} is {described(choice)}: expected a {module} object or a name, such as {next(iter(names))!r}."
        )
    objects = [name for name in classes if name.lower().removesuffix("critic") not in names]
    kind = next((name for name in objects if name.lower().startswith(wanted)), None)
    if kind is not None:
        return f"{argument} is {choice!r}, which has no name: pass an object, {module}.{kind}(...)."
    advice = nearest(wanted, names)
    if not advice.startswith("Did you mean"):  # `nearest` shows the first names only
        advice = f"Known: {', '.join(map(repr, names))}."
    return f"{argument} is {choice!r}: expected a {module} object or a name. {advice}"


def check_critic(choice: Any) -> None:
    """Raise an error unless the choice names a critic that is trained as a log density ratio."""
    if callable(choice) and not isinstance(choice, Bound):
        raise TypeError(
            f"critic is {_kind_of(choice)}, and this function builds its critics from a name, "
            "'separable', 'joint' or 'bilinear'. Fit your own by mi.Trainer().fit(mi.MIEstimator(critic, bound), x, y)."
        )
    wanted = str(choice).lower().removesuffix("critic")
    if wanted not in _ratio_critics():
        raise ValueError(f"critic is {choice!r}: expected one of {', '.join(map(repr, _ratio_critics()))}.")


def _check_called(argument: str, choice: Any, base: type) -> None:
    """Raise a TypeError for a class in place of an object."""
    if isinstance(choice, type) and issubclass(choice, base) and choice is not base:
        call = f"{choice.__name__}({'...' if _required(choice) else ''})"
        raise TypeError(
            f"{argument} is {_kind_of(choice)}: expected a mi.{argument}s object or a name, so call it: {call}."
        )


def _check_classes(kind: type, y_shape: Shape) -> None:
    """Raise a ValueError for a distribution of labels of a shape, in place of a number of classes."""
    if issubclass(kind, CategoricalCritic) and len(sizes := shape_sizes("y", y_shape)) > 1:
        raise ValueError(
            f"{kind.__name__} takes labels (N,), and their shape is given as {sizes}: expected the number of classes, "
            "for example z_shape=3."
        )


def _kind_of(choice: Any) -> str:
    """What came in place of a name, in words."""
    if isinstance(choice, type):
        return f"the class {choice.__name__}"
    return "a function" if inspect.isroutine(choice) else f"a {type(choice).__name__} object"


def _ratio_critics() -> list[str]:
    """The critics by name that score a log density ratio."""
    return [name for name, kind in critic_names().items() if not kind.is_conditional_density]


def _required(kind: type) -> list[str]:
    """The arguments without which it cannot be built."""
    parameters = inspect.signature(kind).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in variadic]


def _encoder(name: str, shape: Shape, flat: bool) -> tuple[nn.Module | None, int]:
    """What maps rows of that shape to columns, and how many columns."""
    sizes = shape_sizes(name, shape)
    if len(sizes) == 1:
        return None, sizes[0]
    if len(sizes) == 3 and not flat:
        _check_channels(sizes)
        return ConvEncoder(sizes, 128), 128
    return nn.Flatten(), math.prod(sizes)


def _check_channels(sizes: tuple[int, ...]) -> None:
    """Raise a ValueError for the shape of images with the channel last: feature maps may be as low as 3 or 1."""
    height, width, channels = sizes
    if (channels == 3 or (channels == 1 and height == width)) and min(height, width) >= _FEWEST_PIXELS:
        raise ValueError(
            f"{sizes} looks like the shape of images with the channel last: expected (channels, height, width). Give "
            f"{(channels, height, width)}, and images.movedim(-1, 1)."
        )


def shape_sizes(name: str, shape: Any) -> tuple[int, ...]:
    """The shape of a sample of x or y as a tuple; integers of NumPy and of tensors are taken.

    >>> shape_sizes("x", 3)
    (3,)
    """
    values = shape.tolist() if isinstance(shape, torch.Tensor | np.ndarray) else shape
    given = tuple(values) if isinstance(values, Iterable) else (values,)
    sizes = tuple(int(size) for size in given if isinstance(size, Integral) and not isinstance(size, bool))
    if not given or len(sizes) < len(given) or min(sizes) < 1:
        raise ValueError(f"the shape of {name} is {shape!r}: expected a number of columns or a shape like (3, 32, 32).")
    return sizes


def _classes(module: Any, base: type) -> dict[str, Any]:
    members = {name: getattr(module, name) for name in module.__all__}
    return {
        name: kind
        for name, kind in members.items()
        if inspect.isclass(kind) and issubclass(kind, base) and kind is not base
    }
