"""The permutation test: what is permuted, its level on dependent rows, and what changes the statistic."""

import importlib
import math

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.critics import FunctionCritic
from mibounds.data import Sample
from mibounds.estimation.independence_test import (
    SHARED_FOLDS,
    _permutation,
    _under_permutations,
    permutation_pvalue,
    smaller_pvalue,
)
from mibounds.results import Curve, Result
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.training.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

MODULE = importlib.import_module("mibounds.estimation.independence_test")
QUICK = {"folds": 2, "steps": 40, "hidden": (32,)}
PRODUCT = FunctionCritic(lambda x, y: (x * y).sum(-1))


def normals(n=200, seed=0, columns=1):
    return torch.randn(2, n, columns, generator=torch.Generator().manual_seed(seed))


def result_with(critics, *folds, **fields):
    """A result whose folds test these rows by these critics."""
    curve = Curve((0,), (0.0,), 0, "given")
    fitted = [Fitted(c, Fold(rows[:0], rows[:0], rows), curve) for c, rows in zip(critics, folds, strict=True)]
    values = {"value": 0.0, "estimates": {"InfoNCE": 0.0}, **fields}
    return Result(stderr=0.0, method="InfoNCE", n=10, fitted=tuple(fitted), **values)


def under_permutations(result, sample, count, seed=0, recipe=None):
    generator = torch.Generator().manual_seed(seed)
    return _under_permutations(result, sample, Recipe() if recipe is None else recipe, count, generator)


def sample_of(x, y, **options):
    return Sample.of(x=x, y=y, **options)


def test_a_dependence_without_correlation_is_found():
    x, noise = normals()
    y = x.square() + 0.3 * noise
    found = mi.independence_test(x, y, permutations=99, **QUICK)
    assert found.pvalue == 0.01
    assert found.statistic == found.estimate.estimates["InfoNCE"] > 0.03
    assert found.estimate == mi.estimate(x, y, **QUICK)
    assert (found.permutations, found.retrained) == (99, False)
    again = mi.independence_test(x, y, permutations=99, unit="bits", **QUICK)
    assert again.pvalue == found.pvalue
    assert again.statistic == pytest.approx(found.statistic / math.log(2))
    assert again.estimate.unit == "bits"


@pytest.mark.usefixtures("one_regularization")
def test_retraining_finds_a_dependence_too():
    x, noise = normals(100)
    found = mi.independence_test(x, x + 0.5 * noise, permutations=9, retrain=True, critic="separable", **QUICK)
    assert found.retrained
    assert found.pvalue == 0.1


def test_a_constant_is_independent_of_everything():
    x, _ = normals(60)
    for retrain in (False, True):
        found = mi.independence_test(x, torch.ones(60), permutations=19, retrain=retrain, **QUICK)
        assert found.statistic == 0
        assert 0 < found.pvalue <= 1


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("retrain", [False, True])
def test_the_pvalue_of_a_constant_is_one_whatever_the_seed(retrain):
    x = torch.randn(60, 1, generator=torch.Generator().manual_seed(0))
    for seed in range(3):
        found = mi.independence_test(x, torch.ones(60), permutations=19, retrain=retrain, seed=seed)
        assert (found.pvalue, found.statistic) == (1.0, 0.0)


def test_a_constant_critic_gives_no_evidence():
    x, y = normals(50)
    nothing = FunctionCritic(lambda x, y: (0 * x * y).sum(-1))
    observed, drawn = under_permutations(result_with([nothing], torch.arange(50)), sample_of(x, y), 99)
    assert observed == 0
    assert not drawn.any()
    assert permutation_pvalue(observed, drawn) == 1


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_critics_that_learn_nothing_reject_nothing():
    """Of 154 rows, ties that were broken at random gave 0.01 whatever the data."""
    short = {"recipe": "quick", "steps": 5, "hidden": (8,), "permutations": 99}
    assert sum(mi.independence_test(*normals(154, seed), **short).pvalue <= 0.05 for seed in range(4)) <= 1


def test_the_pvalue_counts_the_observed_value_among_the_draws():
    drawn = torch.tensor([0.0, 1.0, 2.0, 3.0])
    assert permutation_pvalue(2.5, drawn) == pytest.approx(2 / 5)
    assert permutation_pvalue(9.0, drawn) == pytest.approx(1 / 5)
    assert permutation_pvalue(-1.0, drawn) == 1
    assert permutation_pvalue(2.0, drawn) == permutation_pvalue(2.0 + 1e-12, drawn) == pytest.approx(3 / 5)


def test_retrain_is_true_or_false():
    with pytest.raises(TypeError, match=r"retrain is 'no' \(a str\): expected True or False"):
        mi.independence_test(*normals(60), retrain="no")


