"""Conditional mutual information: known values, and the formulas of every method by hand."""

import importlib
import json
import math
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.bounds import DonskerVaradhan
from mibounds.critics import FunctionCritic
from mibounds.data import Sample
from mibounds.estimation.added_scores import nearest
from mibounds.inference import entropy_margin, mean_stderr
from mibounds.results import ConditionalResult, Result
from mibounds.training.recipe import Recipe
from mibounds.warnings import AmplifiedWarning, OverfitWarning

MODULE = importlib.import_module("mibounds.estimation.conditional")
LN2 = math.log(2)
QUICK = {"steps": 40, "folds": 2, "hidden": (32, 32), "lr": 4e-3}
WIDER = {"steps": 120, "folds": 2, "hidden": (64, 64), "lr": 3e-3}
SHORT = {"steps": 5, "folds": 2, "hidden": (8,)}  # where the value does not matter


def normals(count, n=1500, seed=0):
    return torch.randn(count, n, generator=torch.Generator().manual_seed(seed))


def made(value=0.5, stderr=0.01, **fields):
    """A result by hand."""
    return Result(value=value, stderr=stderr, estimates={"InfoNCE": value}, method="InfoNCE", n=100, **fields)


def sample_of(n=100, groups=None, z=None):
    x, y, noise = normals(3, n)
    return Sample.of(x=x, y=y, z=noise if z is None else z, groups=groups)


@pytest.fixture
def estimates(monkeypatch):
    """Replace the inner estimate by given results, and record what it was called with."""
    calls, results = [], []

    def estimate(sample, recipe, order=None, *, trained=False):
        calls.append((sample, recipe))
        return results[(len(calls) - 1) % len(results)]

    monkeypatch.setattr(MODULE, "_estimate", estimate)
    return SimpleNamespace(calls=calls, results=results)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_common_cause_explains_a_dependence():
    a, b, c = normals(3, 1000)
    cause = mi.conditional(c + a, c + b, c, **QUICK)
    assert cause.value == pytest.approx(0, abs=0.08)
    low, high = cause.interval
    assert low < 0 < high
    assert high < 0.144, "which is I(X;Y)"


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_common_effect_makes_a_dependence():
    a, b, c = normals(3)
    effect = mi.conditional(a, b, a + b + 0.5 * c, **QUICK)
    truth = 0.5 * math.log(1.25 * 1.25 / (1.25**2 - 1))  # partial correlation of a and b given their noisy sum
    assert truth == pytest.approx(0.51, abs=0.01)
    assert effect.value == pytest.approx(truth, abs=0.12)
    assert effect.method == "chain"
    both, alone = effect.parts.values()
    assert alone.value > 0.1
    assert effect.interval[0] < truth < effect.interval[1]
    assert effect.value == pytest.approx(both.value - alone.value)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_discrete_condition_splits_the_rows():
    a, b = normals(2)
    z = (torch.arange(1500) % 3).float()
    sign = torch.tensor([1.0, -1.0, 0.0])[z.long()]  # cancels without z, shows with it
    found = mi.conditional(a, sign * a + 0.5 * b, z, **QUICK)
    assert found.method == "strata"
    assert list(found.parts) == ["z = 0", "z = 1", "z = 2"]
    truth = 2 / 3 * 0.5 * math.log(5)
    assert found.value == pytest.approx(truth, abs=0.12)
    assert found.interval[0] < truth < found.interval[1]
    record = json.loads(json.dumps(found.to("bits").to_dict()))
    assert record["value"] == pytest.approx(found.value / math.log(2))
    assert "I(X;Y|Z) = " in repr(found)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_discrete_condition_can_be_chained():
    a, b = normals(2)
    z = (torch.arange(1500) % 3).float()
    sign = torch.tensor([1.0, -1.0, 0.0])[z.long()]
    chained = mi.conditional(a, sign * a + 0.5 * b, z, method="chain", **{**WIDER, "steps": 240})
    assert chained.method == "chain"
    assert chained.value == pytest.approx(2 / 3 * 0.5 * math.log(5), abs=0.12)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("other", ["x", "y"])
