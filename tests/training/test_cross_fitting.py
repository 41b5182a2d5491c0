import math
from dataclasses import replace

import pytest
import torch

from mibounds import MIEstimator, RankGaussianize
from mibounds.bounds import InfoNCE
from mibounds.critics import FunctionCritic, JointCritic, SeparableCritic
from mibounds.results.result import Curve
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import cross_fitting
from mibounds.training.candidates import Candidate
from mibounds.training.cross_fitting import cross_fit, cross_fit_folds
from mibounds.training.fit import Fitted, train_test_gap
from mibounds.training.folds import split
from mibounds.training.recipe import Recipe

TASK = CorrelatedGaussian(2, 0.8)
X, Y = TASK.sample(300, torch.Generator().manual_seed(0))
RECIPE = Recipe(steps=10, batch_size=64, lr=3e-3, check_every=5, folds=3)
FILLED = RECIPE.filled(300, 160)
STANDARD = ["InfoNCE", "DonskerVaradhan", "NWJ", "SMILE", "PlugIn"]


def candidate(name="one", **options):
    torch.manual_seed(0)
    return Candidate(name, MIEstimator(SeparableCritic(2, 2, hidden=(8,)), InfoNCE(), **options), RankGaussianize())


def gap_of(fitted):
    return train_test_gap(fitted.critic, X, Y, fitted.fold) + fitted.gain


@pytest.fixture
def fits(monkeypatch):
    """Replaces training: each fold has the exact critic, and the result of a training that is given here."""
    given, recipes = {}, []

    def fit_fold(candidates, x, y, fold, recipe, observer, *, calibrate, sampler, supervision, halve, longer, clusters):
        recipes.append(recipe)
        changes = given.get(len(recipes) - 1, {})
        loss = changes.get("loss", -1.0)
        finished = changes.get("finished", True)
        if changes.get("stopped"):
            return None
        if changes.get("interrupt"):
            observer.stop.set()
        critic = FunctionCritic(lambda x, y: TASK.log_ratio(x, y) * changes.get("factor", 1) + changes.get("shift", 0))
        curve = Curve((0, 10), (0.0, loss), 10, "exact")
        gap = 0.0 if sampler is not None else train_test_gap(critic, x, y, fold)
        return Fitted(critic, fold, curve, steps=10, finished=finished, train_test_gap=gap)

    monkeypatch.setattr(cross_fitting, "fit_fold", fit_fold)
    return given, recipes


def test_each_sample_is_scored_once_by_the_critic_of_its_own_fold():
    splits = split(300, 3, 0.2, torch.Generator().manual_seed(0))
    found = cross_fit_folds([candidate()], X, Y, splits, FILLED)
    assert [fitted.fold for fitted in found.fitted] == splits
    assert found.n == 300
    assert torch.equal(found.tested, torch.cat([fold.test for fold in splits]))
    for i, fitted in enumerate(found.fitted):
        own = fitted.score_pairs(X[fitted.fold.test], Y[fitted.fold.test])
        assert torch.allclose(found.scores[i * 100 : (i + 1) * 100], own, atol=1e-5)
    assert (list(found.by_bound), found.warnings) == (STANDARD, ())
    assert len(found.by_bound["InfoNCE"].directions) == 1
    gaps = [gap_of(fitted) for fitted in found.fitted]
    assert found.train_test_gap == pytest.approx(sum(gaps) / 3)
    assert found.train_n == min(len(fold.train) for fold in splits)


