import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mibounds.estimation.false_discovery import benjamini_hochberg, pooled_pvalues

RNG = np.random.default_rng(0)


def test_pvalues_under_the_null_hypothesis_are_uniform():
    found = pooled_pvalues(RNG.normal(size=20_000), RNG.normal(size=20_000))
    assert np.quantile(found, [0.01, 0.1, 0.5, 0.9]) == pytest.approx([0.01, 0.1, 0.5, 0.9], rel=0.15)


def test_pvalues_by_hand():
    """Nulls 0.1, ..., 2: below their 90 % quantile, 1.81, p-values are counts; beyond it lie 1.9 and 2."""
    null = np.arange(1, 21) / 10
    found = pooled_pvalues(np.array([-1.0, 0.05, 1.0, 1.05, 3.0]), null)
    width = (1.9**2 + 2**2) / 2 - 1.81**2
    tail = 3 / 21 * math.exp(-(3**2 - 1.81**2) / width)
    assert found == pytest.approx([1, 1, 12 / 21, 11 / 21, tail])


def test_the_tail_is_gaussian_beyond_the_largest_draws():
    (far,) = pooled_pvalues(np.array([5.0]), RNG.normal(size=2000))
    assert 1e-8 < far < 1e-5  # 2.9e-7
    falling = pooled_pvalues(np.linspace(-4, 8, 400), RNG.normal(size=500))
    assert (np.diff(falling) <= 0).all()
    assert falling.min() > 0
    assert pooled_pvalues(np.array([1e3]), RNG.normal(size=500)) == [1e-300]


def test_a_wider_null_gives_larger_pvalues():
    null = RNG.normal(size=2000)
    narrow, wide = (pooled_pvalues(np.array([3.0]), scale * null) for scale in (1, 1.5))
    assert wide > 3 * narrow


def test_a_constant_null_has_a_standard_normal_tail():
    (found,) = pooled_pvalues(np.array([2.0]), np.zeros(99))
    assert found == pytest.approx(math.exp(-2) / 100, rel=1e-6)  # no draw is above the threshold, which is above 0


def test_an_undefined_statistic_has_no_pvalue():
    assert np.isnan(pooled_pvalues(np.array([np.nan, 0.0]), RNG.normal(size=500))).tolist() == [True, False]
    found = benjamini_hochberg(np.array([0.01, np.nan, 0.02, 0.9]))
    assert found == pytest.approx([0.03, np.nan, 0.03, 0.9], nan_ok=True)


def test_adjusted_by_hand():
    found = benjamini_hochberg(np.array([0.04, 0.01, 0.03, 0.8]))
    assert found == pytest.approx([4 * 0.04 / 3, 0.04, 4 * 0.04 / 3, 0.8])
    assert benjamini_hochberg(np.array([0.9, 1.0])) == pytest.approx([1, 1])


@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.05, 1.0])), max_size=20))
def test_adjusted_pvalues_are_those_of_the_formula(pvalues):
    """q_i is the least P p_k / k of the p-values from p_i upwards, at most 1; k counts those up to p_k."""
    expected = [
        min([1.0, *(len(pvalues) * p / sum(other <= p for other in pvalues) for p in pvalues if p >= one)])
        for one in pvalues
    ]
    assert benjamini_hochberg(np.array(pvalues)) == pytest.approx(expected)


def test_false_rejections_stay_within_the_rate():
    fractions = []
    for _ in range(200):
        p = np.concatenate([RNG.uniform(size=80), RNG.uniform(size=20) * 1e-4])
        rejected = benjamini_hochberg(p) <= 0.1
        fractions.append(rejected[:80].sum() / max(rejected.sum(), 1))
    assert 0.04 < np.mean(fractions) < 0.11  # at most 0.1 is expected, times the fraction of nulls: 0.08