@pytest.mark.parametrize("method", ["auto", "chain", "neighbors", "strata"])
def test_a_condition_that_equals_a_variable_leaves_no_information(method, other):
    a, b, _ = normals(3, 100)
    found = mi.conditional(a, b, {"x": a, "y": b}[other], method=method, **SHORT)
    assert (found.value, found.stderr, found.interval) == (0.0, 0.0, (0.0, 0.0))
    assert found.method == "z equals x or y"
    assert not found.parts
    assert found.n == 100


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("method", ["auto", "chain", "neighbors"])
def test_a_constant_condition_changes_nothing(method):
    a, b = normals(2, 150)
    found = mi.conditional(a, a + b, torch.ones(150), method=method, **SHORT)
    assert found.value == mi.estimate(a, a + b, **SHORT).value
    assert "constant-column" in [warning.code for warning in found.warnings]


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_constant_variable_has_no_information():
    a, b = normals(2, 150)
    for x, y in ((torch.ones(150), a), (a, torch.ones(150))):
        found = mi.conditional(x, y, b, **SHORT)
        assert found.value == 0
        assert "constant-column" in [warning.code for warning in found.warnings]


def test_what_cannot_be_used_is_refused():
    a, b, c = normals(3, 300)
    with pytest.raises(ValueError, match="x has 300 rows and z has 299"):
        mi.conditional(a, b, c[:299])
    with pytest.raises(ValueError, match="strata need at most 50 values"):
        mi.conditional(a, b, c, method="strata")
    with pytest.raises(ValueError, match="method is 'knn': expected 'auto', 'chain', 'counts', 'neighbors' or 's"):
        mi.conditional(a, b, c, method="knn")
    with pytest.raises(TypeError, match="z is image 1 x 8 x 8: expected"):
        mi.conditional(a, b, torch.rand(300, 8, 8))
    with pytest.raises(TypeError, match="conditional has no argument 'encoder_y'"):
        mi.conditional(a, b, c, encoder_y=torch.nn.Identity())


# The chain rule


def chain(estimates, both, alone, recipe=None, **options):
    estimates.calls.clear()
    estimates.results[:] = [both, alone]
    recipe = Recipe(folds=2) if recipe is None else recipe
    return MODULE._conditional(sample_of(**options), recipe, "chain", exchanged=False)


def test_the_chain_is_the_difference_of_two_estimates_of_the_same_rows(estimates):
    rows = normals(2, 100).double()
    both = made(1.0, pointwise=rows[0], fold_values=(1.0, 1.0), warnings=(OverfitWarning("a part"),))
    alone = made(0.4, pointwise=rows[1], fold_values=(0.4, 0.4))
    found = chain(estimates, both, alone, Recipe(folds=2, checkpoint="run", seed=3))
    assert found.value == pytest.approx(0.6)
    assert found.stderr == pytest.approx(float((rows[0] - rows[1]).std()) / 10)
    assert found.amplification == pytest.approx(1.4 / 0.6)
    assert found.parts == {"I(X;YZ)": both, "I(X;Z)": alone}
    assert (found.n, found.seed) == (100, 3)
    assert [warning.code for warning in found.warnings] == ["overfit"]
    (first, first_recipe), (second, second_recipe) = estimates.calls
    assert (first.x.columns, first.y.columns) == (("x",), ("y", "z"))
    assert (second.x.columns, second.y.columns) == (("x",), ("z",))
    assert [one.checkpoint.as_posix() for one in (first_recipe, second_recipe)] == ["run/y and z", "run/z"]
    assert first_recipe.seed == second_recipe.seed == 3


def test_parts_are_compared_by_their_critics(estimates):
    rows = torch.zeros(100)
    neighbors = Result(
        value=0.7, stderr=0.02, estimates={"InfoNCE": 0.55, "PlugIn": 0.6, "KSG": 0.7}, method="KSG", n=100,
        pointwise=rows, interval_bias=(0.2, 0.01),
    )  # fmt: skip
    found = chain(estimates, made(0.6, pointwise=rows, interval_bias=(0.03, 0.1)), neighbors)
    both, alone = found.parts.values()
    assert (both.value, both.method, both.interval_bias) == (0.6, "InfoNCE", (0.03, 0.1))
    assert (alone.value, alone.method) == (0.55, "InfoNCE")
    assert alone.interval_bias == (pytest.approx(0.05), pytest.approx(0.16)), "the ends stay at 0.5 and 0.71"
    assert found.value == pytest.approx(0.05)
    assert found.interval_bias == (pytest.approx(0.03 + 0.16), pytest.approx(0.1 + 0.05))
    more = replace(neighbors, value=0.9, estimates={"InfoNCE": 0.65, "KSG": 0.9})
    assert chain(estimates, more, neighbors).value == pytest.approx(0.1), "not the neighbors of both"


