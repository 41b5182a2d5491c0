r"""The scores that y adds to those of z: the difference of the critics of the chain rule's two parts,

.. math:: f(x; y, z) - g(x; z) \approx \ln \frac{p(x|y,z)}{p(x|z)} ,

on rows that trained neither, with the x of any other row. The x of rows whose z is nearly the same stand for draws from
p(x|z).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from mibounds.critics import Critic, score
from mibounds.data import RankGaussianize, Sample
from mibounds.results import Result

__all__ = ["HeldOut", "held_out", "nearest"]

_NEIGHBORS = 10
_PAIRS = 1 << 18  # scored at a time


@dataclass(frozen=True)
class HeldOut:
    """The test rows of a fold, their indices, and the two critics that did not train on them."""

    with_y: Critic
    without: Critic
    rows: Tensor
    x: Tensor
    yz: Tensor
    z: Tensor

    def added(self, partners: Tensor) -> Tensor:
        """Scores f - g with the x of the partners (n, K) of every row, (n, K) in float64."""
        columns = []
        width = max(1, _PAIRS // len(self.x))
        with torch.no_grad():
            for k in range(0, partners.shape[1], width):
                some = partners[:, k : k + width]
                f = score(self.with_y, self.x, self.yz, some).product
                columns.append((f - score(self.without, self.x, self.z, some).product).double().cpu())
        return torch.cat(columns, 1)


def held_out(both: Result, alone: Result, sample: Sample) -> list[HeldOut]:
    """The test rows of every fold: of the estimates of I(X;(Y,Z)) and I(X;Z) of a sample on the same folds."""
    parts = (sample.select(part=names).varying() for names in ("x", ("y", "z"), "z"))  # as they were estimated
    x, yz, z = (part.variables["part"].values for part in parts)
    folds = []
    for with_y, without in zip(both.fitted, alone.fitted, strict=True):
        rows = with_y.fold.test
        folds.append(HeldOut(with_y.critic, without.critic, rows, x[rows], yz[rows], z[rows]))
    return folds


def nearest(z: Tensor, generator: Generator) -> Tensor:
    """Every row, and the ten nearest to it in the ranks of z: (n, 11), fewer of few rows."""
    from scipy.spatial import KDTree

    ranks = RankGaussianize().fit(z)(z).double()
    ranks += 1e-6 * torch.randn(ranks.shape, generator=generator, dtype=torch.float64)  # rows that repeat have turns
    _, near = KDTree(ranks).query(ranks, k=min(_NEIGHBORS + 1, len(z)))
    return torch.from_numpy(near)
