"""Learning curve: the estimate as a function of the number of samples, and its extrapolated limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import Unpack

from mibounds._checks import check_fraction, check_integer, check_integers
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.data.sources import MINIMUM_ROWS
from mibounds.estimation._estimate import _estimate
from mibounds.estimation.canonical_order import row_order
from mibounds.results import LearningCurveResult, Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results
from mibounds.training.progress_bars import progress_bar
from mibounds.training.recipe import SPLIT_SETTINGS, Recipe, SeriesSettings, takes_settings
from mibounds.warnings import issue

__all__ = ["learning_curve"]

Floats = NDArray[np.float64]
_HALVINGS = 4
_FEWEST_ROWS = 200
_EXPONENTS = np.linspace(0.3, 1.0, 15)


@takes_settings(without=SPLIT_SETTINGS)
def learning_curve(
    x: Any,
    y: Any,
    *,
    sizes: Sequence[int] | None = None,
    repeats: int = 2,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    x_type: VariableType = None,
    y_type: VariableType = None,
    groups: Any = None,
    sample_weight: Any = None,
    nan: MissingPolicy = "raise",
    **settings: Unpack[SeriesSettings],
) -> LearningCurveResult:
    r"""Estimates from subsamples of increasing size, a fitted curve, and its limit.

    .. math:: v(n) = v_\infty - b\, n^{-c}, \qquad 0.3 \le c \le 1

    Fitted by least squares weighted with the standard errors; the exponent is the best of a grid. A held-out estimate
    is low by an amount that falls with n, since critics are trained on fewer samples: the curve shows whether more
    samples would change it. It does not show a bias that no sample size removes (a critic that cannot represent the
    dependence), and the limit is an extrapolation and no bound. Subsamples are random, so the rows of a series cannot
    be used.

    References:
        Strong et al., Entropy and information in neural spike trains, 1998, arXiv:cond-mat/9603127, for extrapolation
        in the number of samples.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it.
        y: (N,) or (N, D_y), paired with x.
        sizes: numbers of rows, at least three, of 50 or more; by default N and its halves, down to 200 rows.
        repeats: random subsamples of each size but the largest.
        recipe: "quick", "default", "thorough" or a `Recipe`, of each estimate; its seed draws the subsamples, too.
        unit: "nats" or "bits".
        level: of the intervals.
        x_type: what x is; see `estimate`.
        y_type: likewise.
        groups: (N,) which rows are dependent; see `estimate`.
        sample_weight: (N,) how much each row counts; see `estimate`. The sizes count rows that are kept.
        nan: "raise", "drop" or "indicator"; see `estimate`.
        settings: single settings of `Recipe` as keywords.

    Returns:
        A `LearningCurveResult`; `plot()` draws it.

    Raises:
        TypeError, ValueError: as `estimate` does, and for sizes that are too few or larger than the sample.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(800, torch.Generator().manual_seed(0))
        >>> curve = learning_curve(x, y, repeats=1, steps=30, folds=2, hidden=(16,))
        >>> curve.sizes
        (200, 400, 800)
    """
    nats_in(unit)
    check_fraction("level", level)
    repeats = check_integer("repeats", repeats, 1)
    chosen = Recipe.of(recipe, settings)
    if chosen.split == "blocked" or chosen.cv is not None:
        raise ValueError("recipe has blocked folds or cv, and a learning curve draws random rows: leave them out.")
    sample = Sample.of(
        x=x, y=y, groups=groups, weights=sample_weight, nan=nan, types={"x": x_type, "y": y_type}, seed=chosen.seed
    )
    wanted = _sizes(sample.n, sizes)
    generator, order = torch.Generator().manual_seed(chosen.seed), row_order(sample, chosen)
    fits = [(n, r) for n in wanted for r in range(1 if n == sample.n else repeats)]
    found: dict[int, list[Result]] = {n: [] for n in wanted}
    with no_partial_results():
        for n, repeat in progress_bar(chosen.progress, fits, unit="estimate"):
            part = sample if n == sample.n else sample[order[torch.randperm(sample.n, generator=generator)[:n]]]
            own = replace(chosen.part(f"{n} rows, {repeat + 1}", repeat), progress=False)
            found[n].append(_estimate(part, own))
    values = np.array([np.mean([r.value for r in results]) for results in found.values()])
    stderrs = np.array([np.sqrt(np.mean([r.stderr**2 for r in rs]) / len(rs)) for rs in found.values()])
    limit, limit_stderr, slope, exponent = _extrapolate(np.array(wanted, float), values, stderrs)
    curve = LearningCurveResult(
        sizes=tuple(wanted),
        values=tuple(values.tolist()),
        stderrs=tuple(stderrs.tolist()),
        limit=limit,
        limit_stderr=limit_stderr,
        slope=slope,
        exponent=exponent,
        estimate=found[wanted[-1]][-1],
    )
    issue(curve.warnings)
    return curve.to(unit, level=level)


def _sizes(n: int, given: Sequence[int] | None) -> list[int]:
    if given is None:
        halves = [n >> k for k in range(_HALVINGS + 1) if n >> k >= _FEWEST_ROWS or k == 0]
        if len(halves) < 3:
            least = 4 * _FEWEST_ROWS
            raise ValueError(f"{n} rows are too few for a curve: expected at least {least}, or sizes= of your own.")
        return halves[::-1]
    chosen = sorted(set(check_integers("sizes", given, MINIMUM_ROWS, example="[100, 200, 400]")))
    if len(chosen) < 3 or chosen[-1] > n:
        raise ValueError(f"sizes is {list(given)}, and must hold at least three different numbers up to {n} rows.")
    return chosen


def _extrapolate(sizes: Floats, values: Floats, stderrs: Floats) -> tuple[float, float, float, float]:
    """Limit, its standard error, slope and exponent: weighted least squares for each exponent, the best of them.

    The error of the exponent is left out of that of the limit: from three to five points it would be almost as wide as
    the range of the exponent, and hide whether the curve still rises (`scipy.optimize.curve_fit` gives both).
    """
    weight = 1 / np.maximum(stderrs, 1e-6)
    fits = []
    for exponent in _EXPONENTS:
        design = np.stack([np.ones_like(sizes), -(sizes**-exponent)], 1) * weight[:, None]
        covariance = np.linalg.pinv(design.T @ design)
        limit, slope = covariance @ design.T @ (values * weight)
        misfit = np.square(design @ (limit, slope) - values * weight).sum()
        fits.append((misfit, limit, np.sqrt(covariance[0, 0]), slope, exponent))
    _, *best = min(fits)
    return tuple(map(float, best))  # type: ignore[return-value]
