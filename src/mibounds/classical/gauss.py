"""Gaussian variables: the information that a sample covariance implies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mibounds.classical._rows import Floats, number_sides

__all__ = ["conditional_gaussian", "gaussian"]

_DEPENDENT = 1e-10  # singular values of unit columns below it are rounding errors
_DETERMINED = 1e-12  # 1 less a squared correlation below it is a rounding error


def gaussian(x: Any, y: Any) -> float:
    r"""The information of jointly Gaussian variables from their sample covariance, in nats.

    .. math:: I = \frac{1}{2} \ln \frac{|S_x| |S_y|}{|S_{xy}|} = -\frac{1}{2} \sum_i \ln (1 - \rho_i^2)

    with the canonical correlations :math:`\rho_i`. Redundant columns do not matter. Where the variables are not
    Gaussian, it can be below or above the truth; `gaussian_copula_full`
    is the same of normal scores. It is too high by about :math:`D_x D_y / 2N`, and `inf` where a linear combination of
    x determines one of y.

    References:
        Cover and Thomas, Elements of information theory, 2006, section 8.5.

    Arguments:
        x: (N,) or (N, D_x) numbers, N at least D_x + D_y + 2.
        y: (N,) or (N, D_y), paired with x.

    Raises:
        TypeError: if a column holds text.
        ValueError: if the rows do not pair or are too few, or a value is missing or infinite.

    Example:
        >>> x = [-1.0, -1.0, 1.0, 1.0, 0.0, 0.0]
        >>> y = [-1.0, 0.0, 0.0, 1.0, 0.0, 0.0]  # correlation 0.7071
        >>> round(gaussian(x, y), 4)
        0.3466
    """
    return information(*number_sides(x, y), "gaussian")


def conditional_gaussian(x: Any, y: Any, z: Any) -> float:
    r"""The information of jointly Gaussian variables given a third one, from their sample covariance, in nats.

    .. math:: I = \frac{1}{2} \ln \frac{|S_{xz}| |S_{yz}|}{|S_z| |S_{xyz}|}

    which for single columns is :math:`-\frac{1}{2} \ln(1 - \rho_{xy \cdot z}^2)` with their partial correlation. It is
    computed from the residuals of x and y, z regressed out. Columns that z determines add 0. Fails as `gaussian` does:
    z is regressed out linearly.

    References:
        Cover and Thomas, Elements of information theory, 2006, section 8.5. Anderson, An introduction to multivariate
        statistical analysis, 2003, section 2.5.

    Arguments:
        x: (N,) or (N, D_x) numbers, N at least D_x + D_y + D_z + 2.
        y: (N,) or (N, D_y), paired with x.
        z: (N,) or (N, D_z), paired with x. None, an empty z and a constant z give the unconditional information.

    Raises:
        TypeError: if a column holds text.
        ValueError: if the rows do not pair or are too few, or a value is missing or infinite.

    Example:
        >>> z = [-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]
        >>> x = [-2.0, 0.0, -1.0, 1.0, 0.0, 2.0]
        >>> conditional_gaussian(x, z, z), gaussian(x, z) == conditional_gaussian(x, z, None)
        (0.0, True)
    """
    return information(*number_sides(x, y, z), "conditional_gaussian")


def information(x: Floats, y: Floats, z: Floats, name: str, *, corrected: bool = False) -> float:
    r"""The Gaussian information of x and y given z, from columns that are not constant.

    Corrected, it is less its bias for Gaussian variables,
    :math:`\frac{1}{2} (\Psi_{xz} + \Psi_{yz} - \Psi_z - \Psi_{xyz})` with
    :math:`\Psi = \sum_{i = 1}^{D} \psi((N - i) / 2)`, the expected log determinant of a Wishart matrix.
    """
    x, y, z = _unit(x), _unit(y), _unit(z)
    bases = [_basis(side) for side in (x, y, z)]
    columns, n = sum(basis.shape[1] for basis in bases), len(x)
    if n < columns + 2:
        raise ValueError(
            f"{name} is given {n} {'row' if n == 1 else 'rows'}: expected at least {columns + 2} rows for {columns} "
            "columns that vary."
        )
    given = bases[2]
    left, right = (_basis(_residual(side, given)) for side in (x, y))
    p, q, r = left.shape[1], right.shape[1], given.shape[1]
    if not p or not q:
        return 0.0
    free = 1 - np.linalg.svd(left.T @ right, compute_uv=False) ** 2
    if free.min() < _DETERMINED:
        return math.inf
    value = -float(np.log(free).sum()) / 2
    if not corrected:
        return max(0.0, value)
    from scipy.special import digamma

    halves = digamma((n - np.arange(1, p + q + r + 1)) / 2)
    bias = [float(halves[:d].sum()) for d in (p + r, q + r, r, p + q + r)]
    return value - (bias[0] + bias[1] - bias[2] - bias[3]) / 2


def _unit(side: Floats) -> Floats:
    """Centered columns of length 1."""
    side = np.ldexp(side, -np.frexp(np.abs(side).max(0, initial=0))[1])  # sums of the largest numbers stay finite
    centered = side - side.mean(0)
    centered = centered / np.abs(centered).max(0, initial=0)  # squares of any magnitude stay finite
    unit: Floats = centered / np.linalg.norm(centered, axis=0)
    return unit


def _basis(side: Floats) -> Floats:
    """Orthonormal columns that span those of a side."""
    vectors, lengths, _ = np.linalg.svd(side, full_matrices=False)
    basis: Floats = vectors[:, lengths > _DEPENDENT]
    return basis


def _residual(side: Floats, basis: Floats) -> Floats:
    for _ in range(2):  # once more for what rounding leaves
        side = side - basis @ (basis.T @ side)
    return side
