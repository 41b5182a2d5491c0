import numpy as np
import pytest

from mibounds.estimation.false_discovery import benjamini_hochberg, pooled_pvalues

RNG = np.random.default_rng(0)


def test_pvalues_of_the_null_are_uniform():
    found = pooled_pvalues(RNG.normal(size=20_000), RNG.normal(size=20_000))
    assert np.quantile(found, [0.01, 0.1, 0.5, 0.9]) == pytest.approx([0.01, 0.1, 0.5, 0.9], rel=0.15)


def test_the_tail_is_a_normal_one_where_counting_ends():
    (far,) = pooled_pvalues(np.array([5.0]), RNG.normal(size=2000))
    assert 1e-8 < far < 1e-5  # 2.9e-7
    at = np.linspace(-4, 8, 400)
    falling = pooled_pvalues(at, RNG.normal(size=500))
    assert (np.diff(falling) <= 0).all()
    assert falling.min() > 0


def test_a_wider_null_gives_larger_pvalues():
    null = RNG.normal(size=2000)
    narrow, wide = (pooled_pvalues(np.array([3.0]), scale * null) for scale in (1, 1.5))
    assert wide > 3 * narrow


def test_adjusted_by_hand():
    found = benjamini_hochberg(np.array([0.04, 0.01, 0.03, 0.8]))
    assert found == pytest.approx([4 * 0.04 / 3, 0.04, 4 * 0.04 / 3, 0.8])
    assert benjamini_hochberg(np.array([0.9, 1.0])) == pytest.approx([1, 1])


def test_false_rejections_stay_within_the_rate():
    shares = []
    for _ in range(200):
        p = np.concatenate([RNG.uniform(size=80), RNG.uniform(size=20) * 1e-4])
        rejected = benjamini_hochberg(p) <= 0.1
        shares.append(rejected[:80].sum() / max(rejected.sum(), 1))
    assert 0.04 < np.mean(shares) < 0.11  # .1 of them are expected at most, times the share of nulls: .08