def test_the_statistic_is_the_sum_of_matched_scores_less_the_mean_of_all_by_hand(monkeypatch):
    x, y = normals(60)
    halves = torch.arange(60).split(30)
    observed, drawn = under_permutations(result_with([PRODUCT] * 2, *halves), sample_of(x, y), 500)
    expected = sum(float((x[h] * y[h]).sum() - 30 * x[h].mean() * y[h].mean()) for h in halves)
    assert observed == pytest.approx(expected, rel=1e-4)
    assert float(drawn.mean()) == pytest.approx(0, abs=0.2 * float(drawn.std()))
    spread = math.sqrt(sum(float(x[h].var() * y[h].var()) * 29 for h in halves))
    assert float(drawn.std()) == pytest.approx(spread, rel=0.15)
    monkeypatch.setattr(MODULE, "_BLOCK", 10)
    blocks = torch.arange(60).split(10)
    in_blocks, _ = under_permutations(result_with([PRODUCT] * 2, *halves), sample_of(x, y), 3)
    assert in_blocks == pytest.approx(
        sum(float((x[b] * y[b]).sum() - 10 * x[b].mean() * y[b].mean()) for b in blocks), rel=1e-4
    )


def test_matchings_stay_within_folds():
    """Rows of two folds of different levels: a matching across them would differ by 100, one within by nothing."""
    x = torch.cat([torch.zeros(30, 1), torch.full((30, 1), 10.0)])
    folds = torch.arange(30), torch.arange(30, 60)
    observed, drawn = under_permutations(result_with([PRODUCT] * 2, *folds), sample_of(x, x), 20)
    assert observed == pytest.approx(0)
    assert drawn.abs().max() < 1e-6


def test_chance_that_two_folds_share_is_not_counted_twice():
    """Thirty slopes fitted to the other fold's rows, on independent rows: permutations within the folds alone reject
    too often, with deviations multiplied by sqrt 2 they do not."""
    rejected = {1.0: 0, SHARED_FOLDS: 0}
    for seed in range(200):
        x, y = normals(60, seed, columns=30)
        halves = torch.arange(30), torch.arange(30, 60)
        slopes = [(x[rows] * y[rows]).mean(0) for rows in halves]
        critics = [FunctionCritic(lambda u, v, slope=slope: (slope * u * v).sum(-1)) for slope in slopes[::-1]]
        observed, drawn = under_permutations(result_with(critics, *halves), sample_of(x, y), 99, seed)
        for stretch in rejected:
            rejected[stretch] += permutation_pvalue(observed, stretch * drawn) <= 0.1
    assert rejected[1.0] / 200 > 0.13
    assert rejected[SHARED_FOLDS] / 200 < 0.13


def test_the_test_multiplies_deviations_once_and_compares_what_is_conservative(monkeypatch):
    """Draws of 1 to 9 times sqrt 2 against 10: six of nine are below."""
    sample = sample_of(*normals(60))
    for extrapolated in (False, True):
        fields = {"value": 3.0, "estimates": {"InfoNCE": 0.7, "PlugIn": 3.0}, "extrapolated": extrapolated}
        result = result_with([PRODUCT], torch.arange(60), **fields)
        monkeypatch.setattr(MODULE, "_estimate", lambda *_, result=result: result)
        monkeypatch.setattr(MODULE, "_under_permutations", lambda *_: (10.0, torch.arange(1.0, 10.0)))
        found = MODULE._independence_test(sample, Recipe(), 9)
        assert found.statistic == 0.7
        assert found.pvalues["critics"] == pytest.approx((1 + 2) / 10)  # 8 and 9 times sqrt 2 are above 10, 7 is not
    assert math.isclose(SHARED_FOLDS, math.sqrt(2))


def test_permutations_retrained_are_of_y_and_each_has_its_folder(monkeypatch):
    x, y = normals(60)
    calls = []

    def estimate(sample, recipe):
        calls.append((sample, recipe))
        return result_with([], value=float(len(calls)), estimates={"InfoNCE": 10.0 - 2 * len(calls)})

    monkeypatch.setattr(MODULE, "_estimate", estimate)
    found = MODULE._independence_test(sample_of(x, y), Recipe(checkpoint="run", seed=3), 4, retrain=True)
    assert found.statistic == 8
    assert found.pvalue == pytest.approx(1 / 5), "none of 6, 4, 2 and 0 reaches it"
    assert [recipe.checkpoint.as_posix() if i else "run" for i, (_, recipe) in enumerate(calls)] == [
        "run", *(f"run/permutation {i}" for i in range(1, 5)),
    ]  # fmt: skip
    first, *others = (sample for sample, _ in calls)
    assert torch.equal(first.y.values, y)
    for sample in others:
        assert torch.equal(sample.x.values, x)
        assert not torch.equal(sample.y.values, y)
        assert torch.equal(sample.y.values.sort(0).values, y.sort(0).values)


