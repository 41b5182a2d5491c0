"""One fold: candidates are trained on the training rows, and the validation rows stop, weight and calibrate them."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from mibounds._variables import Variable, map_tensors, row_count, take_rows
from mibounds.critics import Calibrated, Critic, Encoded, Normalized, WeightedSum
from mibounds.critics.critic import pairwise_chunks
from mibounds.data import Preprocessing, Resumable, Sampler
from mibounds.estimator import MIEstimator
from mibounds.results import Curve
from mibounds.telescope import Telescope
from mibounds.training.calibration import calibration, stacking_weights, weighted_sum
from mibounds.training.checkpoints import FoldFile
from mibounds.training.folds import Fold

__all__ = ["Candidate", "Fitted", "Plan", "far_behind", "fit_density", "fit_fold"]

_VALIDATION_ROWS = 1024
_SCORED_ROWS = 65_536  # at a time
_FAR_BEHIND = 0.1  # of one nat and the leader's score together
_LEAST_WEIGHT = 0.02  # of the largest; what counts less is not worth scoring
_BURST = 0.5  # of the steps between two looks: when so many had no finite gradient, the weights are at fault


@dataclass(frozen=True)
class Candidate:
    """One way to estimate: a name, an estimator, and what x and y pass through first: both the same, or a pair, one for
    each (None: nothing).

    With `instead_of` it is an alternative to the candidate of that name, and takes its place where the validation rows
    say so, clearly and before any training: for maps that suit a closed form in the critic or do not.
    """

    name: str
    estimator: MIEstimator | Telescope
    preprocessing: Preprocessing | tuple[Preprocessing | None, Preprocessing | None] | None = None
    instead_of: str | None = None

    @property
    def maps(self) -> tuple[Preprocessing | None, Preprocessing | None]:
        """What x and what y pass through."""
        both = self.preprocessing
        return both if isinstance(both, tuple) else (both, both)


@dataclass(frozen=True)
class Plan:
    """How a fold is trained; see `Trainer` for what each number means."""

    steps: int
    batch_size: int
    lr: float
    weight_decay: float
    clip: float
    check_every: int
    patience: int
    tolerance: float
    calibrate: bool


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

    def score_pairs(self, x: Variable, y: Variable) -> Tensor:
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
    x: Variable,
    y: Variable,
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
    every = [_Run(candidate, x, y, fold, plan, seed, sampler) for candidate in candidates]
    runs = _contenders(every)
    for run in every:
        if run not in runs:
            run.tell(plan.steps, advanced)
    hopeful: list[_Run] | None = None
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
    except _Stopped:
        keep(now=True)
        if not any(run.step for run in runs):
            return None
        for run in runs:
            run.look()
        hopeful, finished = _hopeful(hopeful or runs), False
    bank = take_rows(x, fold.valid), take_rows(y, fold.valid)
    critic, foremost, gain = _put_together(hopeful, bank, plan.calibrate)
    skipped, steps = (sum(getattr(run, name) for run in runs) for name in ("skipped", "step"))
    return Fitted(critic, fold, foremost.curve(), skipped, gain, steps, finished)


def far_behind(score: float, leader: float) -> bool:
    """Is a validation score so far behind the best one that it is not worth going on with?"""
    return score > leader + _FAR_BEHIND * (1 + abs(leader))


def _hopeful(runs: Sequence[_Run]) -> list[_Run]:
    """Those that are not far behind the best."""
    leader = min(run.best_score for run in runs)
    return [run for run in runs if not far_behind(run.best_score, leader)]


def _contenders(runs: Sequence[_Run]) -> list[_Run]:
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
    x: Variable,
    y: Variable,
    fold: Fold,
    plan: Plan,
    seed: int,
    advanced: Callable[[int, str], None],
) -> Critic:
    """Train one density by likelihood on a fold and return it as it is, a density and not a log-ratio."""
    run = _Run(candidate, x, y, fold, plan, seed)
    run.train(plan.steps, advanced)
    return run.trained()


def _put_together(runs: Sequence[_Run], bank: tuple[Variable, Variable], calibrate: bool) -> tuple[Critic, _Run, float]:
    """The weighted sum of the trained critics, calibrated where that helps, the run that weighs most, and what the
    calibration gained."""
    gain = 0.0
    members = [run.trained() for run in runs]
    # A function of y has to go before critics are added; a constant can go afterwards.
    for i, run in enumerate(runs):
        if run.estimator.free == "function of y":
            members[i] = Normalized(members[i], bank, free="function of y")
    if len(members) == 1 and not calibrate:
        critic, foremost = members[0], runs[0]
    else:
        x, y = (take_rows(rows, slice(_VALIDATION_ROWS)) for rows in bank)
        grids = torch.stack([pairwise_chunks(member, x, y) for member in members])
        weights = stacking_weights(grids)
        foremost = runs[int(weights.argmax())]
        kept = (weights > _LEAST_WEIGHT * weights.max()).nonzero().flatten().tolist()
        alone = len(kept) == 1 and float(weights[kept[0]]) == 1
        critic = members[kept[0]] if alone else WeightedSum([members[k] for k in kept], weights[kept])
        found = calibration(weighted_sum(weights[kept], grids[kept])) if calibrate else None
        if found is not None:
            critic, gain = Calibrated(critic, found.knots, found.slopes), found.gain
    if isinstance(critic, Normalized) or foremost.estimator.bound.absolute:
        return critic, foremost, gain
    return Normalized(critic, bank, free="constant"), foremost, gain


class _Stopped(Exception):
    """Training was asked to end where it is."""


# Numbers, lists of them, and the best weights: what of a run changes and is no tensor, module or generator by itself.
_CHANGING = ("step", "skipped", "burst", "stale", "steps", "scores", "best_score", "best_step", "best_weights")


class _Run:
    """The training of one candidate on one fold."""

    def __init__(
        self,
        candidate: Candidate,
        x: Variable,
        y: Variable,
        fold: Fold,
        plan: Plan,
        seed: int,
        sampler: Sampler | None = None,
    ):
        self.name, self.instead_of = candidate.name, candidate.instead_of
        self.plan, self.sampler = plan, sampler
        self.estimator = copy.deepcopy(candidate.estimator)
        self.prepare_x, self.prepare_y = (
            _fitted(own, take_rows(rows, fold.train)) for own, rows in zip(candidate.maps, (x, y), strict=True)
        )
        # Rows are mapped once, not at every step.
        self.x, self.y = (
            prepare(take_rows(rows, fold.train)) for prepare, rows in ((self.prepare_x, x), (self.prepare_y, y))
        )
        valid = fold.valid[:_VALIDATION_ROWS]
        self.valid_x, self.valid_y = self.prepare_x(take_rows(x, valid)), self.prepare_y(take_rows(y, valid))
        self.estimator.critic.prepare(self.x, self.y)
        self.parameters = [p for p in self.estimator.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=plan.lr, weight_decay=plan.weight_decay, fused=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.long)
        self.step = self.told = self.skipped = self.burst = self.stale = 0
        self.steps: list[int] = []
        self.scores: list[float] = []
        self.best_score, self.best_step = math.inf, 0
        self.best_weights: dict[str, Any] = {}
        self._check()

    def train(
        self,
        until: int,
        advanced: Callable[[int, str], None],
        checked: Callable[[], None] = lambda: None,
        stop: threading.Event | None = None,
    ) -> None:
        """Train up to step `until`, or until validation has not improved for `patience` checks; `checked` is called
        after each. Raises _Stopped once `stop` is set."""
        while self.step < until and self.stale < self.plan.patience:
            if stop is not None and stop.is_set():
                raise _Stopped
            self._train_step()
            if self.step % self.plan.check_every == 0 or self.step == self.plan.steps:
                self._check()
                self.tell(self.step, advanced)
                checked()
        self.tell(until, advanced)

    def tell(self, step: int, advanced: Callable[[int, str], None]) -> None:
        """Say that training is as far as that step."""
        advanced(step - self.told, self.name)
        self.told = step

    def look(self) -> None:
        """Score the weights as they are, if no check has."""
        if self.step > self.steps[-1]:
            self._check()

    def state_dict(self) -> dict[str, Any]:
        """All that training changes: numbers, text and tensors."""
        state = {name: getattr(self, name) for name in _CHANGING}
        state |= {name: getattr(self, name).state_dict() for name in ("estimator", "optimizer")}
        state["generator"], state["order"] = self.generator.get_state(), self.order.clone()
        if isinstance(self.sampler, Resumable):
            state["sampler"] = self.sampler.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another run of the same candidate on the same fold was."""
        for name in _CHANGING:
            setattr(self, name, state[name])
        device = self.parameters[0].device
        for weights in (state["estimator"], state["best_weights"]):
            weights |= {name: value.to(device) for name, value in weights.items() if isinstance(value, Tensor)}
        self.estimator.load_state_dict(state["estimator"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.order = state["order"]
        if isinstance(self.sampler, Resumable):
            self.sampler.load_state_dict(state["sampler"])

    def trained(self) -> Critic:
        """The critic of raw rows with its best weights."""
        self.estimator.load_state_dict(self.best_weights)
        critic = self.estimator.critic.eval()
        if isinstance(self.prepare_x, nn.Identity) and isinstance(self.prepare_y, nn.Identity):
            return critic
        return Encoded(critic, self.prepare_x, self.prepare_y)

    def curve(self) -> Curve:
        """How it learnt."""
        return Curve(tuple(self.steps), tuple(self.scores), self.best_step, self.name)

    def _train_step(self) -> None:
        x, y = self._batch()
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.lr * _rate(self.step / self.plan.steps)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.estimator.loss(x, y, self.generator)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.parameters, self.plan.clip, foreach=True)
        if norm.isfinite():
            self.optimizer.step()
        else:
            self.skipped += 1
            self.burst += 1
        self.step += 1

    def _batch(self) -> tuple[Variable, Variable]:
        """The next batch of a random order of the training rows, a new order when too few are left; or fresh rows."""
        if self.sampler is not None:
            x, y = self.sampler(self.plan.batch_size, self.generator)
            return self.prepare_x(x), self.prepare_y(y)
        if len(self.order) < self.plan.batch_size:
            self.order = torch.randperm(row_count(self.x), generator=self.generator)
        batch, self.order = self.order[: self.plan.batch_size], self.order[self.plan.batch_size :]
        return take_rows(self.x, batch), take_rows(self.y, batch)

    def _check(self) -> None:
        """Score the validation rows; keep the weights if they are better by more than the tolerance. After a burst of
        steps that were skipped, go back to the best ones first."""
        if self.burst > _BURST * self.plan.check_every:
            self.estimator.load_state_dict(self.best_weights)
            self.optimizer.state.clear()  # its averages led there
        self.burst = 0
        self.estimator.eval()
        score = self.estimator.proper_score(self.valid_x, self.valid_y)
        self.estimator.train()
        self.steps.append(self.step)
        self.scores.append(score)
        if score < self.best_score - self.plan.tolerance or not self.step:
            self.best_score, self.best_step, self.stale = score, self.step, 0
            self.best_weights = copy.deepcopy(self.estimator.state_dict())
        else:
            self.stale += 1


def _fitted(preprocessing: Preprocessing | None, rows: Variable) -> nn.Module:
    if preprocessing is None:
        return nn.Identity()
    if not isinstance(rows, Tensor):
        raise TypeError("preprocessing maps columns and cannot take a tuple of tensors: pass preprocessing=None.")
    return copy.deepcopy(preprocessing).fit(rows)


def _rate(progress: float) -> float:
    """The learning rate relative to its peak: a linear rise over the first tenth, then a cosine to zero."""
    if progress < 0.1:
        return 0.1 + 9 * progress
    return 0.5 + 0.5 * math.cos(math.pi * (progress - 0.1) / 0.9)