def test_an_extrapolated_part_is_compared_by_its_plug_in(estimates):
    rows = torch.zeros(100)
    far = Result(
        value=6.0, stderr=0.1, estimates={"InfoNCE": 4.0, "PlugIn": 6.0}, method="PlugIn", n=100, extrapolated=True,
        pointwise=rows,
    )  # fmt: skip
    near = Result(value=1.0, stderr=0.1, estimates={"InfoNCE": 1.0, "PlugIn": 1.2}, method="InfoNCE", n=100,
                  pointwise=rows)  # fmt: skip
    assert chain(estimates, far, near).value == pytest.approx(4.8)
    constant = Result(value=0.0, stderr=0.0, estimates={"constant": 0.0}, method="constant", n=100, pointwise=rows)
    assert chain(estimates, near, constant).value == 1.0, "no critic was trained"
    below = Result(value=0.3, stderr=0.1, estimates={"InfoNCE": -0.2, "KSG": 0.3}, method="KSG", n=100, pointwise=rows)
    assert chain(estimates, near, below).value == 1.0, "critics below 0 say 0"


def test_a_label_is_compared_by_its_classifier(estimates):
    rows = torch.zeros(100)
    both = Result(value=0.5, stderr=0.1, estimates={"InfoNCE": 0.4, "Classifier": 0.45, "MixedKSG": 0.5},
                  method="MixedKSG", n=100, pointwise=rows)  # fmt: skip
    alone = Result(value=0.2, stderr=0.1, estimates={"InfoNCE": 0.19, "Classifier": 0.2}, method="Classifier", n=100,
                   pointwise=rows)  # fmt: skip
    assert chain(estimates, both, alone).value == pytest.approx(0.25)


@pytest.mark.parametrize("exchange", [False, True])
def test_the_variable_that_shares_less_with_z_comes_first(exchange, estimates):
    z, a, b = normals(3, 200)
    close, far = z + 0.3 * a, z + 2 * b
    x, y = (far, close) if exchange else (close, far)
    rows = torch.zeros(200)
    estimates.results[:] = [made(1.0, pointwise=rows), made(0.4, pointwise=rows)]
    found = MODULE._conditional(Sample.of(x=x, y=y, z=z), Recipe(folds=2), "chain")
    (first, _), (second, _) = estimates.calls
    assert torch.equal(first.x.table[:, 0], far)
    assert torch.equal(second.x.table[:, 0], far)
    assert torch.equal(first.y.table[:, 0], close)
    assert torch.equal(second.y.table[:, 0], z)
    assert list(found.parts) == (["I(X;YZ)", "I(X;Z)"] if exchange else ["I(Y;XZ)", "I(Y;Z)"])


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("method", ["chain", "neighbors"])
def test_exchanging_x_and_y_changes_nothing(method):
    z, a, b = normals(3, 300)
    x, y = z + a, z + 2 * b + 0.5 * a
    one, other = mi.conditional(x, y, z, method=method, **SHORT), mi.conditional(y, x, z, method=method, **SHORT)
    assert one.value == other.value
    assert one.interval == other.interval
    assert list(one.parts) == ["I(Y;XZ)", "I(Y;Z)"]
    assert list(other.parts) == ["I(X;YZ)", "I(X;Z)"]


@pytest.mark.parametrize("exchange", [False, True])
def test_warnings_of_the_data_stay_whatever_comes_first(exchange, estimates):
    z, a, b = normals(3, 100)
    x, y = torch.stack([z + 0.1 * a, torch.ones(100)], 1), z + 3 * b
    rows = torch.zeros(100)
    estimates.results[:] = [made(1.0, pointwise=rows), made(0.4, pointwise=rows)]
    sides = {"x": y, "y": x} if exchange else {"x": x, "y": y}
    found = MODULE._conditional(Sample.of(**sides, z=z), Recipe(folds=2), "chain")
    assert [*found.parts][1] == ("I(X;Z)" if exchange else "I(Y;Z)")
    assert "constant-column" in [one.code for one in found.warnings]


