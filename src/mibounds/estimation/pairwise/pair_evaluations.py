r"""One fold of a matrix: critics of all pairs are trained in stacks and evaluated on the test rows.

Each direction is evaluated alone, and the value is the mean of both. In one, a row keeps its x and its y is compared
with all n values of the training rows, in cells: InfoNCE with as many negatives,

.. math:: f(x_i, y_i) - \log \frac{n \sum_c w_c\, e^{f(x_i, y_c)} + e^{f(x_i, y_i)}}{n + 1} .

A smooth critic blurs edges. If it were right, the place :math:`q = C(y|x)` that a row's y has in the critic's own
conditional distribution would be uniform whatever x is. So, where a correction of the Gaussian copula was kept and y
is continuous, a second, smaller stack of critics is trained on (x, q), and where validation rows gain by it, its
conditional log-density of q given x is added: a density again, and so again a lower bound in expectation (Barber and
Agakov).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mibounds.data import RankGaussianize
from mibounds.estimation.pairwise.column_features import CELLS, ColumnFeatures
from mibounds.estimation.pairwise.stacked_critics import Moments, StackedCritics, fit_stack
from mibounds.training.folds import Fold

__all__ = ["FoldColumns", "evaluate_pairs", "fit_pairs", "independence_statistics", "prepare_fold"]

_COSINES, _SECOND_COSINES = 10, 6
_LARGEST = 0.9999  # correlation of the Gaussian copula to start from
_BLOCK = 1024  # rows
_REACH = 4.0  # normal scores of q


@dataclass(frozen=True)
class FoldColumns:
    """The columns of one fold: features of training, validation and test rows (D, N, E), and what the second stack
    needs of them.

    Attributes:
        columns: the features' maker.
        second: that of the second stack.
        scores: normal scores of training, validation and test rows, (N, D) float64.
        features: of the same.
        correlation: of the training rows' normal scores, (D, D) float64.
        continuous: no value of the column fills a cell, (D,).
    """

    columns: ColumnFeatures
    second: ColumnFeatures
    scores: tuple[Tensor, Tensor, Tensor]
    features: tuple[Tensor, Tensor, Tensor]
    correlation: Tensor
    continuous: Tensor

    def moments(self, x: Sequence[Tensor], y: Sequence[Tensor]) -> Moments:
        """From features of training and validation rows, (P, N, E) of both columns."""
        train, valid = (a.mT @ b / a.shape[1] for a, b in zip(x, y, strict=True))
        return Moments(train, valid, len(self.scores[0]), len(self.scores[1]))


def prepare_fold(table: Tensor, fold: Fold) -> FoldColumns:
    """Fit ranks and features to the training rows of a table (N, D)."""
    ranks = RankGaussianize().fit(table[fold.train])
    train, valid, test = (ranks(table[rows]).double() for rows in (fold.train, fold.valid, fold.test))
    columns = ColumnFeatures(train, _COSINES)
    piles = [int(torch.unique(column, return_counts=True)[1].max()) for column in table[fold.train].unbind(1)]
    return FoldColumns(
        columns,
        ColumnFeatures(train, _SECOND_COSINES),
        (train, valid, test),
        (columns(train), columns(valid), columns(test)),
        torch.corrcoef(train.T).clamp(-_LARGEST, _LARGEST),
        torch.tensor(piles, device=table.device) < len(fold.train) / CELLS,
    )


def fit_pairs(fold: FoldColumns, first: Tensor, second: Tensor) -> StackedCritics:
    """Train the critics of a stack of pairs.

    Arguments:
        fold: its columns.
        first: the column that each pair takes for x, (P,).
        second: and for y, (P,).
    """
    sides = ([rows[side] for rows in fold.features[:2]] for side in (first, second))
    columns = fold.columns
    start = columns.gaussian(first, second, fold.correlation[first, second])
    x, y = ((columns.cells[side], columns.weights[side]) for side in (first, second))
    return fit_stack(x, y, fold.moments(*sides), start, columns.order)


def evaluate_pairs(fold: FoldColumns, first: Tensor, second: Tensor, critics: StackedCritics) -> Tensor:
    """What every test row of the fold adds to the value of each pair, (P, N_test), in nats."""
    mirrored = replace(critics, weights=critics.weights.mT)
    return (_read(fold, first, second, critics) + _read(fold, second, first, mirrored)) / 2


def independence_statistics(fold: FoldColumns, first: Tensor, second: Tensor, critics: StackedCritics) -> Tensor:
    r"""A statistic of each pair, (P,), that is nearly standard normal where the columns are independent: the sum of
    matched test scores against its mean and standard deviation over all matchings of the test rows,

    .. math:: \frac{\sum_i f_{ii} - n \bar f}{\sqrt{\sum_{ij} (f_{ij} - \bar f_{i\cdot} - \bar f_{\cdot j} + \bar f)^2
              / (n - 1)}} ,

    all in closed form from the features' means and covariances.
    """
    weights, test = critics.weights, fold.features[2]
    n = test.shape[1]
    centered = test - test.mean(1, keepdim=True)
    covariance = centered.mT @ centered / n
    x, y = centered[first], centered[second]
    excess = n * (weights * (x.mT @ y / n)).sum((1, 2))
    spread = n * n * (weights @ covariance[second] * (covariance[first] @ weights)).sum((1, 2)) / (n - 1)
    return torch.where(spread > 0, excess / spread.clamp_min(1e-30).sqrt(), 0.0)


def _read(fold: FoldColumns, first: Tensor, second: Tensor, critics: StackedCritics) -> Tensor:
    """One direction: rows keep their x, y is replaced."""
    value, place = _conditional(fold, 2, first, second, critics.weights)
    blurred = ((critics.ridge > 0) & fold.continuous[second]).nonzero().flatten()
    if len(blurred):
        value[blurred] += _sharpened(fold, first[blurred], second[blurred], critics.weights[blurred], place[blurred])
    return value


def _conditional(fold: FoldColumns, part: int, first: Tensor, second: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Of the rows of a part (training, validation or test): the InfoNCE term and the place of y in the critic's
    conditional distribution given x, both (P, N)."""
    n = len(fold.scores[0])
    cells, shares = fold.columns.cells[second], fold.columns.weights[second]
    cell, inside = (place[second] for place in fold.columns.place(fold.scores[part]))
    x, y = fold.features[part][first], fold.features[part][second]
    values, places = [], []
    for rows in torch.split(torch.arange(x.shape[1], device=x.device), _BLOCK):
        encoded = x[:, rows] @ weights
        joint = (encoded * y[:, rows]).sum(-1)
        scores = torch.bmm(encoded, cells.mT)
        top = torch.maximum(scores.amax(-1), joint)  # near copies have scores of hundreds
        ratios = scores.sub_(top[..., None]).exp_().mul_(shares[:, None])
        own = cell[:, rows, None]
        below = ratios.cumsum(-1)
        total = below[..., -1]
        ahead = (1 - inside[:, rows]) * ratios.gather(-1, own)[..., 0]
        places.append((below.gather(-1, own)[..., 0] - ahead) / total.clamp_min(torch.finfo(total.dtype).tiny))
        joint = joint - top
        values.append(joint - ((n * total + joint.exp()) / (n + 1)).log())
    return torch.cat(values, 1), torch.cat(places, 1)


