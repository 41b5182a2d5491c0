"""One fold: candidates race on the training rows, the validation rows choose, the winner's best weights are kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mibounds._math import logmeanexp
from mibounds._variables import Variable, row_count, take_rows
from mibounds.critics import Critic, Normalized
from mibounds.critics.critic import pairwise_chunks
from mibounds.data import Preprocessing
from mibounds.estimator import MIEstimator
from mibounds.results import Curve
from mibounds.training.folds import Fold

__all__ = ["Candidate", "Fitted", "Plan", "fit_fold", "proper_score"]

_VALIDATION_ROWS = 1024


@dataclass(frozen=True)
class Candidate:
    """One way to estimate: a name, an estimator, and what the columns of x and y pass through first (None: nothing)."""

    name: str
    estimator: MIEstimator
    preprocessing: Preprocessing | None = None


@dataclass(frozen=True)
class Plan:
    """How a fold is trained; see `Trainer` for what each number means."""

    steps: int
    pilot: int
    batch_size: int
    lr: float
    weight_decay: float
    clip: float
    check_every: int
    patience: int
    tolerance: float


@dataclass(frozen=True)
class Fitted:
    """What one fold learnt: preprocessing, the normalized critic, how it learnt, and how many steps were skipped."""

    prepare_x: nn.Module
    prepare_y: nn.Module
    critic: Critic
    curve: Curve
    skipped: int

    def score_pairs(self, x: Variable, y: Variable) -> Tensor:
        """Log-ratios in nats of matched rows, (N,)."""
        with torch.no_grad():
            return self.critic(self.prepare_x(x), self.prepare_y(y))  # type: ignore[no-any-return]


def proper_score(critic: Critic, x: Variable, y: Variable, free: str) -> float:
    """The loss by which candidates are stopped and compared, in nats (lower is better): symmetric InfoNCE over all
    pairs.

    It is minus a lower bound of the information, blind to a constant; a free function of y is removed first.
    """
    grid = pairwise_chunks(critic, x, y)
    if free == "function of y":
        grid = grid - logmeanexp(grid, 0)
    joint = grid.diagonal()
    return float(((logmeanexp(grid, 0) + logmeanexp(grid, 1)) / 2 - joint).mean())


def fit_fold(
    candidates: Sequence[Candidate],
    x: Variable,
    y: Variable,
    fold: Fold,
    plan: Plan,
    seed: int,
    advanced: Callable[[int, str], None],
) -> Fitted:
    """Train every candidate for the pilot's steps, then the best of them to the end; ties keep the earlier.

    Arguments:
        advanced: told how many steps were made, and by whom.
    """
    runs = [_Run(candidate, x, y, fold, plan, seed) for candidate in candidates]
    if len(runs) > 1:
        for run in runs:
            run.advance(plan.pilot, advanced)
    best = runs[0]
    for run in runs[1:]:
        if run.best_score < best.best_score - plan.tolerance:
            best = run
    best.advance(plan.steps, advanced)
    return best.finish()


class _Run:
    """The training of one candidate on one fold."""

    def __init__(self, candidate: Candidate, x: Variable, y: Variable, fold: Fold, plan: Plan, seed: int):
        self.name, self.plan = candidate.name, plan
        self.estimator = copy.deepcopy(candidate.estimator)
        self.prepare_x = _fitted(candidate.preprocessing, take_rows(x, fold.train))
        self.prepare_y = _fitted(candidate.preprocessing, take_rows(y, fold.train))
        # Rows are mapped once, not at every step.
        self.x, self.y = (
            prepare(take_rows(rows, fold.train)) for prepare, rows in ((self.prepare_x, x), (self.prepare_y, y))
        )
        self.bank = self.prepare_x(take_rows(x, fold.valid)), self.prepare_y(take_rows(y, fold.valid))
        self.valid_x, self.valid_y = (take_rows(rows, slice(_VALIDATION_ROWS)) for rows in self.bank)
        self.estimator.critic.prepare(self.x, self.y)
        self.parameters = [p for p in self.estimator.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=plan.lr, weight_decay=plan.weight_decay, fused=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.long)
        self.step = self.skipped = self.stale = 0
        self.steps: list[int] = []
        self.scores: list[float] = []
        self.best_score, self.best_step = math.inf, 0
        self._check()

    def advance(self, until: int, advanced: Callable[[int, str], None]) -> None:
        """Train up to step `until`, or until validation has not improved for `patience` checks."""
        since = self.step
        while self.step < until and self.stale < self.plan.patience:
            self._train_step()
            if self.step % self.plan.check_every == 0 or self.step == self.plan.steps:
                self._check()
                advanced(self.step - since, self.name)
                since = self.step
        if self.stale >= self.plan.patience:
            advanced(until - self.step, self.name)

    def finish(self) -> Fitted:
        """The best weights, normalized on the validation rows."""
        self.estimator.load_state_dict(self.best_weights)
        critic = Normalized(self.estimator.critic.eval(), self.bank, free=self.estimator.free)
        curve = Curve(tuple(self.steps), tuple(self.scores), self.best_step, self.name)
        return Fitted(self.prepare_x, self.prepare_y, critic, curve, self.skipped)

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
        self.step += 1

    def _batch(self) -> tuple[Variable, Variable]:
        """The next batch of a random order of the training rows; a new order when too few are left."""
        if len(self.order) < self.plan.batch_size:
            self.order = torch.randperm(row_count(self.x), generator=self.generator)
        batch, self.order = self.order[: self.plan.batch_size], self.order[self.plan.batch_size :]
        return take_rows(self.x, batch), take_rows(self.y, batch)

    def _check(self) -> None:
        """Score the validation rows; keep the weights if they are better by more than the tolerance."""
        self.estimator.eval()
        score = proper_score(self.estimator.critic, self.valid_x, self.valid_y, self.estimator.free)
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
