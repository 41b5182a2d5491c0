"""Weights become a plain sample of the weighted population."""

import numpy as np
import pytest
import torch

from mibounds.data import Sample
from mibounds.data.weights import rows_by_weight


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_rows_stay_in_proportion_to_their_weights_on_any_scale():
    weights = np.repeat([0.0, 1.0, 2.0, 4.0], 2000)
    stay = rows_by_weight(weights, 8000, torch.arange(8000), generator())
    shares = stay.view(4, 2000).double().mean(1)
    assert shares[0] == 0 and shares[3] == 1
    assert shares[1].item() == pytest.approx(0.25, abs=0.04)
    assert shares[2].item() == pytest.approx(0.5, abs=0.045)
    assert torch.equal(stay, rows_by_weight(weights / 7, 8000, torch.arange(8000), generator()))


def test_equal_weights_keep_all_and_dropped_rows_do_not_count():
    assert rows_by_weight(np.full(100, 3), 100, torch.arange(100), generator()).all()
    weights = np.ones(100)
    weights[0] = 1e9  # of a row that was dropped: it is not the largest
    assert rows_by_weight(weights, 100, torch.arange(1, 100), generator()).all()


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.ones(99), "expected one number for each of the 100 rows"),
        (np.ones((100, 2)), "2 columns"),
        (["a"] * 100, "sample_weight holds text: expected one number for each of the 100 rows"),
        (-np.ones(100), "a weight is 0 or more"),
        (np.full(100, np.nan), "missing, infinite or negative"),
        (np.r_[1e6, np.ones(99)], "leaves 1 of 100 rows"),
        (np.zeros(100), "sample_weight is 0 throughout: some rows must count"),
    ],
    ids=["too few", "two columns", "text", "negative", "missing", "one far above", "all zero"],
)
def test_weights_that_cannot_be_used_are_refused(weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        rows_by_weight(weights, 100, torch.arange(100), generator())


@pytest.mark.parametrize("scale", [1e300, 1e200, 1e-200, 1e-300])
def test_the_scale_of_weights_does_not_matter(scale):
    weights = np.repeat([1.0, 2.0, 4.0], 100)
    expected = rows_by_weight(weights, 300, torch.arange(300), generator())
    assert torch.equal(rows_by_weight(scale * weights, 300, torch.arange(300), generator()), expected)


@pytest.mark.parametrize("weight", [1e-310, 5e-324, 1.7e308])
def test_equal_weights_at_the_ends_of_floats_keep_all_rows(weight):
    assert rows_by_weight(np.full(100, weight), 100, torch.arange(100), generator()).all()


def test_rows_are_not_drawn_by_the_numbers_of_the_data():
    x = torch.rand(2_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = torch.full((2_000,), 0.5)
    weights[0] = 1.0
    kept = Sample.of(x=x, y=x, weights=weights, seed=0).x.values
    assert float(kept.mean()) == pytest.approx(0.5, abs=0.03), "rows with small values of x would be kept"


def test_a_weight_of_a_row_that_was_dropped_may_be_missing_in_whole_numbers():
    weights = [None, *[1] * 99]
    assert rows_by_weight(weights, 100, torch.arange(1, 100), generator()).all()
    with pytest.raises(ValueError, match="sample_weight has missing, infinite or negative numbers"):
        rows_by_weight(weights, 100, torch.arange(100), generator())


@pytest.mark.parametrize(
    ("weights", "held"),
    [
        (np.full(100, "2024-01-01", "M8[D]"), "date"),
        (np.full(100, 1, "m8[D]"), "duration"),
        ([1, "a"] * 50, "number and text"),
    ],
)
def test_weights_are_numbers(weights, held):
    with pytest.raises(ValueError, match=f"sample_weight holds {held}: expected one number for each of the 100 rows"):
        rows_by_weight(weights, 100, torch.arange(100), generator())
