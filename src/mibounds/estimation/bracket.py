r"""A lower and an upper bound of mutual information from the same rows.

The lower bound is InfoNCE, as in `estimate`. The upper bound fits a conditional density q(y|x), a flow in
rank-Gaussianized columns, which preserve the information. With :math:`\bar q(y)` the mean of q(y|x) over other
rows' x,

.. math:: E \log \frac{q(y|x)}{\bar q(y)} = I(X;Y) - E\,KL\big(p(y|x) \| q(y|x)\big) + KL\big(p(y) \| \bar q(y)\big),

so the leave-one-out estimate of a q that is not the true density is itself too low. The measurable part of the gap is
added: the train-test gap of q. On its training rows a flow that can represent the truth scores no lower than the truth
does, on new rows no higher.
"""

from __future__ import annotations

import math
from typing import Any

from typing_extensions import Unpack

from mibounds._checks import check_fraction, check_integer, described
from mibounds._version import versions
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.data.variable import shown
from mibounds.estimation._estimate import _estimate, entropy_limit
from mibounds.estimation.canonical_order import row_order
from mibounds.estimation.densities import DensityRows, density_rows
from mibounds.results import BracketResult, Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results
from mibounds.training.recipe import Recipe, Settings, takes_settings
from mibounds.warnings import DensityMisfitWarning, MIWarning, issue

__all__ = ["bracket"]

_MISFIT = 0.05  # nats by which a density misses before it is called a misfit


@takes_settings()
def bracket(
    x: Any,
    y: Any,
    *,
    estimate: Result | None = None,
    negatives: int | None = None,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    x_type: VariableType = None,
    y_type: VariableType = None,
    groups: Any = None,
    sample_weight: Any = None,
    nan: MissingPolicy = "raise",
    **settings: Unpack[Settings],
) -> BracketResult:
    r"""A lower and an upper bound of mutual information, each from rows that its model was not trained on.

    .. math:: I_{NCE} \;\le\; I(X;Y) \;\le\; \frac1N \sum_i \log \frac{q(y_i|x_i)}{\frac1K \sum_k q(y_i|x_k)} + s

    The lower bound is InfoNCE of `estimate`. The upper bound is `LeaveOneOut` over a conditional flow (`FlowCritic`),
    cross-fitted in two halves, plus its train-test gap s. The variable with fewer columns is predicted, in
    rank-Gaussianized columns.

    The lower bound holds for every critic. The upper one holds as far as the flow can represent the true conditional
    density, which cannot be certified from samples. Three signs against it are warned of (`density-misfit`): the mean
    of q over x misses the marginal density, which a flow of y alone fits better on the same rows; the flow's
    residuals on new rows are not standard normal; the upper bound falls below the lower. Many columns and few
    rows give a wide bracket, sharp edges and copies of columns an unreliable one.

    References:
        Poole et al., On variational bounds of mutual information, 2019, arXiv:1905.06922. Cheng et al., 2020,
        arXiv:2006.12013 (CLUB). McAllester and Stratos, 2020, arXiv:1811.04251 (difference of entropies).

    Arguments:
        x: (N,) or (N, D_x), a table as `estimate` takes it; at least 50 rows.
        y: (N,) or (N, D_y), likewise, paired with x row by row.
        estimate: the result of `estimate` on the same rows, if there is one already.
        negatives: mismatched pairs per row for the mean of q; by default what four million scored columns allow, 32 to
            256.
        recipe: "quick", "default", "thorough" or a `Recipe`. The flows are trained for its `steps`, by default 600.
        unit: "nats" or "bits".
        level: confidence level of the interval.
        x_type: what the columns of x are; see `estimate`.
        y_type: likewise.
        groups: (N,) which rows are dependent; see `estimate`.
        sample_weight: (N,) how much each row counts; see `estimate`.
        nan: "raise", "drop" or "indicator"; see `estimate`.
        settings: single settings of `Recipe` as keywords.

    Returns:
        A `BracketResult`.

    Raises:
        TypeError: if a variable is not a table.
        ValueError: if the data or an argument cannot be used; the sentence says why and what to do.

    Example:
        >>> import torch
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(400, torch.Generator().manual_seed(0))  # 0.511 nats
        >>> found = bracket(x, y, steps=50, hidden=(32,))
        >>> low, high = found.interval
        >>> low < 0.511 < high
        True
    """
    nats_in(unit)
    check_fraction("level", level)
    if negatives is not None:
        check_integer("negatives", negatives, 1)
    chosen = Recipe.of(recipe, settings)
    sample = Sample.of(
        x=x, y=y, groups=groups, weights=sample_weight, nan=nan, types={"x": x_type, "y": y_type}, seed=chosen.seed,
        blocked=chosen.split == "blocked",
    )  # fmt: skip
    sample.check_tables("xy")
    constant = sample.is_constant("x") or sample.is_constant("y")
    if estimate is not None:
        _check_same(estimate, sample)
        if estimate.contrastive_value is None and not constant:
            raise ValueError("estimate holds no InfoNCE estimate, the lower bound: give a result of mi.estimate.")
    predicted, rows = _predicted(sample), None
    with no_partial_results():
        lower = _estimate(sample, chosen, trained=True) if estimate is None else estimate.to("nats")
        if not constant:
            pair = sample.select(x="x", y="y") if predicted == "y" else sample.select(x="y", y="x")
            rows = density_rows(pair[row_order(pair, chosen)], chosen, negatives=negatives)
    result = _bracket(sample, chosen, lower, rows, predicted)
    issue(result.warnings)
    return result.to(unit, level=level)


