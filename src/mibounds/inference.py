r"""Point estimates, standard errors and confidence intervals from per-sample statistics.

A `BoundEvaluation` holds the statistics that one bound needs of every test sample (`Bound.reduce`), in each direction
that is evaluated (sample i keeps its y, or its x), pooled over folds. Its value is the bound's value of all samples
together, averaged over the directions. Its standard error is the larger of two: a jackknife over groups of samples
(sampling), and the spread of the values of single folds (sampling and training).
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

__all__ = [
    "BoundEvaluation",
    "Statistics",
    "entropy_margin",
    "evaluate_grid",
    "interval",
    "lower_limit",
    "mean_stderr",
    "nwj_stderr",
    "pool",
    "pool_bounds",
]

Statistics = tuple[Tensor, ...]  # of every sample, as `Bound.reduce` gives them: tensors of shape (N,)
_JACKKNIFE_GROUPS = 50
_PAIRS = 1 << 20  # pairs of one direction that are evaluated at a time


@dataclass(frozen=True)
class BoundEvaluation:
    """One bound, evaluated on N test samples.

    Arguments:
        bound: the bound.
        directions: for each direction that is evaluated, the tuple of per-sample statistics, each (N,).
        fold: (N,) the number of the fold that tests each sample.
        ceiling: the largest value in nats that the bound can take.
        cluster: (N,) the number of the cluster that each sample belongs to, where samples are dependent: those of one
            cluster may depend on each other, those of different clusters are independent.

    Example:
        >>> from mibounds.bounds import PlugIn
        >>> log_ratios = torch.tensor([0.0, 1.0, 1.0, 2.0])
        >>> BoundEvaluation(PlugIn(), ((log_ratios,),), fold=torch.tensor([0, 0, 1, 1]), ceiling=math.inf).fold_values()
        (0.5, 1.5)
    """

    bound: Bound
    directions: tuple[Statistics, ...]
    fold: Tensor
    ceiling: float
    cluster: Tensor | None = None

    def value(self, kept: Tensor | None = None) -> float:
        """The bound's value in nats, of all samples or of those with the indices `kept`, which may repeat."""
        with torch.no_grad():
            values = [
                self.bound.value(*(one if kept is None else one[kept] for one in statistics))
                for statistics in self.directions
            ]
        return float(torch.stack(values).mean())

    def fold_values(self) -> tuple[float, ...]:
        """The value in nats of the test samples of each fold."""
        return tuple(self.value((self.fold == i).nonzero().flatten()) for i in range(int(self.fold.max()) + 1))

    def stderr(self) -> float:
        r"""The standard error of the value, in nats: that of sampling, or that of the mean over folds if it is larger.

        .. math:: s = \max\Big(s_{sampling},\ \sqrt{\mathrm{Var}(v_1, \dots, v_F) / F}\Big)
        """
        folds = torch.tensor(self.fold_values(), dtype=torch.float64)
        between = folds.var() / len(folds) if len(folds) > 1 else torch.zeros(())
        return max(self.sampling_error(), math.sqrt(float(between)))

    def sampling_error(self) -> float:
        r"""The standard error in nats that the sampling explains, for the critics as they are: a grouped jackknife.

        .. math:: s^2 = \frac{G - 1}{G} \sum_g (v_{-g} - \bar v)^2

        with :math:`v_{-g}` the value without group g. At most 50 groups are formed of the samples, or of the clusters
        where samples are dependent.
        """
        n, device = len(self.fold), self.fold.device
        unit = torch.arange(n, device=device) if self.cluster is None else _numbered(self.cluster)
        groups = min(_JACKKNIFE_GROUPS, int(unit.max()) + 1)
        group = unit % groups
        left_out = torch.tensor(
            [self.value((group != g).nonzero().flatten()) for g in range(groups)], dtype=torch.float64
        )
        return math.sqrt((groups - 1) * float(left_out.var(correction=0)))

    def bootstrap(self, draws: int, generator: torch.Generator) -> float:
        """The standard error in nats by the bootstrap, for the critics as they are.

        Where there are clusters, whole clusters are drawn with replacement, and each brings all of its samples: samples
        that depend on each other are not drawn apart. Otherwise samples are drawn, each with its own mismatched pairs;
        pairs are never drawn.

        Arguments:
            draws: how many times.
            generator: draws them; on the CPU.
        """
        # Not `scipy.stats.bootstrap`: it resamples single observations only, and takes no generator of torch.
        if self.cluster is None:
            n = len(self.fold)
            resamples = (torch.randint(0, n, (n,), generator=generator) for _ in range(draws))
        else:
            resamples = (_resampled_clusters(self.cluster.cpu(), generator) for _ in range(draws))
        values = torch.tensor([self.value(kept) for kept in resamples])
        return float(values.double().std())


