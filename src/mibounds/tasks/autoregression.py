"""Vector autoregressions with known lagged information and transfer entropy. They draw series, not independent pairs,
and are therefore no `Task`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from mibounds._checks import check_at_least

__all__ = ["VectorAutoregression"]

Moments = Sequence[tuple[int, int]]
"""Entries of the process as (coordinate, rows back)."""


@dataclass(frozen=True, eq=False)
class VectorAutoregression:
    r"""A stationary linear vector autoregression: x is its first coordinates, y the others.

    .. math:: s_t = A s_{t-1} + e_t, \qquad e_t \sim N(0, 1), \qquad \Sigma = A \Sigma A^T + 1

    Lagged information and transfer entropy are (conditional) mutual informations of a Gaussian vector with covariances
    :math:`Cov(s_{t+h}, s_t) = A^h \Sigma`.

    References:
        Barnett, Barrett and Seth, Granger causality and transfer entropy are equivalent for Gaussian variables, 2009,
        arXiv:0910.4514.

    Arguments:
        coefficients: A, (D_x + D_y, D_x + D_y), all eigenvalues inside the unit circle.
        dim_x: D_x.

    Raises:
        ValueError: if the coefficients are not square, leave no column for x or for y, or the process has no
            stationary state.

    Example:
        >>> process = VectorAutoregression.one_way(memory=0.5, coupling=0.8)
        >>> round(process.transfer_entropy(), 3), round(process.transfer_entropy(reverse=True), 3)
        (0.281, 0.0)
    """

    coefficients: Tensor
    dim_x: int

    def __post_init__(self) -> None:
        shape = tuple(self.coefficients.shape)
        if len(shape) != 2 or shape[0] != shape[1] or not 0 < self.dim_x < shape[0]:
            raise ValueError(
                f"coefficients has shape {shape} and dim_x is {self.dim_x}: it must be square, with at least "
                "one column for x and one for y."
            )
        largest = float(torch.linalg.eigvals(self.coefficients.double()).abs().max())
        if largest >= 1:
            raise ValueError(
                f"coefficients has an eigenvalue of size {largest:.3g}: all must be below 1, or there is no "
                "stationary state."
            )

    @classmethod
    def one_way(cls, memory: float, coupling: float) -> VectorAutoregression:
        """One column each: memory relates x and y to their previous values, coupling relates y to the previous x."""
        return cls(torch.tensor([[memory, 0.0], [coupling, memory]], dtype=torch.float64), 1)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Two series in float32, x (n, D_x) and y (n, D_y), from the stationary state on."""
        matrix = self.coefficients.double().numpy()
        noise = torch.randn(n, len(matrix), generator=generator, dtype=torch.float64).numpy()
        states = np.empty_like(noise)
        state = np.linalg.cholesky(self._covariance.numpy()) @ noise[0]
        for t in range(n):
            states[t] = state = state if t == 0 else matrix @ state + noise[t]
        both = torch.from_numpy(states).float()
        return both[:, : self.dim_x], both[:, self.dim_x :]

    def lagged_information(self, lag: int) -> float:
        """I(X[t - lag]; Y[t]) in nats; of a negative lag, y leads."""
        return self._information(self._past(True, lag), self._past(False, 0), ())

    def transfer_entropy(
        self, *, history: int = 1, own_history: int | None = None, lag: int = 1, reverse: bool = False
    ) -> float:
        """The transfer entropy from x to y in nats, or from y to x; the arguments are those of
        `mibounds.transfer_entropy`."""
        own_history = history if own_history is None else own_history
        for name, number in (("history", history), ("own_history", own_history), ("lag", lag)):
            check_at_least(name, number, 1)
        source, target = (False, True) if reverse else (True, False)
        past = self._past(source, lag, history)
        return self._information(past, self._past(target, 0), self._past(target, 1, own_history))

    def _past(self, of_x: bool, delay: int, depth: int = 1) -> Moments:
        columns = range(self.dim_x) if of_x else range(self.dim_x, len(self.coefficients))
        return [(column, delay + k) for k in range(depth) for column in columns]

    @cached_property
    def _covariance(self) -> Tensor:
        from scipy.linalg import solve_discrete_lyapunov

        matrix = self.coefficients.double().numpy()
        return torch.from_numpy(solve_discrete_lyapunov(matrix, np.eye(len(matrix))))

    def _information(self, x: Moments, y: Moments, z: Moments) -> float:
        """I(X;Y|Z) of a Gaussian vector by its log-determinants."""
        parts = ([*x, *z], [*y, *z], [*z], [*x, *y, *z])
        log_xz, log_yz, log_z, log_xyz = (self._log_determinant(part) for part in parts)
        return (log_xz + log_yz - log_z - log_xyz) / 2

    def _log_determinant(self, moments: Moments) -> float:
        matrix, n = self.coefficients.double(), len(moments)
        joint = torch.empty(n, n, dtype=torch.float64)
        for a, (i, back) in enumerate(moments):
            for b, (j, further) in enumerate(moments):
                if further >= back:  # Cov(s[t - back], s[t - further]) = A^(further - back) Sigma
                    power = torch.linalg.matrix_power(matrix, further - back)
                    joint[a, b] = joint[b, a] = (power @ self._covariance)[i, j]
        return float(torch.logdet(joint)) if n else 0.0
