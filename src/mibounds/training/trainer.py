"""The trainer: cross-fits estimators on static data and reads the rows that none of them saw."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor

from mibounds._checks import check_at_least, check_device, check_fraction, check_paired
from mibounds._variables import Tensors, check_finite, row_count
from mibounds.data import (
    Columns,
    Drawn,
    MissingPolicy,
    Preprocessing,
    Sampler,
    Standardize,
    intake_groups,
    intake_pair,
)
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.estimators.telescope import Telescope
from mibounds.results.result import Result
from mibounds.training.candidates import Candidate, Plan, check_candidate
from mibounds.training.cross_fitting import How, cross_fit
from mibounds.training.diagnostics import FIT_CHECKS, Evidence, doubts
from mibounds.training.evaluation import Readings
from mibounds.training.folds import Fold, split, split_blocked, split_by, split_groups
from mibounds.warnings import MIWarning

__all__ = ["Trainer", "automatic_folds"]

_FEW, _MANY = 2_000, 20_000  # rows; folds and steps follow them
_FIRST, _VALID = 4_096, 1_024  # rows of a stream that are drawn before training
_RUNS = 50  # of rows in their order, that the standard error of blocks rests on
_GAP = 0.01  # of the rows, on each side of a block


@final
class Trainer:
    """Fits an estimator by cross-fitting and reports on rows it has not seen.

    The rows are split into folds. For each fold the estimator is copied, trained with AdamW (a linear rise of the
    learning rate, then a cosine to zero) on the other folds' rows, stopped on validation rows by one proper score,
    and its best weights score the fold's own rows. All bounds then read the pooled scores. The given estimator is
    left unchanged.

    Folds run side by side, each on one thread when on the CPU; the same seed gives the same number whatever the
    number of workers.

    Arguments:
        steps: training steps of a fold; by default 300 up to 2,000 rows, 500 up to 20,000 and 1,000 above.
        batch_size: rows a step. By default 256, less when there are few rows.
        lr: peak learning rate.
        weight_decay: of AdamW.
        clip: the largest gradient norm of a step. A step whose gradient is not finite is skipped and counted.
        folds: by default 10 up to 2,000 rows, 3 up to 20,000 (5 where split is "blocked") and 2 above.
        split: "random", for independent rows; or "blocked", for rows that resemble their neighbors (time series):
            folds are contiguous blocks of rows, and so are their validation rows.
        gap: with split="blocked", the rows left out on each side of a block, so that none that trains is a neighbor
            of one that tests; by default 1 % of the rows. Give the number of rows after which the series forgets.
        cv: a splitter of scikit-learn, or pairs of training and test rows, in place of `folds` and `split`; validation
            rows come from its training rows.
        validation_fraction: share of a fold's training rows that stops and selects.
        check_every: steps between looks at the validation rows, by default 25 up to 2,000 rows and 50 above; step 0
            counts.
        patience: looks without improvement after which training stops.
        tolerance: nats by which the validation score must improve; ties keep the earlier weights.
        test_negatives: mismatched pairs per test row, "all" or a number; a number is used only if it is at
            least 64 (or all there are) and every reading stays below 5 nats, otherwise all pairs are read.
        preprocessing: fitted on training rows and applied to both variables; None leaves them as they are.
        nan: what to do about missing and infinite values, "raise" or "drop".
        seed: makes folds, batches and negatives repeatable.
        workers: folds at a time; by default as many as torch has threads.
        device: "cpu", "cuda", ...
        precision: "float32", or "bf16": training steps run the networks' hidden layers in bfloat16, and scores,
            weights, validation and reading stay in float32. For hardware that multiplies bfloat16 (GPUs since 2020,
            processors with AMX); elsewhere it is slower.
        progress: show a bar.
        checkpoint: a folder where the fit is written down as it goes, a file a fold, as often as a twentieth of the
            time allows. It is made if it is not there, and stays when the fit is done.
        resume: go on with what `checkpoint` holds, to the same number to the bit as if nothing had happened; from the
            start if it holds nothing. What is there of other data, settings or versions is refused.

    Ctrl-C ends a fit with the best result so far and an `interrupted` warning; a second one ends it at once.

    Raises:
        ValueError: if a number is out of its range.

    Example:
        >>> import mibounds as mi
        >>> x, y = mi.tasks.CorrelatedGaussian(2, 0.8).sample(1000, torch.Generator().manual_seed(0))
        >>> estimator = mi.MIEstimator(mi.critics.SeparableCritic(2, 2, hidden=(32,)), mi.bounds.InfoNCE())
        >>> result = mi.Trainer(steps=300, lr=3e-3, folds=2, seed=0).fit(estimator, x, y)
        >>> 0.5 < result.value < 1.3  # truth 1.02
        True
    """

    def __init__(
        self,
        *,
        steps: int | None = None,
        batch_size: int | None = None,
        lr: float = 1e-3,
        weight_decay: float = 1e-4,
        clip: float = 1.0,
        folds: int | None = None,
        split: str = "random",
        gap: int | None = None,
        cv: Any = None,
        validation_fraction: float = 0.15,
        check_every: int | None = None,
        patience: int = 4,
        tolerance: float = 1e-3,
        test_negatives: int | str = "all",
        preprocessing: Preprocessing | None = Standardize(),  # noqa: B008  (copied before it is fitted)
        nan: MissingPolicy = "raise",
        seed: int = 0,
        workers: int | None = None,
        device: str | torch.device | None = None,
        precision: str = "float32",
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
    ):
        for name, number, least in (
            ("steps", steps, 1),
            ("batch_size", batch_size, 2),
            ("folds", folds, 2),
            ("check_every", check_every, 1),
            ("patience", patience, 1),
            ("workers", workers, 1),
        ):
            if number is not None:
                check_at_least(name, number, least)
        check_fraction("validation_fraction", validation_fraction)
        if test_negatives != "all" and not (isinstance(test_negatives, int) and test_negatives >= 1):
            raise ValueError(
                f"test_negatives is {test_negatives!r}, and must be 'all' or a number of mismatched pairs."
            )
        if split not in ("random", "blocked"):
            raise ValueError(f"split is {split!r}, and must be 'random' or 'blocked'.")
        if precision not in ("float32", "bf16"):
            raise ValueError(f"precision is {precision!r}, and must be 'float32' or 'bf16'.")
        if gap is not None:
            check_at_least("gap", gap, 0)
            if split == "random":
                raise ValueError(f"gap is {gap}, and a random split has none: pass split='blocked' too.")
        if resume and checkpoint is None:
            raise ValueError("resume goes on with a checkpoint, and there is none: pass checkpoint=, its folder.")
        self.steps, self.batch_size, self.folds = steps, batch_size, folds
        if cv is not None and (folds is not None or split != "random"):
            raise ValueError("cv makes the folds: pass neither folds nor split with it.")
        self.split, self.gap, self.cv = split, gap, cv
        self.lr, self.weight_decay, self.clip = lr, weight_decay, clip
        self.validation_fraction, self.check_every, self.patience, self.tolerance = (
            validation_fraction,
            check_every,
            patience,
            tolerance,
        )
        self.test_negatives = test_negatives
        self.preprocessing, self.nan = preprocessing, nan
        self.seed, self.workers, self.progress = seed, workers, progress
        self.device, self.precision = check_device(device), precision
        self.checkpoint, self.resume = checkpoint, resume

    def fit(self, estimator: MIEstimator | Telescope, x: Any, y: Any, *, groups: Any = None) -> Result:
        """Cross-fit an estimator on paired rows and report its own bound.

        Arguments:
            estimator: copied for every fold and left unchanged.
            x: (N,) or (N, D_x), anything `estimate` takes; or a tensor (N, ...) or tuple of tensors that the critic
                encodes.
            y: (N,) or (N, D_y), likewise.
            groups: (N,) what rows belong together (a person's, a day's): no group is divided between folds, and the
                standard error is that of groups and not of rows.

        Returns:
            A `Result` whose reading is the estimator's bound. A telescope's is the plug-in, marked `extrapolated`.

        Raises:
            TypeError, ValueError: for data that cannot be used, with one sentence that says why.
        """
        own = type(estimator.bound).__name__
        data_x, data_y, tables, caught = self._intake(x, y)
        given, kept = (tables[0].given, tables[0].kept) if tables else (row_count(x), torch.arange(row_count(x)))
        preprocessing = self.preprocessing if tables else None
        groups = intake_groups(groups, given, kept)
        readings = self.read([Candidate(own, estimator, preprocessing)], data_x, data_y, groups=groups)
        side_x, side_y = (side if tables and isinstance(side, Tensor) else None for side in (data_x, data_y))
        plain = preprocessing is None or (isinstance(preprocessing, Standardize) and preprocessing.limit is None)
        evidence = Evidence(
            readings, own, side_x, side_y,
            blocked=self.split == "blocked", plain=plain, extrapolated=estimator.extrapolates,
        )  # fmt: skip
        warnings = [*caught, *doubts(evidence, FIT_CHECKS)]
        schemas = (tables[0].schema, tables[1].schema) if tables else (None, None)
        return readings.result(
            own, extrapolated=estimator.extrapolates, schemas=schemas,
            given=given, kept=kept, warnings=warnings, seed=self.seed,
        )  # fmt: skip

    def fit_stream(self, estimator: MIEstimator | Telescope, sampler: Sampler, *, test_rows: int = 10_000) -> Result:
        """Train an estimator on fresh rows at every step, and report its own bound on fresh rows that it never saw.

        For simulators and for data that are drawn on demand: nothing is seen twice, so nothing is learnt by heart, and
        there are no folds. Preprocessing and closed-form parts of the critic are fitted on 4,096 rows drawn first.

        Arguments:
            estimator: left unchanged; a copy is trained.
            sampler: `sampler(n, generator)` -> (x, y), n paired rows: tensors (n, ...), tuples of them if the critic
                encodes these. `Task.sample` is one.
            test_rows: rows that are drawn for the reading.

        Returns:
            A `Result` whose reading is the estimator's bound.

        Raises:
            TypeError, ValueError: if what is drawn does not pair or is not finite.

        Example:
            >>> import mibounds as mi
            >>> task = mi.tasks.CorrelatedGaussian(2, 0.8)
            >>> estimator = mi.MIEstimator(mi.critics.SeparableCritic(2, 2, hidden=(32,)), mi.bounds.InfoNCE())
            >>> result = mi.Trainer(steps=200).fit_stream(estimator, task.sample, test_rows=1000)
            >>> 0.7 < result.value < 1.2  # truth 1.02
            True
        """
        check_at_least("test_rows", test_rows, 2)
        generator = torch.Generator().manual_seed(self.seed)
        draw = Drawn(sampler, self.device)
        x, y = draw(_FIRST + _VALID + test_rows, generator)
        for name, rows in (("x", x), ("y", y)):
            check_finite(name, rows)
        order = torch.arange(row_count(x))
        fold = Fold(order[:_FIRST], order[_FIRST : _FIRST + _VALID], order[_FIRST + _VALID :])
        plan = self._plan(_MANY + 1, _FIRST, calibrate=False)  # a stream never runs out of rows
        tables = all(isinstance(side, Tensor) and side.dim() == 2 for side in (x, y))
        candidate = Candidate("stream", estimator, self.preprocessing if tables else None)
        check_candidate(candidate, plan)
        found = cross_fit([candidate], x, y, [fold], plan, self._how(), draw)
        return Readings(found.bounds, found.rows, found.fitted, told=found.told).result(
            type(estimator.bound).__name__, extrapolated=estimator.extrapolates, seed=self.seed
        )

    def read(
        self,
        candidates: Sequence[Candidate],
        x: Tensors,
        y: Tensors,
        *,
        calibrate: bool = False,
        groups: Tensor | None = None,
    ) -> Readings:
        """Cross-fit a weighted sum of candidates on each fold, and calibrate it if asked to; all standard bounds and
        the first candidate's read the test rows. Groups (N,) are numbered from 0."""
        n = row_count(x)
        splits = self._split(n, groups)
        train_rows = min(len(fold.train) for fold in splits)
        plan = self._plan(n, train_rows, calibrate)
        for candidate in candidates:
            check_candidate(candidate, plan)
        found = cross_fit(candidates, x, y, splits, plan, self._how())
        clusters = groups
        if clusters is None and self.split == "blocked":  # neighbors are alike: runs of rows are what is independent
            clusters = torch.arange(n) * _RUNS // n
        return Readings(found.bounds, found.rows, found.fitted, train_rows, found.shortfall, clusters, found.told)

    def _how(self) -> How:
        return How(
            self.seed, self.device, self.workers, self.test_negatives, self.progress, self.checkpoint, self.resume
        )

    def _intake(self, x: Any, y: Any) -> tuple[Tensors, Tensors, tuple[Columns, Columns] | None, list[MIWarning]]:
        """Columns where both sides are tables; tensors that a critic encodes are taken as they are, if they are
        finite."""
        if not any(isinstance(side, tuple) or (isinstance(side, Tensor) and side.dim() > 2) for side in (x, y)):
            table_x, table_y, caught = intake_pair(
                x, y, self.nan, drop_constant=False, kinds=("continuous", "continuous")
            )
            return table_x.values, table_y.values, (table_x, table_y), caught
        check_paired(row_count(x), row_count(y))
        for name, side in (("x", x), ("y", y)):
            check_finite(name, side)
        return x, y, None, []

    def _split(self, n: int, groups: Tensor | None) -> list[Fold]:
        generator = torch.Generator().manual_seed(self.seed)
        if self.cv is not None:
            return split_by(self.cv, n, groups, self.validation_fraction, generator)
        folds = self.folds if self.folds is not None else automatic_folds(n, self.split)
        if folds > n // 2:
            raise ValueError(f"folds is {folds}, and {n} rows give at most {n // 2} folds of two rows.")
        if groups is not None and self.split == "blocked":
            raise ValueError("groups and split='blocked' exclude each other: groups say which rows belong together.")
        if groups is not None:
            return split_groups(groups, folds, self.validation_fraction, generator)
        if self.split == "random":
            return split(n, folds, self.validation_fraction, generator)
        gap = self.gap if self.gap is not None else math.ceil(_GAP * n)
        return split_blocked(n, folds, self.validation_fraction, gap, generator)

    def _plan(self, n: int, train_rows: int, calibrate: bool) -> Plan:
        steps = self.steps if self.steps is not None else (300 if n <= _FEW else 500 if n <= _MANY else 1000)
        check_every = self.check_every if self.check_every is not None else (25 if n <= _FEW else 50)
        batch_size = self.batch_size if self.batch_size is not None else min(256, max(16, train_rows // 4))
        if batch_size > train_rows:
            raise ValueError(
                f"batch_size is {batch_size}, and a fold trains on {train_rows} rows: "
                "give a smaller batch_size, or none, and it is chosen."
            )
        return Plan(
            steps=steps,
            batch_size=batch_size,
            lr=self.lr,
            weight_decay=self.weight_decay,
            clip=self.clip,
            check_every=check_every,
            patience=self.patience,
            tolerance=self.tolerance,
            calibrate=calibrate,
            precision=self.precision,
        )


def automatic_folds(n: int, split: str) -> int:
    """How many folds a trainer makes of n rows where it is not told: more of few rows, which critics need, and more of
    blocks, whose spread is part of the standard error."""
    return 10 if n <= _FEW else 2 if n > _MANY else 5 if split == "blocked" else 3