def test_what_one_part_lacks_below_the_other_lacks_above(estimates):
    rows = torch.zeros(100)
    both = made(1.0, pointwise=rows, interval_bias=(0.01, 0.2))
    alone = made(0.4, pointwise=rows, interval_bias=(0.05, 0.3))
    found = chain(estimates, both, alone)
    assert found.interval_bias == (pytest.approx(0.01 + 0.3), pytest.approx(0.2 + 0.05))
    assert found.interval == (pytest.approx(0.6 - 0.31), pytest.approx(0.6 + 0.25))


def test_folds_that_disagree_widen_the_error(estimates):
    rows = torch.zeros(100)
    both = made(1.0, pointwise=rows, fold_values=(1.0, 1.3, 1.1))
    alone = made(0.4, pointwise=rows, fold_values=(0.4, 0.2, 0.3))
    differences = np.array([0.6, 1.1, 0.8])
    assert chain(estimates, both, alone).stderr == pytest.approx(differences.std(ddof=1) / math.sqrt(3))


def test_groups_and_blocks_are_the_clusters_of_the_error(estimates):
    """Ten copies of each of ten differences: the error is that of ten."""
    ten = normals(1, 10)[0].double()
    both, alone = made(1.0, pointwise=ten.repeat_interleave(10)), made(0.4, pointwise=torch.zeros(100).double())
    grouped = chain(estimates, both, alone, groups=np.arange(100) // 10)
    assert grouped.stderr == pytest.approx(float(ten.std(correction=0)) / math.sqrt(10))
    assert grouped.stderr > 2.5 * chain(estimates, both, alone).stderr
    blocked = chain(estimates, both, alone, Recipe(folds=2, split="blocked"))
    runs = torch.arange(100) * 50 // 100  # fifty runs of neighbors
    assert blocked.stderr == pytest.approx(mean_stderr(ten.repeat_interleave(10), runs))


def test_rows_that_no_fold_tests_do_not_count(estimates):
    rows = normals(1, 100)[0].double()
    rows[:40] = math.nan
    both, alone = made(1.0, pointwise=rows), made(0.4, pointwise=torch.zeros(100).double())
    assert chain(estimates, both, alone).stderr == pytest.approx(float(rows[40:].std()) / math.sqrt(60))


def test_scores_of_dropped_rows_do_not_shift_the_others(estimates):
    x, y, z = normals(3, 103)
    x[[0, 50, 101]] = math.nan
    rows = torch.zeros(103).double()
    rows[~x.isnan()] = normals(1, 100)[0].double()
    rows[x.isnan()] = math.nan
    both, alone = made(1.0, pointwise=rows), made(0.4, pointwise=torch.zeros(103).double())
    estimates.results[:] = [both, alone]
    sample = Sample.of(x=x, y=y, z=z, nan="drop", groups=torch.arange(103))
    found = MODULE._conditional(sample, Recipe(folds=2), "chain")
    clusters = mean_stderr(rows[~x.isnan()], torch.arange(100))
    assert found.stderr == pytest.approx(clusters)


@pytest.mark.parametrize("small, expected", [(0.05, True), (0.2, False)])
def test_a_small_difference_of_large_numbers_warns(estimates, small, expected):
    rows = torch.zeros(100)
    found = chain(estimates, made(1.0, pointwise=rows), made(1.0 - small, pointwise=rows))
    assert found.amplification == pytest.approx((2 - small) / small)
    assert [isinstance(warning, AmplifiedWarning) for warning in found.warnings] == [True] * expected
    if expected:
        assert "The sum of two estimates is 39 times as large" in str(found.warnings[0])


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_part_may_have_no_information_without_a_warning():
    a, b, c = normals(3, 400)
    nothing = mi.conditional(a, a + b, c, **SHORT)
    _, alone = nothing.parts.values()
    assert "maybe-independent" in [warning.code for warning in alone.warnings]
    assert "maybe-independent" not in [warning.code for warning in nothing.warnings]


def test_the_entropy_of_a_label_limits_the_information(estimates):
    label = np.repeat(["a", "b"], [70, 30])
    x, z = normals(2, 100)
    rows = torch.zeros(100)
    estimates.results[:] = [made(1.0, pointwise=rows), made(0.4, pointwise=rows)]
    found = MODULE._conditional(Sample.of(x=x, y=label, z=z), Recipe(folds=2), "chain")
    entropy = -0.7 * math.log(0.7) - 0.3 * math.log(0.3)
    assert found.entropy_limit == pytest.approx(min(entropy + entropy_margin(torch.tensor([0] * 70 + [1] * 30)), LN2))
    assert found.interval[1] == pytest.approx(0.6)
    unlimited = MODULE._conditional(Sample.of(x=x, y=z.exp(), z=label), Recipe(folds=2), "chain")
    assert unlimited.entropy_limit is None, "z may well be a label"


# Strata


def strata(estimates, z, results, recipe=None, **options):
    estimates.calls.clear()
    estimates.results[:] = results
    sample = sample_of(len(z), z=z, **options)
    return MODULE._conditional(sample, Recipe(folds=2) if recipe is None else recipe, "auto")


def test_strata_are_weighted_by_their_rows(estimates):
    z = np.repeat([0, 1], [200, 600])
    found = strata(estimates, z, [made(1.0, 0.02, interval_bias=(0.1, 0.2)), made(0.2, 0.01, interval_bias=(0.0, 0.4))])
    assert found.method == "strata"
    assert found.value == pytest.approx(0.25 * 1.0 + 0.75 * 0.2)
    within = (0.25 * 0.02) ** 2 + (0.75 * 0.01) ** 2
    between = 0.25 * 0.75 * 0.8**2 / 799  # which stratum a row falls into is random, too
    assert found.stderr == pytest.approx(math.sqrt(within + between))
    assert between > 0.1 * within
    assert found.interval_bias == (pytest.approx(0.025), pytest.approx(0.35))
    assert found.amplification == 1
    assert found.n == 800
    (first, _), (second, _) = estimates.calls
    assert (first.n, second.n) == (200, 600)
    assert first.kept.tolist() == [*range(200)]
    assert set(first.variables) == {"x", "y"}


def test_groups_fall_into_strata_as_a_whole(estimates):
    z = np.repeat([0, 1], [200, 200])
    both = [made(1.0, 0.0), made(0.0, 0.0)]
    assert strata(estimates, z, both).stderr == pytest.approx(math.sqrt(0.25 / 399))
    grouped = strata(estimates, z, both, groups=np.arange(400) // 20)
    assert grouped.stderr == pytest.approx(math.sqrt(0.25 / 20))
    assert estimates.calls[0][0].groups.tolist() == [i // 20 for i in range(200)]


def test_strata_need_rows_and_folds_of_their_own(estimates):
    rows = torch.zeros(598)
    pair = [made(1.0, pointwise=rows), made(0.4, pointwise=rows)]
    enough, few = np.repeat([0, 1, 2], [200, 200, 200]), np.repeat([0, 1, 2], [199, 199, 200])
    assert strata(estimates, enough, [made()] * 3).method == "strata"
    assert strata(estimates, few, pair).method == "chain"
    rows = torch.zeros(600)
    pair = [made(1.0, pointwise=rows), made(0.4, pointwise=rows)]
    for recipe in (Recipe(split="blocked"), Recipe(cv=[(range(300), range(300, 600))])):
        assert strata(estimates, enough, pair, recipe).method == "chain", "they would break up the folds"


@pytest.mark.parametrize(
    "z, names",
    [
        (np.repeat([2020, 2021], 200), ["z = 2020", "z = 2021"]),
        (np.repeat([20230101.0, 20230102.0], 200), ["z = 20230101", "z = 20230102"]),
        (np.repeat(np.array([1.0000001, 1.0000002, 0.1], np.float32), 200), ["z = 0.1", "z = 1.0000001",
                                                                            "z = 1.0000002"]),
        (np.repeat(["u", "v", "w"], 200), ["z = w", "z = v", "z = u"]),
        (np.repeat([True, False], 200), ["z = False", "z = True"]),
        (np.stack([np.repeat([0.5, 1.5], 400), np.tile([0.0, 1.0], 400)], 1), ["z = 0.5, 0", "z = 0.5, 1",
                                                                              "z = 1.5, 0", "z = 1.5, 1"]),
    ],
    ids=["integers", "offset", "digits", "text", "booleans", "columns"],
)  # fmt: skip
def test_strata_are_named_by_the_values_of_z(estimates, z, names):
    assert list(strata(estimates, z, [made()] * len(names)).parts) == names


def test_strata_keep_their_names_where_a_category_was_dropped(estimates):
    z = np.array(["a"] * 20 + ["b", "c"] * 200)
    x, y = normals(2, 420)
    x[:20] = math.nan
    estimates.results[:] = [made(0.1), made(0.2)]
    found = MODULE._conditional(Sample.of(x=x, y=y, z=z, nan="drop"), Recipe(folds=2), "auto")
    of = {name: calls[0].kept[0].item() for name, calls in zip(found.parts, estimates.calls, strict=True)}
    assert of == {"z = b": 20, "z = c": 21}


# Neighbors


def neighbors(f, g, sample, halves, seed=5):
    """The chain's critics f and g by hand, evaluated among the neighbors."""
    fitted = [
        [SimpleNamespace(critic=FunctionCritic(critic), fold=SimpleNamespace(test=rows)) for rows in halves]
        for critic in (f, g)
    ]
    parts = {"I(X;YZ)": made(1.0, fitted=fitted[0]), "I(X;Z)": made(0.4, fitted=fitted[1])}
    chained = ConditionalResult(
        value=0.6, stderr=0.1, method="chain", parts=parts, n=sample.n, amplification=2.0, interval_bias=(0.1, 0.2)
    )
    return MODULE._among_neighbors(chained, sample, Recipe(seed=seed))


def scores(x, yz):
    return (x * yz).sum(-1)


def half_of_z(x, z):
    return (x * z).sum(-1) / 2


@pytest.mark.parametrize("groups", [None, np.arange(100) // 10])
def test_neighbors_evaluate_the_bound_with_the_rows_near_in_z_but_the_row_itself(groups):
    sample = sample_of(groups=groups)
    halves = torch.randperm(100, generator=torch.Generator().manual_seed(2)).split(50)
    found = neighbors(scores, half_of_z, sample, halves)
    x, y, z = (one.values for one in sample.variables.values())
    generator = torch.Generator().manual_seed(5)
    joint, means = [], []
    for rows in halves:
        near = nearest(z[rows], generator)
        assert torch.equal(near[:, 0], torch.arange(50))
        added = (x[rows][near] * (y + z / 2)[rows][:, None]).squeeze(-1).double()
        joint.append(added[:, 0])
        means.append(added[:, 1:].exp().mean(1))
    bound = DonskerVaradhan()
    folds = torch.tensor([float(bound.value(*pair)) for pair in zip(joint, (m.log() for m in means), strict=True)])
    joint, means = torch.cat(joint), torch.cat(means)
    assert found.value == pytest.approx(float(joint.mean() - means.mean().log()), abs=1e-6)
    assert found.method == "neighbors"
    assert found.amplification == 1
    assert found.interval_bias == (0.1, 0.2)
    number = torch.arange(100) if groups is None else torch.from_numpy(groups)[torch.cat(halves)]
    group = number % 50
    left_out = torch.stack([bound.value(joint[group != g], means[group != g].log()) for g in group.unique()])
    jackknife = math.sqrt((len(left_out) - 1) * float(left_out.double().var(correction=0)))
    assert jackknife > float(folds.std()) / math.sqrt(2), "the larger of both, here"
    assert found.stderr == pytest.approx(jackknife, rel=1e-4)


def test_critics_that_add_nothing_give_nothing():
    sample = sample_of()
    found = neighbors(
        lambda x, yz: (x * yz[..., 1:]).sum(-1), lambda x, z: (x * z).sum(-1), sample, [torch.arange(100)]
    )
    assert found.value == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_neighbors_evaluate_the_same_critics_against_draws_given_z():
    a, b, c = normals(3, 2500)
    truth = 0.5 * math.log(5)
    cause = mi.conditional(2 * c + a, 2 * c + a + 0.5 * b, c, method="neighbors", **QUICK)
    assert cause.method == "neighbors"
    assert cause.value == pytest.approx(truth, abs=0.12)
    both, alone = cause.parts.values()
    assert cause.value != pytest.approx(both.value - alone.value, abs=1e-4)
    assert 0.01 < cause.stderr < 0.08
    nothing = mi.conditional(2 * c + a, 2 * c + b, c, method="neighbors", **QUICK)
    assert nothing.value == pytest.approx(0, abs=0.06)
    assert nothing.amplification == 1


# Options


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_weights_select_rows_before_anything_else():
    a, b, c = normals(3, 300)
    weights = (torch.arange(300) % 2).float()
    chosen = weights.bool()
    options = {"method": "neighbors", **SHORT}
    found = mi.conditional(a, a + b, c, sample_weight=weights, **options)
    assert found.value == mi.conditional(a[chosen], (a + b)[chosen], c[chosen], **options).value
    assert found.n == 150


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_types_are_those_of_each_variable():
    """y is a label and z is not: nothing but y is encoded as categories."""
    a, b, z = normals(3, 200)
    y = torch.bucketize(a + 0.3 * b, torch.tensor([-0.5, 0.5])).float()
    found = mi.conditional(a, y, z, y_type="categorical", **SHORT)
    both, alone = found.parts.values()
    taken, other = ("x",), ("y=0", "y=1", "y=2")
    if "I(Y;Z)" in found.parts:
        taken, other = other, taken
    assert both.columns == (taken, (*other, "z"))
    assert set(both.kinds[0] + both.kinds[1]) == {"continuous", "categorical"}
    assert alone.columns == (taken, ("z",))
    assert mi.conditional(a, y, z, y_type={"y": "categorical"}, **SHORT) == found
    assert found.entropy_limit is not None
    assert "identifier" not in [warning.code for warning in found.warnings]
    both = mi.conditional(a, z, y, z_type="categorical", method="chain", **SHORT)
    _, alone = both.parts.values()
    assert alone.kinds[1] == ("categorical",)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("constant", ["x", "y"])
@pytest.mark.parametrize("method", ["auto", "chain", "neighbors", "strata"])
def test_a_constant_has_no_information(method, constant):
    """The chain's two estimates of a constant y had different seeds, and so an interval around 0."""
    a, _, z = normals(3, 100)
    given = {"x": a, "y": a} | {constant: torch.ones(100)}
    found = mi.conditional(given["x"], given["y"], z, method=method, **SHORT)
    assert (found.value, found.interval, found.method) == (0.0, (0.0, 0.0), "constant")


def exclusive_or(n=300, flipped=0.1, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 2, (2, n))
    return x, y, x ^ y ^ (rng.random(n) < flipped)


def test_labels_are_counted():
    truth = math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9)
    values, held = [], 0
    for seed in range(40):
        found = mi.conditional(*exclusive_or(seed=seed))
        held += found.interval[0] <= truth <= found.interval[1]
        values.append(found.value)
    assert found.method == "counts" and found.parts == {}
    assert np.mean(values) == pytest.approx(truth, abs=0.02)
    assert held >= 35
    assert found.value == mi.classical.conditional_contingency(*exclusive_or(seed=39), correction="miller-madow")
    assert "counts of labels, n = 300" in repr(found)


def test_counts_end_at_the_entropy_and_take_groups():
    x, y, z = exclusive_or(150, 0.0)
    found = mi.conditional(x, y, z)
    assert found.value <= found.entropy_limit == pytest.approx(math.log(2), abs=5e-3)
    assert found.interval[1] >= math.log(2) - 1e-9
    many = exclusive_or(100)
    repeated = [np.repeat(side, 5) for side in many]
    alone, grouped = mi.conditional(*many), mi.conditional(*repeated, groups=np.repeat(np.arange(100), 5))
    assert grouped.stderr == pytest.approx(alone.stderr, rel=0.1)
    assert mi.conditional(*repeated).stderr < 0.5 * alone.stderr


def test_what_is_not_counted():
    x, y, z = exclusive_or(60)
    with pytest.raises(ValueError, match=r'^method is "counts", and not all of x, y and z are labels'):
        mi.conditional(x + 0.1 * np.arange(60), y, z, method="counts")
    rare = exclusive_or(39)  # fewer than five rows for each of eight combinations
    short = {"steps": 2, "folds": 2, "hidden": (8,), "learners": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert mi.conditional(*(np.tile(side, 2)[:60] for side in rare), **short).method == "chain"
        assert mi.conditional(x, y, z, **short).method == "chain"  # settings of the training ask for it
    assert mi.conditional(x, y, z, method="counts", **short).method == "counts"


def test_the_amplification_is_relative_to_the_standard_error_at_least():
    assert MODULE._amplification(0.9, 0.5, 0.01) == pytest.approx(1.4 / 0.4)
    assert MODULE._amplification(0.7, 0.7, 0.1) == pytest.approx(14)
    assert MODULE._amplification(0.0, 0.0, 0.0) == 1
