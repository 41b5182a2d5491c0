import copy
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from mibounds import MIEstimator, RankGaussianize, Standardize
from mibounds.bounds import MINE, InfoNCE
from mibounds.critics import Critic, Encoded, GaussianCritic, SeparableCritic
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import candidate_run as module
from mibounds.training.candidate_run import Run, Stopped
from mibounds.training.candidates import Candidate
from mibounds.training.folds import split
from mibounds.training.observer import FoldObserver
from mibounds.training.recipe import Recipe

TASK = CorrelatedGaussian(2, 0.8)
RECIPE = Recipe(steps=300, batch_size=64, lr=3e-3, check_every=25).filled(600, 320)


def data(n=600, seed=0):
    return TASK.sample(n, torch.Generator().manual_seed(seed))


def noise(n=600):
    """Independent samples, of which nothing is to be learned."""
    return tuple(torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))


def estimator(hidden=(64, 64)):
    torch.manual_seed(0)
    return MIEstimator(SeparableCritic(2, 2, hidden=hidden), InfoNCE(), symmetric=True)


def fold_of(x):
    return split(len(x), 3, 0.2, torch.Generator().manual_seed(0))[0]


def run_of(candidate, x=None, y=None, recipe=RECIPE, sampler=None):
    x, y = data() if x is None else (x, y)
    return Run(candidate, x, y, fold_of(x), recipe, sampler)


def trained(candidate, x=None, y=None, recipe=RECIPE, observer=None):
    run = run_of(candidate, x, y, recipe)
    run.train(recipe.steps, observer or FoldObserver())
    return run


def test_a_critic_without_weights_is_fitted_and_makes_no_step():
    told = []
    run = run_of(Candidate("Gaussian", MIEstimator(GaussianCritic(), InfoNCE()), RankGaussianize()))
    observer = FoldObserver(advance=lambda steps, name: told.append(steps))
    run.train(RECIPE.steps, observer)
    assert (run.parameters, run.step, run.steps, sum(told)) == ([], 0, [0], RECIPE.steps)
    x, y = (side[fold_of(side).test] for side in data())
    assert float(run.trained()(x, y).mean()) == pytest.approx(TASK.mutual_information, abs=0.15)
    other = run_of(Candidate("Gaussian", MIEstimator(GaussianCritic(), InfoNCE()), RankGaussianize()))
    other.load_state_dict(run.state_dict())
    assert torch.equal(other.trained()(x, y), run.trained()(x, y))
    run.check()
    assert run.steps == [0]


