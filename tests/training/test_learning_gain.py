"""The gain of doubling the training samples, by critics without weights to train."""

import importlib

import torch

from mibounds.bounds import InfoNCE
from mibounds.critics import CopulaDensityCritic, FunctionCritic, GaussianCritic
from mibounds.estimators import MIEstimator
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.candidate_run import Run
from mibounds.training.candidates import Candidate
from mibounds.training.folds import Fold
from mibounds.training.learning_gain import learning_gain
from mibounds.training.recipe import Recipe

TASK = CorrelatedGaussian(1, 0.9)


def gain(critic, train):
    x, y = TASK.sample(train + 1200, torch.Generator().manual_seed(0))
    order = torch.arange(len(x))
    fold = Fold(order[:train], order[train : train + 200], order[train + 200 :])
    candidate = Candidate("closed", MIEstimator(critic, InfoNCE()))
    recipe = Recipe(steps=1, batch_size=2).filled(len(x), train)
    fitted = Run(candidate, x, y, fold, recipe).trained()
    return learning_gain([fitted], (x, y), [candidate], (x, y), fold, recipe, None)


def test_a_density_of_few_samples_gains_and_of_many_hardly():
    assert gain(CopulaDensityCritic(0, 0), 60) > 0.02
    assert abs(gain(CopulaDensityCritic(0, 0), 4000)) < 0.02


def test_what_is_not_fitted_gains_nothing():
    assert gain(FunctionCritic(TASK.log_ratio), 100) == 0


def test_it_is_measured_on_the_test_samples():
    """By the Gaussian of 20 samples and that of 10, on 1,000 others."""
    x, y = TASK.sample(1220, torch.Generator().manual_seed(0))
    values = []
    for rows in (slice(0, 20), slice(0, 20, 2)):
        critic = GaussianCritic()
        critic.prepare(x[rows], y[rows])
        values.append(float(InfoNCE().value(*[InfoNCE().reduce(*_scores(critic, x[220:], y[220:]))][0])))
    assert abs(gain(GaussianCritic(), 20) - (values[0] - values[1])) < 0.05


def test_validation_samples_weight_the_critics(monkeypatch):
    seen = []
    module = importlib.import_module("mibounds.training.learning_gain")
    monkeypatch.setattr(module, "stacking_weights", lambda grids: (seen.append(grids.shape), torch.ones(1))[1])
    gain(GaussianCritic(), 100)
    assert seen == [(1, 200, 200)] * 2, "of 200 validation and 1,000 test samples"


def _scores(critic, x, y):
    grid = critic.pairwise(x, y).detach()
    n = len(grid)
    return grid.diagonal(), grid.T[~torch.eye(n, dtype=torch.bool)].reshape(n, n - 1)


def test_without_closed_forms_it_is_zero():
    fold = Fold(*torch.arange(30).tensor_split(3))
    nothing = torch.zeros(30, 1)
    recipe = Recipe(steps=1, batch_size=2).filled(30, 10)
    assert learning_gain([], (nothing, nothing), [], (nothing, nothing), fold, recipe, None) == 0
