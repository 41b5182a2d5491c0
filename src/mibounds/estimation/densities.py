r"""Cross-fitted densities: what every row scores under a conditional and a marginal flow.

The rows are split into halves. The flows of each half score its own rows (`inside`) and the other half's (`outside`),
so that every row is scored by one flow that never saw it and, apart from the validation rows, by one that trained on
it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mibounds._math import logmeanexp
from mibounds._random import seeded
from mibounds._variables import map_tensors
from mibounds.bounds import CLUB, Bound, LeaveOneOut, PlugIn
from mibounds.critics import FlowCritic, shifts
from mibounds.data import RankGaussianize
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.inference import Reading
from mibounds.training.candidates import Candidate, Plan
from mibounds.training.fit import fit_density
from mibounds.training.folds import split
from mibounds.training.workers import Progress, fast_arithmetic

__all__ = ["DensityRows", "density_rows"]

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
        inside: log q(y|x) of rows that trained q, and what the same rows score outside, (M, 2).
        residuals: what the conditional flow makes of rows that did not train it, (N, D).
    """

    outside: Tensor
    mean: Tensor
    mean_log: Tensor
    halves: Tensor
    marginal: Tensor
    half: Tensor
    inside: Tensor
    residuals: Tensor

    def upper(self) -> tuple[float, float]:
        """Leave-one-out plus the shortfall, and its standard error."""
        reading = self._reading(LeaveOneOut(), self.outside, self.mean)
        gap, stderr = self.shortfall()
        return reading.value() + gap, math.hypot(reading.stderr(), stderr)

    def shortfall(self) -> tuple[float, float]:
        """By how much rows score better with the flow that trained on them, never below 0, and its standard error."""
        gain = self.inside[:, 0] - self.inside[:, 1]
        return max(float(gain.mean()), 0.0), float(gain.std()) / math.sqrt(len(gain))

    def readings(self) -> dict[str, float]:
        """What other readings of the same densities say, by name."""
        return {
            "CLUB": self._reading(CLUB(), self.outside, self.mean_log).value(),
            "LeaveOneOut": self._reading(LeaveOneOut(), self.outside, self.mean).value(),
            "DifferenceOfEntropies": self._reading(PlugIn(), self.outside - self.marginal).value(),
        }

    def marginal_misfit(self) -> tuple[float, float]:
        """By how many nats the marginal flow explains y better than the mean of q does, and the standard error.

        In expectation no more than the mean of q misses the true marginal density by, which is no more than q misses
        the conditional one by. The mean over K rows is less than that over all by what the mean over K/2 is less than
        that over K, to first order.
        """
        mean = 2 * self.mean - self.halves
        gap = self.marginal - mean
        return float(gap.mean()), float(gap.std()) / math.sqrt(len(gap))

    def residual_misfit(self) -> float:
        """The divergence in nats of the residuals, taken as Gaussian, from standard normal ones, less what sampling
        explains."""
        n, dim = self.residuals.shape
        centered = self.residuals.double()
        covariance = centered.T.cov().reshape(dim, dim)
        mean = centered.mean(0)
        gap = (covariance.trace() + mean.square().sum() - dim - torch.logdet(covariance)) / 2
        return float(gap) - dim * (dim + 3) / 4 / n

    def _reading(self, bound: Bound, *rows: Tensor) -> Reading:
        return Reading(bound, (rows,), self.half, math.inf)


def density_rows(
    x: Tensor, y: Tensor, *, steps: int = 600, negatives: int | None = None, seed: int = 0, progress: bool = False
) -> DensityRows:
    """Fit flows of y given x and of y alone on each half of the rows, and score all rows.

    Arguments:
        x: (N, D_x).
        y: (N, D_y).
        steps: of training.
        negatives: mismatched pairs a row; by default what four million columns scored allow, 32 to 256.
        seed: makes folds, weights, batches and negatives repeatable.
        progress: show a bar.
    """
    n, dim = y.shape
    generator = torch.Generator().manual_seed(seed)
    folds = split(n, 2, 0.15, generator)
    count = negatives if negatives is not None else min(256, max(32, _COLUMNS // (n * dim)))
    batch_size = min(256, max(8, min(len(fold.train) for fold in folds) // 4))
    plan = Plan(
        steps, batch_size, lr=2e-3, weight_decay=1e-4, clip=5.0, check_every=50, patience=4, tolerance=1e-3,
        calibrate=False,
    )  # fmt: skip
    with seeded(seed):
        conditional, marginal = (FlowCritic(width, dim).to(x.device) for width in (x.shape[1], 0))
    candidates = [
        Candidate("conditional", MIEstimator(conditional, LeaveOneOut())),
        Candidate("marginal", MIEstimator(marginal, PlugIn())),
    ]
    columns = {name: x.new_zeros(n) for name in ("outside", "mean", "mean_log", "halves", "marginal")}
    half, residuals = torch.zeros(n, dtype=torch.long, device=x.device), torch.zeros_like(y)
    within = x.new_full((n,), math.nan)  # validation rows trained nothing
    with Progress(progress, 2 * len(folds) * steps) as bar, fast_arithmetic(x.device):
        for i, fold in enumerate(folds):
            ranks_x, ranks_y = (RankGaussianize().fit(side[fold.train])(side) for side in (x, y))

            def advanced(made: int, name: str, i: int = i) -> None:
                bar.advance(made, f"density {i + 1} of 2, {name}")

            flows: list[Any] = [
                fit_density(candidate, ranks_x, ranks_y, fold, plan, seed * 1009 + i, advanced)
                for candidate in candidates
            ]
            flow, alone = flows
            advanced(0, "reading the other half")
            test, train, half[fold.test] = fold.test, fold.train, i
            partners = shifts(len(test), min(count, len(test) - 1), generator)
            with torch.no_grad():
                scored = _score_in_chunks(flow, ranks_x[test], ranks_y[test], partners)
                scored["marginal"] = alone(ranks_x[test], ranks_y[test])
                residuals[test] = flow.residual(ranks_x[test], ranks_y[test])
                within[train] = flow(ranks_x[train], ranks_y[train])
            for name, part in scored.items():
                columns[name][test] = part
    trained = ~within.isnan()
    inside = torch.stack([within[trained], columns["outside"][trained]], 1)
    return DensityRows(**columns, half=half, inside=inside, residuals=residuals)


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
