"""The training of one candidate on one fold: steps, looks at the validation rows, and the best weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mibounds._buffers import module_tensors
from mibounds._distributed import average_gradients, broadcast_object, broadcast_tensors, rank_slice, ranks
from mibounds._variables import Tensors, flat, row_count, take_rows
from mibounds.critics import Critic, Encoded
from mibounds.data import Preprocessing, Resumable, Sampler
from mibounds.estimators import Estimator
from mibounds.results.result import Curve
from mibounds.training.candidates import Candidate
from mibounds.training.folds import Fold
from mibounds.training.observer import FoldObserver
from mibounds.training.recipe import FilledRecipe
from mibounds.training.torch_modes import ordinary

__all__ = ["VALIDATION_ROWS", "Run", "Stopped"]

VALIDATION_ROWS = 1024
_FEWEST = 1 << 17  # rows to fit closed forms on, however few the steps
_MANY_SKIPPED = 0.5  # of the steps between two looks: when so many had no finite gradient, the weights are at fault


class Stopped(Exception):
    """Training was asked to end where it is."""


# Numbers, lists of them, and the best weights: what of a run changes and is no tensor, module or generator by itself.
_CHANGING = (
    "step", "skipped", "skipped_since_check", "stale", "steps", "validation_losses", "best_loss", "best_step",
    "best_weights",
)  # fmt: skip


class Run:
    """The training of one candidate on one fold."""

    def __init__(
        self,
        candidate: Candidate,
        x: Tensors,
        y: Tensors,
        fold: Fold,
        recipe: FilledRecipe,
        sampler: Sampler | None = None,
    ):
        self.name, self.instead_of = candidate.name, candidate.instead_of
        self.recipe, self.sampler = recipe, sampler
        self.rows = recipe.batch_size // ranks() * ranks()  # of a batch, of which each rank of a job has as many
        self.estimator = copy.deepcopy(candidate.estimator)
        self.estimator.shared = ranks() > 1
        _check_shares(self.estimator, recipe.batch_size)
        train = _enough(fold.train, recipe)
        self.prepare_x, self.prepare_y = (
            _fitted(own, take_rows(rows, train)) for own, rows in zip(candidate.maps, (x, y), strict=True)
        )
        # Rows are mapped once, not at every step.
        self.x, self.y = (
            prepare(take_rows(rows, train)) for prepare, rows in ((self.prepare_x, x), (self.prepare_y, y))
        )
        valid = fold.valid[:VALIDATION_ROWS]
        self.valid_x, self.valid_y = self.prepare_x(take_rows(x, valid)), self.prepare_y(take_rows(y, valid))
        self.estimator.critic.prepare(self.x, self.y)
        broadcast_tensors(module_tensors(self.estimator, self.prepare_x, self.prepare_y))
        self.parameters = [p for p in self.estimator.parameters() if p.requires_grad]
        self.device = flat(self.x)[0].device
        # A critic in closed form has no weights: there is nothing to train.
        weights = self.parameters or [nn.Parameter(torch.zeros((), device=self.device))]
        self.optimizer = torch.optim.AdamW(weights, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
        # Networks in half precision; scores, weights and whatever is no step are in single precision.
        self.autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=recipe.precision == "bf16")
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.order = torch.empty(0, dtype=torch.long)
        self.total = recipe.steps  # that are made in the end
        self.step = self.reported = self.skipped = self.skipped_since_check = self.stale = 0
        self.steps: list[int] = []
        self.validation_losses: list[float] = []
        self.best_loss, self.best_step = math.inf, 0
        self.best_weights: dict[str, Any] = {}
        self._check()

    def train(self, until: int, observer: FoldObserver, checked: Callable[[], None] = lambda: None) -> None:
        """Train up to step `until`, or until the validation loss has not improved for `patience` checks; `checked` is
        called after each. Raises Stopped once the observer is stopped."""
        while self.parameters and self.step < until and self.stale < self.recipe.patience:
            if observer.stopped:
                raise Stopped
            self._train_step()
            if self.step % self.recipe.check_every == 0 or self.step == self.total:
                self._check()
                self.report(self.step, observer)
                checked()
        self.report(until, observer)

    def report(self, step: int, observer: FoldObserver) -> None:
        """Report that training is as far as that step, of as many as were planned."""
        done = max(step * self.recipe.steps // self.total, self.reported)
        observer.advance(done - self.reported, self.name)
        self.reported = done

    def loss_until(self, step: int) -> float:
        """The lowest validation loss of the looks up to that step."""
        return min(loss for at, loss in zip(self.steps, self.validation_losses, strict=True) if at <= step)

    def check(self) -> None:
        """Take the validation loss of the weights as they are, if no check has."""
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
        device = self.device
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
        """How it was trained."""
        return Curve(tuple(self.steps), tuple(self.validation_losses), self.best_step, self.name)

    def _train_step(self) -> None:
        x, y = self._batch()
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.lr * _rate(self.step / self.total)
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast:
            loss = self.estimator.loss(x, y, self.generator)
        loss.backward()  # type: ignore[no-untyped-call]
        average_gradients(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip, foreach=True)
        if norm.isfinite():
            self.optimizer.step()
        else:
            self.skipped += 1
            self.skipped_since_check += 1
        self.step += 1

    def _batch(self) -> tuple[Tensors, Tensors]:
        """The next batch of a random order of the training rows, a new order when too few are left; or fresh rows. In
        a job, this rank's share of it: all ranks draw the same."""
        own = rank_slice(self.rows)
        if self.sampler is not None:
            x, y = (ordinary(take_rows(side, own)) for side in self.sampler(self.rows, self.generator))
            return self.prepare_x(x), self.prepare_y(y)
        if len(self.order) < self.rows:
            self.order = torch.randperm(row_count(self.x), generator=self.generator)
        batch, self.order = self.order[: self.rows], self.order[self.rows :]
        return take_rows(self.x, batch[own]), take_rows(self.y, batch[own])

    def _check(self) -> None:
        """Take the validation loss; keep the weights if it is lower by more than the tolerance. If many steps since the
        last check were skipped, return to the best weights first."""
        if self.skipped_since_check > _MANY_SKIPPED * self.recipe.check_every:
            self.estimator.load_state_dict(self.best_weights)
            self.optimizer.state.clear()  # its averages led there
        self.skipped_since_check = 0
        self.estimator.eval()
        loss = broadcast_object(self.estimator.validation_loss(self.valid_x, self.valid_y))
        self.estimator.train()
        self.steps.append(self.step)
        self.validation_losses.append(loss)
        if loss < self.best_loss - self.recipe.tolerance or not self.step:
            self.best_loss, self.best_step, self.stale = loss, self.step, 0
            self.best_weights = copy.deepcopy(self.estimator.state_dict())
        else:
            self.stale += 1


