r"""Cross-fitted densities: the log densities of all rows by a conditional and a marginal flow.

The rows are split into halves. The flows of each half score its own rows (`inside`) and the other half's (`outside`),
so that every row is scored by one flow that was not trained on it and, apart from the validation rows, by one that
was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mibounds._math import logmeanexp
from mibounds._random import seeded
from mibounds._variables import map_tensors
from mibounds.bounds import CLUB, Bound, LeaveOneOut, PlugIn
from mibounds.critics import FlowCritic, shifts
from mibounds.data import RankGaussianize, Sample
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.inference import BoundEvaluation, mean_stderr
from mibounds.training.candidates import Candidate
from mibounds.training.fit import fit_density
from mibounds.training.observer import FoldObserver
from mibounds.training.progress_bars import Progress
from mibounds.training.recipe import Recipe
from mibounds.training.workers import fast_arithmetic

__all__ = ["DensityRows", "density_rows"]

_FLOW_SETTINGS: dict[str, Any] = {
    "lr": 2e-3, "weight_decay": 1e-4, "clip": 5.0, "check_every": 50, "patience": 4, "tolerance": 1e-3,
    "precision": "float32", "checkpoint": None, "resume": False,
}  # fmt: skip
_COLUMNS = 1 << 22  # of y that are scored against mismatched rows, in all
_CHUNK = 1 << 17  # and at a time


@dataclass(frozen=True)
class DensityRows:
    """Log densities in nats of rows of y in rank-Gaussianized columns.

    Attributes:
        outside: log q(y|x) of rows that did not train q, (N,).
        mean: log of the mean of that q over K other rows' x, (N,).
        mean_log: the mean of its logarithm over the same, (N,).
        halves: log-means over the first and the second half of these, averaged, (N,).
        marginal: log of a marginal density that did not train on the row, (N,).
        half: which half each row is in, (N,).
        cluster: which rows are dependent, (N,); None if all are independent.
        inside: log q(y|x) of rows that trained q, and of the same rows by the q that did not train on them, (M, 2).
        residuals: what the conditional flow makes of rows that did not train it, (N, D).
        trained: the rows of `inside`, (N,) booleans.
    """

    outside: Tensor
    mean: Tensor
    mean_log: Tensor
    halves: Tensor
    marginal: Tensor
    half: Tensor
    inside: Tensor
    residuals: Tensor
    trained: Tensor
    cluster: Tensor | None = None

    def upper(self, bootstrap: int | None = None) -> tuple[float, float]:
        """Leave-one-out plus the train-test gap, and its standard error, by a bootstrap if draws are given."""
        evaluation = self._evaluation(LeaveOneOut(), self.outside, self.mean)
        gap, gap_stderr = self.train_test_gap()
        stderr = evaluation.stderr()
        if bootstrap:
            stderr = evaluation.bootstrap(bootstrap, torch.Generator().manual_seed(0))
        return evaluation.value() + gap, math.hypot(stderr, gap_stderr)

    def train_test_gap(self) -> tuple[float, float]:
        """By how much rows score better with the flow that trained on them, never below 0, and its standard error."""
        gain = self.inside[:, 0] - self.inside[:, 1]
        cluster = None if self.cluster is None else self.cluster[self.trained.cpu()]
        return max(float(gain.mean()), 0.0), mean_stderr(gain.cpu(), cluster)

    def estimates(self) -> dict[str, float]:
        """Other estimates by the same densities, by name."""
        return {
            "CLUB": self._evaluation(CLUB(), self.outside, self.mean_log).value(),
            "LeaveOneOut": self._evaluation(LeaveOneOut(), self.outside, self.mean).value(),
            "DifferenceOfEntropies": self._evaluation(PlugIn(), self.outside - self.marginal).value(),
        }

    def marginal_misfit(self) -> tuple[float, float]:
        """By how many nats the marginal flow explains y better than the mean of q does, and the standard error.

        In expectation no more than the mean of q misses the true marginal density by, which is no more than q misses
        the conditional one by. The mean over K rows is less than that over all by what the mean over K/2 is less than
        that over K, to first order.
        """
        mean = 2 * self.mean - self.halves
        gap = self.marginal - mean
        return float(gap.mean()), mean_stderr(gap.cpu(), self.cluster)

    def residual_misfit(self) -> float:
        """The divergence in nats of the residuals, taken as Gaussian, from standard normal ones, less what sampling
        explains."""
        n, dim = self.residuals.shape
        centered = self.residuals.double()
        covariance = centered.T.cov().reshape(dim, dim)
        mean = centered.mean(0)
        gap = (covariance.trace() + mean.square().sum() - dim - torch.logdet(covariance)) / 2
        return float(gap) - dim * (dim + 3) / 4 / n

    def _evaluation(self, bound: Bound, *statistics: Tensor) -> BoundEvaluation:
        cluster = None if self.cluster is None else self.cluster.to(self.half.device)
        return BoundEvaluation(bound, (statistics,), self.half, math.inf, cluster)


def density_rows(sample: Sample, recipe: Recipe, *, negatives: int | None = None) -> DensityRows:
    """Fit flows of y given x and of y alone on each half of the rows, and score all rows.

    Arguments:
        sample: of tables x and y.
        recipe: its steps (600 by default), split, seed and device are used.
        negatives: mismatched pairs a row; by default what four million scored columns allow, 32 to 256.
    """
    device = recipe.torch_device
    x, y = (rows.to(device) for rows in (sample.x.table, sample.y.table) if rows is not None)
    n, dim = y.shape
    folds = replace(recipe, folds=2, cv=None, validation_fraction=0.15).splits(n, sample.groups)
    count = negatives if negatives is not None else min(256, max(32, _COLUMNS // (n * dim)))
    train_n = min(len(fold.train) for fold in folds)
    settings: dict[str, Any] = {"steps": recipe.steps or 600, "batch_size": min(256, max(8, train_n // 4))}
    plan = replace(recipe, **_FLOW_SETTINGS, **settings).filled(n, train_n)
    generator, seed, steps = torch.Generator().manual_seed(recipe.seed), recipe.seed, plan.steps
    if recipe.split == "random" and sample.groups is None:
        torch.randperm(n, generator=generator)  # as the split draws it
    with seeded(seed):
        conditional, marginal = (FlowCritic(width, dim).to(x.device) for width in (x.shape[1], 0))
    cluster = recipe.clusters(n, sample.groups)
    candidates = [
        Candidate("conditional", MIEstimator(conditional, LeaveOneOut())),
        Candidate("marginal", MIEstimator(marginal, PlugIn())),
    ]
    columns = {name: x.new_zeros(n) for name in ("outside", "mean", "mean_log", "halves", "marginal")}
    half, residuals = torch.zeros(n, dtype=torch.long, device=x.device), torch.zeros_like(y)
    within = x.new_full((n,), math.nan)  # validation rows trained nothing
    with Progress(recipe.progress, 2 * len(folds) * steps) as bar, fast_arithmetic(x.device):
        for i, fold in enumerate(folds):
            ranks_x, ranks_y = (RankGaussianize().fit(side[fold.train])(side) for side in (x, y))

            def advanced(made: int, name: str, i: int = i) -> None:
                bar.advance(made, f"density {i + 1} of 2")

            flows: list[Any] = [
                fit_density(
                    candidate,
                    ranks_x,
                    ranks_y,
                    fold,
                    replace(plan, seed=seed * 1009 + i),
                    FoldObserver(advance=advanced),
                )
                for candidate in candidates
            ]
            flow, marginal_flow = flows
            advanced(0, "evaluating the other half")
            test, train, half[fold.test] = fold.test, fold.train, i
            partners = shifts(len(test), min(count, len(test) - 1), generator)
            with torch.no_grad():
                scored = _score_in_chunks(flow, ranks_x[test], ranks_y[test], partners)
                scored["marginal"] = marginal_flow(ranks_x[test], ranks_y[test])
                residuals[test] = flow.residual(ranks_x[test], ranks_y[test])
                within[train] = flow(ranks_x[train], ranks_y[train])
            for name, part in scored.items():
                columns[name][test] = part
    trained = ~within.isnan()
    inside = torch.stack([within[trained], columns["outside"][trained]], 1)
    return DensityRows(**columns, half=half, inside=inside, residuals=residuals, trained=trained, cluster=cluster)


def _score_in_chunks(flow: FlowCritic, x: Tensor, y: Tensor, partners: Tensor) -> dict[str, Tensor]:
    """Scores of matched rows and means over partners, a bounded number of columns at a time."""
    hx, hy = flow.encode_x(x), flow.encode_y(y)
    width = max(1, _CHUNK // (partners.shape[1] * y.shape[1]))
    parts = []
    for rows in (slice(start, start + width) for start in range(0, len(x), width)):
        chosen = map_tensors(lambda part, index=partners[rows]: part[index], hx)  # type: ignore[misc]
        product = flow.combine(chosen, hy[rows].unsqueeze(-2))
        first, second = product.tensor_split(2, -1) if product.shape[-1] > 1 else (product, product)
        parts.append((logmeanexp(product), product.mean(-1), (logmeanexp(first) + logmeanexp(second)) / 2))
    mean, mean_log, halves = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
    return {"outside": flow.combine(hx, hy), "mean": mean, "mean_log": mean_log, "halves": halves}
