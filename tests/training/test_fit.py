import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from mibounds import MIEstimator, RankGaussianize, Standardize
from mibounds._math import off_diagonal
from mibounds.bounds import BarberAgakov, InfoNCE, LeaveOneOut
from mibounds.critics import (
    Critic,
    DiagonalGaussianCritic,
    Encoded,
    FunctionCritic,
    GaussianCritic,
    Normalized,
    SeparableCritic,
    WeightedSum,
    WithOffset,
)
from mibounds.estimators.mi_estimator import validation_loss
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.candidates import Candidate, Plan
from mibounds.training.fit import fit_density, fit_fold
from mibounds.training.folds import split

TASK = CorrelatedGaussian(2, 0.8)
PLAN = Plan(
    steps=300,
    batch_size=64,
    lr=3e-3,
    weight_decay=1e-4,
    clip=1.0,
    check_every=25,
    patience=4,
    tolerance=1e-3,
    calibrate=False,
)


def data(n=600, seed=0):
    return TASK.sample(n, torch.Generator().manual_seed(seed))


def estimator(critic=None):
    torch.manual_seed(0)
    return MIEstimator(critic or SeparableCritic(2, 2, hidden=(64, 64)), InfoNCE(), symmetric=True)


def fit(*candidates, x=None, y=None, plan=PLAN, heard=lambda *_: None):
    x, y = data() if x is None else (x, y)
    fold = split(len(x), 3, 0.2, torch.Generator().manual_seed(0))[0]
    return fit_fold(candidates, x, y, fold, plan, 0, heard), fold


def test_the_score_is_infonce_over_all_pairs_in_both_directions():
    x, y = data(200)
    critic = FunctionCritic(TASK.log_ratio)
    grid = critic.pairwise(x, y)
    ways = [float(InfoNCE()(grid.diagonal(), off_diagonal(one))) for one in (grid, grid.mT)]
    assert validation_loss(critic, x, y, "constant") == pytest.approx(-sum(ways) / 2, abs=1e-5)


def test_the_score_does_not_see_what_is_free():
    x, y = data(200)
    exact = validation_loss(FunctionCritic(TASK.log_ratio), x, y, "constant")
    constant = FunctionCritic(lambda x, y: TASK.log_ratio(x, y) + 9)
    assert validation_loss(constant, x, y, "constant") == pytest.approx(exact, abs=1e-4)
    of_y = FunctionCritic(lambda x, y: TASK.log_ratio(x, y) + 9 * y.sum(-1))
    assert validation_loss(of_y, x, y, "function of y") == pytest.approx(exact, abs=0.05)
    assert validation_loss(of_y, x, y, "constant") > exact + 1


def test_it_learns_and_keeps_the_best_weights():
    fitted, fold = fit(Candidate("ranks", estimator(), RankGaussianize()))
    curve = fitted.curve
    assert curve.steps[0] == 0
    assert curve.score[0] == 0  # step 0 says independent
    assert min(curve.score) == pytest.approx(curve.score[curve.steps.index(curve.best_step)], abs=1e-3)
    assert curve.best_step > 0
    x, y = (side[fold.test] for side in data())
    held_out = -validation_loss(fitted.critic, x, y, "constant")
    assert held_out == pytest.approx(TASK.mutual_information, abs=0.2)
    assert fitted.score_pairs(x, y).shape == (len(x),)


def test_calibration_is_done_only_if_asked_for():
    overconfident = FunctionCritic(lambda x, y: 3 * TASK.log_ratio(x, y))
    candidate = Candidate("sure", MIEstimator(Still(overconfident), InfoNCE(), symmetric=True))
    losses = []
    for calibrate in (False, True):
        fitted, fold = fit(candidate, plan=Plan(**{**vars(PLAN), "calibrate": calibrate}))
        losses.append(validation_loss(fitted.critic, *(side[fold.test] for side in data()), "constant"))
    assert losses[1] < losses[0] - 0.3


