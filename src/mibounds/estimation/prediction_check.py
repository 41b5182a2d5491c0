"""Nearest neighbors between a variable and what the learners predict of it."""

from __future__ import annotations

import copy
from functools import partial

import torch
from torch import Tensor

from mibounds.classical import mixed_ksg
from mibounds.data import RankGaussianize, Sample
from mibounds.estimation.cross_checks import supervised, thinned
from mibounds.estimation.stretched import neighbors_between
from mibounds.training.evaluation import Evaluation
from mibounds.training.policy import CrossCheck

__all__ = ["prediction_check"]


def prediction_check(evaluation: Evaluation, sample: Sample, seed: int) -> CrossCheck | None:
    r"""Nearest neighbors between a single column and the supervised features that predict it, in nats.

    The features g of a fold are functions of x alone, fitted to its training samples, so :math:`I(g(X);Y) \le I(X;Y)`;
    they are computed of its test samples. However many columns x has, nearest neighbors see three at most: the
    predicted normal score, the predicted value, and the size of its error. Of both directions the larger.

    Arguments:
        evaluation: of critics on supervised features.
        sample: that was evaluated.
        seed: breaks ties.

    Returns:
        None without features, with a label, and of several columns.
    """
    both = _between(evaluation, sample, "x", "y", seed), _between(evaluation, sample, "y", "x", seed)
    found = [check for check in both if check is not None]
    return max(found, key=lambda check: check.value, default=None)


def _between(evaluation: Evaluation, sample: Sample, name: str, target: str, seed: int) -> CrossCheck | None:
    """What the features of one variable say about the other."""
    rows, wanted = sample.variables[name].table, sample.variables[target].table
    if rows is None or wanted is None or wanted.shape[1] > 1:
        return None
    # Features of a label take a few values in each fold, by which nearest neighbors are too high: `mixed_ksg` of the
    # label itself is not.
    if sample.variables[name].is_label or sample.variables[target].is_label:
        return None
    parts: list[tuple[Tensor, Tensor]] = []
    for encoder, fold in supervised(evaluation, name):
        if not encoder.names:
            return None
        features = copy.deepcopy(encoder).cpu()(rows[fold.test].cpu())  # the critic's own stays where it is
        parts.append((features[:, encoder.columns :], wanted[fold.test].cpu()))
    if not parts:
        return None
    features, column = (RankGaussianize().fit(side)(side).double() for side in map(torch.cat, zip(*parts, strict=True)))
    features, column = thinned(features, column, seed)
    found = neighbors_between(partial(mixed_ksg, seed=seed), features.numpy(), column.numpy())
    gain = found.learning_gain + max(evaluation.learning_gain, 0.0)  # of more neighbors, and of better predictions
    found = found._replace(learning_gain=gain)
    return CrossCheck("PredictionKSG", **found._asdict(), low_from=0, unbiased=True, learned=True)
