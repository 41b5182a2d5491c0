"""Discrete tasks: joint tables, and channels as conditional tables."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds.tasks.task import Task

__all__ = ["JointTable", "symmetric_channel"]


def symmetric_channel(symbols: int, flip: float) -> Tensor:
    """P(y | x) of a symmetric channel, which replaces a symbol with probability `flip` by one of the others.

    It is (symbols, symbols), and its rows sum to 1. At flip = 1 - 1/symbols output and input are independent.

    Example:
        >>> symmetric_channel(3, 0.25)[0]
        tensor([0.7500, 0.1250, 0.1250], dtype=torch.float64)
    """
    check_at_least("symbols", symbols, 2)
    if not 0 <= flip <= 1:
        raise ValueError(f"flip is {flip!r}, and must lie between 0 and 1: it is a probability.")
    return torch.full((symbols, symbols), flip / (symbols - 1), dtype=torch.float64).fill_diagonal_(1 - flip)


@dataclass(frozen=True, eq=False)
class JointTable(Task):
    r"""Two labels with a table of joint probabilities.

    .. math:: I(X;Y) = \sum_{x,y} p(x,y) \ln \frac{p(x,y)}{p(x) p(y)}

    Labels are 0, 1, ... as floats, whose order has no meaning; a critic of the numbers has to learn that.

    Arguments:
        probabilities: p(x, y), (symbols of x, symbols of y), not negative, sums to 1; no row or column is all zero.
        name: description of the table in the repr.

    Raises:
        ValueError: if the probabilities are negative, do not sum to 1, or have a row or column of zeros.

    Example:
        >>> round(JointTable(torch.tensor([[0.5, 0.0], [0.0, 0.5]])).mutual_information, 4)
        0.6931
    """

    probabilities: Tensor
    name: str = "table"

    def __post_init__(self) -> None:
        p = self.probabilities
        if p.ndim != 2 or not bool((p >= 0).all()) or not abs(float(p.sum()) - 1) < 1e-6:
            raise ValueError(
                f"probabilities of shape {tuple(p.shape)} sum to {float(p.sum()):.6g}: they must be a matrix "
                "of non-negative entries with sum 1. Divide a table of counts by its sum."
            )
        if not bool((p.sum(0) > 0).all() and (p.sum(1) > 0).all()):
            raise ValueError("a row or column of probabilities is all zero: leave out symbols that never occur.")

    @classmethod
    def symmetric(cls, symbols: int, flip: float) -> JointTable:
        """Uniform symbols through a symmetric channel: ln k - H(flip) - flip ln(k - 1) nats."""
        return cls(symmetric_channel(symbols, flip) / symbols, f"{symbols} symbols, flip {flip}")

    def __repr__(self) -> str:
        rows, columns = self.probabilities.shape
        return f"JointTable({rows}x{columns}, {self.name})"

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        cells = torch.multinomial(self.probabilities.flatten(), n, replacement=True, generator=generator)[:, None]
        columns = self.probabilities.shape[1]
        return (cells // columns).float(), (cells % columns).float()

    @property
    def mutual_information(self) -> float:
        p = self.probabilities.double()
        return float(torch.where(p > 0, p * self._log_ratios, 0.0).sum())  # 0 ln 0 is 0

    def log_ratio(self, x: Tensor, y: Tensor) -> Tensor:
        return self._log_ratios[x[..., 0].long(), y[..., 0].long()].to(x.dtype)

    @property
    def _log_ratios(self) -> Tensor:
        p = self.probabilities.double()
        return p.log() - p.sum(1, keepdim=True).log() - p.sum(0, keepdim=True).log()
