import math

import numpy as np
import pytest
import torch
from scipy import stats

from mibounds.classical import entropy, gaussian_copula, gaussian_copula_full, regularized, student
from mibounds.data import RankGaussianize, Sample
from mibounds.estimation import cross_checks as module
from mibounds.estimation.cross_checks import copula_error, cross_checks, regression_check
from mibounds.learners import SupervisedFeatures
from mibounds.tasks import CorrelatedGaussian, MultivariateGaussian, Student


def names(x, y):
    return {check.name for check in cross_checks(x, y, 0)}


def values(x, y, seed=0):
    return {check.name: check.value for check in cross_checks(x, y, seed)}


def test_each_kind_of_data_gets_the_methods_that_suit_it():
    x, y = CorrelatedGaussian(2, 0.7).sample(600, torch.Generator().manual_seed(0))
    assert set(values(x, y)) == {"GaussianCopula", "KSG"}
    assert set(values(x, (y[:, :1] > 0).float())) == {"GaussianCopula", "MixedKSG"}
    coins = (x[:, :1] > 0).float(), (y[:, :1] > 0).float()
    assert set(values(*coins)) == {"GaussianCopula", "MixedKSG", "Contingency"}
    wide = torch.randn(600, 9, generator=torch.Generator().manual_seed(0))
    assert set(values(wide, y)) == {"GaussianCopula"}


def test_many_rows_are_thinned_and_repeatable():
    x, y = CorrelatedGaussian(1, 0.7).sample(12_000, torch.Generator().manual_seed(0))
    first = values(x, y, 1)
    assert first == values(x, y, 1)
    assert abs(first["KSG"] - 0.337) < 0.05


def test_rounded_columns_are_near_the_truth():
    found = []
    for seed in range(1, 4):
        x, y = CorrelatedGaussian(1, 0.7).sample(1000, torch.Generator().manual_seed(seed))
        found.append(values(x.round(decimals=1), y.round(decimals=1))["MixedKSG"])
    assert np.mean(found) == pytest.approx(0.337, abs=0.05)
    x, y = torch.randint(0, 100, (2, 3000, 1), generator=torch.Generator().manual_seed(0)).float()
    assert abs(values(x, y)["MixedKSG"]) < 0.03


