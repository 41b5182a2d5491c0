r"""From pooled rows to numbers: values, standard errors, intervals.

A `Reading` holds what one bound needs of every test row, in each direction that is read (row i keeps its y, or its
x), from every fold. Its value is the bound's value of all rows together, averaged over the directions; its standard
error is the larger of two: a jackknife over groups of rows (sampling), and the spread of the folds' own values
(sampling and training).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

from mibounds._math import off_diagonal
from mibounds.bounds import Bound

__all__ = ["Reading", "interval", "lower_limit", "nwj_stderr", "pool", "pool_bounds", "read_grid"]

Rows = tuple[Tensor, ...]
_GROUPS = 50
_PAIRS = 1 << 20  # of one direction that are read at a time


@dataclass(frozen=True)
class Reading:
    """The rows of one bound: for each direction a tuple of (N,) tensors, the fold of every row (N,), its ceiling in
    nats, and which cluster each row belongs to (N,), where rows are not independent."""

    bound: Bound
    directions: tuple[Rows, ...]
    fold: Tensor
    ceiling: float
    cluster: Tensor | None = None

    def value(self, kept: Tensor | None = None) -> float:
        """The bound's value in nats, of all rows or of those kept (their indices)."""
        with torch.no_grad():
            values = [
                self.bound.value(*(part if kept is None else part[kept] for part in rows)) for rows in self.directions
            ]
        return float(torch.stack(values).mean())

    def fold_values(self) -> tuple[float, ...]:
        """The value of each fold alone."""
        return tuple(self.value((self.fold == i).nonzero().flatten()) for i in range(int(self.fold.max()) + 1))

    def stderr(self) -> float:
        """The standard error of the value, in nats: sampling, or the spread of folds where that is larger."""
        folds = torch.tensor(self.fold_values(), dtype=torch.float64)
        between = folds.var() / len(folds) if len(folds) > 1 else torch.zeros(())
        return max(self.sampling_error(), math.sqrt(float(between)))

    def sampling_error(self) -> float:
        """The part of the standard error that the sampling of rows explains, in nats: a jackknife over groups of rows,
        or of clusters."""
        unit = torch.arange(len(self.fold), device=self.fold.device) if self.cluster is None else self.cluster
        groups = min(_GROUPS, int(unit.max()) + 1)
        member = unit % groups
        left_out = torch.tensor(
            [self.value((member != g).nonzero().flatten()) for g in range(groups)], dtype=torch.float64
        )
        return math.sqrt((groups - 1) * float(left_out.var(correction=0)))

    def bootstrap(self, draws: int, generator: torch.Generator) -> float:
        """The standard error by resampling: rows, each with its own mismatched pairs, and never pairs."""
        n = len(self.fold)
        values = torch.tensor([self.value(torch.randint(0, n, (n,), generator=generator)) for _ in range(draws)])
        return float(values.double().std())


def nwj_stderr(directions: Sequence[Rows], cluster: Tensor | None = None) -> float:
    r"""The standard error of NWJ over all pairs for a critic that is held fixed, by its influence function,

    .. math:: \psi_i = f(x_i, y_i) - \bar r_i - \bar c_i

    with :math:`\bar r_i` and :math:`\bar c_i` the means of e^f over the mismatched pairs that have y_i and x_i: row i
    takes part in both. Where one direction is read, it stands for the other.

    Arguments:
        directions: the rows of NWJ in one direction or both.
        cluster: (N,) which cluster each row belongs to, where rows are not independent: the sums over clusters are.
    """
    joint, partition = directions[0]
    others = directions[-1][1]
    influence = (joint - partition.exp() - others.exp()).double()
    if cluster is not None:
        centered = influence - influence.mean()
        sums = centered.new_zeros(int(cluster.max()) + 1).index_add(0, cluster, centered)
        return float(sums.square().sum().sqrt() / len(influence))
    return float(influence.std() / math.sqrt(len(influence)))


def read_grid(grid: Tensor, bounds: Sequence[Bound], both: bool = True) -> list[tuple[Rows, ...]]:
    """The rows of each bound from a grid of scores (N, N), rows x, the matched pairs on the diagonal.

    Arguments:
        grid: scores of all pairs of a block of test rows.
        bounds: those that read it.
        both: read both directions, or only the one in which rows keep their y.
    """
    joint = grid.diagonal()
    width = max(1, _PAIRS // len(grid))  # lines at a time: every bound makes copies of its scores
    strips = []
    for start in range(0, len(grid), width):
        lines = slice(start, start + width)
        own = joint[lines]
        products = [off_diagonal(side[lines], start) for side in ((grid.mT, grid) if both else (grid.mT,))]
        strips.append([tuple(bound.reduce(own, product) for product in products) for bound in bounds])
    return pool_bounds(strips)


def pool(parts: Sequence[tuple[Rows, ...]]) -> tuple[Rows, ...]:
    """Rows of blocks or folds, concatenated direction by direction."""
    (rows,) = pool_bounds([[part] for part in parts])
    return rows


def pool_bounds(parts: Sequence[Sequence[tuple[Rows, ...]]]) -> list[tuple[Rows, ...]]:
    """The same for several bounds. What they share, the scores of matched pairs, stays one tensor: half of all that is
    held of a row."""
    joined: dict[tuple[int, ...], Tensor] = {}

    def join(*pieces: Tensor) -> Tensor:
        key = tuple(map(id, pieces))  # `parts` holds them all, so no number stands for two
        if key not in joined:
            joined[key] = torch.cat(pieces)
        return joined[key]

    return [
        tuple(
            tuple(join(*pieces) for pieces in zip(*same_direction, strict=True))
            for same_direction in zip(*of_bound, strict=True)
        )
        for of_bound in zip(*parts, strict=True)
    ]


def lower_limit(value: float, stderr: float, level: float) -> float:
    """The one-sided lower confidence limit, in the unit of the value."""
    return value - NormalDist().inv_cdf(level) * stderr


def interval(value: float, stderr: float, level: float, below: float = 0.0, above: float = 0.0) -> tuple[float, float]:
    r"""An interval for I(X;Y), in the unit of the value.

    .. math:: \big[\,v - b - z s,\; \max(v + a, 0) + z s\,\big]

    with allowances b and a for the gap between the reading and the information; since the information is never
    negative, neither is the upper end.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    return value - below - z * stderr, max(value + above, 0.0) + z * stderr
