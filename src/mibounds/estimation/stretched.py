"""Nearest neighbors between two variables, of which one may be stretched."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Neighbors", "neighbors_between"]

Floats = NDArray[np.float64]
Method = Callable[[Any, Any], float]

_SEARCHED = 1_000  # rows of each half at most
_STEP, _STEPS = 4.0, 3  # of the stretch, at most 64 times
_CHANCE = 1.5  # errors
_CATEGORIES = 60  # of so few values none is near another one


class Neighbors(NamedTuple):
    """An estimate by nearest neighbors in nats, its standard error, by how much it is higher than from half of the
    rows, on average over both halves, and by how much it is raised if it is reported: the gain beyond what
    chance makes of it, one and a half errors. Half of the rows lack more than all do, where much is shared."""

    value: float
    stderr: float
    learning_gain: float
    rise: float


def neighbors_between(method: Method, x: Floats, y: Floats) -> Neighbors:
    r"""An estimate by nearest neighbors of normal scores.

    Neighbors are near in the largest of all coordinates, so they resolve x and y alike. Of a relation that oscillates
    many periods of x are within the distance that the noise of y asks for, and hardly anything is found. The
    information does not depend on the unit of x: where it says clearly more, x is measured in a unit 4, 16 or 64 times
    as small or large. Each half of the rows chooses a unit, and the smaller change of both is taken, so that chance
    hardly ever chooses.

    Arguments:
        method: takes x and y and returns nats.
        x: (N, D_x), normal scores.
        y: (N, D_y), paired with x.

    Example:
        >>> from mibounds.classical import ksg
        >>> x, noise = np.random.default_rng(0).normal(size=(2, 1000, 1))
        >>> wave = np.sin(30 * x) + 0.3 * noise  # truth 0.862
        >>> round(ksg(x, wave), 1), round(neighbors_between(ksg, x, wave).value, 1)
        (0.2, 0.8)
    """

    @cache  # of up to 2,000 rows, the halves that choose are those of the gain
    def nats(steps: int, start: int, every: int) -> float:
        return method(x[start::every] * _STEP**steps, y[start::every])

    steps = 0
    if all(len(np.unique(side, axis=0)) > _CATEGORIES for side in (x, y)):
        steps = _steps(nats, len(x))
    value, error = nats(steps, 0, 1), 1 / math.sqrt(len(x))
    gain = value - fmean(nats(steps, start, 2) for start in (0, 1))
    return Neighbors(value, error, gain, max(gain - _CHANCE * error, 0.0))


def _steps(nats: Callable[[int, int, int], float], n: int) -> int:
    """The steps by which x is stretched, or pressed together where they are negative: the fewer of both halves, none
    where these differ in direction."""
    every = max(2, math.ceil(n / _SEARCHED))
    first, second = (_of_half(nats, start, every, n) for start in (0, every // 2))
    return min(first, second, key=abs) if first * second > 0 else 0


def _of_half(nats: Callable[[int, int, int], float], start: int, every: int, n: int) -> int:
    """The steps that one part of the n rows chooses: each has to raise the value by about its error."""
    plain, error = nats(0, start, every), 1 / math.sqrt(len(range(start, n, every)))
    best = plain, 0
    for direction in (1, -1):
        value, steps = plain, 0
        while abs(steps) < _STEPS:
            further = nats(steps + direction, start, every)
            if further <= value + error:
                break
            value, steps = further, steps + direction
        best = max(best, (value, steps))
    return best[1]
