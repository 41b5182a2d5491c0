"""Nearest neighbors among rows of equal labels."""

import numpy as np
import pytest
from scipy.special import digamma

from mibounds.classical import ksg
from mibounds.integrations.neighbor_scores import Side, untied, within_labels


def naive(x, y, k):
    """The definition, by loops over all pairs of rows."""
    n, total = len(x.labels), 0.0
    numbers = np.hstack([x.numbers, y.numbers])
    for i in range(n):
        cell = [j for j in range(n) if j != i and x.labels[j] == x.labels[i] and y.labels[j] == y.labels[i]]
        own, radius = (min(k, len(cell)), np.inf) if cell else (1, np.inf)
        if cell:
            radius = sorted(np.abs(numbers[cell] - numbers[i]).max(1))[own - 1]
        total += digamma(n) + digamma(own)
        for side in (x, y):
            near = side.labels == side.labels[i]
            if side.numbers.shape[1]:
                near &= np.abs(side.numbers - side.numbers[i]).max(1) < radius
            total -= digamma(near.sum())
    return total / n


def sides(columns_x, columns_y, labels_x, labels_y, n=120):
    rng = np.random.default_rng(0)
    return tuple(
        Side(rng.normal(size=(n, columns)), rng.integers(0, labels, n))
        for columns, labels in ((columns_x, labels_x), (columns_y, labels_y))
    )


@pytest.mark.parametrize("shape", [(1, 0, 1, 4), (1, 0, 1, 60), (0, 1, 5, 1), (2, 0, 3, 4), (1, 1, 3, 1)])
@pytest.mark.parametrize("k", [1, 3])
def test_it_is_what_the_definition_says(shape, k):
    x, y = sides(*shape)
    assert within_labels(x, y, k) == pytest.approx(naive(x, y, k), abs=1e-9)
    assert within_labels(y, x, k) == pytest.approx(within_labels(x, y, k), abs=1e-9)


def test_without_labels_it_is_the_estimator_of_numbers():
    x, y = sides(1, 1, 1, 1, 300)
    assert within_labels(x, y) == pytest.approx(ksg(x.numbers, y.numbers), abs=1e-9)


def test_labels_of_one_row_add_nothing():
    x, y = sides(1, 0, 1, 1, 80)
    assert within_labels(x, Side(y.numbers, np.arange(80))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("rows", [2, 3, 4, 10])
def test_numbers_that_tell_labels_apart_have_nearly_their_entropy(rows):
    label = np.repeat(np.arange(40), rows)
    x = Side((label + 0.1 * np.random.default_rng(0).random(len(label)))[:, None], np.zeros_like(label))
    found = within_labels(x, Side(np.empty((len(label), 0)), label))
    assert np.log(40) < found < np.log(40) + 0.3  # that of labels by digamma functions is a little high


def test_ties_are_broken_alike_in_whatever_order_rows_come():
    rng = np.random.default_rng(0)
    x, y = (Side(rng.normal(size=(80, 2)).round(), rng.integers(0, 2, 80)) for _ in "xy")
    moved = rng.permutation(80)
    found = untied(x, y, 3)
    again = untied(*(Side(side.numbers[moved], side.labels[moved]) for side in (x, y)), 3)
    for side, one, other in zip((x, y), found, again, strict=True):
        assert (one.numbers == other.numbers).all()
        assert (one.labels == other.labels).all()
        assert len(np.unique(one.numbers[:, 0])) == 80
        assert {*one.numbers[:, 0].round()} == {*side.numbers[:, 0]}
