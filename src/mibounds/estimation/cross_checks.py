"""Cross-checks: classical estimates of the same samples, at little cost."""

from __future__ import annotations

import copy
import math
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mibounds.classical import (
    contingency,
    discrete,
    entropy,
    gaussian_copula,
    gaussian_copula_full,
    ksg,
    mixed_ksg,
    regularized,
    student,
)
from mibounds.data import Sample
from mibounds.data.preprocessing import RankGaussianize
from mibounds.estimation.stretched import neighbors_between
from mibounds.learners import SupervisedFeatures
from mibounds.training.evaluation import Evaluation
from mibounds.training.folds import Fold
from mibounds.training.policy import CrossCheck

__all__ = [
    "copula_error", "cross_checks", "enough_for_copula", "regression_check", "supervised", "thinned", "well_filled",
]  # fmt: skip

_ROWS = 10_000
_COLUMNS_FOR_NEIGHBORS = 8  # x and y together; beyond, nearest neighbors are far too low
_COLUMNS_FOR_COPULA = 500
_COLUMNS_FOR_STUDENT = 20
_COLUMNS_FOR_REGULARIZED, _FEW_ROWS_PER_COLUMN = 200, 5
_ROWS_FOR_HELD_OUT = 30  # of which a fifth is held out: fewer say nothing of a fit
_LEAST = 1e-3  # nats: a Student or a regularized copula that says less says no more than independence
_LIKELIER = 3.0  # nats of log likelihood: less, and the Student copula is the Gaussian one
_COLUMNS_FOR_LOW_NEIGHBORS = 3  # from these on nearest neighbors are low, and being below the value means nothing
_TIED = 0.05
_ROWS_PER_CELL = 5
_MOST_NOISE = 0.25  # nats: where chance makes more, the largest of several estimates is one that chance made large


def cross_checks(x: Tensor, y: Tensor, seed: int) -> list[CrossCheck]:
    """The classical estimates that suit the data, from at most 10,000 rows.

    Nearest neighbors for at most eight columns together (`mixed_ksg` where more than 5 % of a column's values are
    tied), the Gaussian copula up to 500 columns, a regularized one where rows are few for them, the Student copula of
    at most 20 columns where it is likelier, counts where both sides have few values, corrected for their bias and at
    most the smaller entropy. Columns are ranked first, which leaves the information as it is and makes heavy tails
    harmless. A method that fails on the data, or whose value is not finite, is left out.

    Arguments:
        x: (N, D_x) numbers.
        y: (N, D_y), paired with x.
        seed: draws the rows, splits them and breaks ties.

    Example:
        >>> x, noise = torch.randn(2, 400, 1, generator=torch.Generator().manual_seed(0))
        >>> [check.name for check in cross_checks(x, x + noise, 0)]
        ['GaussianCopula', 'KSG']
    """
    x, y = thinned(x, y, seed)
    if x.shape[1] + y.shape[1] <= _COLUMNS_FOR_COPULA:  # counts do not need ranks
        x, y = (RankGaussianize().fit(side)(side) for side in (x, y))
    x, y = x.double(), y.double()
    found: list[CrossCheck] = []
    for method in (_copula, _regularized, _student, _nearest, _counts):
        try:
            check = method(x, y, seed)
        except Exception:  # a check must not end the estimate that it checks
            continue
        if check is not None and math.isfinite(check.value):
            found.append(check)
    return found


def thinned(x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """At most 10,000 rows of both, drawn by a seed."""
    if len(x) <= _ROWS:
        return x, y
    kept = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:_ROWS]
    return x[kept], y[kept]


