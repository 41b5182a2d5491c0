"""Counting: the information of discrete variables from their table of frequencies."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from mibounds._checks import check_choice
from mibounds.classical._rows import Codes, Floats, code_sides, codes, paired

__all__ = ["conditional_contingency", "contingency", "entropy"]

Correction = Literal["miller-madow"] | None


def contingency(x: Any, y: Any, *, correction: Correction = None) -> float:
    r"""The plug-in estimate of the information of two discrete variables from counts, in nats.

    .. math:: \hat I = \sum_{ab} \frac{n_{ab}}{N} \ln \frac{N n_{ab}}{n_a n_b}

    It is the information of the empirical distribution: exact where the rows are a whole population, never negative,
    never above an entropy, and equal to the entropy for y = x. As an estimate for a larger population it is too high,
    by about :math:`(m_x - 1)(m_y - 1) / 2N` for independent variables with m_x and m_y values. The correction of Miller
    and Madow subtracts :math:`(m_{xy} - m_x - m_y + 1) / 2N`, where m counts the values, and pairs of values, that
    occur. It removes most of the bias where most cells have several rows; the result can be negative. Both fail on
    sparse tables, with fewer than about five rows per cell.

    References:
        Miller, Note on the bias of information estimates, 1955.

    Arguments:
        x: (N,) or (N, D_x) labels: numbers, text, booleans or dates; rows that are equal in all columns are one value.
        y: (N,) or (N, D_y), paired with x.
        correction: None, or "miller-madow".

    Raises:
        TypeError: if x or y holds no rows of values.
        ValueError: if the rows do not pair, a value is missing, or the correction is unknown.

    Example:
        >>> coin = ["heads", "tails"] * 500
        >>> round(contingency(coin, coin), 4), contingency(coin, coin) == entropy(coin)
        (0.6931, True)
    """
    return conditional_contingency(x, y, None, correction=correction)


def conditional_contingency(x: Any, y: Any, z: Any, *, correction: Correction = None) -> float:
    r"""The plug-in estimate of the information of two discrete variables given a third one, in nats.

    .. math:: \hat I(X; Y \mid Z) = \hat H(X, Z) + \hat H(Y, Z) - \hat H(Z) - \hat H(X, Y, Z)

    with the entropies of the empirical distribution. The chain rule
    :math:`\hat I(X; Y, Z) = \hat I(X; Z) + \hat I(X; Y \mid Z)` holds exactly, corrected or not. Fails on sparse tables
    as `contingency` does, and sooner: a cell is a combination of values of x, y and z.

    References:
        Miller, Note on the bias of information estimates, 1955. Cover and Thomas, Elements of information theory, 2006,
        section 2.5.

    Arguments:
        x: (N,) or (N, D_x) labels: numbers, text, booleans or dates; rows that are equal in all columns are one value.
        y: (N,) or (N, D_y), paired with x.
        z: (N,) or (N, D_z), paired with x. None, an empty z and a constant z give the unconditional information.
        correction: None, or "miller-madow": each entropy plus (m - 1)/2N for the m values that occur.

    Raises:
        TypeError: if x or y holds no rows of values.
        ValueError: if the rows do not pair, a value is missing, or the correction is unknown.

    Example:
        >>> x, y = [0, 0, 1, 1], [0, 1, 0, 1]
        >>> exclusive_or = [0, 1, 1, 0]
        >>> contingency(x, y), round(conditional_contingency(x, y, exclusive_or), 4)
        (0.0, 0.6931)
    """
    _check(correction)
    joint, log_ratio, _, freedom = _counted(x, y, z)
    n = float(joint.sum())
    value = math.fsum(joint * log_ratio) / n
    return max(0.0, value) if correction is None else value - freedom / (2 * n)


def error(x: Any, y: Any, z: Any = None, cluster: Codes | None = None) -> float:
    r"""The standard error of `conditional_contingency`, in nats.

    .. math:: s^2 = \frac{\mathrm{Var}(\ln r)}{N} + \frac{m}{2N^2}, \qquad m = m_{xyz} + m_z - m_{xz} - m_{yz}

    with the log-ratio r of each row by counts. The second term is that of independent variables: 2N times their
    information is chi-squared with m degrees of freedom.

    Arguments:
        x: (N,) or (N, D_x) labels.
        y: (N,) or (N, D_y), paired with x.
        z: (N,) or (N, D_z), or None.
        cluster: (N,) codes of the clusters that rows belong to, where they are dependent.
    """
    _, log_ratio, cell, freedom = _counted(x, y, z)
    rows = log_ratio[cell]
    rows = rows - rows.mean()
    sums = rows if cluster is None else np.bincount(cluster, rows)
    independent = len(rows) if cluster is None else len(np.unique(cluster))
    return math.hypot(math.sqrt(np.square(sums).sum()) / len(rows), math.sqrt(max(freedom, 0) / 2) / independent)


def _counted(x: Any, y: Any, z: Any) -> tuple[Floats, Floats, Codes, int]:
    """Rows and log-ratio of each combination of values that occurs, the combination of each row, and the degrees of
    freedom of independence."""
    a, b, c = code_sides(x, y, z)
    parts = [paired(paired(a, b), c), c, paired(a, c), paired(b, c)]
    cells, cell = np.unique(parts[0], return_index=True, return_inverse=True)[1:]
    joint, given, xz, yz = (np.bincount(part)[part[cells]].astype(np.float64) for part in parts)
    occurring = [int(part.max()) + 1 for part in parts]
    return joint, np.log(joint * given / (xz * yz)), cell, occurring[0] + occurring[1] - occurring[2] - occurring[3]


def entropy(x: Any, *, correction: Correction = None) -> float:
    r"""The plug-in entropy of a discrete variable in nats, :math:`-\sum_a \frac{n_a}{N} \ln \frac{n_a}{N}`.

    It is too low by about (m - 1)/2N for m values, which the correction of Miller and Madow adds. Without a correction
    no `contingency` of x with anything is larger, and with the same correction that of x with itself is equal.

    References:
        Miller, Note on the bias of information estimates, 1955.

    Arguments:
        x: (N,) or (N, D_x) labels: numbers, text, booleans or dates; rows that are equal in all columns are one value.
        correction: None, or "miller-madow".

    Raises:
        TypeError: if x holds no rows of values.
        ValueError: if a value is missing, or the correction is unknown.

    Example:
        >>> round(entropy(["heads", "tails"] * 500), 4)
        0.6931
    """
    _check(correction)
    values = codes(x, "x")
    counts, n = np.bincount(values), len(values)
    plug_in = math.fsum(counts * np.log(n / counts)) / n
    return plug_in if correction is None else plug_in + (len(counts) - 1) / (2 * n)


def _check(correction: Correction) -> None:
    if correction is not None:
        check_choice("correction", correction, ["miller-madow"])
