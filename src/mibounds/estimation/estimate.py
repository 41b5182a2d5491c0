"""Measure I(X;Y) of static data in one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from mibounds._checks import check_at_least, check_fraction
from mibounds.bounds import Bound
from mibounds.choices import build_bound, build_critic
from mibounds.classical import entropy
from mibounds.critics import Critic, Encoded, GaussianCritic, JointCritic, WithOffset
from mibounds.data import Gaussianize, MissingPolicy, RankGaussianize, Standardize
from mibounds.data.sample import Side, VariableType, take_in
from mibounds.estimation.cross_checks import cross_checks
from mibounds.estimation.diagnostics import CHECKS
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.networks import WithRadius
from mibounds.results.result import Result
from mibounds.results.units import Unit, nats_in
from mibounds.training import Candidate, Readings, Trainer
from mibounds.training.diagnostics import Evidence, doubts
from mibounds.training.evaluation import CLASSIFIER

__all__ = ["estimate"]

# InfoNCE reads a few per cent low from about this far below its ceiling on (I=4, n=500: 3.7; I=4, n=2,000: 3.9).
MARGIN = 3.5
_MOST_BLENDED = 100  # columns, beyond which independent components take longer than they are worth


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
    x_type: VariableType = None,
    y_type: VariableType = None,
    encoder_x: nn.Module | None = None,
    encoder_y: nn.Module | None = None,
    groups: Any = None,
    sample_weight: Any = None,
    nan: MissingPolicy = "raise",
    seed: int = 0,
    device: str | torch.device | None = None,
    progress: bool = False,
    **training: Any,
) -> Result:
    r"""Mutual information of paired rows, with an interval and with reasons to doubt it.

    The rows are split into folds. On each, several candidates are trained on the other folds' rows
    (rank-Gaussianized columns with and without the Gaussian log-ratio as an offset, and standardized columns; blends of
    columns are taken apart first where that helps the offset), and
    validation rows say how much each counts and what its scores are worth; the sum scores the fold's own rows. Every
    row is thus scored once, by a critic that never saw it, and all bounds read the same pooled scores.

    The reported reading follows one rule, fixed beforehand: InfoNCE over all test pairs of a block, averaged over both
    directions. Where a side is a label, the critics are read as classifiers: its entropy less their cross-entropy on
    unseen rows. Where the normalized plug-in comes within 3.5 nats of InfoNCE's ceiling (in small samples, into its
    upper half), the plug-in is reported instead and marked `extrapolated`. The largest value is never picked.

    Ctrl-C returns what has been learnt so far, with an `interrupted` warning; a second Ctrl-C ends at once.

    Fails when the sample does not hold what it takes: few rows for many columns with a weak, full-rank
    dependence, or information above ln N. The warnings say so. Rows must be independent: for time series the
    random split leaks, and `split="blocked"` does not.

    References:
        van den Oord et al., 2018, arXiv:1807.03748 (InfoNCE). McAllester and Stratos, Formal limitations on the
        measurement of mutual information, 2020, arXiv:1811.04251 (the limit ln N).

    Arguments:
        x: at least 50 rows of anything: (N,) or (N, D_x) numbers, dates, booleans or text in a NumPy array, torch
            tensor, list, or pandas, polars or pyarrow table; images (N, H, W) or (N, C, H, W); sequences (N, T, D), or
            a list of sequences of any lengths.
        y: likewise, paired with x row by row; it may be of another kind.
        bound: trains the critics; a name or a bound.
        critic: "separable", "joint" or "bilinear".
        hidden: widths of the critics' hidden layers.
        lr: peak learning rate.
        unit: "nats" or "bits".
        level: confidence level of the interval and of the lower bound.
        bootstrap: draws of a bootstrap over rows that gives the standard error, for example 200; without it a
            jackknife and the spread of the folds do, whichever is larger.
        x_type: what x is, if it is not to be found out: "continuous" or "categorical" columns, or a dictionary of
            these by column; "image"; "sequence". By itself text, booleans, and integers of at most ten values are
            categorical, three axes are images from 8 x 8 and sequences below.
        y_type: likewise.
        encoder_x: a module that maps rows of x, a tensor or a tuple of tensors taken as they are, to columns; it is
            copied, and trained with the critic.
        encoder_y: likewise.
        groups: (N,) what rows belong together (a person's, a day's): no group is divided between folds, and the
            standard error is that of groups and not of rows.
        sample_weight: (N,) how much each row counts, as in a survey, on any scale: rows are kept with a chance in
            proportion, so that those kept are a plain sample of what the weights mean. Uneven weights cost rows.
        nan: "raise"; "drop" the rows with missing or infinite values; or "indicator": fill them in and say in a column
            of its own where they were.
        seed: the same seed gives the same number, whatever the number of workers.
        device: "cpu", "cuda", ...
        progress: show a bar.
        training: further arguments of `Trainer` (`steps`, `batch_size`, `folds`, `workers`, `checkpoint` and `resume`
            for long runs, ...).

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
    nats_in(unit)  # an unknown unit is refused before the work and not after it
    check_fraction("level", level)
    if bootstrap is not None:
        check_at_least("bootstrap", bootstrap, 2)
    trainer = Trainer(lr=lr, nan=nan, seed=seed, device=device, progress=progress, **training)
    types, encoders = {"x": x_type, "y": y_type}, {"x": encoder_x, "y": encoder_y}
    taken = take_in({"x": x, "y": y}, nan, types, encoders, seed, groups, sample_weight)
    side_x, side_y = taken.sides
    candidates = _candidates(critic, build_bound(bound), hidden, side_x, side_y, seed)
    readings = trainer.read(candidates, side_x.rows, side_y.rows, calibrate=True, groups=taken.groups)
    reading, extrapolated, most = _classified(readings, side_x, side_y) or (*_rule(readings), None)
    table_x, table_y = (None if side.columns is None else side.columns.values for side in (side_x, side_y))
    checks, unseen = {}, 0.0
    if table_x is not None and table_y is not None:
        checks = cross_checks(table_x, table_y, seed)
        unseen = _unseen(table_x.shape[1], table_y.shape[1], readings.train_rows)
    evidence = Evidence(
        readings, reading, table_x, table_y, checks,
        extrapolated=extrapolated, blocked=trainer.split == "blocked",
    )  # fmt: skip
    result = readings.result(
        reading,
        resolution=trainer.tolerance + unseen,
        cross_checks=checks,
        bootstrap=bootstrap,
        most=most,
        extrapolated=extrapolated,
        schemas=(side_x.schema, side_y.schema),
        given=taken.given,
        kept=taken.kept,
        kinds=(side_x.what, side_y.what),
        warnings=[*taken.warnings, *doubts(evidence, CHECKS)],
        seed=seed,
    )
    return result.to(unit, level=level)


