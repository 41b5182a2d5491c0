"""How far an estimate still rises with the number of training samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mibounds._math import infonce_loss
from mibounds._variables import Tensors, take_rows
from mibounds.critics import Critic
from mibounds.critics.critic import pairwise_chunks
from mibounds.learners.learner import in_parts
from mibounds.training.calibration import stacking_weights, weighted_sum
from mibounds.training.candidate_run import VALIDATION_ROWS, Run
from mibounds.training.candidates import Candidate
from mibounds.training.folds import Fold
from mibounds.training.recipe import FilledRecipe
from mibounds.training.supervision import Supervision

__all__ = ["learning_gain"]

_TEST_ROWS = 2048


def learning_gain(
    critics: Sequence[Critic],
    augmented: tuple[Tensors, Tensors],
    candidates: Sequence[Candidate],
    given: tuple[Tensors, Tensors],
    fold: Fold,
    recipe: FilledRecipe,
    supervision: Supervision | None,
    clusters: Tensor | None = None,
) -> float:
    """By how many nats InfoNCE of the test samples is higher with all training samples than with half of them, for the
    critics without weights to train, which take little time.

    If the shortfall of an estimate falls as 1/N, it is about as large as this gain.

    Arguments:
        critics: without weights to train, fitted to all training samples; 0 is returned where there are none.
        augmented: all samples of x and of y with the features of all training samples.
        candidates: of which those without weights are fitted to half.
        given: all samples of x and of y.
        fold: which of them train, validate and test.
        recipe: filled in.
        supervision: appends supervised features to the variables.
        clusters: (N,) which samples are dependent on each other; half of the samples are then half of the clusters.
    """
    if not critics:
        return 0.0
    chosen = [one for one in candidates if not any(p.requires_grad for p in one.estimator.parameters())]
    few = fold.train[::2] if clusters is None else fold.train[in_parts(clusters.cpu()[fold.train], 2)[0]]
    half, (x, y) = Fold(few, fold.valid, fold.test), given
    if supervision is not None:
        _, x, y = supervision.augment(x, y, half, clusters)
    fitted = [Run(one, x, y, half, recipe).trained() for one in chosen]
    return _value(critics, *augmented, fold) - _value(fitted, x, y, half)


def _value(critics: Sequence[Critic], x: Tensors, y: Tensors, fold: Fold) -> float:
    """InfoNCE of the test samples, in nats, by the weighted sum of critics."""

    def grids(rows: Tensor, most: int) -> Tensor:
        rows = rows[:most]
        return torch.stack([pairwise_chunks(critic, take_rows(x, rows), take_rows(y, rows)) for critic in critics])

    weights = stacking_weights(grids(fold.valid, VALIDATION_ROWS))
    return -float(infonce_loss(weighted_sum(weights, grids(fold.test, _TEST_ROWS))))
