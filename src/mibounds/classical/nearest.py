r"""Nearest-neighbor estimators: how crowded a row's neighborhood is in x and in y against in both together.

For row i let :math:`\epsilon_i` be the distance, in the largest coordinate, to its k-th neighbor in (x, y), and
:math:`n_x(i)`, :math:`n_y(i)` the numbers of other rows that near in x alone and in y alone. All three estimators
average digamma functions of these counts over the rows. They have next to no bias for a few columns and fail
downwards for many (say more than eight together), for information above ln N, and for heavy tails, which
rank-Gaussianizing the columns first takes away.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mibounds._checks import check_at_least, check_paired

__all__ = ["ksg", "mixed_ksg"]

Floats = NDArray[np.float64]


def ksg(x: Tensor, y: Tensor, *, neighbors: int = 3, variant: Literal[1, 2] = 1, workers: int = 1) -> float:
    r"""The estimator of Kraskov, Stögbauer and Grassberger for continuous columns, in nats.

    .. math:: I_1 = \psi(k) + \psi(N) - \langle \psi(n_x + 1) + \psi(n_y + 1) \rangle

    with counts strictly within :math:`\epsilon_i`. The second variant counts within the smallest rectangle that holds
    the k neighbors, up to and including its sides,
    :math:`I_2 = \psi(k) - 1/k + \psi(N) - \langle \psi(n_x) + \psi(n_y) \rangle`: less bias, more variance. Tied values
    break both; use `mixed_ksg` for them.

    References:
        Kraskov et al., Estimating mutual information, 2004, arXiv:cond-mat/0305641, equations 8 and 9.

    Arguments:
        x: (N,) or (N, D_x) numbers.
        y: (N,) or (N, D_y), paired with x.
        neighbors: k, less than N. Few give little bias, many give little variance.
        variant: 1 or 2.
        workers: threads that search; -1 takes all.

    Raises:
        ValueError: if the rows do not pair, there are no more than `neighbors`, or the variant is unknown.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> import torch
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(1000, torch.Generator().manual_seed(0))  # truth .511
        >>> abs(ksg(x, y) - 0.511) < 0.1
        True
    """
    if variant not in (1, 2):
        raise ValueError(f"variant is {variant!r}, and must be 1 or 2.")
    from scipy.spatial import KDTree
    from scipy.special import digamma

    x_, y_ = _columns(x, y, neighbors)
    both = np.hstack([x_, y_])
    distance, index = KDTree(both).query(both, neighbors + 1, p=np.inf, workers=workers)
    n = len(both)
    if variant == 1:
        # Strictly within: the largest number below the distance. The row itself is counted, which is the + 1.
        radius = np.nextafter(distance[:, -1], 0)
        counts = [_within(side, radius, workers) for side in (x_, y_)]
        return float(digamma(neighbors) + digamma(n) - sum(digamma(count).mean() for count in counts))
    counts = []
    for side in (x_, y_):
        radius = np.abs(side[index[:, 1:]] - side[:, None]).max((1, 2))
        counts.append(_within(side, radius, workers) - 1)
    return float(digamma(neighbors) - 1 / neighbors + digamma(n) - sum(digamma(count).mean() for count in counts))


def mixed_ksg(x: Tensor, y: Tensor, *, neighbors: int = 3, workers: int = 1) -> float:
    r"""The estimator of Gao et al. for any mixture of continuous, discrete and tied values, in nats.

    .. math:: I = \langle \psi(k_i) + \ln N - \psi(n_x + 1) - \psi(n_y + 1) \rangle

    where rows with a k-th neighbor at a distance have :math:`k_i = k` and strict counts, as in `ksg`, and rows with
    ties count those: :math:`k_i` equal both in x and y, :math:`n_x + 1` in x, :math:`n_y + 1` in y, themselves among
    them. On continuous data it is `ksg`, on discrete data close to the plug-in. The paper has logarithms in place of
    the last two digamma functions; with few neighbors these read low (.74 of 1.05 nats on its own first example
    with k = 3), and the digamma functions do not.

    References:
        Gao et al., Estimating mutual information for discrete-continuous mixtures, 2017, arXiv:1709.06212,
        algorithm 1.

    Arguments:
        x: (N,) or (N, D_x) numbers; categories as numbers a fixed distance apart.
        y: (N,) or (N, D_y), paired with x.
        neighbors: k, less than N.
        workers: threads that search; -1 takes all.

    Raises:
        ValueError: if the rows do not pair, or there are no more than `neighbors`.

    Example:
        >>> import torch
        >>> coin = torch.arange(1000) % 2
        >>> round(mixed_ksg(coin, coin), 2)  # ln 2
        0.69
    """
    from scipy.spatial import KDTree
    from scipy.special import digamma

    x_, y_ = _columns(x, y, neighbors)
    both = np.hstack([x_, y_])
    tree = KDTree(both)
    radius = tree.query(both, neighbors + 1, p=np.inf, workers=workers)[0][:, -1]
    k = np.full(len(both), neighbors)
    tied = radius == 0
    if tied.any():
        k[tied] = tree.query_ball_point(both[tied], 0, p=np.inf, workers=workers, return_length=True)
    radius = np.nextafter(radius, 0)  # strictly within, and at 0 the ties themselves
    counts = [_within(side, radius, workers) for side in (x_, y_)]
    return float((digamma(k) + np.log(len(both)) - digamma(counts[0]) - digamma(counts[1])).mean())


def _columns(x: Tensor, y: Tensor, neighbors: int) -> tuple[Floats, Floats]:
    check_paired(len(x), len(y))
    check_at_least("neighbors", neighbors, 1)
    if len(x) <= neighbors:
        raise ValueError(f"neighbors is {neighbors}, and {len(x)} rows have only {len(x) - 1} others: give fewer.")
    sides = (side.detach().cpu().double().reshape(len(side), -1).numpy() for side in (x, y))
    return tuple(sides)  # type: ignore[return-value]


def _within(side: Floats, radius: Floats, workers: int) -> NDArray[np.int64]:
    """How many rows, itself included, are no farther from each row than its radius."""
    from scipy.spatial import KDTree

    found: NDArray[np.int64] = KDTree(side).query_ball_point(
        side, radius, p=np.inf, workers=workers, return_length=True
    )
    return found