def test_the_recipe_makes_the_folds(fits):
    _, recipes = fits
    found = cross_fit([candidate(symmetric=True)], X, Y, replace(RECIPE, seed=3))
    for ours, theirs in zip(found.fitted, replace(RECIPE, seed=3).splits(300), strict=True):
        assert torch.equal(ours.fold.test, theirs.test)
    assert {recipe.batch_size for recipe in recipes} == {64}
    assert len(found.by_bound["InfoNCE"].directions) == 2
    automatic = Recipe(folds=2, check_every=7)
    cross_fit([candidate()], X, Y, automatic)
    assert (recipes[-1].steps, recipes[-1].check_every, recipes[-1].batch_size) == (300, 7, 128 // 4)


def test_the_smallest_fold_decides_the_batch_size(fits):
    _, recipes = fits
    order = torch.arange(300)
    cv = [(order[:100], order[200:]), (order[100:], order[:100])]  # 85 and 170 samples train
    found = cross_fit([candidate()], X, Y, Recipe(cv=cv))
    assert {recipe.batch_size for recipe in recipes} == {85 // 4}
    assert (found.n, found.train_n) == (200, 85)


def test_the_seeds_of_the_folds_of_neighboring_seeds_are_all_different(fits):
    _, recipes = fits
    for seed in (3, 4):
        cross_fit([candidate()], X, Y, replace(RECIPE, seed=seed, workers=1))
    assert [recipe.seed for recipe in recipes] == [3027, 3028, 3029, 4036, 4037, 4038]


def test_the_one_fold_of_a_stream_has_the_seed_of_the_recipe_and_no_gap(fits):
    _, recipes = fits
    (fold, *_) = split(300, 3, 0.2, torch.Generator().manual_seed(0))
    found = cross_fit_folds([candidate()], X, Y, [fold], replace(FILLED, seed=3), sampler=TASK.sample)
    assert [recipe.seed for recipe in recipes] == [3]
    assert found.train_test_gap == 0.0
    assert cross_fit_folds([candidate()], X, Y, [fold], FILLED).train_test_gap != 0.0


def test_consecutive_samples_of_blocked_folds_are_clusters(fits):
    """The standard error of a series rests on 50 runs of samples."""
    found = cross_fit([candidate()], X, Y, replace(RECIPE, split="blocked"))
    assert found.tested.tolist() == list(range(300))
    for one in found.by_bound.values():
        assert torch.equal(one.cluster, torch.arange(50).repeat_interleave(6))
    assert cross_fit([candidate()], X, Y, RECIPE).by_bound["PlugIn"].cluster is None


def test_groups_are_clusters_and_are_not_divided(fits):
    groups = torch.arange(300) % 30
    found = cross_fit([candidate()], X, Y, RECIPE, groups=groups)
    assert torch.equal(found.by_bound["PlugIn"].cluster, groups[found.tested])
    for fitted in found.fitted:
        assert not set(groups[fitted.fold.test].tolist()) & set(groups[fitted.fold.train].tolist())


def test_with_a_number_of_negatives_some_folds_may_need_all_pairs(fits):
    """Fold 2 is above 5 nats, where shifts are not used: its samples have 99 mismatched pairs, and one direction."""
    given, _ = fits
    given[1] = {"shift": 6.0}
    found = cross_fit([candidate(symmetric=True)], X, Y, replace(RECIPE, test_negatives=70, workers=1))
    assert [len(one.directions) for one in found.by_bound.values()] == [1] * 5
    low, high, _ = found.by_bound["PlugIn"].fold_values()
    assert low < 5 < high
    assert found.by_bound["InfoNCE"].ceiling == pytest.approx(math.log(71))


def test_an_interrupted_fit_reports_folds_that_finished_and_others_that_are_not_clearly_worse(fits):
    """The best validation loss is -1: a fold that was interrupted above -0.8 is left out, a finished one is not."""
    given, _ = fits
    given |= {
        0: {"loss": -1.0, "finished": False},
        1: {"loss": -0.81, "finished": False},
        2: {"loss": -0.79, "finished": False, "factor": 3.0},
        3: {"loss": -0.5},
        4: {"stopped": True},
    }
    recipe = replace(RECIPE, folds=5, workers=1, batch_size=32)
    splits = recipe.splits(300)
    found = cross_fit([candidate()], X, Y, recipe)
    assert [len(fitted.fold.test) for fitted in found.fitted] == [60] * 3
    assert torch.equal(found.tested, torch.cat([splits[i].test for i in (0, 1, 3)]))
    gaps = [gap_of(fitted) for fitted in found.fitted]
    assert found.train_test_gap == pytest.approx(sum(gaps) / 3), "of the folds that are reported"
    (warning,) = found.warnings
    assert warning.code == "interrupted"
    assert str(warning).startswith(
        "Training was interrupted after 40 steps: of 5 folds 1 had finished, 2 are evaluated with the best weights so "
        "far, and 2 are left out."
    )


def test_only_finished_folds_are_written_as_evaluated(fits, tmp_path):
    given, recipes = fits
    given[1] = {"finished": False}
    recipe = replace(RECIPE, workers=1, checkpoint=tmp_path)
    first = cross_fit([candidate()], X, Y, recipe)
    assert sorted(path.name for path in tmp_path.glob("fold-*")) == ["fold-1.checkpoint", "fold-3.checkpoint"]
    given[1] = {}
    given |= {i: {"factor": 0.5} for i in (3, 4, 5)}  # of the second fit
    second = cross_fit([candidate()], X, Y, replace(recipe, resume=True))
    assert torch.equal(second.scores[:100], first.scores[:100]), "they are read back, and not evaluated again"
    assert torch.allclose(second.scores[100:200], first.scores[100:200] / 2)
    assert len(recipes) == 6
    gaps = [gap_of(fitted) for fitted in second.fitted]
    assert second.train_test_gap == pytest.approx(sum(gaps) / 3)


def test_a_fold_that_was_saved_is_reported_although_the_fit_is_interrupted_before_it(fits, tmp_path):
    given, recipes = fits
    given[2] = {"stopped": True}
    recipe = replace(RECIPE, workers=1, checkpoint=tmp_path)
    assert cross_fit([candidate()], X, Y, recipe).n == 200
    given[3] = {"interrupt": True}  # in the first fold of the second fit
    found = cross_fit([candidate()], X, Y, replace(recipe, resume=True))
    assert (found.n, len(recipes)) == (200, 5), "the third fold had no state, and is not begun"


def test_a_checkpoint_that_cannot_be_written_is_a_warning(fits, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mibounds.training.checkpoints.write_bytes", full)
    found = cross_fit([candidate()], X, Y, replace(RECIPE, checkpoint=tmp_path))
    assert [warning.code for warning in found.warnings] == ["checkpoint"]


def test_a_fit_without_a_step_is_a_keyboard_interrupt(fits):
    given, _ = fits
    given |= {i: {"stopped": True} for i in range(3)}
    with pytest.raises(KeyboardInterrupt):
        cross_fit([candidate()], X, Y, replace(RECIPE, workers=1))


def test_a_candidate_that_does_not_fit_the_recipe_is_refused_before_training(fits):
    _, recipes = fits
    joint = MIEstimator(JointCritic(2, 2, hidden=(8,)), InfoNCE(), negatives=64)
    with pytest.raises(ValueError, match="negatives is 64, and a batch of 64 samples has 63 others"):
        cross_fit([candidate(), Candidate("joint", joint)], X, Y, RECIPE)
    with pytest.raises(ValueError, match="batch_size is 250, and a fold trains on 170 samples"):
        cross_fit([candidate()], X, Y, replace(RECIPE, batch_size=250))
    assert recipes == []


@pytest.mark.parametrize("workers, threads, count", [(None, 1, 1), (None, 8, 3), (2, 1, 2), (8, 1, 3), (1, 8, 1)])
def test_folds_are_trained_side_by_side_as_the_recipe_or_the_threads_of_torch_say(workers, threads, count, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    recipe = replace(RECIPE, workers=workers)
    assert cross_fitting._worker_count(recipe, 3, 5000) == count
    assert cross_fitting._worker_count(recipe, 3, 4999) == (1 if workers is None else count)