def _copula(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    """From all rows, less its bias, where columns are continuous and rows enough; else from rows that did not fit it.

    A linear dependence of normal scores is about the least information that their correlations leave possible, exactly
    so for one column a side (Foster and Grassberger, Lower bounds on mutual information, 2011, arXiv:1011.4823).
    """
    if x.shape[1] + y.shape[1] > _COLUMNS_FOR_COPULA:
        return None
    if enough_for_copula(x, y) and not _tied(x, y):
        value = gaussian_copula_full(x, y)
        return CrossCheck("GaussianCopula", value, copula_error(value, x, y), is_lower_bound=True, unbiased=True)
    if _few_for_columns(x, y):
        return None
    value = gaussian_copula(x, y, generator=torch.Generator().manual_seed(seed))
    return CrossCheck("GaussianCopula", value, is_lower_bound=True)


def enough_for_copula(x: Tensor, y: Tensor) -> bool:
    """Whether rows are enough for the Gaussian copula of all of them: more than columns, and its error for independent
    columns is at most 0.25 nats."""
    return len(x) >= x.shape[1] + y.shape[1] + 2 and copula_error(0.0, x, y) <= _MOST_NOISE


def copula_error(value: float, x: Tensor, y: Tensor) -> float:
    r"""The standard error of `gaussian_copula_full` of continuous columns, in nats.

    .. math:: s^2 = \frac{\sum_i \rho_i^2}{N} + \frac{1}{4} \sum_{i=1}^{D_x} \Big[\psi'\!\Big(\frac{N - D_y - i}{2}\Big)
              - \psi'\!\Big(\frac{N - i}{2}\Big)\Big]

    A canonical correlation :math:`\rho` of normal scores contributes :math:`\rho^2 / N`, at most twice its information
    and at most 1 / N, and noise the rest: of independent Gaussian columns Wilks' lambda is a product of beta variables.

    References:
        Anderson, An introduction to multivariate statistical analysis, 2003, section 8.4 (the distribution of lambda).
    """
    from scipy.special import polygamma

    (n, dim_x), dim_y = x.shape, y.shape[1]
    strength = min(2 * max(value, 0.0), float(dim_x), float(dim_y))
    place = np.arange(1, dim_x + 1)
    noise = float((polygamma(1, (n - dim_y - place) / 2) - polygamma(1, (n - place) / 2)).sum()) / 4
    return math.sqrt(strength / n + noise)


def _regularized(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    if not _few_for_columns(x, y):
        return None
    value, error = regularized.of_scores(x, y)
    return CrossCheck("RegularizedCopula", value, error, low_from=0, unbiased=True) if value > _LEAST else None


def _few_for_columns(x: Tensor, y: Tensor) -> bool:
    """Whether the Gaussian copula of all rows has a large error, and a regularized one says more."""
    columns = x.shape[1] + y.shape[1]
    several = _COLUMNS_FOR_NEIGHBORS < columns <= _COLUMNS_FOR_REGULARIZED
    few = _ROWS_FOR_HELD_OUT <= len(x) < _FEW_ROWS_PER_COLUMN * columns
    return several and few and not _tied(x, y)


def _student(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    """Where the Student copula is likelier than the Gaussian one, and says more than independence does."""
    if len(x) < _ROWS_FOR_HELD_OUT or x.shape[1] + y.shape[1] > _COLUMNS_FOR_STUDENT or _tied(x, y):
        return None
    value, error, likelier = student.of_scores(x, y)
    if likelier < _LIKELIER or value <= _LEAST:
        return None
    return CrossCheck("StudentCopula", value, error, low_from=0, unbiased=True)


def _nearest(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    if x.shape[1] + y.shape[1] > _COLUMNS_FOR_NEIGHBORS:
        return None
    tied = [_tied(side) for side in (x, y)]
    name, method = ("MixedKSG", partial(mixed_ksg, seed=seed)) if any(tied) else ("KSG", ksg)
    found = neighbors_between(method, x.numpy(), y.numpy())
    unbiased = not all(tied)  # of two labels the value is too high, like that of counts
    return CrossCheck(name, **found._asdict(), low_from=_COLUMNS_FOR_LOW_NEIGHBORS, unbiased=unbiased)


def well_filled(*sides: Tensor) -> bool:
    """Whether there are five rows for each combination of the values of tables (N, D), so that counts say much."""
    cells = math.prod(len(torch.unique(side, dim=0)) for side in sides)
    return len(sides[0]) >= _ROWS_PER_CELL * cells


def _counts(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    if not well_filled(x, y):
        return None
    corrected = contingency(x, y, correction="miller-madow")
    value = min(corrected, entropy(x), entropy(y))
    return CrossCheck("Contingency", value, discrete.error(x, y), low_from=0, unbiased=True)


def regression_check(evaluation: Evaluation, sample: Sample) -> CrossCheck | None:
    r"""What boosted trees, fitted to the training samples of each fold, certify on its test samples.

    Of a continuous column y :math:`-\frac12 \ln(1 - R^2)` of the predicted normal scores, of a label its entropy less
    the log loss of the predicted classes: both are lower bounds of the information, up to fitted constants. None where
    no trees were fitted, for several columns y, and for one of tied values, whose scores are not normal.
    """
    found = [one for one in (_certified(evaluation, sample, "x", "y"), _certified(evaluation, sample, "y", "x")) if one]
    return max(found, key=lambda check: check.value, default=None)


def _certified(evaluation: Evaluation, sample: Sample, name: str, target: str) -> CrossCheck | None:
    rows, wanted = sample.variables[name].table, sample.variables[target].table
    is_label = sample.variables[target].is_label
    if rows is None or wanted is None or not (is_label or (wanted.shape[1] == 1 and not _tied(wanted))):
        return None
    terms = []
    for encoder, fold in supervised(evaluation, name):
        if encoder.trees is None:
            return None
        predicted = copy.deepcopy(encoder.trees).cpu()(rows[fold.test].cpu())  # the critic's own stay where they are
        truth = wanted[fold.test]
        if is_label:
            place = torch.cdist(truth, encoder.classes.cpu()).argmin(1, keepdim=True)
            terms.append(torch.log_softmax(predicted, 1).gather(1, place).squeeze(1))
        else:
            scores = RankGaussianize().fit(wanted[fold.train])(truth)
            terms.append(torch.stack([scores[:, 0], predicted[:, 0]], 1))
    if not terms:
        return None
    pooled = torch.cat(terms).double()
    if is_label:
        value = float(pooled.mean()) + (sample.variables[target].label_entropy or 0.0)
        return _trees(value, pooled)
    square = (pooled[:, 0] - pooled[:, 1]).square()
    total = (pooled[:, 0] - pooled[:, 0].mean()).square()
    value = float((total.mean() / square.mean()).log()) / 2
    influence = (total / total.mean() - square / square.mean()) / 2
    return _trees(value, influence)


def supervised(evaluation: Evaluation, name: str) -> list[tuple[SupervisedFeatures, Fold]]:
    """The supervised features of the variable x or y, of every fold; empty where the critics have none."""
    found = []
    for fitted in evaluation.fitted:
        encoder = getattr(fitted.critic, f"encoder_{name}", None)
        if not isinstance(encoder, SupervisedFeatures):
            return []
        found.append((encoder, fitted.fold))
    return found


def _trees(value: float, terms: Tensor) -> CrossCheck:
    """A lower bound that its own samples certify, whatever the critics say."""
    error = float(terms.std()) / math.sqrt(len(terms))
    return CrossCheck("BoostedTrees", value, error, is_lower_bound=True, unbiased=True, learned=True)


def _tied(*sides: Tensor) -> bool:
    columns = [column for side in sides for column in side.unbind(1)]
    return any(torch.unique(column).numel() < (1 - _TIED) * len(column) for column in columns)
