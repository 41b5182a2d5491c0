r"""Nearest-neighbor estimators: the number of neighbors of a row in single variables, against that in all together.

For row i let :math:`\epsilon_i` be the distance, in the largest coordinate, to its k-th neighbor in all variables
together, and :math:`n_x(i)`, :math:`n_y(i)` the numbers of other rows that near in x alone and in y alone. All
estimators average digamma functions of these counts over the rows. Their bias is small for a few columns. They
underestimate for many (more than about eight together), for information above ln N, and for heavy tails, which
rank-Gaussianizing the columns first removes. Columns should have similar scales.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mibounds._checks import check_choice, check_integer, check_seed
from mibounds.classical._rows import Floats, number_sides, row_order

__all__ = ["conditional_ksg", "conditional_mixed_ksg", "ksg", "mixed_ksg"]

Counts = NDArray[np.int64]

_TRACE = 1e-3  # of the smallest gap between distinct values: the width of the noise that breaks ties
_LARGE, _SMALLER = 2.0**1020, 2.0**-16
_FEW, _OFF_GRID = 4, 1e-3  # values, of which the multiples of a gap are chance; a share of the smallest gap


def ksg(x: Any, y: Any, *, neighbors: int = 3, variant: Literal[1, 2] = 1, workers: int = 1) -> float:
    r"""The estimator of Kraskov, Stögbauer and Grassberger for continuous columns, in nats.

    .. math:: I_1 = \psi(k) + \psi(N) - \langle \psi(n_x + 1) + \psi(n_y + 1) \rangle

    with counts strictly within :math:`\epsilon_i`. The second variant counts within the smallest rectangle that holds
    the k neighbors, its sides included,
    :math:`I_2 = \psi(k) - 1/k + \psi(N) - \langle \psi(n_x) + \psi(n_y) \rangle`: less bias, more variance. Both fail
    on tied values, and on whole numbers without ties such as ranks, whose distances are tied: 5.2 of 5.0 nats for two
    columns of ranks. Use `mixed_ksg` for them. A constant side gives 0.

    References:
        Kraskov et al., Estimating mutual information, 2004, arXiv:cond-mat/0305641, equations 8 and 9.

    Arguments:
        x: (N,) or (N, D_x) numbers.
        y: (N,) or (N, D_y), paired with x.
        neighbors: k, less than N. Few give little bias, many give little variance.
        variant: 1 or 2.
        workers: threads of the search; -1 uses all.

    Raises:
        TypeError: if a column holds text, or an argument has the wrong type.
        ValueError: if the rows do not pair, there are no more than `neighbors`, a value is missing or infinite, or the
            variant is unknown.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> import torch
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(1000, torch.Generator().manual_seed(0))  # truth 0.511
        >>> abs(ksg(x, y) - 0.511) < 0.1
        True
    """
    check_choice("variant", variant, [1, 2])
    sides = _sides(x, y, None, neighbors, workers)
    if not all(side.shape[1] for side in sides[:2]):
        return 0.0
    if variant == 1:
        return _mean(*_near(sides, neighbors, workers))
    return _mean(*_in_rectangle(sides, neighbors, workers)) - 1 / neighbors


def conditional_ksg(x: Any, y: Any, z: Any, *, neighbors: int = 3, workers: int = 1) -> float:
    r"""The estimator of Frenzel and Pompe of the information given z, for continuous columns, in nats.

    .. math:: I = \psi(k) + \langle \psi(n_z + 1) - \psi(n_{xz} + 1) - \psi(n_{yz} + 1) \rangle

    with counts strictly within the distance :math:`\epsilon_i` to the k-th neighbor in (x, y, z). Without z it is the
    first variant of `ksg`. Fails on tied values, for which `conditional_mixed_ksg` is meant. It is biased towards 0,
    more than `ksg` is, because the neighborhoods have the columns of z, too: strong dependence on z, or z of more than
    a few columns, needs many rows.

    References:
        Frenzel and Pompe, Partial mutual information for coupling analysis of multivariate time series, Physical Review
        Letters 99, 204101, 2007. Vejmelka and Paluš, Inferring the directionality of coupling with conditional mutual
        information, 2008.

    Arguments:
        x: (N,) or (N, D_x) numbers.
        y: (N,) or (N, D_y), paired with x.
        z: (N,) or (N, D_z), paired with x. None, an empty z and a constant z give the unconditional information.
        neighbors: k, less than N.
        workers: threads of the search; -1 uses all.

    Raises:
        TypeError: if a column holds text, or an argument has the wrong type.
        ValueError: if the rows do not pair, there are no more than `neighbors`, or a value is missing or infinite.

    Example:
        >>> import torch
        >>> z, a, b = torch.randn(3, 1000, generator=torch.Generator().manual_seed(0))
        >>> abs(conditional_ksg(z + a, z + b, z)) < 0.05  # without z the information is 0.144
        True
    """
    sides = _sides(x, y, z, neighbors, workers)
    if not all(side.shape[1] for side in sides[:2]):
        return 0.0
    return _mean(*_near(sides, neighbors, workers))


def mixed_ksg(x: Any, y: Any, *, neighbors: int = 3, seed: int = 0, workers: int = 1) -> float:
    r"""A nearest-neighbor estimator for any mixture of continuous, discrete, rounded and tied values, in nats.

    .. math:: I = \psi(N) + \langle \psi(k_i) - \psi(n_x + 1) - \psi(n_y + 1) \rangle

    Rows with at least k others equal to them in x and y count those, as in Gao et al.: :math:`k_i` equal in both,
    :math:`n_x + 1` in x and :math:`n_y + 1` in y, themselves among them. For the other rows ties are broken, and
    :math:`k_i = k` with strict counts, as in `ksg`: each column with ties is replaced by its normal scores, which
    separate a frequent value from the others, and gets independent uniform noise, 0.001 of the smallest gap between
    distinct values wide. Both leave the information as it is. Without the noise rounded values have many neighbors at
    the same distance, of which strict counts omit all, and independent integers would seem to share information. Ranks
    and other whole numbers have such distances without ties, and are treated alike.

    Of other values without ties it is `ksg`, on labels with many rows for each pair of values close to `contingency`.
    Labels count as numbers: give those of more than two values one column each, or numbers far apart. Fails as `ksg`
    does.

    References:
        Gao et al., Estimating mutual information for discrete-continuous mixtures, 2017, arXiv:1709.06212. Kraskov et
        al., Estimating mutual information, 2004, arXiv:cond-mat/0305641, which adds noise to rounded values.

    Arguments:
        x: (N,) or (N, D_x) numbers.
        y: (N,) or (N, D_y), paired with x.
        neighbors: k, less than N.
        seed: of the noise. The order of the rows does not matter.
        workers: threads of the search; -1 uses all.

    Raises:
        TypeError: if a column holds text, or an argument has the wrong type.
        ValueError: if the rows do not pair, there are no more than `neighbors`, or a value is missing or infinite.

    Example:
        >>> coin = [0, 1] * 500
        >>> round(mixed_ksg(coin, coin), 2)  # ln 2
        0.69
    """
    return conditional_mixed_ksg(x, y, None, neighbors=neighbors, seed=seed, workers=workers)


def conditional_mixed_ksg(x: Any, y: Any, z: Any, *, neighbors: int = 3, seed: int = 0, workers: int = 1) -> float:
    r"""The estimator of Mesner and Shalizi of the information given z, for any mixture of values, in nats.

    .. math:: I = \langle \psi(k_i) + \psi(n_z + 1) - \psi(n_{xz} + 1) - \psi(n_{yz} + 1) \rangle

    Rows with at least k others equal to them in x, y and z count rows that are equal: :math:`k_i` in all three,
    :math:`n_z + 1` in z and so on, themselves among them. For the other rows ties are broken as in `mixed_ksg`, where
    the paper counts rows at exactly the k-th distance, too, and :math:`k_i = k`. A negative mean is not set to 0.

    Fails as `conditional_ksg` does: z of several columns, or of many values with few rows each, needs many rows.

    References:
        Mesner and Shalizi, Conditional mutual information estimation for mixed discrete and continuous data, 2020,
        arXiv:1912.03387.

    Arguments:
        x: (N,) or (N, D_x) numbers.
        y: (N,) or (N, D_y), paired with x.
        z: (N,) or (N, D_z), paired with x. None, an empty z and a constant z give the unconditional information.
        neighbors: k, less than N.
        seed: of the noise. The order of the rows does not matter.
        workers: threads of the search; -1 uses all.

    Raises:
        TypeError: if a column holds text, or an argument has the wrong type.
        ValueError: if the rows do not pair, there are no more than `neighbors`, or a value is missing or infinite.

    Example:
        >>> x, y = [0, 0, 1, 1] * 250, [0, 1, 0, 1] * 250
        >>> exclusive_or = [0, 1, 1, 0] * 250
        >>> round(conditional_mixed_ksg(x, y, exclusive_or), 2), abs(mixed_ksg(x, y)) < 0.01
        (0.69, True)
    """
    check_seed(seed)
    sides = _sides(x, y, z, neighbors, workers)
    if not all(side.shape[1] for side in sides[:2]):
        return 0.0
    equal = [_equal(np.hstack(part)) for part in _marginals(sides)]
    tied = equal[0] > neighbors  # itself is counted
    found = equal
    if not tied.all():
        rng = np.random.default_rng(seed)
        untied = [np.stack([_untied(column, rng) for column in side.T], 1) if side.size else side for side in sides]
        near = _near(untied, neighbors, workers)
        found = [np.where(tied, *pair) for pair in zip(equal, near, strict=True)]
    return _mean(*found)


def _sides(x: Any, y: Any, z: Any, neighbors: int, workers: int) -> list[Floats]:
    """Checked columns of x, y and z, in an order that depends on the rows only."""
    neighbors = check_integer("neighbors", neighbors, 1)
    if check_integer("workers", workers) != -1:
        check_integer("workers", workers, 1)
    sides = number_sides(x, y, z)
    n = len(sides[0])
    if n <= neighbors:
        raise ValueError(f"neighbors is {neighbors}, and {n} rows have only {n - 1} others: give fewer.")
    order = row_order(sides)
    # Differences of the largest numbers are infinite. A power of two, the same for all, changes no neighbor.
    scale = _SMALLER if any(side.size and np.abs(side).max() > _LARGE for side in sides) else 1.0
    return [scale * side[order] for side in sides]


def _marginals(sides: list[Floats]) -> list[list[Floats]]:
    x, y, z = sides
    return [[x, y, z], [z], [x, z], [y, z]]


def _near(sides: list[Floats], neighbors: int, workers: int) -> list[Counts]:
    """For each row k, and how many rows, itself included, are nearer in z, (x, z) and (y, z) than its k-th neighbor."""
    from scipy.spatial import KDTree

    joint, *marginals = (np.hstack(part) for part in _marginals(sides))
    distance = KDTree(joint).query(joint, neighbors + 1, p=np.inf, workers=workers)[0][:, -1]
    radius = np.nextafter(distance, 0)  # strictly within: the largest number below the distance
    return [np.full(len(joint), neighbors), *(_within(side, radius, workers) for side in marginals)]


def _in_rectangle(sides: list[Floats], neighbors: int, workers: int) -> list[Counts]:
    """For each row k, the number of rows, and how many others are in the rectangle of its k neighbors in x and in y."""
    from scipy.spatial import KDTree

    joint = np.hstack(sides[:2])
    index = KDTree(joint).query(joint, neighbors + 1, p=np.inf, workers=workers)[1][:, 1:]
    radii = [np.abs(side[index] - side[:, None]).max((1, 2)) for side in sides[:2]]
    counts = [_within(side, radius, workers) - 1 for side, radius in zip(sides[:2], radii, strict=True)]
    n = len(joint)
    return [np.full(n, neighbors), np.full(n, n), *counts]


def _mean(k: Counts, z: Counts, xz: Counts, yz: Counts) -> float:
    from scipy.special import digamma

    terms = (digamma(k) + digamma(z)) - (digamma(xz) + digamma(yz))
    return math.fsum(terms.tolist()) / len(terms)  # exact, whatever the order


def _within(side: Floats, radius: Floats, workers: int) -> Counts:
    """How many rows, itself included, are no farther from each row than its radius; all in no column."""
    from scipy.spatial import KDTree

    if not side.shape[1]:
        return np.full(len(side), len(side))
    found: Counts = KDTree(side).query_ball_point(side, radius, p=np.inf, workers=workers, return_length=True)
    return found


def _equal(side: Floats) -> Counts:
    """How many rows, itself included, equal each row."""
    if not side.shape[1]:
        return np.full(len(side), len(side))
    _, place, counts = np.unique(side, axis=0, return_inverse=True, return_counts=True)
    found: Counts = counts[place.reshape(-1)]
    return found


def _is_grid(values: Floats) -> bool:
    """Are all distances between ascending values multiples of the smallest one, as those of ranks and whole numbers?"""
    gaps = np.diff(values)
    multiples = gaps / gaps.min()
    return len(values) > _FEW and bool((np.abs(multiples - np.round(multiples)) < _OFF_GRID).all())


def _untied(column: Floats, rng: np.random.Generator) -> Floats:
    """A column; if it has ties, or equal distances, its normal scores, as wide as it was, with a trace of noise. One
    that is constant, too small beside the largest numbers of the others, stays so."""
    from scipy.special import ndtri

    values, place, counts = np.unique(column, return_inverse=True, return_counts=True)
    if len(values) == 1 or (len(values) == len(column) and not _is_grid(values)):
        return column
    scores = ndtri((counts.cumsum() - counts / 2) / len(column))
    noise = _TRACE * np.diff(scores).min() * rng.random(len(column))
    broken: Floats = (scores[place] + noise) * (values[-1] / 2 - values[0] / 2) / (scores[-1] / 2 - scores[0] / 2)
    return broken
