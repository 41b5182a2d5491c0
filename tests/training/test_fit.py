import copy
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from mibounds import MIEstimator, RankGaussianize, Standardize
from mibounds._math import infonce_loss
from mibounds.bounds import BarberAgakov, InfoNCE, LeaveOneOut
from mibounds.critics import (
    Critic,
    DiagonalGaussianCritic,
    Encoded,
    FunctionCritic,
    GaussianCritic,
    MixedWithIndependence,
    Normalized,
    SeparableCritic,
    WeightedSum,
    WithOffset,
)
from mibounds.data import Sample
from mibounds.estimation.candidates import default_candidates
from mibounds.estimators.mi_estimator import validation_loss
from mibounds.learners import SupervisedFeatures
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import cross_fitting
from mibounds.training.candidate_run import Run
from mibounds.training.candidates import Candidate
from mibounds.training.cross_fitting import cross_fit
from mibounds.training.fit import Fitted, _mixed, _race, clearly_worse, fit_density, fit_fold, train_test_gap
from mibounds.training.folds import Fold, split
from mibounds.training.observer import FoldObserver
from mibounds.training.recipe import Recipe
from mibounds.training.supervision import Supervision

TASK = CorrelatedGaussian(2, 0.8)
RECIPE = Recipe(steps=300, batch_size=64, lr=3e-3, check_every=25).filled(600, 320)


def data(n=600, seed=0):
    return TASK.sample(n, torch.Generator().manual_seed(seed))


def estimator(critic=None):
    torch.manual_seed(0)
    return MIEstimator(critic or SeparableCritic(2, 2, hidden=(64, 64)), InfoNCE(), symmetric=True)


def fold_of(x):
    return split(len(x), 3, 0.2, torch.Generator().manual_seed(0))[0]


def fit(*candidates, x=None, y=None, recipe=RECIPE, observer=None, calibrate=False):
    x, y = data() if x is None else (x, y)
    fold = fold_of(x)
    return fit_fold(candidates, x, y, fold, recipe, observer or FoldObserver(), calibrate=calibrate), fold


def test_it_learns_and_keeps_the_best_weights():
    fitted, fold = fit(Candidate("ranks", estimator(), RankGaussianize()))
    curve = fitted.curve
    assert curve.steps[0] == 0
    assert curve.validation_loss[0] == 0  # an untrained critic scores all pairs alike
    assert min(curve.validation_loss) == pytest.approx(fitted.validation_loss, abs=1e-3)
    assert fitted.validation_loss == curve.validation_loss[curve.steps.index(curve.best_step)]
    assert curve.best_step > 0
    assert fitted.steps == curve.steps[-1]
    assert (fitted.skipped, fitted.gain, fitted.finished, fitted.fold) == (0, 0.0, True, fold)
    x, y = (side[fold.test] for side in data())
    held_out = -validation_loss(fitted.critic, x, y, "constant")
    assert held_out == pytest.approx(TASK.mutual_information, abs=0.2)
    assert fitted.score_pairs(x, y).shape == (len(x),)


def test_calibration_is_done_only_if_asked_for():
    steep = FunctionCritic(lambda x, y: 3 * TASK.log_ratio(x, y))
    losses, gains = [], []
    for calibrate in (False, True):
        fitted, fold = fit(still("steep", steep), calibrate=calibrate)
        losses.append(validation_loss(fitted.critic, *(side[fold.test] for side in data()), "constant"))
        gains.append(fitted.gain)
    assert losses[1] < losses[0] - 0.3
    assert gains[0] == 0
    assert gains[1] == pytest.approx(losses[0] - losses[1], abs=0.2)