def mean_stderr(values: Tensor, cluster: Tensor | None = None) -> float:
    r"""The standard error of a mean of per-sample values.

    .. math:: s = \mathrm{std}(v) / \sqrt N, \qquad\text{with clusters}\qquad
              s = \frac1N \sqrt{\sum_c \Big(\sum_{i \in c} (v_i - \bar v)\Big)^2}

    Arguments:
        values: (N,).
        cluster: (N,) the number of the cluster of each sample, where samples are dependent.

    Example:
        >>> values = torch.tensor([0.0, 2.0])
        >>> mean_stderr(values), mean_stderr(values.repeat(50), torch.arange(2).repeat(50))  # 50 copies of both
        (1.0, 0.7071067811865476)
    """
    values = values.double()
    if cluster is None:
        return float(values.std() / math.sqrt(len(values)))
    centered = values - values.mean()
    sums = centered.new_zeros(int(cluster.max()) + 1).index_add(0, cluster, centered)
    return float(sums.square().sum().sqrt() / len(values))


def nwj_stderr(directions: Sequence[Statistics], cluster: Tensor | None = None) -> float:
    r"""The standard error of NWJ over all pairs for a fixed critic, by its influence function.

    .. math:: \psi_i = f(x_i, y_i) - \bar r_i - \bar c_i

    with :math:`\bar r_i` and :math:`\bar c_i` the means of e^f over the mismatched pairs that have y_i and x_i: sample
    i takes part in both. Where one direction is evaluated, it stands for the other.

    Arguments:
        directions: the per-sample statistics of NWJ in one direction or both.
        cluster: (N,) the number of the cluster of each sample, where samples are dependent.
    """
    joint, partition = directions[0]
    others = directions[-1][1]
    return mean_stderr(joint - partition.exp() - others.exp(), cluster)


