r"""Permutation test of independence, with critics that are trained once.

A fold's critic did not train on the fold's own rows. If x and y are independent, every matching of these x with these
y is as likely as the one observed; the mean score of the observed matching is compared with those of random ones.
InfoNCE over all pairs of a fold changes with the matching by just that mean, so a permutation costs one sum and not one
training.

Folds are not independent of each other, though: the critic of one fold is fitted to the chance patterns of the others,
and theirs to its own. A chance pattern common to two folds then counts twice, once in each, and the pooled mean
varies more than permutations within the folds say: for critics that follow their data linearly, by twice the variance.
Deviations of the random matchings are therefore stretched by :math:`\sqrt 2`.

Critics have to learn what there is, and of few rows learn a weak dependence late. Of tables the distance correlation of
normal scores, from at most 1,000 rows, is a second statistic that needs no training and has the most power for weak
monotone dependence. The p-value is that of the smaller one of the two: with :math:`p_b` the smaller one of matching b
among all matchings, :math:`p = \#\{b : p_b \le p_0\} / (1 + B)`, the observed matching 0 included. Where every critic
is constant, no matching changes its scores, and that is the p-value of distances.

Where rows are dependent (`groups`, or runs of neighbors with split="blocked"), whole groups are exchanged and rows keep
their order inside them, so that a random matching is as dependent as the observed one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import Unpack

from mibounds._checks import check_flag, check_fraction, check_integer
from mibounds._variables import take_rows
from mibounds.critics.critic import pairwise_chunks
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.estimation._estimate import _estimate
from mibounds.estimation.distance_correlation import distance_correlations
from mibounds.results import IndependenceTestResult, Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.interrupts import no_partial_results
from mibounds.training.progress_bars import progress_bar
from mibounds.training.recipe import Recipe, Settings, takes_settings
from mibounds.warnings import issue

__all__ = ["SHARED_FOLDS", "independence_test", "permutation_pvalue", "smaller_pvalue"]

_BLOCK = 4096
_ROWS_FOR_DISTANCES = 1_000
_ROUNDING = 1e-9
SHARED_FOLDS = math.sqrt(2)  # see the module


@takes_settings()
def independence_test(
    x: Any,
    y: Any,
    *,
    permutations: int = 999,
    retrain: bool = False,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    x_type: VariableType = None,
    y_type: VariableType = None,
    encoder_x: nn.Module | None = None,
    encoder_y: nn.Module | None = None,
    groups: Any = None,
    sample_weight: Any = None,
    nan: MissingPolicy = "raise",
    **settings: Unpack[Settings],
) -> IndependenceTestResult:
    r"""Permutation test of independence with the critics of `estimate`.

    .. math:: p = \frac{1 + \#\{b : T_b \ge T\}}{1 + B}

    T is minus the smaller p-value of two statistics, the scores of critics and, of tables, the distance correlation of
    normal scores. A permutation that ties with the data counts against dependence, so p is 1 where none changes
    anything, because x or y is constant. The quick way (see the module) trains once and holds its level approximately,
    as measured in `benchmarks/independence`; `retrain=True` permutes y and estimates anew each time, which is exact and
    costs as many estimates as there are permutations.

    Rows must be independent draws, or groups of rows if `groups` are given: on time series a test that permutes rows
    rejects too often, and split="blocked", which permutes runs of a fiftieth of the rows, does so only where the series
    are correlated over longer than that.

    References:
        Phipson and Smyth, Permutation p-values should never be zero, 2010, arXiv:1603.05766.
        Lopez-Paz and Oquab, Revisiting classifier two-sample tests, 2017, arXiv:1610.06545, for tests by critics
        evaluated on held-out rows. Székely, Rizzo and Bakirov, Measuring and testing dependence by correlation of
        distances, 2007, arXiv:0803.4101.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it.
        y: (N,) or (N, D_y), paired with x.
        permutations: B; the smallest p is 1/(1 + B).
        retrain: estimate anew on each permutation; 19 to 99 of them are then enough.
        recipe: "quick", "default", "thorough" or a `Recipe`; its seed draws the permutations, too.
        unit: of the statistic and of the estimate, "nats" or "bits".
        level: of the estimate's interval.
        x_type: what x is; see `estimate`.
        y_type: likewise.
        encoder_x: see `estimate`.
        encoder_y: see `estimate`.
        groups: (N,) which rows are dependent: whole groups are permuted.
        sample_weight: (N,) how much each row counts; see `estimate`.
        nan: "raise", "drop" or "indicator"; see `estimate`.
        settings: single settings of `Recipe` as keywords.

    Returns:
        An `IndependenceTestResult`, with `statistic` and `pvalue`.

    Raises:
        TypeError, ValueError: as `estimate` does, and for fewer than one permutation.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(600, torch.Generator().manual_seed(0))
        >>> independence_test(x, y, steps=150, folds=2, hidden=(32,)).pvalue
        0.001
    """
    nats_in(unit)
    check_fraction("level", level)
    permutations, retrain = check_integer("permutations", permutations, 1), check_flag("retrain", retrain)
    chosen = Recipe.of(recipe, settings)
    sample = Sample.of(
        x=x, y=y, groups=groups, weights=sample_weight, nan=nan, types={"x": x_type, "y": y_type},
        encoders={"x": encoder_x, "y": encoder_y}, seed=chosen.seed, blocked=chosen.split == "blocked",
    )  # fmt: skip
    result = _independence_test(sample, chosen, permutations, retrain)
    issue(result.warnings)
    return result.to(unit, level=level)


def _independence_test(
    sample: Sample, recipe: Recipe, permutations: int, retrain: bool = False
) -> IndependenceTestResult:
    """The test of the variables x and y of a sample, in nats; no warning is issued."""
    generator = torch.Generator().manual_seed(recipe.seed)
    pvalues: dict[str, float] = {}
    with no_partial_results():
        result = _estimate(sample, recipe)
        if result.fitted is None:  # of a constant nothing is trained, and every permutation is as the sample itself
            pvalue = 1.0
        elif retrain:
            drawn = _retrained(sample, recipe, permutations, generator)
            pvalue = permutation_pvalue(_primary(result), drawn)
        else:
            observed, drawn = _under_permutations(result, sample, recipe, permutations, generator)
            statistics = {"critics": torch.cat([drawn.new_tensor([observed]), SHARED_FOLDS * drawn])}
            if sample.x.table is not None and sample.y.table is not None:
                statistics["distances"] = _by_distances(sample, recipe, permutations, generator)
            pvalue, alone = smaller_pvalue([*statistics.values()])
            pvalues = dict(zip(statistics, alone, strict=True))
    return IndependenceTestResult(
        statistic=_primary(result),
        pvalue=pvalue,
        permutations=permutations,
        retrained=retrain,
        pvalues=pvalues,
        estimate=result,
    )


def _primary(result: Result) -> float:
    """InfoNCE, which changes with the matching by a sum of scores; 0 of a constant."""
    found = result.contrastive_value
    return 0.0 if found is None else found


def _retrained(sample: Sample, recipe: Recipe, permutations: int, generator: torch.Generator) -> Tensor:
    """The statistic of estimates of permuted samples (B,)."""
    clusters = recipe.clusters(sample.n, sample.groups)
    values = []
    for i in progress_bar(recipe.progress, range(permutations), unit="permutation"):
        order = _permutation(sample.n, clusters, generator)
        own = replace(recipe.part(f"permutation {i + 1}"), progress=False)
        values.append(_primary(_estimate(sample.permuted("y", order), own)))
    return torch.tensor(values, dtype=torch.float64)


def _under_permutations(
    result: Result, sample: Sample, recipe: Recipe, permutations: int, generator: torch.Generator
) -> tuple[float, Tensor]:
    """The sum of matched scores over all rows, and that of random matchings within folds (B,), both relative to
    what is expected of a random one."""
    varying = sample.varying()
    x, y, clusters = varying.x.values, varying.y.values, recipe.clusters(sample.n, sample.groups)
    observed, drawn = 0.0, torch.zeros(permutations, dtype=torch.float64)
    for fitted in result.fitted:
        for rows in fitted.fold.test.split(_BLOCK):
            there = rows if clusters is None else rows.sort().values
            with torch.no_grad():
                grid = pairwise_chunks(fitted.critic, take_rows(x, there), take_rows(y, there)).double().cpu()
            grid -= grid.mean()
            observed += float(grid.diagonal().sum())
            every = torch.arange(len(there))
            own = None if clusters is None else clusters[there]
            for b in range(permutations):
                drawn[b] += grid[every, _permutation(len(there), own, generator)].sum()
    return observed, drawn


def _by_distances(sample: Sample, recipe: Recipe, permutations: int, generator: torch.Generator) -> Tensor:
    """The distance correlation of at most 1,000 rows, and those of random matchings (1 + B,)."""
    varying, clusters = sample.varying(), recipe.clusters(sample.n, sample.groups)
    kept = torch.randperm(sample.n, generator=generator)[:_ROWS_FOR_DISTANCES].sort().values
    x, y = (one.table for one in (varying.x, varying.y))
    assert x is not None and y is not None
    own = None if clusters is None else clusters[kept]
    orders = (_permutation(len(kept), own, generator) for _ in range(permutations))
    return distance_correlations(x[kept], y[kept], chain([torch.arange(len(kept))], orders))


def _permutation(n: int, clusters: Tensor | None, generator: torch.Generator) -> Tensor:
    """A random order of n rows, or of their clusters with rows in order inside them: position k holds the row that is
    matched to row k."""
    if clusters is None:
        return torch.randperm(n, generator=generator)
    numbers = torch.unique(clusters, return_inverse=True)[1]
    rank = torch.randperm(int(numbers.max()) + 1, generator=generator)
    order = torch.empty(n, dtype=torch.long)
    order[numbers.argsort(stable=True)] = rank[numbers].argsort(stable=True)
    return order


def permutation_pvalue(observed: float, drawn: Tensor) -> float:
    """(1 + the number of draws that reach the observed, up to rounding) / (1 + all draws)."""
    return (1 + int((drawn >= observed - _tolerance(observed)).sum())) / (1 + len(drawn))


def smaller_pvalue(statistics: Sequence[Tensor]) -> tuple[float, list[float]]:
    """The p-value of the smaller one of the p-values of several statistics, and these.

    The matchings of one statistic may be others than those of another: then p is too large where both agree.

    Arguments:
        statistics: (1 + B,) each, the observed value first.

    Example:
        >>> first, second = torch.tensor([9.0, 1, 2, 3, 4]), torch.tensor([0.0, 1, 2, 3, 4])
        >>> smaller_pvalue([first, second])
        (0.4, [0.2, 1.0])
    """
    # How many values, each itself included, are at least as large.
    reached = torch.stack([_reached(values) for values in statistics])
    smaller = reached.min(0).values
    pvalue = (smaller <= smaller[0]).double().mean()
    return float(pvalue), [float(one) / reached.shape[1] for one in reached[:, 0]]


def _reached(values: Tensor) -> Tensor:
    ascending = values.sort().values
    return len(values) - torch.searchsorted(ascending, values - _tolerance(float(values[0])))


def _tolerance(observed: float) -> float:
    """By how much a statistic may differ from the observed one and still be equal to it, up to rounding."""
    return _ROUNDING * max(1.0, abs(observed))
