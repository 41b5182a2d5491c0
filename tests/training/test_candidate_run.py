import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from mibounds import MIEstimator, RankGaussianize, Standardize
from mibounds.bounds import MINE, InfoNCE
from mibounds.critics import Critic, Encoded, SeparableCritic
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import run as module
from mibounds.training.candidate_run import Run
from mibounds.training.candidates import Candidate, Plan
from mibounds.training.folds import split

TASK = CorrelatedGaussian(2, 0.8)
PLAN = Plan(
    steps=300, batch_size=64, lr=3e-3, weight_decay=1e-4, clip=1.0, check_every=25, patience=4, tolerance=1e-3,
    calibrate=False,
)  # fmt: skip


def data(n=600, seed=0):
    return TASK.sample(n, torch.Generator().manual_seed(seed))


def estimator():
    torch.manual_seed(0)
    return MIEstimator(SeparableCritic(2, 2, hidden=(64, 64)), InfoNCE(), symmetric=True)


def halves(x):
    return split(len(x), 3, 0.2, torch.Generator().manual_seed(0))[0]


def trained(candidate, x=None, y=None, plan=PLAN, heard=lambda *_: None):
    x, y = data() if x is None else (x, y)
    run = Run(candidate, x, y, halves(x), plan, 0)
    run.train(plan.steps, heard)
    return run


def test_the_given_estimator_is_left_unchanged():
    given = estimator()
    before = [p.clone() for p in given.parameters()]
    trained(Candidate("ranks", given, RankGaussianize()))
    assert all(torch.equal(a, b) for a, b in zip(before, given.parameters(), strict=True))


def test_it_stops_when_validation_no_longer_improves():
    x, y = (torch.randn(600, 2, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    heard = []
    plan = Plan(**{**vars(PLAN), "steps": 1000})
    run = trained(Candidate("ranks", estimator(), RankGaussianize()), x, y, plan, lambda n, _: heard.append(n))
    assert run.steps[-1] <= (run.best_step // 25 + PLAN.patience) * 25
    assert sum(heard) == 1000  # the bar is told about steps that were not needed, too


def test_preprocessing_sees_training_rows_only():
    x, y = data()
    run = trained(Candidate("standard", estimator(), Standardize()), x, y, replace(PLAN, steps=1))
    standardized, fold = run.trained().encoder_x, halves(x)
    assert torch.allclose(standardized.mean, x[fold.train].mean(0))
    assert not torch.allclose(standardized.mean, x.mean(0))


def test_a_step_that_is_not_finite_is_skipped_and_counted():
    class Bursting(SeparableCritic):
        calls = 0

        def pairwise(self, x, y):
            Bursting.calls += 1
            return super().pairwise(x, y) * (math.nan if Bursting.calls in (3, 7) else 1)

    torch.manual_seed(0)
    critic = Bursting(2, 2, hidden=(16,))
    run = trained(Candidate("bursting", MIEstimator(critic, InfoNCE(), symmetric=True), Standardize()))
    assert run.skipped == 2
    assert all(map(math.isfinite, run.curve().score))
    assert run.best_step > 0


def test_a_burst_of_such_steps_goes_back_to_the_best_weights():
    class Exploding(Critic):
        """Its weight has a score that is not finite once it has grown."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def combine(self, hx, hy):
            return (self.weight * hx * hy).sum(-1) * torch.where(self.weight < 0.3, 1.0, math.nan)

    plan = replace(PLAN, lr=0.05, clip=1e9, steps=100, check_every=10, patience=3)
    candidate = Candidate("exploding", MIEstimator(Exploding(), InfoNCE(), symmetric=True))
    run = trained(candidate, plan=plan)
    assert run.skipped > 10
    assert run.best_step > 0
    assert run.curve().score[2] == run.curve().score[1], "the weights of the first look, and not those that burst"
    assert run.step == 10 * (run.best_step // 10 + 3), "after as many bursts as there is patience it ends"


def test_state_of_the_bound_is_trained_with_the_fold():
    torch.manual_seed(0)
    mine = MIEstimator(SeparableCritic(2, 2, hidden=(16,)), MINE())
    trained(Candidate("mine", mine, Standardize()))
    assert mine.bound.log_average.isnan()  # the fold moved its own copy


def test_what_ranks_cannot_share_is_refused_before_they_talk(monkeypatch):
    monkeypatch.setattr(module, "ranks", lambda: 65)
    with pytest.raises(ValueError, match="batch_size is 64, and the job has 65 ranks: give each a row, or more"):
        trained(Candidate("many", estimator()))
    monkeypatch.setattr(module, "ranks", lambda: 2)
    normed = Encoded(SeparableCritic(2, 2, hidden=(8,)), nn.BatchNorm1d(2))
    with pytest.raises(ValueError, match="critic.encoder_x is a BatchNorm1d, which would see a share of each batch"):
        trained(Candidate("normed", MIEstimator(normed, InfoNCE())))


def test_rows_that_no_step_would_draw_are_not_prepared(monkeypatch):
    monkeypatch.setattr(module, "_FEWEST", 100)
    x, y = data(2_000)
    run = Run(Candidate("", estimator(), Standardize()), x, y, halves(x), replace(PLAN, steps=5), 0)
    assert len(run.x) == len(run.y) == 320
    drawn = torch.cat([run._batch()[0] for _ in range(5)])
    assert len(torch.unique(drawn[:, 0])) == 320
    assert torch.isin(run.prepare_x(x[halves(x).train])[:, 0], run.x[:, 0]).sum() == 320