def _check_same(estimate: Result, sample: Sample) -> None:
    """Raise an error unless the estimate is a result of a sample like this one."""
    if not isinstance(estimate, Result):
        raise TypeError(f"estimate is {described(estimate)}: give the result of mi.estimate on the same rows.")
    x, y = sample.x, sample.y
    given, own = (estimate.columns, estimate.kinds), ((x.columns, y.columns), (x.kinds, y.kinds))
    if estimate.n != sample.n or (any(estimate.columns) and given != own):
        raise ValueError(
            f"estimate is of {_data(estimate.n, *given)}, and the data are {_data(sample.n, *own)}: give the result of "
            "mi.estimate on the same rows."
        )


def _data(n: int, columns: tuple[tuple[str, ...], ...], kinds: tuple[tuple[str, ...], ...]) -> str:
    """So many rows of which columns, for a sentence."""
    x, y = (f"{shown(used)} ({', '.join(kind)})" for used, kind in zip(columns, kinds, strict=True))
    return f"{n:,} rows of x = {x} and y = {y}"


def _bracket(sample: Sample, recipe: Recipe, lower: Result, rows: DensityRows | None, predicted: str) -> BracketResult:
    below = lower.value if lower.contrastive_value is None else lower.contrastive_value
    upper, upper_stderr = rows.upper(recipe.bootstrap) if rows is not None else (0.0, 0.0)
    misfit = _misfit_warnings(rows, (below, lower.stderr), (upper, upper_stderr)) if rows is not None else []
    limit = entropy_limit(sample, recipe)
    if limit is not None and upper > limit:  # known, without an error
        upper, upper_stderr = limit, 0.0
    known = {(one.code, str(one)) for one in lower.warnings}
    own = [one for one in sample.warnings if (one.code, str(one)) not in known]
    return BracketResult(
        lower=below,
        lower_stderr=lower.stderr,
        upper=upper,
        upper_stderr=upper_stderr,
        train_test_gap=rows.train_test_gap()[0] if rows is not None else 0.0,
        estimates=rows.estimates() if rows is not None else {},
        n=sample.n,
        predicted=predicted,
        entropy_limit=limit,
        warnings=(*own, *lower.warnings, *misfit),
        columns=(sample.x.columns, sample.y.columns),
        seed=recipe.seed,
        versions=versions(),
    )


def _predicted(sample: Sample) -> str:
    """The variable whose density is fitted: the one with fewer columns, of those that have a density."""
    smooth = [
        (variable.width, name != "y", name)
        for name, variable in sample.variables.items()
        if all(encoding.has_density for encoding in variable.encodings)
    ]
    if not smooth:
        raise ValueError(
            "x and y both have columns without a density (categorical ones), and the upper bound needs the density of "
            "one of them. For a label, its entropy is an upper bound: see mi.estimate(x, y).entropy_limit."
        )
    return min(smooth)[2]


def _misfit_warnings(rows: DensityRows, lower: tuple[float, float], upper: tuple[float, float]) -> list[MIWarning]:
    """Signs that the density is not good enough for the upper bound to hold."""
    signs = []
    misfit, stderr = rows.marginal_misfit()
    if misfit - 2 * stderr > _MISFIT:
        signs.append(f"the mean of q(y|x) misses the marginal density by {misfit:.2g} nats on new rows")
    residual = rows.residual_misfit()
    if residual > _MISFIT:
        signs.append(f"its residuals on new rows are {residual:.2g} nats from standard normal")
    if lower[0] - upper[0] > 2 * math.hypot(lower[1], upper[1]):
        signs.append(f"it is below the lower bound, {upper[0]:.3g} against {lower[0]:.3g} nats")
    if not signs:
        return []
    return [
        DensityMisfitWarning(
            f"The conditional density is misspecified: {'; '.join(signs)}. The upper bound then need not hold: give "
            "more samples, or drop columns that are copies of others."
        )
    ]
