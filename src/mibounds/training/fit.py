"""One fold: candidates are trained on the training rows, and the validation rows stop, weight and calibrate them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from mibounds._buffers import module_tensors
from mibounds._distributed import broadcast_object, broadcast_tensors
from mibounds._variables import Tensors, map_tensors, row_count, take_rows
from mibounds.critics import Calibrated, Critic, Normalized, WeightedSum
from mibounds.critics.critic import pairwise_shared
from mibounds.data import Sampler
from mibounds.results.result import Curve
from mibounds.training.calibration import calibration, stacking_weights, weighted_sum
from mibounds.training.candidate_run import VALIDATION_ROWS, Run, Stopped
from mibounds.training.candidates import Candidate, Plan
from mibounds.training.checkpoints import FoldFile
from mibounds.training.folds import Fold

__all__ = ["Fitted", "clearly_worse", "fit_density", "fit_fold"]

_SCORED_ROWS = 65_536  # at a time
_FAR_BEHIND = 0.1  # of one nat and the leader's score together
_LEAST_WEIGHT = 0.02  # of the largest; what counts less is not worth scoring


@dataclass(frozen=True)
class Fitted:
    """What one fold learnt: a normalized critic of raw rows, which rows it may not see and which it saw, how its
    foremost part learnt, how many steps were skipped, how many nats the calibration of its scores gained, how many
    steps all its parts made, and whether they made all they were to make."""

    critic: Critic
    fold: Fold
    curve: Curve
    skipped: int = 0
    gain: float = 0.0
    steps: int = 0
    finished: bool = True

    @property
    def score(self) -> float:
        """The best validation score of its foremost part, in nats (lower is better)."""
        return self.curve.score[self.curve.steps.index(self.curve.best_step)]

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
    plan: Plan,
    seed: int,
    advanced: Callable[[int, str], None],
    sampler: Sampler | None = None,
    kept: FoldFile | None = None,
    stop: threading.Event | None = None,
) -> Fitted | None:
    """Train every candidate, drop those far behind after a third of the steps, and put the rest together as the
    validation rows say.

    Arguments:
        advanced: told how many steps were made, and by whom.
        sampler: draws the batches; without it they are rows of the fold.
        kept: where training goes on from, and where it is written down.
        stop: once set, training ends where it is.

    Returns:
        What was learnt; None if training was stopped before its first step.
    """
    kept = kept if kept is not None else FoldFile()
    every = [Run(candidate, x, y, fold, plan, seed, sampler) for candidate in candidates]
    runs = _contenders(every)
    for run in every:
        if run not in runs:
            run.tell(plan.steps, advanced)
    hopeful: list[Run] | None = None
    if kept.state:
        for run, state in zip(runs, kept.state["runs"], strict=True):
            run.load_state_dict(state)
            run.tell(run.step, advanced)
        chosen = kept.state["hopeful"]
        hopeful = None if chosen is None else [runs[i] for i in chosen]

    def keep(now: bool = False) -> None:
        if kept.due(now):
            chosen = None if hopeful is None else [runs.index(run) for run in hopeful]
            kept.write(runs=[run.state_dict() for run in runs], hopeful=chosen)

    finished = True
    try:
        for run in runs:
            run.train(plan.steps // 3, advanced, keep, stop)
        hopeful = hopeful if hopeful is not None else _hopeful(runs)
        for run in runs:
            if run in hopeful:
                run.train(plan.steps, advanced, keep, stop)
            else:
                run.tell(plan.steps, advanced)
        if "rows" not in kept.state:
            keep(now=True)
    except Stopped:
        keep(now=True)
        if not any(run.step for run in runs):
            return None
        for run in runs:
            run.look()
        hopeful, finished = _hopeful(hopeful or runs), False
    bank = take_rows(x, fold.valid), take_rows(y, fold.valid)
    critic, foremost, gain = _put_together(hopeful, bank, plan.calibrate)
    broadcast_tensors(module_tensors(critic))
    skipped, steps = (sum(getattr(run, name) for run in runs) for name in ("skipped", "step"))
    return Fitted(critic, fold, foremost.curve(), skipped, gain, steps, finished)


def clearly_worse(score: float, leader: float) -> bool:
    """Is a validation score so far behind the best one that it is not worth going on with?"""
    return score > leader + _FAR_BEHIND * (1 + abs(leader))


def _hopeful(runs: Sequence[Run]) -> list[Run]:
    """Those that are not far behind the best."""
    leader = min(run.best_score for run in runs)
    return [run for run in runs if not clearly_worse(run.best_score, leader)]


def _contenders(runs: Sequence[Run]) -> list[Run]:
    """All but, of a candidate and an alternative to it, the one that starts worse; the alternative has to be better by
    what chance could make of so many validation rows."""
    kept = [run for run in runs if run.instead_of is None]
    for run in runs:
        if run.instead_of is not None:
            place = [one.name for one in kept].index(run.instead_of)
            if run.best_score < kept[place].best_score - 1 / math.sqrt(row_count(run.valid_x)):
                kept[place] = run
    return kept


def fit_density(
    candidate: Candidate,
    x: Tensors,
    y: Tensors,
    fold: Fold,
    plan: Plan,
    seed: int,
    advanced: Callable[[int, str], None],
) -> Critic:
    """Train one density by likelihood on a fold and return it as it is, a density and not a log-ratio."""
    run = Run(candidate, x, y, fold, plan, seed)
    run.train(plan.steps, advanced)
    return run.trained()


def _put_together(runs: Sequence[Run], bank: tuple[Tensors, Tensors], calibrate: bool) -> tuple[Critic, Run, float]:
    """The weighted sum of the trained critics, calibrated where that helps, the run that weighs most, and what the
    calibration gained."""
    gain = 0.0
    members = [run.trained() for run in runs]
    # A function of y has to go before critics are added; a constant can go afterwards.
    for i, run in enumerate(runs):
        if run.estimator.unidentified == "function of y":
            members[i] = Normalized(members[i], bank, unidentified="function of y")
    if len(members) == 1 and not calibrate:
        critic, foremost = members[0], runs[0]
    else:
        x, y = (take_rows(rows, slice(VALIDATION_ROWS)) for rows in bank)
        grids = torch.stack([pairwise_shared(member, x, y) for member in members])
        weights = broadcast_object(stacking_weights(grids).cpu()).to(grids.device)
        foremost = runs[int(weights.argmax())]
        kept = (weights > _LEAST_WEIGHT * weights.max()).nonzero().flatten().tolist()
        alone = len(kept) == 1 and float(weights[kept[0]]) == 1
        critic = members[kept[0]] if alone else WeightedSum([members[k] for k in kept], weights[kept])
        found = broadcast_object(calibration(weighted_sum(weights[kept], grids[kept]))) if calibrate else None
        if found is not None:
            critic, gain = Calibrated(critic, found.knots, found.slopes), found.gain
    if isinstance(critic, Normalized) or foremost.estimator.bound.takes_raw_scores:
        return critic, foremost, gain
    return Normalized(critic, bank, unidentified="constant"), foremost, gain
