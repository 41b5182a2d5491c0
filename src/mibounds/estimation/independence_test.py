r"""Test whether x and y share anything: permutations under critics that have been trained once.

A fold's critic never saw the fold's own rows. If x and y are independent, every matching of these x with these y is
as likely as the one observed; the mean score of the observed matching is compared with those of random ones. InfoNCE
over all pairs of a fold changes with the matching by just that mean, so a permutation costs one sum and not one
training.

Folds are not independent of each other, though: the critic of one fold learnt the chance patterns of the others, and
so do the others from it. A chance pattern common to two folds then counts twice, once in each, and the pooled mean
varies more than permutations within the folds say: for critics that follow their data linearly, by twice the variance.
Deviations of the random matchings are therefore stretched by :math:`\sqrt 2`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds._variables import Tensors, row_count, take_rows
from mibounds.critics.critic import pairwise_chunks
from mibounds.data.sample import take_in
from mibounds.estimation.estimate import estimate
from mibounds.results.result import Result
from mibounds.training.checkpoints import part
from mibounds.training.interrupts import no_partial_results
from mibounds.training.workers import progress_bar

__all__ = ["SHARED_FOLDS", "IndependenceTest", "independence_test", "permutation_pvalue"]

_BLOCK = 4096
SHARED_FOLDS = math.sqrt(2)  # see the module


@dataclass(frozen=True)
class IndependenceTest:
    """The outcome of an independence test.

    Attributes:
        statistic: InfoNCE in nats, read on rows that were held out.
        pvalue: the chance of a statistic this large if x and y are independent.
        permutations: how many random matchings it was compared with.
        retrained: were critics trained anew on each?
        estimate: the estimate whose critics were used.
    """

    statistic: float
    pvalue: float
    permutations: int
    retrained: bool
    estimate: Result

    def to_dict(self) -> dict[str, Any]:
        """The outcome without the estimate, for JSON."""
        record = asdict(replace(self, estimate=None))  # type: ignore[arg-type]
        del record["estimate"]
        return record

    def __repr__(self) -> str:
        how = "retrained on each" if self.retrained else "critics trained once"
        return (
            f"p = {self.pvalue:.3g} for independence   "
            f"(InfoNCE {self.statistic:.4g} nats against {self.permutations:,} permutations, {how})"
        )


def independence_test(
    x: Any, y: Any, *, permutations: int = 999, retrain: bool = False, seed: int = 0, progress: bool = False,
    **options: Any,
) -> IndependenceTest:  # fmt: skip
    r"""Are x and y independent? A permutation test with the critics of `estimate`.

    .. math:: p = \frac{1 + \#\{b : T_b \ge T\}}{1 + B}

    Ties, as by a critic that learnt nothing, are broken at random, so that p is uniform on independent data and
    not 1. The quick way (see the module) trains once and holds its level approximately, as measured in
    `benchmarks/independence`; `retrain=True` permutes y and estimates anew each time, which is exact and costs as
    many estimates as there are permutations.

    Rows must be independent draws: on time series every test by permutation rejects too often.

    References:
        Phipson and Smyth, Permutation p-values should never be zero, 2010, arXiv:1603.05766.
        Lopez-Paz and Oquab, Revisiting classifier two-sample tests, 2017, arXiv:1610.06545, for tests by critics read
        on held-out rows.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it.
        y: (N,) or (N, D_y), paired with x.
        permutations: B; the smallest p is 1/(1 + B).
        retrain: estimate anew on each permutation; 19 to 99 of them are then enough.
        seed: of the estimate and of the permutations.
        progress: show a bar.
        options: further arguments of `estimate`.

    Returns:
        An `IndependenceTest`, with `statistic` and `pvalue`.

    Raises:
        TypeError, ValueError: as `estimate` does, and for fewer than one permutation.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(600, torch.Generator().manual_seed(0))
        >>> independence_test(x, y, steps=150, folds=2, hidden=(32,)).pvalue
        0.001
    """
    check_at_least("permutations", permutations, 1)
    options = {**options, "unit": "nats"}
    with no_partial_results():
        result = estimate(x, y, seed=seed, progress=progress, **options)
    types, encoders = (
        {name: options.get(option.format(name)) for name in "xy"} for option in ("{}_type", "encoder_{}")
    )
    weights = options.get("sample_weight")  # the same seed keeps the same rows
    sides = take_in({"x": x, "y": y}, options.get("nan", "raise"), types, encoders, seed, weights=weights).sides
    x, y = (side.rows for side in sides)
    generator = torch.Generator().manual_seed(seed)
    if retrain:
        for name in ("nan", "x_type", "y_type", "sample_weight"):  # the rows are taken in
            options.pop(name, None)
        values = []
        with no_partial_results():
            for i in progress_bar(progress, range(permutations), unit="permutation"):
                shuffled = take_rows(y, torch.randperm(row_count(y), generator=generator))
                own = part(options, f"permutation {i + 1}")
                values.append(estimate(x, shuffled, seed=seed, **own).bounds["InfoNCE"])
        drawn = torch.tensor(values, dtype=torch.float64)
        observed = result.bounds["InfoNCE"]
    else:
        excess, drawn = _under_permutations(result, x, y, permutations, generator)
        observed, drawn = excess, SHARED_FOLDS * drawn
    return IndependenceTest(
        statistic=result.bounds["InfoNCE"],
        pvalue=permutation_pvalue(observed, drawn, generator),
        permutations=permutations,
        retrained=retrain,
        estimate=result,
    )


def _under_permutations(
    result: Result, x: Tensors, y: Tensors, permutations: int, generator: torch.Generator
) -> tuple[float, Tensor]:
    """The sum of matched scores over all rows, and that of random matchings within folds (B,), both relative to
    what is expected of a random one."""
    observed, drawn = 0.0, torch.zeros(permutations, dtype=torch.float64)
    for fitted in result.fitted:
        for rows in fitted.fold.test.split(_BLOCK):
            with torch.no_grad():
                grid = pairwise_chunks(fitted.critic, take_rows(x, rows), take_rows(y, rows)).double().cpu()
            grid -= grid.mean()
            observed += float(grid.diagonal().sum())
            every = torch.arange(len(rows))
            for b in range(permutations):
                drawn[b] += grid[every, torch.randperm(len(rows), generator=generator)].sum()
    return observed, drawn


def permutation_pvalue(observed: float, drawn: Tensor, generator: torch.Generator) -> float:
    """(1 + the number of draws that reach the observed) / (1 + all draws), ties broken at random."""
    tolerance = 1e-9 * max(1.0, abs(observed))
    above = int((drawn > observed + tolerance).sum())
    tied = int(((drawn - observed).abs() <= tolerance).sum())
    beaten = int(torch.randint(0, tied + 1, (), generator=generator))
    return (1 + above + beaten) / (1 + len(drawn))
