"""Learning curves: the fitted curve, the subsamples, and what is refused."""

import importlib
import json

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.estimation.learning_curve import _extrapolate
from mibounds.results import Result
from mibounds.tasks import CorrelatedGaussian

MODULE = importlib.import_module("mibounds.estimation.learning_curve")
QUICK = {"steps": 30, "folds": 2, "hidden": (32,), "repeats": 1}


def sample(n=800):
    return CorrelatedGaussian(1, 0.8).sample(n, torch.Generator().manual_seed(0))


def test_a_curve_of_the_fitted_kind_is_extrapolated_to_its_limit():
    sizes = np.array([250.0, 500.0, 1000.0, 2000.0, 4000.0])
    for exponent in (0.5, 1.0):
        values = 1.3 - 20 * sizes**-exponent
        limit, error, slope, found = _extrapolate(sizes, values, np.full(5, 0.01))
        assert (limit, slope, found) == pytest.approx((1.3, 20, exponent), abs=1e-4)
        assert 0 < error < 0.05


def test_the_error_of_the_limit_is_that_of_repeated_draws():
    sizes, generator = np.array([500.0, 1000.0, 2000.0]), np.random.default_rng(0)
    found = []
    for _ in range(200):
        values = 1.3 - 20 / sizes + 0.02 * generator.standard_normal(3)
        design = np.stack([np.ones(3), -1 / sizes], 1)
        found.append(np.linalg.lstsq(design, values, rcond=None)[0][0])
    _, error, _, exponent = _extrapolate(sizes, 1.3 - 20 / sizes, np.full(3, 0.02))
    assert exponent == 1
    assert error == pytest.approx(np.std(found), rel=0.2)


def test_a_curve_of_a_gaussian():
    x, y = sample()
    curve = mi.learning_curve(x, y, **QUICK)
    assert curve.sizes == (200, 400, 800)
    assert curve.values[-1] == curve.estimate.value
    assert curve.values[-1] == pytest.approx(0.511, abs=0.15)
    assert curve.to("bits").limit == pytest.approx(curve.limit / np.log(2))
    assert json.loads(json.dumps(curve.to_dict()))["sizes"] == [200, 400, 800]
    assert mi.learning_curve(x, y, **QUICK) == curve


def test_what_cannot_be_used_is_refused():
    x, y = sample()
    with pytest.raises(ValueError, match="300 rows are too few for a curve"):
        mi.learning_curve(x[:300], y[:300])
    with pytest.raises(ValueError, match="at least three different numbers up to 800 rows"):
        mi.learning_curve(x, y, sizes=[100, 200, 900])
    with pytest.raises(ValueError, match="repeats is 0: expected a whole number of at least 1"):
        mi.learning_curve(x, y, repeats=0)


@pytest.mark.parametrize(
    ("sizes", "error"),
    [(100, TypeError), ("100", TypeError), ([100.5, 200, 300], TypeError), (["a", 200, 300], TypeError),
     ({100, 200, 300}, TypeError), ([0, 100, 200], ValueError), ([49, 100, 200], ValueError)],
)  # fmt: skip
def test_sizes_are_whole_numbers_of_at_least_50(sizes, error):
    with pytest.raises(
        error, match=r"^sizes is .*: expected a sequence of whole numbers of at least 50, for example \["
    ):
        mi.learning_curve(*sample(300), sizes=sizes)


@pytest.fixture
def estimates(monkeypatch):
    """Replace the inner estimate by one of known value and error for each size, and record its calls."""
    calls = []

    def estimate(sample, recipe):
        calls.append((sample, recipe))
        value = 1.0 - 100 / sample.n + 0.1 * (recipe.seed % 2)
        return Result(value=value, stderr=10 / sample.n, estimates={}, method="", n=sample.n)

    monkeypatch.setattr(MODULE, "_estimate", estimate)
    return calls


def test_weights_and_groups_belong_to_rows(estimates):
    group = torch.arange(1000) // 20
    weight = (group >= 10).double()
    x, y = group.double(), sample(1000)[1]
    curve = mi.learning_curve(x, y, repeats=1, sample_weight=weight, groups=group)
    assert curve.sizes == (200, 400, 800)
    assert [part.n for part, _ in estimates] == [200, 400, 800]
    for part, _ in estimates:
        pairs = {*zip(part.x.values[:, 0].tolist(), part.groups.tolist(), strict=True)}
        assert len(pairs) == len({*part.groups.tolist()}), "every row kept its group"
    assert {*estimates[-1][0].x.values[:, 0].tolist()} == {*range(10, 50)}
    with pytest.raises(ValueError, match="sample_weight has 5 rows"):
        mi.learning_curve(x, y, sample_weight=[1.0] * 5)


def test_subsamples_are_drawn_anew_and_their_errors_are_pooled(estimates):
    x, y = sample()
    curve = mi.learning_curve(x, y, repeats=3, seed=4, checkpoint="run")
    assert [part.n for part, _ in estimates] == [200] * 3 + [400] * 3 + [800]
    kept = [part.kept.tolist() for part, _ in estimates]
    assert len({*map(tuple, kept)}) == 7
    assert kept[0] != sorted(kept[0])
    assert kept[-1] == [*range(800)]
    assert [recipe.seed for _, recipe in estimates] == [4, 5, 6, 4, 5, 6, 4]
    assert [recipe.checkpoint.name for _, recipe in estimates][2:4] == ["200 rows, 3", "400 rows, 1"]
    assert curve.values == pytest.approx([0.5 + 0.1 / 3, 0.75 + 0.1 / 3, 0.875])
    assert curve.stderrs == pytest.approx([10 / 200 / 3**0.5, 10 / 400 / 3**0.5, 10 / 800])
    assert curve.estimate.n == 800
    assert curve.exponent == pytest.approx(1)
    assert curve.limit == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "n, sizes, expected",
    [
        (800, None, (200, 400, 800)),
        (3200, None, (200, 400, 800, 1600, 3200)),
        (10_000, None, (625, 1250, 2500, 5000, 10_000)),
        (800, [300, 60, 60, 100], (60, 100, 300)),
    ],
)
def test_sizes_are_halves_or_given(estimates, n, sizes, expected):
    x = np.arange(n) ** 0.5
    assert mi.learning_curve(x, x, sizes=sizes, repeats=1).sizes == expected


def test_blocked_folds_and_splitters_are_refused():
    x, y = sample()
    for recipe in (mi.Recipe(split="blocked"), mi.Recipe(cv=[(range(400), range(400, 800))])):
        with pytest.raises(ValueError, match="recipe has blocked folds or cv, and a learning curve draws random rows"):
            mi.learning_curve(x, y, recipe=recipe)
    with pytest.raises(TypeError, match="learning_curve has no argument 'cv'"):
        mi.learning_curve(x, y, cv=3)


def test_the_order_of_the_rows_changes_nothing():
    x, y = CorrelatedGaussian(1, 0.8).sample(200, torch.Generator().manual_seed(0))
    order = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    curves = [
        mi.learning_curve(x[rows], y[rows], sizes=[50, 100, 200], repeats=1, recipe="quick", steps=2, hidden=(4,))
        for rows in (torch.arange(200), order)
    ]
    assert curves[0].values == curves[1].values