def test_no_pair_costs_more_than_the_log_of_the_training_samples():
    """A critic that is mistaken about a test sample; a fit without calibration leaves it as it is."""
    x, _ = data()
    row = x[fold_of(x).test[0], 0]

    def mistaken(x, y):
        scores = TASK.log_ratio(x, y)
        return torch.where(x[..., 0] == row, scores - 60, scores)

    lowest = []
    for calibrate in (False, True):
        fitted, fold = fit(still("mistaken", FunctionCritic(mistaken)), calibrate=calibrate)
        lowest.append(float(fitted.score_pairs(*(side[fold.test] for side in data())).min()))
    assert lowest[0] < -40
    assert lowest[1] == pytest.approx(-math.log(len(fold.train)), abs=1e-3)


def test_a_critic_whose_constant_validation_samples_do_not_identify_is_not_mixed():
    """Exact copies, of which every matched pair scores higher than all others, and all far below zero."""
    x = torch.arange(90.0)[:, None]
    low = FunctionCritic(lambda x, y: -40 * (x - y).abs().sum(-1) - 10 * x.sum(-1))
    lowest = []
    for share in (1e-2, 1e-6):
        critic = _mixed(low, (x, x), share)
        lowest.append(isinstance(critic, MixedWithIndependence))
    assert lowest == [False, False]
    assert isinstance(_mixed(FunctionCritic(TASK.log_ratio), data(), 1e-2), MixedWithIndependence)


def still(name, function, **options):
    """A candidate whose scores training does not change."""
    return Candidate(name, MIEstimator(Still(function), InfoNCE(), symmetric=True), **options)


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
    ruin = replace(RECIPE, lr=3.0, clip=1e9, steps=100, patience=9)
    critic = WithOffset(SeparableCritic(2, 2, hidden=(8,)), GaussianCritic())
    fitted, fold = fit(Candidate("offset", estimator(critic), Standardize()), recipe=ruin)
    assert fitted.curve.best_step == 0
    x, y = (side[fold.test] for side in data())
    assert validation_loss(fitted.critic, x, y, "constant") < -0.6


def test_dropout_and_the_like_are_off_when_samples_are_scored():
    encoder = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5))
    fitted, fold = fit(Candidate("dropout", estimator(Encoded(SeparableCritic(8, 2, hidden=(8,)), encoder))))
    assert not any(module.training for module in fitted.critic.critic.modules())
    x, y = (side[fold.test] for side in data())
    assert torch.equal(fitted.score_pairs(x, y), fitted.score_pairs(x, y))


def test_validation_samples_weight_the_candidates():
    blind = Candidate("blind", MIEstimator(Blind(), InfoNCE(), symmetric=True))
    seeing = Candidate("seeing", estimator(), RankGaussianize())
    fitted, _ = fit(blind, seeing)
    assert fitted.curve.candidate == "seeing"
    twice = [Candidate(name, estimator(), RankGaussianize()) for name in ("first", "second")]
    total = fit(*twice)[0].critic.critic
    assert isinstance(total, WeightedSum)
    assert float(total.weights[0]) == pytest.approx(float(total.weights[1]), abs=0.01)


def test_the_curve_is_that_of_the_candidate_that_weighs_most():
    weak = still("weak", FunctionCritic(Weak(0.7)))
    exact = still("exact", EXACT)
    recipe = replace(RECIPE, steps=6, check_every=3, batch_size=16)
    for candidates in ((weak, exact), (exact, weak)):
        fitted, _ = fit(*candidates, recipe=recipe)
        assert fitted.steps == 12, "both contend"
        assert fitted.curve.candidate == "exact"
        assert isinstance(fitted.critic.critic, WeightedSum)


def test_a_critic_of_little_weight_is_not_scored():
    """Without parameters it is no contender that training would drop; its weight is a few thousandths."""
    weak, exact = still("weak", FunctionCritic(Weak(0.2))), still("exact", EXACT)
    for candidate in (weak, exact):
        candidate.estimator.requires_grad_(False)
    fitted, _ = fit(weak, exact)
    assert (fitted.steps, fitted.curve.candidate) == (0, "exact")
    assert isinstance(fitted.critic.critic, Still), "it is alone, so there is no sum"