def _sharpened(fold: FoldColumns, first: Tensor, second: Tensor, weights: Tensor, tested: Tensor) -> Tensor:
    """What the second stack adds to the test rows, (P, N_test)."""
    uniform = (torch.arange(4096, dtype=torch.float64, device=tested.device) + 0.5) / 4096
    places = ColumnFeatures(torch.special.ndtri(uniform)[:, None], _SECOND_COSINES)
    # The second stack learns from the places that the critics give to the rows that trained them.
    given = [_conditional(fold, part, first, second, weights)[1] for part in (0, 1)]
    x = [fold.second(scores)[first] for scores in fold.scores]
    q = [places(torch.special.ndtri(p.double()).clamp(-_REACH, _REACH).reshape(-1, 1))[0] for p in (*given, tested)]
    q = [features.view(*p.shape, -1) for features, p in zip(q, (*given, tested), strict=True)]
    cells = places.cells.expand(len(first), -1, -1), places.weights.expand(len(first), -1)
    moments = fold.moments(x[:2], q[:2])
    start, order = torch.zeros_like(moments.train), fold.second.order
    sides = (fold.second.cells[first], fold.second.weights[first]), cells
    critics = fit_stack(*sides, moments, start, order, caution=0)  # that there is a dependence is known by now
    encoded = x[2] @ critics.weights
    ratios = torch.bmm(encoded, cells[0].mT).exp_()
    log_density = (encoded * q[2]).sum(-1) - (ratios * cells[1][:, None]).sum(-1).log()
    return torch.where(critics.ridge[:, None] > 0, log_density, 0.0)
