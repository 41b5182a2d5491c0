r"""Transfer entropy: the information that the past of one series adds to the other's own past.

.. math:: T_{X \to Y} = I(X_{past}; Y_t | Y_{past})

with :math:`X_{past} = (X_{t-\ell}, \dots, X_{t-\ell-k+1})` and :math:`Y_{past} = (Y_{t-1}, \dots, Y_{t-m})`,
by the chain rule of `conditional` on contiguous folds.
"""

from __future__ import annotations

from typing import Any

import torch
from typing_extensions import Unpack

from mibounds._checks import check_fraction, check_integer
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.estimation.conditional import _conditional
from mibounds.estimation.lagged import check_reach, series_recipe
from mibounds.estimation.surrogates import surrogate_pvalue
from mibounds.results import TransferEntropyResult
from mibounds.results.units import Unit, nats_in
from mibounds.training.recipe import SPLIT_SETTINGS, Recipe, SeriesSettings, automatic_folds, takes_settings
from mibounds.warnings import issue

__all__ = ["transfer_entropy"]


@takes_settings(without=SPLIT_SETTINGS)
def transfer_entropy(
    x: Any,
    y: Any,
    *,
    history: int = 1,
    own_history: int | None = None,
    lag: int = 1,
    gap: int | None = None,
    permutations: int = 0,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    x_type: VariableType = None,
    y_type: VariableType = None,
    nan: MissingPolicy = "raise",
    **settings: Unpack[SeriesSettings],
) -> TransferEntropyResult:
    r"""Transfer entropy from x to y: the information of x's past about y that y's own past does not have. Exchange them
    for the other direction.

    .. math:: T_{X \to Y} = I\big(X_{t-\ell}, \dots, X_{t-\ell-k+1};\, Y_t \,\big|\, Y_{t-1}, \dots, Y_{t-m}\big)

    It is zero in the direction in which nothing flows, where `lagged` is not. It is no proof of causation: a third
    series that drives both, first x and then y, looks the same; and with an own history shorter than y's memory, x
    stands in for y's own past.

    Fails when y's past already determines y (see the amplification), and for long histories of many columns.

    References:
        Schreiber, Measuring information transfer, 2000, arXiv:nlin/0001042.
        Runge, Conditional independence testing based on a nearest-neighbor estimator of conditional mutual
        information, 2018, arXiv:1709.01447, for surrogates among neighbors.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it, a row for each time.
        y: (N,) or (N, D_y), likewise.
        history: k, rows of x's past.
        own_history: m, rows of y's own past; by default k. Longer is safer.
        lag: rows from the latest past of x to y.
        gap: the number of rows over which the series are correlated; by default that of the recipe, or 1 % of the rows.
            The length of the pasts is added.
        permutations: surrogates for a p-value, for example 199; the smallest p is 1/(1 + permutations). Two kinds are
            drawn (see `mibounds.estimation.surrogates`), and neither needs further training.
        recipe: "quick", "default", "thorough" or a `Recipe`, of both estimates.
        unit: "nats" or "bits".
        level: of the interval.
        x_type: what the columns of x are; see `estimate`.
        y_type: likewise.
        nan: "raise"; "drop" the times that miss a value of x or of y, with no other time moved; or "indicator".
        settings: single settings of `Recipe` as keywords.

    Returns:
        A `TransferEntropyResult`.

    Raises:
        TypeError, ValueError: as `estimate` does; for a history or lag below 1, or too long for the series, and a
            pandas index of times that is not in increasing order.

    Example:
        >>> from mibounds.tasks import VectorAutoregression
        >>> process = VectorAutoregression.one_way(memory=0.5, coupling=1.0)
        >>> x, y = process.sample(1000, torch.Generator().manual_seed(0))
        >>> found = transfer_entropy(x, y, permutations=19, steps=100, folds=2, hidden=(32,))
        >>> abs(found.value - process.transfer_entropy()) < 0.1, found.pvalue  # truth 0.383
        (True, 0.05)
    """
    nats_in(unit)
    check_fraction("level", level)
    history, lag = check_integer("history", history, 1), check_integer("lag", lag, 1)
    own_history = history if own_history is None else check_integer("own_history", own_history, 1)
    permutations = check_integer("permutations", permutations, 0)
    chosen = Recipe.of(recipe, settings)
    series = Sample.of(x=x, y=y, nan=nan, types={"x": x_type, "y": y_type}, series=True)
    series.check_tables("xy")
    reach = max(lag + history - 1, own_history)
    check_reach(f"the pasts reach {reach} rows back", series.n, series.n - reach)
    blocked = series_recipe(chosen, series.n, gap, reach)
    pasts = series.shift(
        torch.arange(reach, series.n),
        x=("x", range(lag, lag + history)),
        y=("y", [0]),
        z=("y", range(1, own_history + 1)),
    ).varying()
    if permutations:
        _check_blocks(blocked, pasts.n)
    found = _conditional(pasts, blocked, "chain", exchanged=False)  # surrogates are of the past of x
    pvalue = None
    if permutations and all(part.fitted is not None for part in found.parts.values()) and found.parts:
        pvalue = surrogate_pvalue(found.parts.values(), pasts, blocked.gap or 0, permutations, blocked.seed)
    elif permutations:
        pvalue = 1.0  # x or y is constant, or x equals y's past: it adds nothing
    result = TransferEntropyResult(
        conditional=found, lag=lag, history=history, own_history=own_history, pvalue=pvalue, permutations=permutations
    )
    issue(result.warnings)
    return result.to(unit, level=level)


def _check_blocks(recipe: Recipe, n: int) -> None:
    """Raise a ValueError if blocks are too short for shifts beyond the gap."""
    block = n // (recipe.folds or automatic_folds(n, "blocked"))
    if block <= 2 * (recipe.gap or 0):
        raise ValueError(
            f"gap is {recipe.gap} with the length of the pasts, and blocks of {block} rows allow no shift beyond it: "
            "give a smaller gap, fewer folds, longer series, or no permutations."
        )