def _candidates(critic: str, bound: Bound, hidden: Sequence[int], x: Side, y: Side, seed: int) -> list[Candidate]:
    """The variants that validation weights."""
    tables = x.columns is not None and y.columns is not None
    encoder_x, width_x = (WithRadius(), x.width + 1) if tables else x.coded(hidden, seed)
    encoder_y, width_y = (WithRadius(), y.width + 1) if tables else y.coded(hidden, seed + 1)
    # What an encoder was trained to tell needs no tower of its own on top, which would only learn rows by heart.
    towers = hidden if tables or critic.lower().startswith("joint") else ()
    network: Critic = build_critic(critic, width_x, width_y, seed, hidden=towers)
    # A joint critic pays for every pair, the others score all pairs of a batch with one matrix product.
    joint = isinstance(network, JointCritic)
    network = Encoded(network, encoder_x, encoder_y)

    def estimator(critic: Critic) -> MIEstimator:
        return MIEstimator(critic, bound, negatives=8 if joint else "all", symmetric=not joint)

    if not tables:
        return [Candidate("encoded", estimator(network), (x.preprocessing, y.preprocessing))]
    offset = WithOffset(network, GaussianCritic(radial=True))
    variants = [
        Candidate("ranks with Gaussian offset", estimator(offset), RankGaussianize()),
        Candidate("ranks", estimator(network), RankGaussianize()),
        Candidate("standardized", estimator(network), Standardize(limit=5.0)),
    ]
    if 1 < max(x.width, y.width) <= _MOST_BLENDED:
        apart = WithOffset(network, GaussianCritic())
        variants.append(
            Candidate("blends taken apart", estimator(apart), Gaussianize(), instead_of="ranks with Gaussian offset")
        )
    return variants


def _classified(readings: Readings, x: Side, y: Side) -> tuple[str, bool, float] | None:
    """The reading where a side is a label, and its entropy; of two labels the one with less to tell."""
    entropies = [entropy(side.columns.values) if side.columns and side.label else math.inf for side in (x, y)]
    most = min(entropies)
    if most == math.inf:
        return None
    readings.classify(x.rows, y.rows, "x" if entropies[0] == most else "y")
    return CLASSIFIER, False, most


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
