"""The candidates of the default estimate where the columns of a variable are not fewer than the samples."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from mibounds.choices import build_critic
from mibounds.critics import Critic, Encoded, GaussianCritic, WithOffset
from mibounds.data import Preprocessing, RankGaussianize, Sample, Standardize
from mibounds.data.row_space import RowSpace
from mibounds.estimators import MIEstimator
from mibounds.networks import WithRadius
from mibounds.training.candidates import Candidate
from mibounds.training.recipe import Recipe

__all__ = ["Columns", "is_wide", "wide_candidates", "wide_recipe"]

_AXES = 256  # coordinates that the networks are trained on
_LARGE = 1_000  # rows and columns on both sides, from where a fold of the Gaussian takes ten seconds
_FOLDS = 3


class Columns(nn.Module):
    """Consecutive columns: (N, D) -> (N, stop - start).

    Arguments:
        start: the first.
        stop: the one after the last; None is the end.
    """

    def __init__(self, start: int, stop: int | None = None) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., stop - start)."""
        return x[..., self.start : self.stop]


def is_wide(sample: Sample) -> bool:
    """Has a table as many columns as the sample has rows, or more?"""
    return any(side.table is not None and side.width >= sample.n for side in (sample.x, sample.y))


def wide_recipe(sample: Sample, recipe: Recipe) -> Recipe:
    """The recipe with three folds in place of five where both tables have very many columns, unless it gives their
    number.

    Arguments:
        sample: what is estimated.
        recipe: how it is trained.
    """
    given = recipe.folds is not None or recipe.cv is not None or recipe.split != "random" or sample.groups is not None
    if given or any(side.table is None for side in (sample.x, sample.y)):
        return recipe
    if min(sample.n, sample.x.width, sample.y.width) < _LARGE:
        return recipe
    return recipe.replace(folds=_FOLDS)


def wide_candidates(sample: Sample, recipe: Recipe, estimator: Callable[[Critic], MIEstimator]) -> list[Candidate]:
    """Two candidates, on ranks with a Gaussian offset and on standardized columns, for tables x and y.

    The Gaussian is fitted to all columns, by the matrices of rows. The networks are trained on the coordinates of the
    leading principal axes, and their cost does not depend on the number of columns.

    Arguments:
        sample: whose x and y are tables.
        recipe: how they are trained.
        estimator: makes an estimator of a critic.
    """
    width = min(_AXES, sample.n)
    wide = [side.width >= sample.n for side in (sample.x, sample.y)]
    first, second = (width + 1 if one else side.width + 1 for one, side in zip(wide, (sample.x, sample.y), strict=True))
    network = build_critic(recipe.critic, first, second, recipe.seed, hidden=recipe.hidden)
    leading: list[nn.Module] = [Columns(0, width + 1) if one else WithRadius() for one in wide]
    all_columns = [Columns(width + 1) if one else None for one in wide]
    offset = WithOffset(Encoded(network, *leading), Encoded(GaussianCritic(radial=True), *all_columns))

    def preprocessing(columns: Callable[[], Preprocessing], keep: bool) -> tuple[Preprocessing, Preprocessing]:
        first, second = (RowSpace(columns(), width=width, keep=keep) if one else columns() for one in wide)
        return first, second

    return [
        Candidate("ranks with Gaussian offset", estimator(offset), preprocessing(RankGaussianize, True)),
        Candidate(
            "standardized",
            estimator(Encoded(network, *leading)),
            preprocessing(lambda: Standardize(limit=5.0), False),
        ),
    ]
