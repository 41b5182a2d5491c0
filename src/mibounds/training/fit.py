"""One fold: candidates are trained on the training rows, and the validation rows stop, weight and calibrate them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from mibounds._buffers import module_tensors
from mibounds._distributed import broadcast_object, broadcast_tensors
from mibounds._math import infonce_loss
from mibounds._variables import Tensors, map_tensors, row_count, take_rows
from mibounds.critics import Calibrated, Critic, Encoded, MixedWithIndependence, Normalized, WeightedSum
from mibounds.critics.critic import pairwise_shared
from mibounds.critics.wrappers import mixed_scores
from mibounds.data import Sampler
from mibounds.results import Curve
from mibounds.training.calibration import LEAST_WEIGHT, calibration, stacking_weights, weighted_sum
from mibounds.training.candidate_run import VALIDATION_ROWS, Run, Stopped
from mibounds.training.candidates import Candidate
from mibounds.training.checkpoints import FoldState
from mibounds.training.folds import Fold
from mibounds.training.learning_gain import learning_gain
from mibounds.training.observer import FoldObserver
from mibounds.training.recipe import FilledRecipe
from mibounds.training.supervision import Supervision

__all__ = ["Fitted", "check_numbers", "clearly_worse", "fit_density", "fit_fold"]

_SCORED_ROWS = 65_536  # at a time
_CLEARLY = 0.1  # of one nat and the best loss together
_FAR, _NEAR = 0.15, 0.01  # of the best loss, of the same: candidates go on after a ninth and after a third of the steps
_RISING = 0.02  # by so much, of the same, training has to gain in the first third to be worth more steps
_GAP_ROWS = 2048
_NEAR_CEILING = 2.5  # nats
_MIXING_COST = 0.02  # nats


@dataclass(frozen=True)
class Fitted:
    """The result of training on one fold.

    Attributes:
        critic: of samples as they are, normalized.
        fold: which samples trained, validated and test it.
        curve: validation losses of the candidate that weighs most.
        skipped: steps without a finite gradient.
        gain: nats that the calibration gained on validation samples.
        steps: made by all candidates together.
        finished: False if training was interrupted.
        train_test_gap: by how many nats the critic scores its training samples better than the test samples, plus the
            gain: a heuristic upper limit of the bias of a held-out estimate.
        learning_gain: by how many nats the fold's estimate rose when the training samples were doubled, 0 where that
            was not measured.
    """

    critic: Critic
    fold: Fold
    curve: Curve
    skipped: int = 0
    gain: float = 0.0
    steps: int = 0
    finished: bool = True
    train_test_gap: float = 0.0
    learning_gain: float = 0.0

    @property
    def validation_loss(self) -> float:
        """The best validation loss of the candidate that weighs most, in nats."""
        return self.curve.validation_loss[self.curve.steps.index(self.curve.best_step)]

    @property
    def device(self) -> torch.device:
        """Where the critic is."""
        return next(chain(self.critic.parameters(), self.critic.buffers(), (torch.empty(0),))).device

    def score_pairs(self, x: Tensors, y: Tensors) -> Tensor:
        """Log-ratios in nats of matched rows, (N,), on the CPU wherever the critic is."""
        scores = []
        for start in range(0, row_count(x), _SCORED_ROWS):
            rows = slice(start, start + _SCORED_ROWS)
            there = [map_tensors(lambda part: part.to(self.device), take_rows(side, rows)) for side in (x, y)]
            with torch.no_grad():
                scores.append(self.critic(*there).cpu())
        return torch.cat(scores)


def fit_fold(
    candidates: Sequence[Candidate],
    x: Tensors,
    y: Tensors,
    fold: Fold,
    recipe: FilledRecipe,
    observer: FoldObserver,
    *,
    calibrate: bool,
    sampler: Sampler | None = None,
    supervision: Supervision | None = None,
    halve: bool = False,
    longer: int = 1,
    clusters: Tensor | None = None,
) -> Fitted | None:
    """Train every candidate for some of the steps, those close to the best to the end, and combine all that are not
    clearly worse by their validation loss.

    Arguments:
        candidates: what is trained.
        x: (N, ...) all samples.
        y: (N, ...) all samples.
        fold: which of them train, validate and test.
        recipe: filled in; its seed is the fold's.
        observer: is told of progress, and holds the state that training continues from.
        calibrate: calibrate the scores of the combination where that helps, and mix it with independence.
        sampler: draws the batches; without it they are samples of the fold.
        supervision: appends supervised features to the variables.
        halve: also fit the critics without weights to half of the training samples.
        longer: so many times the steps are made where training gains much.
        clusters: (N,) which samples are dependent on each other.

    Returns:
        What was learned; None if training was stopped before its first step.
    """
    given = x, y
    maps, x, y = _augmented(supervision, x, y, fold, observer, clusters)
    every = [Run(candidate, x, y, fold, recipe, sampler) for candidate in candidates]
    check_numbers("the validation samples", all(math.isnan(run.best_loss) for run in every))
    runs = _without_alternatives(every)
    for run in every:
        if run not in runs:
            run.report(recipe.steps, observer)
    _resume(runs, observer)

    def state() -> FoldState:
        return FoldState([run.state_dict() for run in runs])

    finished = True
    try:
        _race(runs, recipe.steps, longer, observer, lambda: observer.save(state))
        if observer.state is None or observer.state.evaluation is None:
            observer.save(state, now=True)
    except Stopped:
        observer.save(state, now=True)
        if not any(run.step for run in runs):
            return None
        for run in runs:
            run.check()
        finished = False
    best = min(run.best_loss for run in runs)
    pool = [run for run in runs if not clearly_worse(run.best_loss, best)]
    bank = take_rows(x, fold.valid), take_rows(y, fold.valid)
    dependent = None if clusters is None else clusters.to(fold.valid.device)[fold.valid]
    critic, main, gain = _combine(pool, bank, calibrate, len(fold.train), dependent)
    broadcast_tensors(module_tensors(critic))
    gap = 0.0 if sampler is not None else broadcast_object(train_test_gap(critic, x, y, fold) + gain)
    closed = [run.trained() for run in runs if halve and not run.parameters]
    learning = learning_gain(closed, (x, y), candidates, given, fold, recipe, supervision, clusters)
    if maps is not None:
        critic = Encoded(critic, *maps)
    skipped, steps = (sum(getattr(run, name) for run in runs) for name in ("skipped", "step"))
    return Fitted(critic, fold, main.curve(), skipped, gain, steps, finished, gap, learning)


def _augmented(
    supervision: Supervision | None,
    x: Tensors,
    y: Tensors,
    fold: Fold,
    observer: FoldObserver,
    clusters: Tensor | None,
) -> tuple[tuple[nn.Module, nn.Module] | None, Tensors, Tensors]:
    """The fitted maps of x and y and all samples with their features; without supervision no maps, and samples as they
    are."""
    if supervision is None:
        return None, x, y
    observer.advance(0, "supervised features")
    return supervision.augment(x, y, fold, clusters)


def train_test_gap(critic: Critic, x: Tensors, y: Tensors, fold: Fold) -> float:
    """The train-test gap of InfoNCE in nats. Near InfoNCE's ceiling the mean score takes its place."""
    count = min(len(fold.train), len(fold.test), _GAP_ROWS)
    certain, plain = [], []
    for rows in (fold.train[:count], fold.test[:count]):
        grid = pairwise_shared(critic, take_rows(x, rows), take_rows(y, rows))
        certain.append(-float(infonce_loss(grid)))
        plain.append(float(grid.diagonal().mean()))
    saturated = certain[1] > math.log(count) - _NEAR_CEILING
    train, test = plain if saturated else certain
    return train - test