def evaluate_grid(grid: Tensor, bounds: Sequence[Bound], both: bool = True) -> list[tuple[Statistics, ...]]:
    """The per-sample statistics of each bound from a grid of scores (N, N), rows x, the matched pairs on the diagonal.

    Arguments:
        grid: scores of all pairs of a block of test samples.
        bounds: those that are evaluated.
        both: evaluate both directions, or only the one in which samples keep their y.
    """
    joint = grid.diagonal()
    width = max(1, _PAIRS // len(grid))  # lines at a time: every bound makes copies of its scores
    strips = []
    for start in range(0, len(grid), width):
        lines = slice(start, start + width)
        matched = joint[lines]
        products = [off_diagonal(scores[lines], start) for scores in ((grid.mT, grid) if both else (grid.mT,))]
        strips.append([tuple(bound.reduce(matched, product) for product in products) for bound in bounds])
    return pool_bounds(strips)


def pool(parts: Sequence[tuple[Statistics, ...]]) -> tuple[Statistics, ...]:
    """The per-sample statistics of one bound, of blocks or folds, concatenated direction by direction."""
    (pooled,) = pool_bounds([[part] for part in parts])
    return pooled


def pool_bounds(parts: Sequence[Sequence[tuple[Statistics, ...]]]) -> list[tuple[Statistics, ...]]:
    """The same for several bounds. A tensor that several bounds have in common, such as the scores of the matched
    pairs, stays one tensor, which halves the memory."""
    joined: dict[tuple[int, ...], Tensor] = {}

    def join(*pieces: Tensor) -> Tensor:
        key = tuple(map(id, pieces))  # `parts` references all of them, so no id is used twice
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


def entropy_margin(label: Tensor, cluster: Tensor | None = None, level: float = 0.95) -> float:
    r"""By how many nats the entropy of a label may exceed that of its frequencies :math:`\hat p` in the sample, at most
    up to :math:`\ln K`.

    .. math:: \frac{K - 1}{2N} + z \sqrt{\frac{\mathrm{Var}(-\ln \hat p)}{N} + \frac{K - 1}{2N^2}}

    The entropy of the frequencies is too low on average, and of equally probable classes always: 2N times what it lacks
    is then chi-squared with K - 1 degrees of freedom.

    References:
        Basharin, On a statistical estimate for the entropy of a sequence of independent random variables, 1959.

    Arguments:
        label: (N,) the class of each row, numbered from 0, all of which occur.
        cluster: (N,) the cluster of each row, where rows are dependent; the number of clusters then takes the place
            of N.
        level: two-sided, as of the interval that ends there.

    Example:
        >>> coin = torch.arange(100) % 2
        >>> entropy_margin(coin), round(entropy_margin((torch.arange(1000) < 100).long()), 4)
        (0.0, 0.0414)
    """
    counts = torch.bincount(label).double()
    surprise = -(counts / len(label)).log()
    n = len(label) if cluster is None else len(torch.unique(cluster))
    missing = (len(counts) - 1) / (2 * n)
    error = mean_stderr(surprise[label], cluster)
    margin = missing + NormalDist().inv_cdf((1 + level) / 2) * math.hypot(error, math.sqrt(missing / n))
    return min(margin, max(math.log(len(counts)) - float(surprise[label].mean()), 0.0))


def lower_limit(value: float, stderr: float, level: float) -> float:
    """The one-sided lower confidence limit, in the unit of the value."""
    return value + NormalDist().inv_cdf(1 - level) * stderr


def interval(value: float, stderr: float, level: float, below: float = 0.0, above: float = 0.0) -> tuple[float, float]:
    r"""A confidence interval for I(X;Y), in the unit of the value.

    .. math:: \big[\,v - b - z s,\; \max(v + a, 0) + z s\,\big]

    with allowances b and a for the bias of the estimate; since the information is never negative, neither is the
    upper end.

    Arguments:
        value: the estimate v.
        stderr: its standard error s.
        level: the confidence level, two-sided: z is the quantile (1 + level) / 2 of the standard normal distribution.
        below: b, by how much the estimate may be too high.
        above: a, by how much the estimate may be too low.
    """
    z = -NormalDist().inv_cdf((1 - level) / 2)  # of levels next to 1, too
    return value - below - z * stderr, max(value + above, 0.0) + z * stderr


def _numbered(cluster: Tensor) -> Tensor:
    """The same clusters, numbered from 0 without gaps (a part of the samples need not have samples of each)."""
    numbers: Tensor = torch.unique(cluster, return_inverse=True)[1]
    return numbers


def _resampled_clusters(cluster: Tensor, generator: torch.Generator) -> Tensor:
    """The indices of the samples of as many clusters as there are, drawn with replacement."""
    number = _numbered(cluster)
    sizes = torch.bincount(number)
    order, first = number.argsort(stable=True), sizes.cumsum(0) - sizes  # cluster c is order[first[c]] and what follows
    drawn = torch.randint(0, len(sizes), (len(sizes),), generator=generator)
    length = sizes[drawn]
    within = torch.arange(int(length.sum())) - (length.cumsum(0) - length).repeat_interleave(length)
    return order[first[drawn].repeat_interleave(length) + within]
