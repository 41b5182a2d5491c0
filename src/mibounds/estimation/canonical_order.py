"""The order in which an estimate takes rows and variables: that of their values, so that the order in which they came
does not change the result."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mibounds._math import twice_mid_ranks
from mibounds.critics import Transposed
from mibounds.data import Sample
from mibounds.results import Result
from mibounds.training.fitted_folds import FittedFolds
from mibounds.training.folds import Fold
from mibounds.training.recipe import Recipe

__all__ = ["exchanged", "given_rows", "is_exchanged", "order_of", "row_order", "turned", "value_order"]

_WEIGHTS = 1 << 20  # a sum of columns times these, in whole numbers, is exact and the same in any order of rows
_AT_ONCE = 256  # columns
_EQUAL = 1e-9


def row_order(sample: Sample, recipe: Recipe) -> Tensor:
    """(N,) the indices of the rows in the order of a weighted sum of their ranks.

    Folds and batches are drawn by place, so rows that came in another order would be divided otherwise, and the value
    would differ by the noise of training. Ranks count from the middle of a column outwards: units, monotone maps and
    mirrored columns do not change the order. Rows stay as they came where that has a meaning: in blocks, with a
    splitter of the user's, and where a variable is a tuple of tensors.

    Example:
        >>> from mibounds.data import Sample
        >>> rows = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
        >>> sample, mirrored = (Sample.of(x=s * rows[:, 0], y=rows[:, 1]) for s in (1, -1))
        >>> bool((row_order(sample, Recipe()) == row_order(mirrored, Recipe())).all())
        True
    """
    sample = sample.varying()
    return order_of(turned(sample) if is_exchanged(sample) else sample, recipe)


def order_of(sample: Sample, recipe: Recipe) -> Tensor:
    """The same of a sample of columns that vary, whose variables are in their order."""
    sides = [side.values for side in (sample.x, sample.y) if isinstance(side.values, Tensor)]
    if recipe.split != "random" or recipe.cv is not None or len(sides) < 2:
        return torch.arange(sample.n)
    return value_order(*sides)


def value_order(*sides: Tensor) -> Tensor:
    """(N,) the indices of the rows of variables (N, ...) in the order of their values."""
    outwards, upwards = _sums(*sides)
    order = torch.argsort(upwards, stable=True)  # where the other sum does not decide
    return order[torch.argsort(outwards[order], stable=True)]


def is_exchanged(sample: Sample) -> bool:
    """Is y to be taken first? So that I(Y;X) is the same number as I(X;Y): a label comes second, a wider table first;
    of two alike the third moments of their ranks decide. Other kinds than tables stay where they are."""
    x, y = sample.x, sample.y
    if x.table is None or y.table is None:
        return False
    if x.is_label != y.is_label:
        return x.is_label
    if x.width != y.width:
        return y.width > x.width
    first, second = (_ranks(_sums(side)[0][:, None])[0] / sample.n for side in (x.table, y.table))
    return float((first.square() * second - first * second.square()).mean()) < -_EQUAL


def turned(sample: Sample) -> Sample:
    """The sample with y as its x, and x as its y."""
    return replace(sample, variables={"x": sample.y, "y": sample.x})


def exchanged(result: Result) -> Result:
    """The result of (x, y), of one of (y, x)."""
    fitted = result.fitted
    if fitted is not None:
        folds = [replace(fold, critic=Transposed(fold.critic)) for fold in fitted]
        fitted = FittedFolds(folds, fitted.schemas[::-1])
    return replace(result, columns=result.columns[::-1], kinds=result.kinds[::-1], fitted=fitted)


def given_rows(result: Result, order: Tensor) -> Result:
    """The result with the rows of its folds as indices into the sample of which `order` (N,) was taken."""
    if result.fitted is None:
        return result
    folds = [
        replace(one, fold=Fold(order[one.fold.train], order[one.fold.valid], order[one.fold.test]))
        for one in result.fitted
    ]
    return replace(result, fitted=FittedFolds(folds, result.fitted.schemas))


def _sums(*sides: Tensor) -> tuple[Tensor, Tensor]:
    """The weighted sums (N,) of the ranks of all columns of variables (N, ...), and of their distances from the middle;
    the latter first. Some columns at a time: their ranks take more memory than they do."""
    tables = [side.detach().cpu().reshape(len(side), -1) for side in sides]
    columns = [block for table in tables for block in torch.split(table, _AT_ONCE, 1)]
    draw = torch.Generator().manual_seed(0)
    outwards, upwards = torch.zeros(2, len(sides[0]), dtype=torch.long)
    for block in columns:
        ranks = _ranks(block)
        weights = torch.randint(1, _WEIGHTS, (len(ranks), 1), generator=draw)
        outwards += (weights * ranks.abs()).sum(0)
        upwards += (weights * ranks).sum(0)
    return outwards, upwards


def _ranks(columns: Tensor) -> Tensor:
    """(D, N) twice the mid-ranks of (N, D) columns, from the middle: between -N and N."""
    return twice_mid_ranks(columns) - len(columns)