def check_numbers(samples: str, missing: bool) -> None:
    """Raise a ValueError if critics have no score for some samples."""
    if missing:
        raise ValueError(
            f"The critics score {samples} as NaN: an encoder or a critic returns NaN for some of them, for example the "
            "logarithm of a negative number. Let it return numbers."
        )


def clearly_worse(loss: float, best: float) -> bool:
    """Is a validation loss so far above the best one that training is not worth continuing?"""
    return loss > best + _CLEARLY * (1 + abs(best))


def _resume(runs: Sequence[Run], observer: FoldObserver) -> None:
    """Load the state that training continues from, if there is one."""
    if observer.state is None:
        return
    for run, record in zip(runs, observer.state.runs, strict=True):
        run.load_state_dict(record)
        run.report(run.step, observer)


def _race(runs: Sequence[Run], steps: int, longer: int, observer: FoldObserver, checked: Callable[[], None]) -> None:
    """Train all for a ninth of the steps, those not far from the best to a third, and those close to it to the end.

    Where training has by then gained much over the critics without weights, and over those before training, the steps
    become `longer` times as many: dependence that only networks find is found slowly.
    """

    def stage(contenders: Sequence[Run], until: int, near: float) -> list[Run]:
        """Those whose loss is near the best one after so many steps."""
        for run in contenders:
            run.train(until, observer, checked)
            if run.step == until:
                run.check()
        best = best_of(until)
        limit = best + near * (1 + abs(best))
        for run in contenders:
            if run.loss_until(until) > limit:
                run.report(run.total, observer)
        return [run for run in contenders if run.loss_until(until) <= limit]

    def best_of(until: int) -> float:
        return min(run.loss_until(until) for run in runs)

    contenders = stage(runs, steps // 9, _FAR)
    if longer > 1:
        contenders = stage(contenders, steps // 3, _FAR)
        untrained = best_of(0)
        if best_of(steps // 3) < untrained - _RISING * (1 + abs(untrained)):
            steps *= longer
            for run in contenders:
                run.total = steps
    contenders = stage(contenders, steps // 3, _NEAR)
    stage(contenders, steps, math.inf)


def _without_alternatives(runs: Sequence[Run]) -> list[Run]:
    """All but, of a candidate and an alternative to it, the one with the larger loss before training; the alternative
    has to be better by what chance could make of so many validation samples."""
    kept = [run for run in runs if run.instead_of is None]
    for run in runs:
        if run.instead_of is not None:
            place = [one.name for one in kept].index(run.instead_of)
            if run.best_loss < kept[place].best_loss - 1 / math.sqrt(row_count(run.valid_x)):
                kept[place] = run
    return kept


def fit_density(
    candidate: Candidate, x: Tensors, y: Tensors, fold: Fold, recipe: FilledRecipe, observer: FoldObserver
) -> Critic:
    """Train one density by likelihood on a fold and return it as it is, a density and not a log-ratio."""
    run = Run(candidate, x, y, fold, recipe)
    run.train(recipe.steps, observer)
    return run.trained()


def _combine(
    runs: Sequence[Run],
    bank: tuple[Tensors, Tensors],
    calibrate: bool,
    train_n: int,
    clusters: Tensor | None = None,
) -> tuple[Critic, Run, float]:
    """The weighted sum of the trained critics, if asked for calibrated and mixed with independence where that helps;
    the run that weighs most; and what the calibration gained. Samples of one of the `clusters` of the bank are
    dependent on each other."""
    gain = 0.0
    members = [run.trained() for run in runs]
    # A function of y has to go before critics are added; a constant can go afterwards.
    for i, run in enumerate(runs):
        if run.estimator.unidentified == "function of y":
            members[i] = Normalized(members[i], bank, unidentified="function of y")
    if len(members) == 1 and not calibrate:
        critic, main = members[0], runs[0]
    else:
        x, y = (take_rows(rows, slice(VALIDATION_ROWS)) for rows in bank)
        grids = torch.stack([pairwise_shared(member, x, y) for member in members])
        dependent = None if clusters is None else clusters[:VALIDATION_ROWS].to(grids.device)
        weights = broadcast_object(stacking_weights(grids, dependent).cpu()).to(grids.device)
        main = runs[int(weights.argmax())]
        kept = (weights > LEAST_WEIGHT * weights.max()).nonzero().flatten().tolist()
        single = len(kept) == 1 and float(weights[kept[0]]) == 1
        critic = members[kept[0]] if single else WeightedSum([members[k] for k in kept], weights[kept])
        found = None
        if calibrate:
            found = broadcast_object(calibration(weighted_sum(weights[kept], grids[kept]), dependent))
        if found is not None:
            critic, gain = Calibrated(critic, found.knots, found.slopes), found.gain
    if main.estimator.bound.takes_raw_scores:
        return critic, main, gain
    critic = critic if isinstance(critic, Normalized) else Normalized(critic, bank, unidentified="constant")
    return _mixed(critic, bank, 1 / train_n) if calibrate else critic, main, gain


def _mixed(critic: Critic, bank: tuple[Tensors, Tensors], share: float) -> Critic:
    """The critic mixed with independence, unless that costs much on validation samples: where few of them do not
    identify its constant, matched pairs may score low and still higher than all others."""
    grid = pairwise_shared(critic, *(take_rows(rows, slice(VALIDATION_ROWS)) for rows in bank))
    cost = float(infonce_loss(mixed_scores(grid, share)) - infonce_loss(grid))
    return MixedWithIndependence(critic, share) if broadcast_object(cost) < _MIXING_COST else critic