def test_counts_are_corrected_and_at_most_an_entropy():
    x = (torch.arange(400) % 5).float()[:, None]
    assert values(x, x)["Contingency"] == pytest.approx(entropy(x), abs=1e-12)
    draws = torch.randint(0, 4, (40, 2, 100, 1), generator=torch.Generator().manual_seed(0)).float()
    assert np.mean([values(*pair)["Contingency"] for pair in draws]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("rows", [8, 400])
def test_a_rare_event_in_both_columns_raises_nothing(rows):
    x = torch.zeros(rows, 1)
    x[rows // 2] = 1
    found = values(x, 3 * x)
    assert found
    assert all(math.isfinite(value) for value in found.values())


def test_a_method_that_fails_is_left_out(monkeypatch):
    def fail(*_, **__):
        raise np.linalg.LinAlgError("Singular matrix")

    x, y = CorrelatedGaussian(1, 0.7).sample(100, torch.Generator().manual_seed(0))
    monkeypatch.setattr(module, "gaussian_copula_full", fail)
    assert set(values(x, y)) == {"KSG"}
    monkeypatch.setattr(module, "ksg", lambda *_: math.nan)
    assert values(x, y) == {}
    assert values(x[:2], y[:2]) == {}


def test_columns_counts_and_ties_decide_the_methods():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(600, 7, generator=generator), torch.randn(600, 1, generator=generator)
    assert "KSG" in names(x, y), "eight columns together"
    wide = torch.randn(60, 500, generator=generator)
    assert "GaussianCopula" in names(wide[:, :-1], y[:60])
    assert "GaussianCopula" not in names(wide, y[:60]), "501 columns"
    tied = y.clone()
    tied[:29] = tied[0]
    assert "KSG" in names(tied, x[:, :1]), "under five per cent repeat others"
    tied[:33] = tied[0]
    assert "MixedKSG" in names(tied, x[:, :1])
    label, many = (torch.arange(600) % 6)[:, None].float(), (torch.arange(600) // 6 % 20)[:, None].float()
    assert "Contingency" in names(label, many), "five rows for each of 120 cells"
    assert "Contingency" not in names(label[:599], many[:599])


def test_each_method_says_what_it_is():
    x, y = CorrelatedGaussian(1, 0.7).sample(600, torch.Generator().manual_seed(0))
    copula, ksg = cross_checks(x, y, 0)
    assert copula.is_lower_bound and not ksg.is_lower_bound
    assert copula.unbiased and ksg.unbiased
    assert ksg.stderr == pytest.approx(1 / math.sqrt(600))
    assert ksg.low_from == 3
    exact = -0.5 * math.log(1 - 0.7**2)
    assert [copula.value, ksg.value] == pytest.approx([exact, exact], abs=0.1)
    bent = cross_checks(x.exp(), y**3, 0)
    assert [one.value for one in bent] == pytest.approx([copula.value, ksg.value], abs=0.02), "columns are ranked"


def test_the_copula_of_all_rows_takes_enough_of_them_without_ties():
    """Chance makes at most 0.25 nats; else a regularized one, and of ties from rows that did not fit it."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(30, 19, generator=generator), torch.randn(30, 1, generator=generator)
    full = {check.name: check for check in cross_checks(x, y, 0)}["GaussianCopula"]
    ranked = [RankGaussianize().fit(side)(side).double() for side in (x, y)]
    assert full.value == gaussian_copula_full(*ranked)
    assert full.unbiased and full.is_lower_bound
    assert "GaussianCopula" not in {check.name for check in cross_checks(torch.cat([x, x[:, :7] ** 2], 1), y, 0)}
    tied = {check.name: check for check in cross_checks(x, y.round(), 0)}["GaussianCopula"]
    assert not tied.unbiased and tied.is_lower_bound and tied.stderr == 0
    ranked = [RankGaussianize().fit(side)(side).double() for side in (x, y.round())]
    assert tied.value == gaussian_copula(*ranked, generator=torch.Generator().manual_seed(0))


def test_few_rows_for_many_columns_take_a_regularized_copula():
    """More than eight columns, fewer than five rows for each, no ties, and something to say."""
    x, y = MultivariateGaussian.two_pairs(10, 0.8).sample(99, torch.Generator().manual_seed(0))
    check = {one.name: one for one in cross_checks(x, y, 0)}["RegularizedCopula"]
    ranked = [RankGaussianize().fit(side)(side).double() for side in (x, y)]
    assert (check.value, check.stderr) == regularized.of_scores(*ranked)
    assert check.unbiased and not check.is_lower_bound and check.low_from == 0
    assert check.value == pytest.approx(1.022, abs=0.3)
    assert "RegularizedCopula" not in names(*MultivariateGaussian.two_pairs(10, 0.8).sample(100))
    assert "RegularizedCopula" not in names(x[:, :4], y[:, :4])
    assert "RegularizedCopula" not in names(x.round(), y)
    independent = torch.randn(2, 90, 10, generator=torch.Generator().manual_seed(3))
    assert names(*independent) >= {"GaussianCopula"}, "the copula of all rows is beside it"
    wide = torch.randn(60, 201, generator=torch.Generator().manual_seed(0))
    assert "RegularizedCopula" not in names(wide[:, 1:], wide[:, :1])


def test_the_student_copula_is_there_where_it_is_likelier_and_says_something():
    x, y = Student.identity(2, df=2.0).sample(300, torch.Generator().manual_seed(0))
    check = {one.name: one for one in cross_checks(x, y, 0)}["StudentCopula"]
    ranked = [RankGaussianize().fit(side)(side).double() for side in (x, y)]
    assert (check.value, check.stderr) == student.of_scores(*ranked)[:2]
    assert check.unbiased and not check.is_lower_bound and check.low_from == 0
    assert "StudentCopula" not in names(*CorrelatedGaussian(1, 0.7).sample(600, torch.Generator().manual_seed(0)))
    other, _ = Student.identity(2, df=2.0).sample(300, torch.Generator().manual_seed(1))
    assert "StudentCopula" not in names(x, other), "each has a scale of its own"
    assert "StudentCopula" not in names(x, y.round())
    assert "StudentCopula" not in names(x[:29], y[:29])
    many = [torch.cat([side, torch.randn(300, 9)], 1) for side in (x, y)]
    assert "StudentCopula" not in names(*many), "22 columns"


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_error_of_the_copula_is_about_its_spread(rho):
    pairs = [CorrelatedGaussian(1, rho).sample(400, torch.Generator().manual_seed(seed)) for seed in range(60)]
    values = [gaussian_copula_full(*pair) for pair in pairs]
    spread = float(np.std(values))
    assert 0.5 * spread < float(np.mean([copula_error(value, *pairs[0]) for value in values])) < 2.5 * spread
    copula = next(check for check in cross_checks(*pairs[0], 0) if check.name == "GaussianCopula")
    assert copula.stderr == pytest.approx(copula_error(values[0], *pairs[0]), rel=0.01)


def test_the_error_of_the_copula_by_hand():
    """The variance of -ln(1 - beta) / 2, for one column and three a sum of trigamma functions."""
    x, y = torch.zeros(100, 1), torch.zeros(100, 3)
    noise = float(np.var(np.log(stats.beta(96 / 2, 3 / 2).rvs(400_000, random_state=0)))) / 4
    assert copula_error(-0.5, x, y) == pytest.approx(math.sqrt(noise), rel=0.01)
    exact = copula_error(0.0, x, y) ** 2
    assert copula_error(0.25, x, y) == pytest.approx(math.sqrt(0.5 / 100 + exact))
    assert copula_error(9.0, x, y) == pytest.approx(math.sqrt(1 / 100 + exact)), "one correlation of 1 at most"
    assert copula_error(0.0, y, x) == pytest.approx(math.sqrt(exact))


@pytest.mark.parametrize("rows", [60, 100])
def test_the_error_of_the_copula_of_many_columns_is_its_spread(rows):
    sides = [torch.randn(2, rows, 20, generator=torch.Generator().manual_seed(seed)) for seed in range(80)]
    values = [gaussian_copula_full(*pair) for pair in sides]
    assert copula_error(0.0, *sides[0]) == pytest.approx(float(np.std(values)), rel=0.2)


def test_trees_certify_what_they_predict_of_a_column(evaluated):
    x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    y = (x[:, :1] > 0).float() + 0.3 * torch.randn(400, 1, generator=torch.Generator().manual_seed(1))
    sample = Sample.of(x=x, y=y.exp())
    evaluation = evaluated(sample, [SupervisedFeatures(2, 1) for _ in range(2)])
    check = regression_check(evaluation, sample)
    truth, predicted = [], []
    for one in evaluation.fitted:
        table = sample.y.table
        truth.append(RankGaussianize().fit(table[one.fold.train])(table[one.fold.test])[:, 0])
        predicted.append(one.critic.encoder_x.trees(sample.x.table[one.fold.test])[:, 0])
    truth, predicted = torch.cat(truth).double(), torch.cat(predicted).double()
    residual, total = (truth - predicted).square(), (truth - truth.mean()).square()
    assert check.name == "BoostedTrees"
    assert check.is_lower_bound and check.unbiased
    assert check.value == pytest.approx(float(-0.5 * (residual.mean() / total.mean()).log()), abs=1e-6)
    assert check.value > 0.4
    left_out = [
        -0.5 * ((residual.sum() - one) / (total.sum() - other)).log()
        for one, other in zip(residual, total, strict=True)
    ]
    jackknife = float(torch.stack(left_out).var(correction=0) * (len(left_out) - 1)) ** 0.5
    assert check.stderr == pytest.approx(jackknife, rel=0.1)
    halves = [float(-0.5 * (residual[i::8].mean() / total[i::8].mean()).log()) for i in range(8)]
    assert 0.4 < check.stderr / (np.std(halves, ddof=1) / math.sqrt(8)) < 2.5


def test_trees_certify_what_they_predict_of_a_label(evaluated):
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    codes = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    sample = Sample.of(x=x, y=["abc"[code] for code in codes])
    classes = torch.unique(sample.y.table, dim=0)
    features = [SupervisedFeatures(2, sample.y.width, classes=classes) for _ in range(2)]
    evaluation = evaluated(sample, features)
    check = regression_check(evaluation, sample)
    losses = []
    for one in evaluation.fitted:
        test = one.fold.test
        scores = one.critic.encoder_x.trees(sample.x.table[test]).log_softmax(1)
        place = (sample.y.table[test][:, None] == classes).all(2).long().argmax(1)
        losses.append(-scores[torch.arange(len(test)), place])
    losses = torch.cat(losses).double()
    assert check.value == pytest.approx(sample.y.label_entropy - float(losses.mean()), abs=1e-6)
    assert check.stderr == pytest.approx(float(losses.std()) / 300**0.5, rel=1e-5)
    assert 0.5 < check.value < sample.y.label_entropy


def test_the_better_direction_certifies_and_the_critics_keep_their_trees(evaluated):
    x = torch.randn(250, 1, generator=torch.Generator().manual_seed(0))
    y = x.square() + 0.05 * torch.randn(250, 1, generator=torch.Generator().manual_seed(1))
    sample = Sample.of(x=x, y=y)
    of_x, of_y = ([SupervisedFeatures(1, 1) for _ in range(2)] for _ in range(2))
    forward = regression_check(evaluated(sample, of_x), sample)
    backward = regression_check(evaluated(sample, None, of_y), sample)
    both = evaluated(sample, of_x, of_y)
    assert forward.value > 0.9 > backward.value + 0.5
    assert regression_check(both, sample).value == pytest.approx(forward.value)
    trees = both.fitted[0].critic.encoder_x.trees
    trees.double()
    assert regression_check(both, sample) is not None
    assert both.fitted[0].critic.encoder_x.trees is trees


def test_without_trees_or_of_several_columns_nothing_is_certified(evaluated):
    x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    several = Sample.of(x=x, y=x + 1)
    assert regression_check(evaluated(several, [SupervisedFeatures(2, 2) for _ in range(2)]), several) is None
    assert regression_check(evaluated(several), several) is None
    wide = Sample.of(x=torch.randn(60, 301, generator=torch.Generator().manual_seed(0)), y=x[:60, :1])
    assert regression_check(evaluated(wide, [SupervisedFeatures(301, 1) for _ in range(2)]), wide) is None


@pytest.mark.parametrize(
    "of_x, of_y, largest", [(0.2, 0.5, 0.5), (0.5, 0.2, 0.5), (None, 0.2, 0.2), (None, None, None)]
)
def test_of_both_directions_the_larger_bound_of_the_trees_counts(of_x, of_y, largest, monkeypatch):
    values = {"x": of_x, "y": of_y}
    certified = {name: value and module.CrossCheck("BoostedTrees", value) for name, value in values.items()}
    monkeypatch.setattr(module, "_certified", lambda evaluation, sample, name, target: certified[name])
    found = regression_check(None, None)
    assert (found and found.value) == largest
