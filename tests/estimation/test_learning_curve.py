import json

import numpy as np
import pytest
import torch

import mibounds as mi
from mibounds.estimation import LearningCurve
from mibounds.estimation.learning_curve import _extrapolate
from mibounds.results.result import Result
from mibounds.tasks import CorrelatedGaussian

QUICK = {"steps": 40, "folds": 2, "hidden": (32,), "repeats": 1}


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


def test_the_whole_way():
    x, y = sample()
    curve = mi.learning_curve(x, y, **QUICK)
    assert curve.sizes == (200, 400, 800)
    assert curve.values[-1] == curve.estimate.value
    assert curve.values[-1] == pytest.approx(0.511, abs=0.15)
    assert curve.to("bits").limit == pytest.approx(curve.limit / np.log(2))
    assert "200: " in repr(curve)
    assert json.loads(json.dumps(curve.to_dict()))["sizes"] == [200, 400, 800]
    assert curve.plot().axes
    assert mi.learning_curve(x, y, **QUICK) == curve


def test_it_says_whether_more_rows_would_help():
    def curve(limit):
        return LearningCurve(
            (1, 2, 3), (0.5, 0.8, 1.0), (0.01,) * 3, limit, 0.02, 1, 1, "nats", Result(0, 0, {}, "", 3)
        )

    assert curve(1.03).settled
    assert "settled" in repr(curve(1.03))
    assert "still rising" in repr(curve(1.2))
    assert "still falling" in repr(curve(0.8))


def test_what_cannot_be_used_is_refused():
    x, y = sample()
    with pytest.raises(ValueError, match="300 rows are too few for a curve"):
        mi.learning_curve(x[:300], y[:300])
    with pytest.raises(ValueError, match="at least three different numbers up to 800 rows"):
        mi.learning_curve(x, y, sizes=[100, 200, 900])
    with pytest.raises(ValueError, match="repeats is 0"):
        mi.learning_curve(x, y, repeats=0)


def test_weights_and_groups_belong_to_rows(monkeypatch):
    group = torch.arange(1000) // 20
    weight = (group >= 10).double()
    x, y = group.double(), sample(1000)[1]
    seen = []

    def estimate(x, y, *, groups, seed):
        seen.append((len(x), {*zip(x[:, 0].tolist(), groups.tolist(), strict=True)}))
        return Result(0.5, 0.01, {}, "", len(x))

    monkeypatch.setitem(mi.learning_curve.__globals__, "estimate", estimate)
    curve = mi.learning_curve(x, y, repeats=1, sample_weight=weight, groups=group)
    assert curve.sizes == (200, 400, 800)
    assert [size for size, _ in seen] == [200, 400, 800]
    assert {named for named, _ in seen[-1][1]} == {*range(10, 50)}
    assert len(seen[-1][1]) == 40, "every row kept its group"
    with pytest.raises(ValueError, match="sample_weight has 5 rows"):
        mi.learning_curve(x, y, sample_weight=[1.0] * 5)