class Still(Critic):
    """Scores x y, with a weight that changes nothing: the validation loss never improves."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def combine(self, hx, hy):
        return (hx * hy).sum(-1) + self.weight


def scheduled(losses, monkeypatch, **settings):
    """The run of an estimator whose validation losses are these."""
    following = iter(losses)
    monkeypatch.setattr(MIEstimator, "validation_loss", lambda *_: next(following))
    recipe = replace(RECIPE, **{"steps": 100, "check_every": 10, **settings})
    return trained(Candidate("scheduled", estimator((4,))), recipe=recipe)


# Training


def test_the_given_estimator_is_left_unchanged():
    given = estimator()
    before = [p.clone() for p in given.parameters()]
    trained(Candidate("ranks", given, RankGaussianize()), recipe=replace(RECIPE, steps=30))
    assert all(torch.equal(a, b) for a, b in zip(before, given.parameters(), strict=True))


def test_training_stops_when_the_validation_loss_no_longer_improves():
    reported = []
    recipe = replace(RECIPE, steps=1000)
    observer = FoldObserver(advance=lambda steps, _: reported.append(steps))
    run = trained(Candidate("ranks", estimator(), RankGaussianize()), *noise(), recipe, observer)
    assert run.steps[-1] == (run.best_step // 25 + RECIPE.patience) * 25
    assert sum(reported) == 1000, "steps that were not needed are reported, too"


def test_patience_counts_checks_since_the_last_improvement(monkeypatch):
    run = scheduled([0.0, -0.1, -0.05, -0.2, -0.1, -0.1, 9.0], monkeypatch, patience=3)
    assert (run.steps, run.best_step, run.best_loss) == ([0, 10, 20, 30, 40, 50, 60], 30, -0.2)
    assert run.curve().validation_loss == (0.0, -0.1, -0.05, -0.2, -0.1, -0.1, 9.0)
    assert (run.curve().best_step, run.curve().candidate) == (30, "scheduled")
    last = copy.deepcopy(run.estimator.critic)
    best = {name.removeprefix("critic."): tensor for name, tensor in run.best_weights.items()}
    for name, tensor in run.trained().state_dict().items():
        assert torch.equal(tensor, best[name]), name
    assert any(not torch.equal(tensor, best[name]) for name, tensor in last.state_dict().items())


def test_an_improvement_below_the_tolerance_keeps_the_earlier_weights(monkeypatch):
    run = scheduled([0.0, -0.0009, -0.0011, -0.002, -0.0020, -0.0021, -0.00211], monkeypatch, patience=3)
    assert (run.best_step, run.best_loss) == (20, -0.0011)
    assert run.steps[-1] == 50
    equal = scheduled([0.0, -0.25, -0.5], monkeypatch, patience=1, tolerance=0.25)
    assert (equal.best_step, equal.steps[-1]) == (0, 10), "by exactly the tolerance is no improvement"


def test_the_last_step_is_checked_and_the_steps_between_are_not(monkeypatch):
    run = scheduled([0.0, -1.0, -2.0, -3.0], monkeypatch, steps=25)
    assert run.steps == [0, 10, 20, 25]
    assert run.best_step == 25
    run.check()
    assert run.steps == [0, 10, 20, 25], "these weights have their validation loss already"


def test_a_run_that_is_stopped_raises_before_its_next_step():
    observer = FoldObserver()
    run = run_of(Candidate("a", estimator((8,))), recipe=replace(RECIPE, check_every=10))
    run.train(13, observer)
    observer.stop.set()
    with pytest.raises(Stopped):
        run.train(20, observer)
    assert run.step == 13
    run.check()
    assert run.steps == [0, 10, 13]


def test_the_learning_rate_rises_for_a_tenth_of_the_steps_and_falls_as_a_cosine():
    rates = []
    run = run_of(Candidate("a", estimator((4,))), recipe=replace(RECIPE, steps=20, lr=1.0, clip=1e-9, patience=99))
    step = run.optimizer.step
    run.optimizer.step = lambda: (rates.append(run.optimizer.param_groups[0]["lr"]), step())
    run.train(20, FoldObserver())
    expected = [0.1, 0.55, *(0.5 + 0.5 * math.cos(math.pi * (i / 20 - 0.1) / 0.9) for i in range(2, 20))]
    assert rates == pytest.approx(expected)
    assert rates[2] == max(rates) == 1.0
    assert rates == [*sorted(rates[:2]), *sorted(rates[2:], reverse=True)]


def test_the_norm_of_a_gradient_is_clipped():
    norms = []
    for clip in (1e-3, 1e9):
        run = run_of(Candidate("a", estimator((8,)), Standardize()), recipe=replace(RECIPE, clip=clip))
        run.train(30, FoldObserver())
        norms.append(float(torch.cat([p.grad.flatten() for p in run.parameters]).norm()))
    assert norms[0] == pytest.approx(1e-3, rel=1e-3)
    assert norms[1] > 0.01


def test_the_optimizer_decays_weights_as_the_recipe_says():
    run = run_of(Candidate("a", estimator((4,))), recipe=replace(RECIPE, weight_decay=0.25))
    assert [group["weight_decay"] for group in run.optimizer.param_groups] == [0.25]


def test_a_critic_is_in_training_mode_while_it_is_trained_and_in_no_other_moment():
    class Watching(Still):
        """Records its mode in training and in validation."""

        def __init__(self):
            super().__init__()
            self.modes = []

        def combine(self, hx, hy):
            self.modes.append(("step" if torch.is_grad_enabled() else "check", self.training))
            return super().combine(hx, hy)

    run = run_of(Candidate("a", MIEstimator(Watching(), MINE())), recipe=replace(RECIPE, steps=4, check_every=2))
    run.train(4, FoldObserver())
    modes = run.estimator.critic.modes
    assert set(modes) == {("step", True), ("check", False)}
    assert not run.trained().training


def test_preprocessing_is_fitted_on_training_samples_only():
    x, y = data()
    run = trained(Candidate("standard", estimator(), Standardize()), x, y, replace(RECIPE, steps=1))
    standardized, fold = run.trained().encoder_x, fold_of(x)
    assert torch.allclose(standardized.mean, x[fold.train].mean(0))
    assert not torch.allclose(standardized.mean, x.mean(0))


def test_each_batch_is_of_training_samples_none_of_which_repeats_before_all_were_drawn():
    x = data()[0]
    run = run_of(Candidate("a", estimator((4,))))
    train = x[fold_of(x).train]  # 320 samples, five batches of 64
    first, second = (torch.cat([run._batch()[0] for _ in range(5)]) for _ in range(2))
    for epoch in (first, second):
        assert torch.equal(epoch[:, 0].sort().values, train[:, 0].sort().values)
    assert not torch.equal(first, second), "in another order each time"


# Steps without a finite gradient


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
    assert all(map(math.isfinite, run.curve().validation_loss))
    assert run.best_step > 0


def test_after_many_such_steps_training_returns_to_the_best_weights():
    class Exploding(Critic):
        """Its weight has a score that is not finite once it has grown."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def combine(self, hx, hy):
            return (self.weight * hx * hy).sum(-1) * torch.where(self.weight < 0.3, 1.0, math.nan)

    recipe = replace(RECIPE, lr=0.05, clip=1e9, steps=100, check_every=10, patience=3)
    candidate = Candidate("exploding", MIEstimator(Exploding(), InfoNCE(), symmetric=True))
    run = trained(candidate, recipe=recipe)
    assert run.skipped > 10
    assert run.best_step > 0
    losses = run.curve().validation_loss
    assert losses[2] == losses[1], "those of the first check, and not those that are not finite"
    assert run.step == 10 * (run.best_step // 10 + 3), "after as many checks as there is patience it ends"


@pytest.mark.parametrize("skipped, returns", [(5, False), (6, True)])
def test_training_returns_to_the_best_weights_from_more_than_half_of_the_steps_on(skipped, returns):
    run = run_of(Candidate("a", estimator((4,))), recipe=replace(RECIPE, check_every=10))
    run.train(9, FoldObserver())
    with torch.no_grad():
        for parameter in run.parameters:
            parameter.add_(1.0)
    run.skipped_since_check = skipped
    run.check()
    assert (run.validation_losses[1] == run.validation_losses[0]) is returns
    assert (len(run.optimizer.state) == 0) is returns, "its averages led there"
    assert run.skipped_since_check == 0


# State


def test_state_of_the_bound_is_trained_with_the_fold():
    torch.manual_seed(0)
    mine = MIEstimator(SeparableCritic(2, 2, hidden=(16,)), MINE())
    trained(Candidate("mine", mine, Standardize()))
    assert mine.bound.log_average.isnan()  # the fold moved its own copy


PROGRESS = ("step", "skipped", "stale", "steps", "validation_losses", "best_loss", "best_step")


@pytest.mark.parametrize("at", [4, 5, 13, 25])
@pytest.mark.parametrize("samples", [noise, data])
def test_a_run_continues_from_its_state_to_the_same_number_to_the_bit(samples, at):
    """Of independent samples the validation loss stops improving, so that patience ends the run."""
    recipe = replace(RECIPE, steps=1000, check_every=5, patience=6, lr=1e-2, tolerance=0.05)

    def fresh():
        torch.manual_seed(0)
        critic = SeparableCritic(2, 2, hidden=(16,))
        return run_of(Candidate("a", MIEstimator(critic, MINE(), negatives=3), Standardize()), *samples(), recipe)

    whole, first, second = fresh(), fresh(), fresh()
    whole.train(1000, FoldObserver())
    assert 25 < whole.step < 200
    assert (whole.best_step > 0) is (samples is data)
    first.train(at, FoldObserver())
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for name in PROGRESS:
        assert getattr(second, name) == getattr(first, name), name
    second.train(1000, FoldObserver())
    for name in PROGRESS:
        assert getattr(second, name) == getattr(whole, name), name
    for ours, theirs in zip(second.trained().parameters(), whole.trained().parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_patience_is_resumed():
    """A run that was saved one check before its patience ends has one check left, and not all of them."""
    recipe = replace(RECIPE, steps=100, check_every=5, patience=4)
    first, second = (run_of(Candidate("still", MIEstimator(Still(), InfoNCE())), recipe=recipe) for _ in range(2))
    first.train(15, FoldObserver())
    assert (first.stale, second.stale) == (3, 0)
    second.load_state_dict(first.state_dict())
    second.train(100, FoldObserver())
    assert second.steps == [0, 5, 10, 15, 20]


def test_a_sampler_is_resumed():
    class Counting:
        """Counts its draws."""

        drawn = 0

        def __call__(self, n, generator):
            self.drawn += 1
            return TASK.sample(n, generator)

        def state_dict(self):
            return {"drawn": self.drawn}

        def load_state_dict(self, state):
            self.drawn = state["drawn"]

    first, second = (run_of(Candidate("a", estimator((4,))), sampler=Counting()) for _ in range(2))
    first.train(3, FoldObserver())
    second.load_state_dict(first.state_dict())
    assert second.sampler.drawn == 3
    second.train(5, FoldObserver())
    assert second.sampler.drawn == 5


def test_skipped_steps_since_the_last_check_are_resumed():
    first, second = (run_of(Candidate("a", estimator((4,)))) for _ in range(2))
    first.skipped = first.skipped_since_check = 7
    second.load_state_dict(first.state_dict())
    assert (second.skipped, second.skipped_since_check) == (7, 7)


# Jobs of several ranks


def test_what_ranks_cannot_share_is_refused_before_they_exchange_messages(monkeypatch):
    monkeypatch.setattr(module, "ranks", lambda: 65)
    with pytest.raises(ValueError, match="batch_size is 64, and the job has 65 ranks: give each a row, or more"):
        run_of(Candidate("many", estimator()))
    monkeypatch.setattr(module, "ranks", lambda: 2)
    normed = Encoded(SeparableCritic(2, 2, hidden=(8,)), nn.BatchNorm1d(2))
    with pytest.raises(ValueError, match="critic.encoder_x is a BatchNorm1d, which would see a share of each batch"):
        run_of(Candidate("normed", MIEstimator(normed, InfoNCE())))


def test_samples_that_no_step_would_draw_are_not_prepared(monkeypatch):
    monkeypatch.setattr(module, "_FEWEST", 100)
    x, y = data(2_000)
    run = run_of(Candidate("", estimator(), Standardize()), x, y, replace(RECIPE, steps=5))
    assert len(run.x) == len(run.y) == 320
    drawn = torch.cat([run._batch()[0] for _ in range(5)])
    assert len(torch.unique(drawn[:, 0])) == 320
    assert torch.isin(run.prepare_x(x[fold_of(x).train])[:, 0], run.x[:, 0]).sum() == 320


def test_preprocessing_of_a_tuple_is_refused():
    x, y = data()
    pair = (x[:, :1], x[:, 1:])
    with pytest.raises(TypeError, match="preprocessing maps columns and cannot take a tuple of tensors"):
        Run(Candidate("a", estimator(), Standardize()), pair, y, fold_of(y), RECIPE)
