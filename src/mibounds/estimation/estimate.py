"""Measure I(X;Y) of static data in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mibounds._checks import check_at_least, check_fraction
from mibounds.bounds import Bound
from mibounds.choices import build_bound, build_critic
from mibounds.critics import Critic, Encoded, GaussianCritic, JointCritic, WithOffset
from mibounds.data import MissingPolicy, RankGaussianize, Standardize, intake_pair
from mibounds.estimation.cross_checks import cross_checks
from mibounds.estimation.diagnostics import CHECKS
from mibounds.estimator import MIEstimator
from mibounds.networks import WithRadius
from mibounds.results import Result, Unit
from mibounds.training import Candidate, Readings, Trainer
from mibounds.training.diagnostics import Evidence, doubts

__all__ = ["estimate"]

# InfoNCE reads a few per cent low from about this far below its ceiling on (I=4, n=500: 3.7; I=4, n=2,000: 3.9).
MARGIN = 3.5


def estimate(
    x: Any,
    y: Any,
    *,
    bound: str | Bound = "infonce",
    critic: str = "separable",
    hidden: Sequence[int] = (128, 128, 128),
    lr: float = 2e-3,
    unit: Unit = "nats",
    level: float = 0.95,
    bootstrap: int | None = None,
    nan: MissingPolicy = "raise",
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = False,
    **training: Any,
) -> Result:
    r"""Mutual information of paired rows, with an interval and with reasons to doubt it.

    The rows are split into folds. On each, several candidates are trained on the other folds' rows
    (rank-Gaussianized columns with and without the Gaussian log-ratio as an offset, and standardized columns), and
    validation rows say how much each counts and what its scores are worth; the sum scores the fold's own rows. Every
    row is thus scored once, by a critic that never saw it, and all bounds read the same pooled scores.

    The reported reading follows one rule, fixed beforehand: InfoNCE over all test pairs of a block, averaged over both
    directions. Where the normalized plug-in comes within 3.5 nats of InfoNCE's ceiling (in small samples, into its
    upper half), the plug-in is reported instead and marked `extrapolated`. The largest value is never picked.

    Fails when the sample does not hold what it takes: few rows for many columns with a weak, full-rank
    dependence, or information above ln N. The warnings say so. Rows must be independent: for time series the
    random split leaks, and `split="blocked"` does not.

    References:
        van den Oord et al., 2018, arXiv:1807.03748 (InfoNCE). McAllester and Stratos, Formal limitations on the
        measurement of mutual information, 2020, arXiv:1811.04251 (the limit ln N).

    Arguments:
        x: (N,) or (N, D_x) numbers: NumPy array, torch tensor, list, or a pandas, polars or pyarrow table. At least
            50 rows.
        y: (N,) or (N, D_y), likewise, paired with x row by row.
        bound: trains the critics; a name or a bound.
        critic: "separable", "joint" or "bilinear".
        hidden: widths of the critics' hidden layers.
        lr: peak learning rate.
        unit: "nats" or "bits".
        level: confidence level of the interval and of the lower bound.
        bootstrap: draws of a bootstrap over rows that gives the standard error, for example 200; without it a
            jackknife and the spread of the folds do, whichever is larger.
        nan: "raise", or "drop" the rows with missing or infinite values.
        seed: the same seed gives the same number, whatever the number of workers.
        device: "cpu", "cuda", ...
        progress: show a bar.
        training: further arguments of `Trainer` (`steps`, `batch_size`, `folds`, `workers`, ...).

    Returns:
        A `Result`.

    Raises:
        TypeError: if a variable is not numeric.
        ValueError: if the data or an argument cannot be used; the sentence says why and what to do.

    Example:
        >>> from mibounds.tasks import CorrelatedGaussian
        >>> x, y = CorrelatedGaussian(1, 0.8).sample(400, torch.Generator().manual_seed(0))
        >>> result = estimate(x, y, steps=100, hidden=(32,))
        >>> abs(result.value - 0.511) < 0.12
        True
    """
    check_fraction("level", level)
    if bootstrap is not None:
        check_at_least("bootstrap", bootstrap, 2)
    trainer = Trainer(lr=lr, nan=nan, seed=seed, device=device, progress=progress, **training)
    table_x, table_y, caught = intake_pair(x, y, nan)
    data_x, data_y = table_x.values, table_y.values
    candidates = _candidates(critic, build_bound(bound), hidden, data_x.shape[1], data_y.shape[1], seed)
    readings = trainer.read(candidates, data_x, data_y, calibrate=True)
    reading, extrapolated = _rule(readings)
    checks = cross_checks(data_x, data_y, seed)
    evidence = Evidence(
        readings, reading, data_x, data_y, checks, extrapolated=extrapolated, blocked=trainer.split == "blocked"
    )
    result = readings.result(
        reading,
        resolution=trainer.tolerance + _unseen(data_x.shape[1], data_y.shape[1], readings.train_rows),
        cross_checks=checks,
        bootstrap=bootstrap,
        extrapolated=extrapolated,
        tables=(table_x, table_y),
        warnings=[*caught, *doubts(evidence, CHECKS)],
        seed=seed,
    )
    return result.to(unit, level=level)


def _candidates(critic: str, bound: Bound, hidden: Sequence[int], dim_x: int, dim_y: int, seed: int) -> list[Candidate]:
    """The variants that validation weights."""
    network = build_critic(critic, dim_x + 1, dim_y + 1, seed, hidden=hidden)  # the columns and their radius
    # A joint critic pays for every pair, the others score all pairs of a batch with one matrix product.
    joint = isinstance(network, JointCritic)
    network = Encoded(network, WithRadius(), WithRadius())

    def estimator(critic: Critic) -> MIEstimator:
        return MIEstimator(critic, bound, negatives=8 if joint else "all", symmetric=not joint)

    offset = WithOffset(network, GaussianCritic(radial=True))
    return [
        Candidate("ranks with Gaussian offset", estimator(offset), RankGaussianize()),
        Candidate("ranks", estimator(network), RankGaussianize()),
        Candidate("standardized", estimator(network), Standardize(limit=5.0)),
    ]


def _rule(readings: Readings) -> tuple[str, bool]:
    """InfoNCE; the plug-in within the margin of InfoNCE's ceiling, or in the upper half below a low one."""
    ceiling = readings.by_name["InfoNCE"].ceiling
    if readings.by_name["PlugIn"].value() > max(ceiling - MARGIN, ceiling / 2):
        return "PlugIn", True
    return "InfoNCE", False


def _unseen(dim_x: int, dim_y: int, train_rows: int) -> float:
    """The information in nats of a linear dependence whose canonical correlations all drown in those of noise.

    Noise reaches 2 sqrt(c) with c = max(D)/N, each of min(D) pairs then holds about 2 c nats, and no fit could tell.
    """
    return 2 * dim_x * dim_y / train_rows