def _enough(rows: Tensor, recipe: FilledRecipe) -> Tensor:
    """So many of the rows that no step repeats one, chosen by a seed of their number: more would fill memory and be
    drawn by no step."""
    most = max(_FEWEST, recipe.steps * recipe.batch_size)
    if len(rows) <= most:
        return rows
    return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(len(rows)))[:most]]


def _fitted(preprocessing: Preprocessing | None, rows: Tensors) -> nn.Module:
    if preprocessing is None:
        return nn.Identity()
    if not isinstance(rows, Tensor):
        raise TypeError("preprocessing maps columns and cannot take a tuple of tensors: pass preprocessing=None.")
    return copy.deepcopy(preprocessing).fit(rows)


def _check_shares(estimator: Estimator, batch_size: int) -> None:
    """Raise a ValueError if the ranks of a job cannot share out the batches of this estimator."""
    if ranks() == 1:
        return
    if batch_size < ranks():
        raise ValueError(f"batch_size is {batch_size}, and the job has {ranks()} ranks: give each a row, or more.")
    for name, part in estimator.named_modules():
        if isinstance(part, _BatchNorm) and not isinstance(part, nn.SyncBatchNorm):
            raise ValueError(
                f"{name} is a {type(part).__name__}, which would see a share of each batch where one process sees all "
                "of it: use LayerNorm, GroupNorm or SyncBatchNorm, or fit in one process."
            )


def _rate(progress: float) -> float:
    """The learning rate relative to its peak: a linear rise over the first tenth, then a cosine to zero."""
    if progress < 0.1:
        return 0.1 + 9 * progress
    return 0.5 + 0.5 * math.cos(math.pi * (progress - 0.1) / 0.9)
