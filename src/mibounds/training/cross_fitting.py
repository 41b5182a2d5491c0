"""Cross-fitting: candidates are trained fold by fold, side by side, and the combined critic scores the test samples."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from functools import partial
from itertools import compress
from statistics import fmean

import joblib
import torch
from torch import Tensor

from mibounds._buffers import module_tensors
from mibounds._distributed import broadcast_tensors, check_reached, check_same, ranks
from mibounds._variables import Tensors, map_tensors, row_count
from mibounds.data import Sampler
from mibounds.training.candidates import (
    Candidate,
    check_candidate,
    evaluated_bounds,
    evaluates_both_directions,
    on_device,
)
from mibounds.training.checkpoints import describe_fit
from mibounds.training.evaluation import Evaluation, FoldEvaluation, evaluate_fold
from mibounds.training.fit import Fitted, check_numbers, clearly_worse, fit_fold
from mibounds.training.folds import Fold
from mibounds.training.observer import FoldObserver, Observer
from mibounds.training.recipe import FilledRecipe, Recipe
from mibounds.training.supervision import Supervision
from mibounds.training.torch_modes import ordinary
from mibounds.training.workers import fast_arithmetic
from mibounds.warnings import InterruptedWarning

__all__ = ["cross_fit", "cross_fit_folds"]

_HALVED = 1  # folds of which closed forms are also fitted to half of the training samples
_FEW_ROWS = 5000  # below which one step is so short that folds side by side mostly wait for the lock of the interpreter
_LONGER = 3  # times the steps that a recipe leaves open, where training gains much
_OVERFITTED = 2_000  # samples, up to which more steps do not help
_SEED_STEP = 1009  # between the seeds of folds: a prime, so that the folds of neighboring seeds share none


def cross_fit(
    candidates: Sequence[Candidate],
    x: Tensors,
    y: Tensors,
    recipe: Recipe,
    *,
    calibrate: bool = False,
    groups: Tensor | None = None,
    supervision: Supervision | None = None,
) -> Evaluation:
    """Split the samples, train a weighted sum of the candidates on each fold, and evaluate all standard bounds and the
    first candidate's on the test samples.

    Arguments:
        candidates: what is trained.
        x: (N, ...) samples.
        y: (N, ...) samples, paired with x.
        recipe: how.
        calibrate: calibrate the scores on validation samples.
        groups: (N,) numbered from 0; no group is divided between folds.
        supervision: appends supervised features to the variables of each fold.

    Raises:
        ValueError: if the recipe does not fit the samples or a candidate.
        KeyboardInterrupt: if no fold made a step.
    """
    n = row_count(x)
    folds = recipe.splits(n, groups)
    filled = recipe.filled(n, min(len(fold.train) for fold in folds))
    return cross_fit_folds(
        candidates, x, y, folds, filled,
        calibrate=calibrate, clusters=recipe.clusters(n, groups), supervision=supervision,
        longer=_LONGER if recipe.steps is None and n > _OVERFITTED and len(candidates) > 1 else 1,
    )  # fmt: skip


def cross_fit_folds(
    candidates: Sequence[Candidate],
    x: Tensors,
    y: Tensors,
    folds: Sequence[Fold],
    recipe: FilledRecipe,
    *,
    calibrate: bool = False,
    clusters: Tensor | None = None,
    sampler: Sampler | None = None,
    supervision: Supervision | None = None,
    longer: int = 1,
) -> Evaluation:
    """The same on given folds.

    Arguments:
        candidates: what is trained.
        x: (N, ...) samples.
        y: (N, ...) samples, paired with x.
        folds: of them.
        recipe: filled in.
        calibrate: calibrate the scores on validation samples.
        clusters: (N,) which samples are dependent on each other.
        sampler: draws the batches of the one fold there then is; no sample is drawn twice, so there is no overfitting.
        supervision: appends supervised features to the variables of each fold.
        longer: so many times the steps are made where training gains much.
    """
    for candidate in candidates:
        check_candidate(candidate, recipe)
    device = recipe.torch_device
    x, y = (ordinary(map_tensors(lambda part: part.to(device), rows)) for rows in (x, y))
    candidates = [dataclasses.replace(c, estimator=on_device(device, c.estimator)) for c in candidates]
    bounds, both = evaluated_bounds(candidates[0].estimator), evaluates_both_directions(candidates)
    check_reached(device)
    if ranks() > 1:  # they start from the weights of rank 0
        candidates = [dataclasses.replace(c, estimator=copy.deepcopy(c.estimator)) for c in candidates]
        broadcast_tensors(module_tensors(*(candidate.estimator for candidate in candidates)))
    described = partial(describe_fit, candidates, x, y, folds, recipe, calibrate)
    if ranks() > 1:
        check_same(described())
    observer = Observer(recipe, len(folds), len(folds) * recipe.steps * len(candidates), described)

    def run(i: int) -> tuple[Fitted, FoldEvaluation] | None:
        watching = observer.fold(i)
        if watching.stopped and watching.state is None:
            return None
        seed = recipe.seed if sampler is not None else recipe.seed * _SEED_STEP + i
        seeded = dataclasses.replace(recipe, seed=seed)
        with fast_arithmetic(device):
            fitted = fit_fold(
                candidates, x, y, folds[i], seeded, watching,
                calibrate=calibrate, sampler=sampler, supervision=supervision, halve=i < _HALVED and calibrate,
                longer=longer, clusters=clusters,
            )  # fmt: skip
            if fitted is None:
                return None
            watching.advance(0, "evaluating the test samples")
            found = evaluate(fitted, watching)
            observer.finish_fold(float(found.scores.mean()))
            return fitted, found

    def evaluate(fitted: Fitted, watching: FoldObserver) -> FoldEvaluation:
        """The test samples of a fold: from the checkpoint, or evaluated and written there."""
        state = watching.state
        if state is not None and state.evaluation is not None:
            found = FoldEvaluation(**state.evaluation).to(device)
        else:
            found = evaluate_fold(
                fitted.critic, x, y, [*bounds.values()],
                test=fitted.fold.test, both=both, negatives=recipe.test_negatives, seed=recipe.seed,
            )  # fmt: skip
            bad = int(found.scores.isnan().sum())
            check_numbers(f"{bad} of {len(found.scores)} test samples", bad > 0)
            if fitted.finished:
                watching.evaluated(vars(found))
        watching.forget()
        return found

    with observer.watching():
        parallel = joblib.Parallel(n_jobs=_worker_count(recipe, len(folds), row_count(x)), prefer="threads")
        done = [one for one in parallel(joblib.delayed(run)(i) for i in range(len(folds))) if one is not None]
    if not done:
        raise KeyboardInterrupt
    fits = [fitted for fitted, _ in done]
    fitted, evaluations = zip(*compress(done, _reported(fits)), strict=True)
    whole = len(done) == len(folds) and all(one.finished for one in fits)
    interrupted = [] if whole else [_interrupted(fits, fitted, len(folds))]
    return Evaluation.pooled(
        bounds,
        evaluations,
        fitted,
        train_test_gap=fmean(one.train_test_gap for one in fitted),
        learning_gain=fmean(one.learning_gain for one in fitted[:_HALVED]),
        clusters=clusters,
        warnings=[*observer.warnings, *interrupted],
    )


def _reported(fits: Sequence[Fitted]) -> list[bool]:
    """Which folds an interrupted fit reports: those that finished, and those whose validation loss is not clearly worse
    than the best: a fold that had hardly begun would lower the value."""
    best = min(fitted.validation_loss for fitted in fits)
    return [fitted.finished or not clearly_worse(fitted.validation_loss, best) for fitted in fits]


def _interrupted(fits: Sequence[Fitted], kept: Sequence[Fitted], folds: int) -> InterruptedWarning:
    """The warning of a fit that was interrupted: of all folds `fits` have made a step, and `kept` are evaluated."""
    ended = sum(fitted.finished for fitted in kept)
    early, out = len(kept) - ended, folds - len(kept)
    return InterruptedWarning(
        f"Training was interrupted after {sum(fitted.steps for fitted in fits):,} steps: of {folds} folds {ended} had "
        f"finished, {early} are evaluated with the best weights so far, and {out} are left out. The value may be low. "
        "A fit with checkpoint= continues from there with resume=True."
    )


def _worker_count(recipe: Recipe, folds: int, rows: int) -> int:
    if recipe.torch_device.type != "cpu" or ranks() > 1:  # ranks exchange messages about one fold at a time
        return 1
    default = 1 if rows < _FEW_ROWS else torch.get_num_threads()
    return min(folds, recipe.workers or default)
