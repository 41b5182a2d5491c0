import math
from dataclasses import replace

import pytest
import torch

from mibounds._math import off_diagonal
from mibounds.bounds import NWJ, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.critics import FunctionCritic
from mibounds.results.result import Curve
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import evaluation
from mibounds.training.evaluation import CLASSIFIER, Evaluation, FoldEvaluation, evaluate_fold
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.warnings import CheckpointWarning

TASK = CorrelatedGaussian.with_information(5, 1.0)
HIGH = CorrelatedGaussian.with_information(5, 8.0)
EXACT = FunctionCritic(TASK.log_ratio)
NO_FOLD = Fold(*[torch.empty(0, dtype=torch.long)] * 3)
CURVE = Curve((0,), (0.0,), 0, "exact")
BOUNDS = {"InfoNCE": InfoNCE(), "DonskerVaradhan": DonskerVaradhan(), "PlugIn": PlugIn()}


def evaluate(n=300, seed=0, task=TASK, **options):
    x, y = task.sample(n, torch.Generator().manual_seed(seed))
    options = {"both": True, "negatives": "all", "seed": 0, **options}
    return evaluate_fold(FunctionCritic(task.log_ratio), x, y, [*BOUNDS.values()], **options)


def fitted(fold=NO_FOLD, critic=EXACT, **options):
    return Fitted(critic, fold, CURVE, **options)


def folds_of(*indices):
    """Folds that test these samples."""
    empty = torch.empty(0, dtype=torch.long)
    return [fitted(Fold(empty, empty, torch.as_tensor(test))) for test in indices]


def pooled(*folds):
    starts = [sum(len(fold.scores) for fold in folds[:i]) for i in range(len(folds))]
    tests = [torch.arange(len(fold.scores)) + start for fold, start in zip(folds, starts, strict=True)]
    return Evaluation.pooled(BOUNDS, folds, folds_of(*tests))


# One fold


def test_all_pairs_of_a_block_are_evaluated(monkeypatch):
    assert evaluate().negatives == 299
    monkeypatch.setattr(evaluation, "_BLOCK", 100)
    blocked = evaluate()
    assert blocked.negatives == 99
    assert len(blocked.by_bound[0][0][0]) == 300
    whole = pooled(blocked)
    assert whole.by_bound["InfoNCE"].ceiling == pytest.approx(math.log(100))
    assert whole.by_bound["InfoNCE"].value() == pytest.approx(1.0, abs=0.15)


def test_the_smallest_block_limits_infonce(monkeypatch):
    monkeypatch.setattr(evaluation, "_BLOCK", 100)
    found = evaluate(n=250)  # blocks of 83, 84 and 83
    assert found.negatives == 82
    x, y = TASK.sample(250, torch.Generator().manual_seed(0))
    (joint,) = found.by_bound[2][0]
    assert torch.allclose(joint, TASK.log_ratio(x, y), atol=1e-5)
    grid = EXACT.pairwise(x[83:167], y[83:167])
    assert torch.allclose(found.by_bound[0][0][0][83:167], InfoNCE().reduce_grid(grid.mT)[0], atol=1e-5)
    assert torch.allclose(found.by_bound[0][1][0][83:167], InfoNCE().reduce_grid(grid)[0], atol=1e-5)


def test_one_direction_keeps_the_y_of_a_sample():
    x, y = TASK.sample(300, torch.Generator().manual_seed(0))
    (only,) = evaluate(both=False).by_bound[1]
    first, second = evaluate().by_bound[1]
    log_mean = torch.logsumexp(off_diagonal(EXACT.pairwise(x, y).mT), 1) - math.log(299)
    assert torch.allclose(only[1], log_mean, atol=1e-5)
    assert torch.equal(only[1], first[1])
    assert not torch.allclose(second[1], first[1], atol=1e-2)


@pytest.mark.parametrize("negatives", ["all", 64])
def test_only_the_test_samples_are_evaluated(monkeypatch, negatives):
    monkeypatch.setattr(evaluation, "_BLOCK", 100)
    x, y = TASK.sample(400, torch.Generator().manual_seed(3))
    test = torch.randperm(400, generator=torch.Generator().manual_seed(4))[:230]
    options = {"both": True, "negatives": negatives, "seed": 0}
    chosen = evaluate_fold(EXACT, x, y, [*BOUNDS.values()], test=test, **options)
    part = evaluate_fold(EXACT, x[test], y[test], [*BOUNDS.values()], **options)
    assert torch.equal(chosen.scores, part.scores)
    for ours, theirs in zip(chosen.by_bound, part.by_bound, strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(mine, other, strict=True))