class Still(Critic):
    """A critic with a weight that changes nothing."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic
        self.weight = nn.Parameter(torch.zeros(()))

    def combine(self, hx, hy):
        return self.critic.combine(hx, hy) + self.weight


def test_the_kept_weights_are_a_copy():
    """After the best step training goes on and ruins the critic; the kept weights must not follow."""
    ruin = Plan(**{**vars(PLAN), "lr": 3.0, "clip": 1e9, "steps": 100, "patience": 9})
    critic = WithOffset(SeparableCritic(2, 2, hidden=(8,)), GaussianCritic())
    fitted, fold = fit(Candidate("offset", estimator(critic), Standardize()), plan=ruin)
    assert fitted.curve.best_step == 0
    x, y = (side[fold.test] for side in data())
    assert validation_loss(fitted.critic, x, y, "constant") < -0.6


def test_dropout_and_the_like_are_off_when_rows_are_read():
    encoder = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5))
    fitted, fold = fit(Candidate("dropout", estimator(Encoded(SeparableCritic(8, 2, hidden=(8,)), encoder))))
    assert not any(module.training for module in fitted.critic.critic.modules())
    x, y = (side[fold.test] for side in data())
    assert torch.equal(fitted.score_pairs(x, y), fitted.score_pairs(x, y))


def test_candidates_count_as_the_validation_rows_say():
    blind = Candidate("blind", MIEstimator(Blind(), InfoNCE(), symmetric=True))
    seeing = Candidate("seeing", estimator(), RankGaussianize())
    fitted, _ = fit(blind, seeing)
    assert fitted.curve.candidate == "seeing"
    twice = [Candidate(name, estimator(), RankGaussianize()) for name in ("first", "second")]
    total = fit(*twice)[0].critic.critic
    assert isinstance(total, WeightedSum)
    assert float(total.weights[0]) == pytest.approx(float(total.weights[1]), abs=0.01)


def test_a_sum_of_critics_is_at_least_as_good_as_its_parts():
    """Two candidates that know different halves of the information."""
    sides = [
        Candidate(f"column {k}", estimator(Encoded(SeparableCritic(1, 1, hidden=(64,)), *[Column(k)] * 2)))
        for k in (0, 1)
    ]
    losses = []
    for chosen in (sides[:1], sides[1:], sides):
        fitted, fold = fit(*chosen)
        losses.append(validation_loss(fitted.critic, *(side[fold.test] for side in data()), "constant"))
    assert losses[2] < min(losses[:2]) - 0.3


def test_candidates_with_a_free_function_of_y_are_normalized_first():
    one_sided = [Candidate(name, MIEstimator(SeparableCritic(2, 2, hidden=(64,)), InfoNCE())) for name in ("a", "b")]
    fitted, fold = fit(*one_sided)
    with torch.no_grad():
        grid = fitted.critic.pairwise(*(side[fold.test] for side in data()))
    assert float(grid.diagonal().mean()) == pytest.approx(TASK.mutual_information, abs=0.25)


class Column(nn.Module):
    """One of the columns."""

    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, x):
        return x[:, self.k : self.k + 1]


class Blind(Critic):
    """Scores that never depend on the pair."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def combine(self, hx, hy):
        return (hx * 0 + hy * 0).sum(-1) + self.weight


def test_a_density_is_returned_as_it_is_and_stopped_by_likelihood():
    x, y = data()
    torch.manual_seed(0)
    density = MIEstimator(DiagonalGaussianCritic(2, 2, hidden=(32,)), LeaveOneOut())
    fold = split(len(x), 3, 0.2, torch.Generator().manual_seed(0))[0]
    critic = fit_density(Candidate("density", density), x, y, fold, PLAN, 0, lambda *_: None)
    assert isinstance(critic, DiagonalGaussianCritic)
    entropy = 1.4189 + 0.5 * math.log(1 - 0.8**2)  # of a column of y given x
    with torch.no_grad():
        assert -critic(x[fold.test], y[fold.test]).mean().item() == pytest.approx(2 * entropy, abs=0.3)


def test_only_a_bound_in_absolute_units_keeps_the_constant():
    x, y = data()
    torch.manual_seed(0)
    density = DiagonalGaussianCritic(2, 2, hidden=(8,))
    plan = replace(PLAN, steps=5)
    absolute, _ = fit(Candidate("a", MIEstimator(density, BarberAgakov(entropy=0))), x=x, y=y, plan=plan)
    relative, _ = fit(Candidate("b", MIEstimator(density, LeaveOneOut())), x=x, y=y, plan=plan)
    assert isinstance(absolute.critic, DiagonalGaussianCritic)
    assert isinstance(relative.critic, Normalized)


def test_an_alternative_takes_its_place_only_where_it_starts_clearly_better():
    right = Candidate("right", MIEstimator(Still(FunctionCritic(TASK.log_ratio)), InfoNCE(), symmetric=True))
    wrong = FunctionCritic(lambda x, y: -TASK.log_ratio(x, y))
    near = FunctionCritic(lambda x, y: 0.98 * TASK.log_ratio(x, y))

    def won(first, alternative):
        candidates = [
            Candidate("first", MIEstimator(Still(first), InfoNCE(), symmetric=True)),
            Candidate("other", MIEstimator(Still(alternative), InfoNCE(), symmetric=True), instead_of="first"),
        ]
        told = []
        fold = split(len(data()[0]), 2, 0.2, torch.Generator().manual_seed(0))[0]
        fitted = fit_fold(candidates, *data(), fold, PLAN, 0, lambda steps, name: told.append(steps))
        assert sum(told) == 2 * PLAN.steps, "the bar ends where it should, whoever was trained"
        return fitted.curve.candidate

    exact = right.estimator.critic.critic
    assert won(wrong, exact) == "other"
    assert won(near, exact) == "first"
    assert won(exact, wrong) == "first"