def test_a_sum_of_critics_is_at_least_as_good_as_its_parts():
    """Two candidates that learn different halves of the information, whether or not both are trained to the end."""
    sides = [
        Candidate(f"column {k}", estimator(Encoded(SeparableCritic(1, 1, hidden=(64,)), *[Column(k)] * 2)))
        for k in (0, 1)
    ]
    losses = []
    for chosen in (sides[:1], sides[1:], sides):
        fitted, fold = fit(*chosen)
        losses.append(validation_loss(fitted.critic, *(side[fold.test] for side in data()), "constant"))
    assert losses[2] < min(losses[:2]) - 0.3


def test_candidates_with_an_unidentified_function_of_y_are_normalized_first():
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
    fold = fold_of(x)
    critic = fit_density(Candidate("density", density), x, y, fold, RECIPE, FoldObserver())
    assert isinstance(critic, DiagonalGaussianCritic)
    entropy = 1.4189 + 0.5 * math.log(1 - 0.8**2)  # of a column of y given x
    with torch.no_grad():
        assert -critic(x[fold.test], y[fold.test]).mean().item() == pytest.approx(2 * entropy, abs=0.3)


def test_only_a_bound_of_raw_scores_keeps_the_constant():
    x, y = data()
    torch.manual_seed(0)
    density = DiagonalGaussianCritic(2, 2, hidden=(8,))
    recipe = replace(RECIPE, steps=5)
    raw, _ = fit(Candidate("a", MIEstimator(density, BarberAgakov(entropy=0))), x=x, y=y, recipe=recipe)
    normalized, _ = fit(Candidate("b", MIEstimator(density, LeaveOneOut())), x=x, y=y, recipe=recipe)
    assert isinstance(raw.critic, DiagonalGaussianCritic)
    assert isinstance(normalized.critic, Normalized)


EXACT = FunctionCritic(TASK.log_ratio)
WRONG = FunctionCritic(lambda x, y: -TASK.log_ratio(x, y))
NEAR = FunctionCritic(lambda x, y: 0.98 * TASK.log_ratio(x, y))


@pytest.mark.parametrize(
    "first, alternative, chosen", [(WRONG, EXACT, "other"), (NEAR, EXACT, "first"), (EXACT, WRONG, "first")]
)
def test_an_alternative_takes_the_place_of_a_candidate_only_where_it_is_clearly_better(first, alternative, chosen):
    steps = []
    candidates = [still("first", first), still("other", alternative, instead_of="first")]
    fitted, _ = fit(*candidates, observer=FoldObserver(advance=lambda made, _: steps.append(made)))
    assert fitted.curve.candidate == chosen
    assert sum(steps) == 2 * RECIPE.steps, "progress ends where it should, whichever was trained"


@pytest.mark.parametrize("margin, chosen", [(0.9, "first"), (1.1, "other")])
def test_an_alternative_is_clearly_better_by_one_over_the_root_of_the_validation_samples(margin, chosen, monkeypatch):
    """The validation losses are given; of 80 validation samples the margin is 0.11 nats."""
    losses = iter([-0.5, -0.5 - margin / math.sqrt(80)])
    known = MIEstimator.validation_loss
    monkeypatch.setattr(MIEstimator, "validation_loss", lambda *rows: next(losses, None) or known(*rows))
    candidates = [still("first", EXACT), still("other", EXACT, instead_of="first")]
    assert fit(*candidates, recipe=replace(RECIPE, steps=3, batch_size=16))[0].curve.candidate == chosen


# Candidates that are clearly worse


@pytest.mark.parametrize(
    "best, limit", [(0.0, 0.1), (-1.0, -0.8), (-0.5, -0.35), (1.0, 1.2)], ids=["nothing learned", "1", "0.5", "density"]
)
def test_a_tenth_of_one_nat_and_the_best_loss_together_is_clearly_worse(best, limit):
    assert clearly_worse(limit + 0.001, best)
    assert not clearly_worse(limit - 0.001, best)