# Dependent rows


def test_groups_move_as_a_whole_and_keep_the_order_of_their_rows():
    clusters = torch.tensor([5, 5, 2, 2, 9, 9, 5, 2, 9])
    generator = torch.Generator().manual_seed(0)
    found = set()
    for _ in range(40):
        order = _permutation(9, clusters, generator)
        assert order.sort().values.tolist() == [*range(9)]
        moved = clusters[order]
        for cluster in (2, 5, 9):
            place = (clusters == cluster).nonzero().flatten()
            assert len(moved[place].unique()) == 1, "a group takes the place of a group"
            assert order[place].diff().gt(0).all(), "in the order of its rows"
        found.add(tuple(order.tolist()))
    assert len(found) == 6, "all orders of three groups"
    assert len({tuple(_permutation(3, None, generator).tolist()) for _ in range(40)}) == 6


def test_groups_of_different_sizes_are_permuted_too():
    clusters = torch.repeat_interleave(torch.arange(4), torch.tensor([1, 5, 2, 4]))
    order = _permutation(12, clusters, torch.Generator().manual_seed(1))
    assert order.sort().values.tolist() == [*range(12)]
    runs = clusters[order].unique_consecutive()
    assert sorted(runs.tolist()) == [0, 1, 2, 3], "every group is in one piece"


def rejections(recipe, groups):
    """Of forty independent data sets of ten nearly equal rows each, how many a fixed critic rejects at 0.05."""
    rejected = 0
    for seed in range(40):
        x, y = (
            side.repeat_interleave(10, 0) + 0.1 * torch.randn(200, 1, generator=torch.Generator().manual_seed(seed))
            for side in normals(20, seed)
        )
        sample = sample_of(x, y, groups=groups)
        halves = torch.arange(200).split(100)
        observed, drawn = under_permutations(result_with([PRODUCT] * 2, *halves), sample, 99, seed, recipe)
        rejected += permutation_pvalue(observed, drawn) <= 0.05
    return rejected


