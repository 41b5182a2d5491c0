r"""What a bound is: a way to turn the scores of pairs into nats.

A critic :math:`f` scores pairs. A bound uses, of every sample i, the score of the matched pair
:math:`f(x_i, y_i)` (`joint`) and the scores of K mismatched pairs :math:`f(x_j, y_i)`, j != i (`product`):
sample i keeps its y and the negatives replace x. It is independent of critics and data.

`reduce` reduces the scores of each sample to the few statistics that the bound needs of it (a log-mean-exp, say);
`value` and `objective` use these statistics only. Statistics of blocks, of folds and of machines can therefore
be concatenated, and the value of many samples is computed once from all of them. The mean of per-batch values is not
the value: a logarithm of a mean is not the mean of logarithms.

Every objective in this package has the log density ratio as its optimum, up to what the objective cannot identify
(`unidentified`): nothing, a constant, or a function of y.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal, final

import torch
from torch import Tensor, nn

from mibounds._math import off_diagonal

__all__ = ["Bound", "Normalizer", "Side", "Unidentified"]

Side = Literal["lower", "upper", "neither"]
Unidentified = Literal["nothing", "constant", "function of y"]
Normalizer = Literal["none", "contrastive", "log-mean", "mean", "clipped", "other"]


class Bound(nn.Module, ABC):
    """A bound on (or an approximation of) the mutual information, computed from scores.

    To add one, write `reduce` and `value`, and `objective` where training and evaluation differ; name its `side` (of
    the mutual information, in expectation, for any fixed critic) and what its objective leaves `unidentified`.

    Attributes:
        side: "lower", "upper" or "neither".
        unidentified: what the objective cannot identify: "nothing", "constant" or "function of y".
        normalizer: how the mismatched scores enter the value; results are reported, certified and checked by it.
            "none" (mean score of matched pairs alone), "contrastive" (matched pair among the candidates), "log-mean"
            (log of the mean of e^f), "mean" (mean of e^f, unbiased), "clipped" or "other".
        needs_conditional_density: True if the objective is maximum likelihood and the critic must be log q(y|x).
        takes_raw_scores: True if a constant in the scores counts, so that the critic must not be normalized.
    """

    side: Side
    unidentified: Unidentified
    normalizer: Normalizer = "other"
    needs_conditional_density: ClassVar[bool] = False
    takes_raw_scores: ClassVar[bool] = False

    @abstractmethod
    def reduce(self, joint: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        """All that the bound needs of each row: (..., N), (..., N, K) -> a tuple of (..., N)."""

    def reduce_grid(self, grid: Tensor) -> tuple[Tensor, ...]:
        """The statistics of a grid of all pairs, (..., N, N) -> a tuple of (..., N): row i holds the scores of sample
        i, the matched pair on the diagonal. A bound that sums over matched and mismatched pairs alike has a shorter
        way."""
        return self.reduce(grid.diagonal(dim1=-2, dim2=-1), off_diagonal(grid))

    @abstractmethod
    def value(self, *statistics: Tensor) -> Tensor:
        """The value in nats, (...): differentiable, and no state changes."""

    def objective(self, *statistics: Tensor) -> Tensor:
        """What the critic minimizes, (...); minus the value unless a bound says otherwise. The only place where
        state moves."""
        return -self.value(*statistics)

    def objective_and_value(self, *statistics: Tensor) -> tuple[Tensor, Tensor]:
        """The objective and, without a graph, the value of the same statistics."""
        if type(self).objective is Bound.objective:
            loss = -self.value(*statistics)
            return loss, -loss.detach()
        with torch.no_grad():
            value = self.value(*statistics)
        return self.objective(*statistics), value

    def symmetric_objective(self, grid: Tensor) -> Tensor:
        """The objective averaged over both directions of one grid of all pairs, (N, N) -> ()."""
        return (self.objective(*self.reduce_grid(grid.mT)) + self.objective(*self.reduce_grid(grid))) / 2

    def ceiling(self, negatives: int) -> float:
        """The largest value in nats with that many negatives per sample."""
        return math.inf

    @final  # type: ignore[misc]
    def forward(self, joint: Tensor, product: Tensor) -> Tensor:
        """The value of scores: joint (..., N), product (..., N, K) -> (...), in nats."""
        return self.value(*self.reduce(joint, product))

    @final
    def loss(self, joint: Tensor, product: Tensor) -> Tensor:
        """The objective of scores: joint (..., N), product (..., N, K) -> (...)."""
        return self.objective(*self.reduce(joint, product))