class Weak(nn.Module):
    """A constant part of the exact scores."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x, y):
        return self.factor * TASK.log_ratio(x, y)


def test_a_candidate_that_is_clearly_worse_after_a_ninth_of_the_steps_is_dropped():
    recipe = replace(RECIPE, steps=30, check_every=5, patience=99, batch_size=32)
    names = []
    observer = FoldObserver(advance=lambda steps, name: names.extend([name] * steps))
    both, _ = fit(still("exact", EXACT), still("near", NEAR), recipe=recipe)
    assert both.steps == 60
    one, _ = fit(still("wrong", WRONG), still("exact", EXACT), recipe=recipe, observer=observer)
    assert one.steps == 3 + 30
    assert one.curve.candidate == "exact"
    assert (names.count("wrong"), names.count("exact")) == (30, 30), "progress ends where it should"


def test_where_little_is_learned_a_candidate_is_not_dropped_for_a_few_thousandths_of_a_nat():
    """The best validation loss is about 0, and a tenth of it would drop any other candidate."""
    flat, slightly = (FunctionCritic(Weak(factor)) for factor in (0.0, -0.0015))
    recipe = replace(RECIPE, steps=30, check_every=5, patience=99, batch_size=32)
    x, y = data()
    losses = [validation_loss(critic, x, y, "constant") for critic in (flat, slightly)]
    assert losses[0] == 0
    assert 0.001 < losses[1] < 0.008
    assert fit(still("flat", flat), still("slightly", slightly), recipe=recipe)[0].steps == 60


# Continuing


class Kept:
    """A file of a fold in memory: each check is written."""

    def __init__(self, state=None):
        self.state, self.path, self.states = state, "memory", []

    def due(self, now=False):
        return True

    def write(self, state):
        self.state = state
        self.states.append(copy.deepcopy(state))


@pytest.mark.parametrize("place", [1, 7])
def test_a_fit_that_goes_on_drops_the_same_candidates(place):
    recipe = replace(RECIPE, steps=36, check_every=4, patience=99, batch_size=32)
    candidates = [still("wrong", WRONG), still("exact", EXACT), still("near", NEAR)]
    kept = Kept()
    whole, _ = fit(*candidates, recipe=recipe, observer=FoldObserver(kept))
    assert [run["step"] for run in kept.states[-1].runs] == [4, 36, 36]
    assert whole.steps == 4 + 36 + 36
    state = kept.states[place]
    done = [run["step"] for run in state.runs]
    reported = []
    observer = FoldObserver(Kept(state), lambda steps, name: reported.append((steps, name)))
    again, _ = fit(*candidates, recipe=recipe, observer=observer)
    assert again.steps == whole.steps
    assert reported[:3] == list(zip(done, ["wrong", "exact", "near"], strict=True))
    assert sum(steps for steps, _ in reported) == 108


def test_a_fold_that_was_evaluated_is_not_written_again():
    recipe = replace(RECIPE, steps=10, check_every=5)
    kept = Kept()
    fit(still("exact", EXACT), recipe=recipe, observer=FoldObserver(kept))
    done = Kept(replace(kept.states[-1], evaluation={}))
    fitted, _ = fit(still("exact", EXACT), recipe=recipe, observer=FoldObserver(done))
    assert fitted.steps == 10
    assert done.states == []


def test_training_that_is_stopped_returns_the_best_weights_so_far(monkeypatch):
    observer = FoldObserver(Kept())
    step = Run._train_step

    def stopping(run):
        step(run)
        if run.step == 7:
            observer.stop.set()

    monkeypatch.setattr(Run, "_train_step", stopping)
    recipe = replace(RECIPE, steps=30, check_every=5)
    fitted, _ = fit(Candidate("a", estimator(), Standardize()), recipe=recipe, observer=observer)
    assert (fitted.finished, fitted.steps, fitted.curve.steps) == (False, 7, (0, 3, 5, 7))
    assert observer.state.runs[0]["step"] == 7
    stopped = FoldObserver(stop=observer.stop)
    assert fit(Candidate("a", estimator()), recipe=recipe, observer=stopped)[0] is None, "no step was made"


def test_an_unfinished_fold_drops_candidates_that_are_clearly_worse(monkeypatch):
    observer = FoldObserver()
    step = Run._train_step

    def stopping(run):
        step(run)
        if run.name == "exact" and run.step == 2:
            observer.stop.set()

    monkeypatch.setattr(Run, "_train_step", stopping)
    one = CorrelatedGaussian(1, 0.8)
    first = FunctionCritic(lambda x, y: one.log_ratio(x[..., :1], y[..., :1]))
    second = FunctionCritic(lambda x, y: 0.1 * one.log_ratio(x[..., 1:], y[..., 1:]))  # would add to the first
    fitted, _ = fit(still("second", second), still("exact", first), recipe=replace(RECIPE, steps=30), observer=observer)
    assert (fitted.curve.candidate, fitted.steps, fitted.finished) == ("exact", 5, False)
    assert isinstance(fitted.critic.critic, Still)


def test_the_scores_of_many_samples_are_those_of_parts(monkeypatch):
    monkeypatch.setattr("mibounds.training.fit._SCORED_ROWS", 7)
    x, y = data(20)
    order = torch.arange(20)
    fitted = Fitted(EXACT, Fold(order, order, order), None)
    assert torch.allclose(fitted.score_pairs(x, y), TASK.log_ratio(x, y))


# The train-test gap


def halves(n=400):
    x, y = TASK.sample(n, torch.Generator().manual_seed(0))
    order = torch.arange(n)
    return x, y, Fold(order[: n // 2], order[:0], order[n // 2 :])


def test_the_gap_of_a_critic_that_overfits_is_that_of_its_scores():
    x, y, fold = halves()
    known = {tuple(row.tolist()) for row in torch.cat([x, y], 1)[fold.train]}

    def overfitted(x, y):
        pairs = torch.cat(torch.broadcast_tensors(x, y), -1)
        bonus = [[0.5 * (tuple(pair.tolist()) in known) for pair in row] for row in pairs]
        return TASK.log_ratio(x, y) + torch.tensor(bonus)

    exact, overfit = (train_test_gap(FunctionCritic(f), x, y, fold) for f in (TASK.log_ratio, overfitted))
    assert overfit - exact == pytest.approx(0.5, abs=0.1)


def test_the_gap_is_of_infonce_over_as_many_training_as_test_samples():
    x, y, fold = halves()
    fold = replace(fold, train=torch.arange(200), test=torch.arange(300, 400))
    train, test = (-float(infonce_loss(EXACT.pairwise(x[rows], y[rows]))) for rows in (slice(100), slice(300, 400)))
    assert train_test_gap(EXACT, x, y, fold) == pytest.approx(train - test, abs=1e-5)
    assert train_test_gap(EXACT, x, y, replace(fold, train=fold.test, test=fold.train)) == pytest.approx(
        test - train, abs=1e-5
    )


def constant_scores(matched, mismatched):
    """A critic of one-hot samples whose scores are these numbers: `matched` for equal samples, else `mismatched`."""
    return FunctionCritic(lambda x, y: torch.where((x * y).sum(-1) > 0, matched(x), mismatched))


@pytest.mark.parametrize("level, saturated", [(2.0, False), (2.4, True), (5.0, True)])
def test_near_the_ceiling_of_infonce_the_gap_is_that_of_the_plug_in(level, saturated):
    """Matched pairs of the training samples score 2 nats more. Of 100 samples InfoNCE is at most 4.6 nats, and within
    2.5 nats of that it no longer shows the difference."""
    n = 100
    x = torch.eye(2 * n)
    fold = Fold(torch.arange(n), torch.arange(0), torch.arange(n, 2 * n))
    bonus = torch.cat([torch.full((n,), 2.0), torch.zeros(n)])
    critic = constant_scores(lambda x: level + x @ bonus, 0.0)
    ceiling = math.log(n)
    of_train, of_test = (score - math.log((math.exp(score) + n - 1) / n) for score in (level + 2, level))
    assert (of_test > ceiling - 2.5) is saturated
    expected = 2.0 if saturated else of_train - of_test
    assert train_test_gap(critic, x, x, fold) == pytest.approx(expected, abs=1e-4)
    assert of_train - of_test < 1.95, "the two differ"


@pytest.mark.parametrize("calibrate", [False, True])
def test_a_fold_records_the_gap_and_what_calibration_gained(calibrate):
    """Twice the exact scores are halved by the calibration."""
    twice = FunctionCritic(lambda x, y: 2 * TASK.log_ratio(x, y))
    fitted, fold = fit(still("exact", twice), recipe=replace(RECIPE, steps=10), calibrate=calibrate)
    assert (fitted.gain > 0.05) is calibrate
    gap = train_test_gap(fitted.critic, *data(), fold)
    assert fitted.train_test_gap == pytest.approx(gap + fitted.gain, abs=1e-6)


# Which candidates are trained to the end


class Racing:
    """A run whose validation loss is 0 before training and given at the ends of the stages."""

    def __init__(self, name, ninth, third):
        self.name, self.losses, self.step, self.reported = name, {0: 0.0, 10: ninth, 30: third}, 0, []
        self.total = 90

    def train(self, until, observer, checked):
        self.step = until

    def check(self):
        pass

    def loss_until(self, step):
        return min(loss for at, loss in self.losses.items() if at <= min(step, self.step))

    def report(self, step, observer):
        self.reported.append(step)


@pytest.mark.parametrize(
    ("losses", "ninth", "third"),
    [
        # 0.15 (1 + 0.8) = 0.27 from the best after a ninth of the steps, 0.01 (1 + 1.1) = 0.021 after a third
        ({"a": (-0.8, -1.0), "b": (-0.54, -0.985), "c": (-0.54, -0.97), "d": (-0.52, -1.1)}, "abc", "ab"),
        ({"a": (0.0, 0.0), "b": (0.0, -0.02), "c": (0.0, -0.1)}, "abc", "c"),
        ({"a": (-0.5, -0.5), "b": (-1.0, -1.0)}, "b", "b"),
    ],
)
def test_candidates_close_to_the_best_are_trained_to_the_end(losses, ninth, third):
    runs = [Racing(name, *pair) for name, pair in losses.items()]
    _race(runs, 90, 1, FoldObserver(), lambda: None)
    assert "".join(run.name for run in runs if run.step >= 30) == ninth
    assert "".join(run.name for run in runs if run.step == 90) == third
    assert all(run.reported == ([] if run.step == 90 else [90]) for run in runs)


@pytest.mark.parametrize(
    ("losses", "steps"),
    [
        # 0.02 (1 + 0) below the best loss before training
        ({"a": (0.0, -0.03), "b": (0.0, -0.02)}, {"a": 270, "b": 270}),
        ({"a": (0.0, -0.019), "b": (0.0, -0.01)}, {"a": 90, "b": 90}),
        ({"a": (-0.8, -1.0), "b": (-0.54, -0.97), "c": (-0.54, -0.6)}, {"a": 270, "b": 90, "c": 30}),
    ],
)
def test_where_training_gains_much_there_are_more_steps(losses, steps):
    """And candidates are judged once more after a third of them, before which all that are not far behind go on."""
    runs = [Racing(name, *pair) for name, pair in losses.items()]
    _race(runs, 90, 3, FoldObserver(), lambda: None)
    assert {run.name: run.step for run in runs} == steps


def test_only_a_default_number_of_steps_of_many_samples_is_raised(monkeypatch):
    candidates = default_candidates(Sample.of(x=torch.randn(60), y=torch.randn(60)), Recipe())

    def longer(n, candidates=candidates, **settings):
        asked = []
        monkeypatch.setattr(cross_fitting, "cross_fit_folds", lambda *_, longer, **__: asked.append(longer))
        cross_fit(candidates, torch.randn(n, 1), torch.randn(n, 1), Recipe(folds=2, **settings))
        return asked

    assert longer(3000) == [3]
    assert longer(3000, steps=120) == longer(2000) == longer(3000, candidates[:1]) == [1]


@pytest.mark.slow
def test_a_spiral_that_only_networks_learn_is_trained_for_longer():
    draw = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, 3000, 2, generator=draw)
    angle = 2 * x.square().sum(1)
    y = torch.stack([x[:, 0] * angle.cos() - x[:, 1] * angle.sin(), x[:, 0] * angle.sin() + x[:, 1] * angle.cos()], 1)
    y = y + 0.1 * noise
    recipe = Recipe(folds=2, hidden=(16,))
    evaluation = cross_fit(default_candidates(Sample.of(x=x, y=y), recipe), x, y, recipe)
    assert max(max(one.curve.steps) for one in evaluation.fitted) > 500


# Supervised features


def product(n=600):
    """y is the sign of a product of two columns."""
    x, noise = torch.randn(2, n, 2, generator=torch.Generator().manual_seed(0)).unbind(0)
    return x, (x[:, :1] * x[:, 1:]).sign() + 0.3 * noise[:, :1]


def supervised(calibrate=False, recipe=RECIPE):
    x, y = product()
    fold = fold_of(x)
    supervision = Supervision(SupervisedFeatures(2, 1))
    candidate = Candidate("Gaussian", MIEstimator(GaussianCritic(), InfoNCE()), RankGaussianize())
    told = []
    observer = FoldObserver(advance=lambda steps, name: told.append((steps, name)))
    fitted = fit_fold([candidate], x, y, fold, recipe, observer, calibrate=calibrate, supervision=supervision)
    return fitted, supervision, told


def test_features_are_columns_of_every_candidate_and_part_of_the_critic():
    x, y = product()
    fitted, supervision, told = supervised()
    fold = fitted.fold
    assert told[0] == (0, "supervised features")
    assert sum(steps for steps, _ in told) == RECIPE.steps, "a critic without weights makes none, and counts as done"
    assert (fitted.steps, fitted.curve.steps) == (0, (0,))
    plain, _ = fit(Candidate("Gaussian", MIEstimator(GaussianCritic(), InfoNCE()), RankGaussianize()), x=x, y=y)
    assert float(fitted.score_pairs(x[fold.test], y[fold.test]).mean()) > 0.2
    assert abs(float(plain.score_pairs(x[fold.test], y[fold.test]).mean())) < 0.05, "no correlation without them"
    assert isinstance(fitted.critic, Encoded)
    (map_x, _), more_x, more_y = supervision.augment(x, y, fold)
    assert torch.equal(fitted.critic.encoder_x(x), map_x(x))
    assert isinstance(fitted.critic.encoder_y, nn.Identity)
    test = fitted.critic.critic(more_x[fold.test], more_y[fold.test])
    assert torch.allclose(fitted.score_pairs(x[fold.test], y[fold.test]), test, atol=1e-5)
    gap = train_test_gap(fitted.critic.critic, more_x, more_y, fold)
    assert fitted.train_test_gap == pytest.approx(gap + fitted.gain, abs=1e-5), "of out-of-sample features"
    assert abs(gap) < 0.1
    assert train_test_gap(fitted.critic, x, y, fold) > gap + 0.02, "of models that trained on the samples"
