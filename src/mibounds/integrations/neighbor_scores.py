r"""The information of two variables that hold labels, numbers or both, by nearest neighbors among rows of equal labels.

Labels have no distance, so the neighbors of a row are the rows that share all of its labels, its cell. With
:math:`\epsilon_i` the distance to the :math:`k_i`-th neighbor in the numbers of x and y together,

.. math:: I = \psi(N) + \langle \psi(k_i) - \psi(n_x) - \psi(n_y) \rangle, \qquad k_i = \min(k, n_{cell} - 1),

where :math:`n_x` and :math:`n_y` count the rows, the row itself among them, that have its label and are strictly within
:math:`\epsilon_i`. If one variable is a label and the other one numbers, this is the estimator of Ross. A fixed k would
reach beyond the labels of few rows, whose information then is far too low. A row that is alone in its cell has no
neighbor: its neighborhood is everything, and it adds what counts of labels alone say, 0 if only one side has labels.

References:
    Ross, Mutual information between discrete and continuous data sets, PLoS ONE 9, e87357, 2014. Kraskov et al.,
    Estimating mutual information, 2004, arXiv:cond-mat/0305641.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Side", "untied", "within_labels"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[np.intp]
_TRACE = 1e-10


@dataclass(frozen=True)
class Side:
    """A variable: numbers (N, D) without ties, and codes (N,) of its labels, the same for all where it has none."""

    numbers: Floats
    labels: Codes


def untied(x: Side, y: Side, seed: int) -> tuple[Side, Side]:
    """The same with a trace of noise: rounded numbers have many neighbors at the same distance, of which nearest
    neighbors would count too few. The rows are in an order of their values, so that equal rows get equal noise in
    whatever order they came.

    Arguments:
        x: a variable.
        y: paired with x; noise equal to that of x would be common information.
        seed: of the noise.
    """
    order = np.lexsort([*x.numbers.T, *y.numbers.T, x.labels, y.labels])
    rng = np.random.default_rng(seed)
    first, second = (
        Side(side.numbers[order] + _TRACE * rng.standard_normal(side.numbers.shape), side.labels[order])
        for side in (x, y)
    )
    return first, second


def within_labels(x: Side, y: Side, neighbors: int = 3) -> float:
    """The information in nats; it can be negative.

    Arguments:
        x: at least one side has numbers; where neither has, counts say all (`mibounds.classical.contingency`).
        y: paired with x.
        neighbors: k.

    Example:
        >>> label = np.repeat([0, 1, 2], 50)
        >>> apart = Side((label + np.linspace(0, 0.1, 150))[:, None], np.zeros_like(label))
        >>> round(within_labels(apart, Side(np.empty((150, 0)), label)), 1)  # ln 3
        1.1
    """
    from scipy.special import digamma

    k, radius = _neighborhoods(x, y, neighbors)
    n_x, n_y = (_near(side, radius) for side in (x, y))
    terms = digamma(k) - digamma(n_x) - digamma(n_y)
    return float(digamma(len(k))) + math.fsum(terms.tolist()) / len(k)


def _neighborhoods(x: Side, y: Side, neighbors: int) -> tuple[Codes, Floats]:
    """How many neighbors each row has in its cell, k at most, and the largest number below the distance to the last."""
    from scipy.spatial import KDTree

    n = len(x.labels)
    k, radius = np.ones(n, dtype=np.int64), np.full(n, math.inf)
    numbers = np.hstack([x.numbers, y.numbers])
    for rows in _of_each(x.labels * (y.labels.max() + 1) + y.labels):
        if len(rows) > 1:
            cell = numbers[rows]
            k[rows] = count = min(neighbors, len(rows) - 1)
            distance = KDTree(cell).query(cell, [count + 1], p=np.inf)[0][:, 0]
            radius[rows] = np.nextafter(distance, 0)
    return k, radius


def _near(side: Side, radius: Floats) -> Codes:
    """How many rows, itself included, have the label of each row and are no farther from it than its radius."""
    from scipy.spatial import KDTree

    found = np.empty(len(radius), dtype=np.int64)
    for rows in _of_each(side.labels):
        found[rows] = len(rows)
        reached = rows[np.isfinite(radius[rows])]
        if side.numbers.shape[1] and len(reached):
            tree = KDTree(side.numbers[rows])
            found[reached] = tree.query_ball_point(side.numbers[reached], radius[reached], p=np.inf, return_length=True)
    return found


def _of_each(labels: Codes) -> Iterator[Rows]:
    """The rows of each label."""
    order = np.argsort(labels, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