def test_the_level_holds_for_dependent_rows_in_groups():
    assert rejections(Recipe(), np.arange(200) // 10) <= 5
    assert rejections(Recipe(), None) >= 10, "rows in any order are not like the observed ones"


def test_runs_of_blocked_rows_are_permuted():
    """Runs of a fiftieth of the rows, which are four of 200."""
    every = torch.arange(200)
    critic = FunctionCritic(lambda x, y: (x == y + 4).float().sum(-1))
    sample = sample_of(every + 0.0, every + 0.0, drop_constant=False)
    _, drawn = under_permutations(result_with([critic], every), sample, 30, recipe=Recipe(split="blocked"))
    _, scattered = under_permutations(result_with([critic], every), sample, 30)
    # A row matched to that four earlier: whole runs of four at a time, or single rows.
    assert ((drawn - drawn.min()) / 4).allclose(((drawn - drawn.min()) / 4).round(), atol=1e-4)
    assert drawn.unique().numel() > 1
    assert not ((scattered - scattered.min()) / 4).allclose(((scattered - scattered.min()) / 4).round(), atol=1e-4)


def test_the_rows_of_a_fold_are_permuted_in_their_order():
    """Test rows come in any order, and groups are in one piece only in theirs."""
    x, y = normals(60)
    sample = sample_of(x, y, groups=np.arange(60) // 10)
    shuffled = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    one, other = (under_permutations(result_with([PRODUCT], rows), sample, 9) for rows in (torch.arange(60), shuffled))
    assert one[0] == pytest.approx(other[0])
    assert torch.allclose(one[1], other[1])


def test_what_cannot_be_used_is_refused():
    x, y = normals(60)
    with pytest.raises(ValueError, match="permutations is 0: expected a whole number of at least 1"):
        mi.independence_test(x, y, permutations=0)
    with pytest.raises(ValueError, match="x has 60 rows and y has 59"):
        mi.independence_test(x, y[:59])
    with pytest.raises(TypeError, match="independence_test has no argument 'z'"):
        mi.independence_test(x, y, z=x)


@pytest.mark.parametrize("retrain", [False, True])
def test_weights_choose_the_rows_that_are_permuted(retrain):
    x, noise = torch.randn(2, 200, generator=torch.Generator().manual_seed(0))
    weights = (torch.arange(200) % 2).float()
    chosen = weights.bool()
    options = {"steps": 5, "folds": 2, "hidden": (8,), "permutations": 3, "retrain": retrain}
    found = mi.independence_test(x, x + noise, sample_weight=weights, **options)
    assert found.pvalue == mi.independence_test(x[chosen], (x + noise)[chosen], **options).pvalue


CONSTANT = FunctionCritic(lambda x, y: 0 * (x * y).sum(-1))


def test_the_smaller_pvalue_counts_matchings_of_either_statistic():
    first = torch.tensor([3.0, 1.0, 2.0, 5.0, 4.0])  # 3 of 5 are as large
    second = torch.tensor([9.0, 9.0, 2.0, 3.0, 1.0])  # 2 of 5
    pvalue, alone = smaller_pvalue([first, second])
    assert alone == [3 / 5, 2 / 5]
    # Of the matchings 0 to 4 so many are as large, in either: 3 and 2, 5 and 2, 4 and 4, 1 and 3, 2 and 5.
    assert pvalue == pytest.approx(4 / 5)
    assert smaller_pvalue([first]) == (pytest.approx(3 / 5), [3 / 5])
    assert smaller_pvalue([torch.zeros(5), second]) == (pytest.approx(2 / 5), [1.0, 2 / 5]), "ties say nothing"
    assert smaller_pvalue([torch.zeros(5), torch.ones(5)]) == (1.0, [1.0, 1.0])


def test_the_smaller_of_two_pvalues_holds_its_level():
    """Of 2,000 draws of two independent statistics, with 39 permutations each."""
    draw = torch.randn(2000, 2, 40, generator=torch.Generator().manual_seed(0))
    rejected = sum(smaller_pvalue([*one])[0] <= 0.1 for one in draw) / 2000
    assert 0.07 < rejected < 0.12
    same = sum(smaller_pvalue([one[0], one[0]])[0] <= 0.1 for one in draw) / 2000
    assert same == pytest.approx(0.1, abs=0.02), "of equal statistics nothing is lost"


def test_ties_of_the_critics_count_in_double_precision(monkeypatch):
    """In single precision 0.1 is larger, by more than the tolerance of ties."""
    monkeypatch.setattr(MODULE, "_estimate", lambda *_: result_with([PRODUCT], torch.arange(60)))
    equal = torch.full((9,), 0.1, dtype=torch.float64) / SHARED_FOLDS
    monkeypatch.setattr(MODULE, "_under_permutations", lambda *_: (0.1, equal))
    assert MODULE._independence_test(sample_of(*normals(60)), Recipe(), 9).pvalues["critics"] == 1


def test_where_every_critic_is_constant_distances_decide(monkeypatch):
    x, noise = normals(150)
    rows = torch.arange(150)
    given = result_with([CONSTANT, CONSTANT], rows[::2], rows[1::2])
    monkeypatch.setattr(MODULE, "_estimate", lambda *_: given)
    found = mi.independence_test(x, x.square() + noise, permutations=99)
    assert (found.pvalue, found.pvalues) == (0.01, {"critics": 1.0, "distances": 0.01})
    assert "p of each statistic alone: critics 1, distances 0.01" in repr(found)
    apart = mi.independence_test(x, noise, permutations=99)
    assert apart.pvalue == apart.pvalues["distances"] > 0.05


def test_weak_linear_dependence_is_seen_by_distances(monkeypatch):
    """Critics that are no use in finding it."""
    x, noise = normals(300)
    rows = torch.arange(300)
    given = result_with([FunctionCritic(lambda x, y: (x**2 * y**2).sum(-1))], rows)
    monkeypatch.setattr(MODULE, "_estimate", lambda *_: given)
    found = mi.independence_test(x, 0.4 * x + noise, permutations=99)
    assert found.pvalues["distances"] == 0.01
    assert found.pvalues["critics"] > 0.01
    assert found.pvalue <= 0.02


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_what_has_no_distances_is_tested_by_critics():
    images = torch.rand(80, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    y = images.mean((1, 2, 3))
    short = {"steps": 5, "folds": 2, "hidden": (8,), "permutations": 9}
    found = mi.independence_test(images, y, **short)
    assert [*found.pvalues] == ["critics"]
    assert found.pvalue == found.pvalues["critics"]
    assert not mi.independence_test(y, y.exp(), retrain=True, **short).pvalues


def test_distances_are_permuted_in_groups():
    groups = torch.arange(40).repeat_interleave(5)
    x, y = (side[groups] for side in normals(40, seed=3))
    sample = sample_of(x, y, groups=groups)
    generator = torch.Generator().manual_seed(0)
    observed, *drawn = MODULE._by_distances(sample, Recipe(), 199, generator)
    of_rows, *_ = MODULE._by_distances(sample_of(x, y), Recipe(), 1, torch.Generator().manual_seed(0))
    assert float(observed) == pytest.approx(float(of_rows))
    assert permutation_pvalue(float(observed), torch.stack(drawn)) > 0.05  # rows of their own would say 0.005
    _, *alone = MODULE._by_distances(sample_of(x, y), Recipe(), 199, generator)
    assert torch.stack(drawn).mean() > 2 * torch.stack(alone).mean()
