"""Cross-checks: classical estimates of the same samples, at little cost."""

from __future__ import annotations

import copy
import math
from functools import partial

import torch
from torch import Tensor

from mibounds.classical import contingency, entropy, gaussian_copula, gaussian_copula_full, ksg, mixed_ksg
from mibounds.data import Sample
from mibounds.data.preprocessing import RankGaussianize
from mibounds.estimation.selected_columns import value_and_gain
from mibounds.learners import SupervisedFeatures
from mibounds.training.evaluation import Evaluation
from mibounds.training.folds import Fold
from mibounds.training.policy import CrossCheck

__all__ = ["copula_error", "cross_checks", "regression_check", "supervised", "thinned"]

_ROWS = 10_000
_COLUMNS_FOR_NEIGHBORS = 8  # x and y together; beyond, nearest neighbors are far too low
_COLUMNS_FOR_COPULA = 500
_COLUMNS_FOR_LOW_NEIGHBORS = 3  # from these on nearest neighbors are low, and being below the value means nothing
_TIED = 0.05
_ROWS_PER_CELL = 5
_ROWS_PER_COLUMN = 2


def cross_checks(x: Tensor, y: Tensor, seed: int) -> list[CrossCheck]:
    """The classical estimates that suit the data, from at most 10,000 rows.

    Nearest neighbors for at most eight columns together (`mixed_ksg` where more than 5 % of a column's values are
    tied), the Gaussian copula up to 500 columns, counts where both sides have few values, corrected for their bias and
    at most the smaller entropy. Columns are ranked first, which leaves the information as it is and makes heavy tails
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
    for method in (_copula, _nearest, _counts):
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
    columns = x.shape[1] + y.shape[1]
    if columns > _COLUMNS_FOR_COPULA:
        return None
    if len(x) >= _ROWS_PER_COLUMN * columns + 2 and not any(_tied(side) for side in (x, y)):
        value = gaussian_copula_full(x, y)
        return CrossCheck("GaussianCopula", value, copula_error(value, x, y), is_lower_bound=True, unbiased=True)
    value = gaussian_copula(x, y, generator=torch.Generator().manual_seed(seed))
    return CrossCheck("GaussianCopula", value, is_lower_bound=True)


def copula_error(value: float, x: Tensor, y: Tensor) -> float:
    r"""The standard error of `gaussian_copula_full` of continuous columns, in nats.

    .. math:: s^2 = \frac{\sum_i \rho_i^2}{N} + \frac{D_x D_y}{2 (N - D_x - D_y)^2}

    A canonical correlation :math:`\rho` of normal scores contributes :math:`\rho^2 / N`, at most twice its information
    and at most 1 / N, and noise the rest.
    """
    strength = min(2 * max(value, 0.0), *(float(side.shape[1]) for side in (x, y)))
    free = len(x) - x.shape[1] - y.shape[1]
    return math.sqrt(strength / len(x) + x.shape[1] * y.shape[1] / (2 * free**2))


def _nearest(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    if x.shape[1] + y.shape[1] > _COLUMNS_FOR_NEIGHBORS:
        return None
    tied = [_tied(side) for side in (x, y)]
    name, method = ("MixedKSG", partial(mixed_ksg, seed=seed)) if any(tied) else ("KSG", ksg)
    value, gain = value_and_gain(method, x, y)
    return CrossCheck(
        name, value, stderr=1 / math.sqrt(len(x)), low_from=_COLUMNS_FOR_LOW_NEIGHBORS,
        unbiased=not all(tied),  # of two labels the value is too high, like that of counts
        learning_gain=gain,
    )  # fmt: skip


def _counts(x: Tensor, y: Tensor, seed: int) -> CrossCheck | None:
    cells = torch.unique(x, dim=0).shape[0] * torch.unique(y, dim=0).shape[0]
    if len(x) < _ROWS_PER_CELL * cells:
        return None
    corrected = contingency(x, y, correction="miller-madow")
    return CrossCheck("Contingency", min(corrected, entropy(x), entropy(y)))


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
    return CrossCheck("BoostedTrees", value, error, is_lower_bound=True, unbiased=True)


def _tied(side: Tensor) -> bool:
    return any(torch.unique(column).numel() < (1 - _TIED) * len(column) for column in side.unbind(1))