def test_fewer_than_64_shifts_are_not_used():
    assert evaluate(negatives=63).negatives == 299
    assert evaluate(negatives=64).negatives == 64
    assert evaluate(n=50, negatives=60).negatives == 49
    assert evaluate(n=50, negatives=49).negatives == 49
    assert evaluate(n=50, negatives=48).negatives == 49, "all pairs"
    assert len(evaluate(n=50, negatives=49).by_bound[0]) == 1


def test_shifts_are_not_used_from_five_nats_on():
    assert evaluate(negatives=64, task=HIGH).negatives == 299
    x, y = TASK.sample(300, torch.Generator().manual_seed(0))
    mean = float(TASK.log_ratio(x, y).mean())
    for value, negatives in ((4.99, 64), (5.01, 299)):
        critic = FunctionCritic(lambda x, y, value=value: TASK.log_ratio(x, y) + value - mean)
        assert evaluate_fold(critic, x, y, [PlugIn()], both=True, negatives=64, seed=0).negatives == negatives


def test_the_seed_draws_the_shifts():
    x, y = TASK.sample(300, torch.Generator().manual_seed(0))
    one, same, other = (
        evaluate_fold(EXACT, x, y, [*BOUNDS.values()], both=True, negatives=64, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(one.by_bound[1][0][1], same.by_bound[1][0][1])
    assert not torch.equal(one.by_bound[1][0][1], other.by_bound[1][0][1])


@pytest.mark.parametrize("negatives", [16, 64, 299])
def test_with_a_number_of_negatives_all_folds_evaluate_the_same_directions(negatives):
    """One fold is below 5 nats and is evaluated with shifts, the other is above and is evaluated with all pairs."""
    below, above = evaluate(negatives=negatives), evaluate(negatives=negatives, task=HIGH, seed=1)
    assert {len(directions) for one in (below, above) for directions in one.by_bound} == {1}
    found = pooled(below, above)
    assert found.by_bound["PlugIn"].value() == pytest.approx(4.5, abs=0.5)
    assert found.by_bound["InfoNCE"].ceiling == pytest.approx(math.log(1 + min(below.negatives, above.negatives)))


# All folds


def test_folds_are_pooled():
    found = pooled(evaluate(seed=1), evaluate(n=200, seed=2))
    assert found.n == 500
    assert len(found.by_bound["PlugIn"].fold_values()) == 2
    assert found.by_bound["PlugIn"].fold.bincount().tolist() == [300, 200]
    assert found.by_bound["InfoNCE"].ceiling == pytest.approx(math.log(200))
    assert found.by_bound["PlugIn"].ceiling == math.inf
    assert len(found.scores) == 500


def test_what_else_is_pooled():
    folds = [fitted(Fold(torch.arange(k), torch.arange(0), torch.arange(300))) for k in (70, 60, 80)]
    warning = CheckpointWarning("full")
    options = {"train_test_gap": 0.25, "warnings": [warning]}
    found = Evaluation.pooled(BOUNDS, [evaluate()] * 3, folds, **options)
    assert (found.train_n, found.train_test_gap, found.warnings) == (60, 0.25, (warning,))
    assert found.fitted == tuple(folds)
    assert found.by_bound["PlugIn"].cluster is None


def test_the_clusters_are_those_of_the_test_samples():
    tests = torch.randperm(300, generator=torch.Generator().manual_seed(4)).split(150)
    clusters = torch.arange(300) // 10
    found = Evaluation.pooled(BOUNDS, [evaluate(n=150), evaluate(n=150, seed=1)], folds_of(*tests), clusters=clusters)
    assert torch.equal(found.tested, torch.cat(tests))
    for one in found.by_bound.values():
        assert torch.equal(one.cluster, torch.cat(tests) // 10)


def test_bounds_share_the_scores_of_matched_pairs(monkeypatch):
    monkeypatch.setattr(evaluation, "_BLOCK", 100)
    found = pooled(evaluate(seed=1), evaluate(seed=2))
    (joint,) = found.by_bound["PlugIn"].directions[0]
    for name in ("PlugIn", "DonskerVaradhan"):
        assert all(rows[0].data_ptr() == joint.data_ptr() for rows in found.by_bound[name].directions), name


def test_a_bound_is_found_by_its_role():
    found = pooled(evaluate())
    assert found.find("contrastive", "lower") is found.by_bound["InfoNCE"]
    assert found.find("log-mean", "lower") is found.by_bound["DonskerVaradhan"]
    assert found.find("none", "neither") is found.by_bound["PlugIn"]
    assert found.find("mean", "lower") is None
    assert found.find("none", "lower") is None
    own = {"own": replace(found.by_bound["InfoNCE"], ceiling=1.0)}
    assert replace(found, by_bound={**found.by_bound, **own}).find("contrastive", "lower").ceiling > 1, "the first"


@pytest.mark.parametrize("negatives", ["all", 64])
def test_every_sample_has_its_own_score_in_the_order_of_the_samples(negatives, monkeypatch):
    monkeypatch.setattr(evaluation, "_BLOCK", 90)
    x, y = TASK.sample(300, torch.Generator().manual_seed(3))
    tests = torch.randperm(300, generator=torch.Generator().manual_seed(4)).split(150)
    options = {"both": True, "negatives": negatives, "seed": 0}
    folds = [evaluate_fold(EXACT, x[t], y[t], [*BOUNDS.values()], **options) for t in tests]
    found = Evaluation.pooled(BOUNDS, folds, folds_of(*tests))
    assert torch.allclose(found.pointwise(), EXACT(x, y), atol=1e-5)
    assert float(found.pointwise().mean()) == pytest.approx(found.by_bound["PlugIn"].value(), abs=1e-6)


def test_a_sample_that_was_dropped_or_not_tested_has_no_score():
    folds = [FoldEvaluation([((torch.tensor([1.0, 2.0]),),)], 1, torch.tensor([1.0, 2.0]))]
    found = Evaluation.pooled({"PlugIn": PlugIn()}, folds, folds_of([2, 0]))
    assert found.pointwise(4).nan_to_num(-1).tolist() == [2, -1, 1, -1]
    assert found.pointwise(6, kept=torch.tensor([1, 3, 5])).nan_to_num(-1).tolist() == [-1, 2, -1, -1, -1, 1]
    assert found.pointwise().tolist() == [2, 1]


# Labels


@pytest.mark.parametrize("label", ["x", "y"])
def test_a_classifier_by_hand(label):
    """Three classes with frequencies 1/2, 1/4, 1/4, and scores f of each value with each class."""
    classes = torch.tensor([[0.0], [0.0], [1.0], [2.0]])
    values = torch.tensor([[0.3], [-0.2], [0.5], [0.1]])
    f = values * torch.tensor([1.0, 2.0, 4.0])  # (N, C)
    frequencies = torch.tensor([0.5, 0.25, 0.25])
    posterior = frequencies * f.exp()
    log_q = (posterior / posterior.sum(1, keepdim=True)).log()
    place = torch.tensor([0, 0, 1, 2])
    expected = -(frequencies * frequencies.log()).sum() + log_q.gather(1, place[:, None]).mean()

    def score(one, other):
        labels, observed = (one, other) if label == "x" else (other, one)
        return (observed * 2**labels).sum(-1)

    x, y = (classes, values) if label == "x" else (values, classes)
    tests = [3, 1], [0, 2]
    folds = [evaluate_fold(FunctionCritic(score), x[t], y[t], [InfoNCE()], both=True, negatives="all", seed=0)
             for t in map(torch.tensor, tests)]  # fmt: skip
    parts = [replace(one, critic=FunctionCritic(score)) for one in folds_of(*tests)]
    plain = Evaluation.pooled({"InfoNCE": InfoNCE()}, folds, parts)
    found = plain.with_classifier(x, y, label)
    assert list(found.by_bound) == ["InfoNCE", CLASSIFIER]
    assert CLASSIFIER not in plain.by_bound, "the evaluation that was given is left unchanged"
    classifier = found.by_bound[CLASSIFIER]
    assert classifier.value() == pytest.approx(float(expected), abs=1e-6)
    assert classifier.ceiling == math.inf
    of_first = (log_q - frequencies.log())[[3, 1], [2, 0]].mean()
    assert classifier.fold_values()[0] == pytest.approx(float(of_first), abs=1e-6)


def test_a_perfect_classifier_has_the_entropy_of_the_label_and_no_more():
    labels = (torch.arange(40) % 4).float()[:, None]
    critic = FunctionCritic(lambda x, y: torch.where((x == y).all(-1), 100.0, 0.0))
    (fold,) = folds_of(torch.arange(40))
    folds = [evaluate_fold(critic, labels, labels, [NWJ()], both=True, negatives="all", seed=0)]
    found = Evaluation.pooled({"NWJ": NWJ()}, folds, [replace(fold, critic=critic)]).with_classifier(
        labels, labels, "y"
    )
    assert found.by_bound[CLASSIFIER].value() == pytest.approx(math.log(4), abs=1e-6)
