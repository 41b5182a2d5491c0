"""Counting: the information of two discrete variables from their table of frequencies."""

from __future__ import annotations

import torch
from torch import Tensor

from mibounds._checks import check_paired

__all__ = ["contingency", "entropy"]


def contingency(x: Tensor, y: Tensor, *, correct: bool = True) -> float:
    r"""The plug-in estimate from counts, with the correction of Miller and Madow, in nats.

    .. math:: \hat I = \sum_{ab} \frac{n_{ab}}{N} \ln \frac{N n_{ab}}{n_a n_b} - \frac{m_{xy} - m_x - m_y + 1}{2N}

    where m counts the values (and pairs of values) that occur. Counting alone reads high by about
    (m_x - 1)(m_y - 1)/2N; the correction takes that away as long as most cells have several rows. Fails when the table
    is sparse.

    References:
        Miller, Note on the bias of information estimates, 1955.

    Arguments:
        x: (N,) or (N, D_x); rows that are equal in all columns are one value.
        y: (N,) or (N, D_y), paired with x.
        correct: subtract the bias.

    Raises:
        ValueError: if the rows do not pair.

    Example:
        >>> x = torch.arange(1000) % 2
        >>> round(contingency(x, x), 3)  # ln 2 and a bit: the correction has one degree of freedom
        0.694
    """
    check_paired(len(x), len(y))
    a, b = (torch.unique(side.reshape(len(side), -1), dim=0, return_inverse=True)[1] for side in (x, y))
    pair = a * (b.max() + 1) + b
    entropies, occurring = zip(*(_entropy(values) for values in (a, b, pair)), strict=True)
    value: float = entropies[0] + entropies[1] - entropies[2]
    if correct:
        value += (occurring[0] + occurring[1] - occurring[2] - 1) / (2 * len(a))
    return value


def entropy(x: Tensor) -> float:
    r"""The plug-in entropy of a discrete variable in nats, :math:`-\sum_a \frac{n_a}{N} \ln \frac{n_a}{N}`.

    It reads low by about (m - 1)/2N for m values. No information about x is larger.

    Arguments:
        x: (N,) or (N, D_x); rows that are equal in all columns are one value.

    Example:
        >>> round(entropy(torch.arange(1000) % 2), 4)
        0.6931
    """
    return _entropy(torch.unique(x.reshape(len(x), -1), dim=0, return_inverse=True)[1])[0]


def _entropy(values: Tensor) -> tuple[float, int]:
    counts = torch.unique(values, return_counts=True)[1].double()
    share = counts / counts.sum()
    return float(-(share * share.log()).sum()), len(counts)
