import numpy as np
import pytest

from mibounds.classical import ksg, mixed_ksg
from mibounds.estimation.stretched import Neighbors, neighbors_between


def wave(n, frequency, seed=0):
    x, noise = np.random.default_rng(seed).normal(size=(2, n, 1))
    return x, np.sin(frequency * x) + 0.3 * noise  # about 0.862 nats from a frequency of 2 on


@pytest.mark.parametrize("frequency", [12, 16])
@pytest.mark.parametrize("n", [500, 2000])
def test_a_relation_that_oscillates_is_seen(n, frequency):
    x, y = wave(n, frequency)
    assert ksg(x, y) < (0.6 if n == 500 else 0.8)
    for a, b in ((x, y), (y, x)):
        assert neighbors_between(ksg, a, b).value == pytest.approx(0.862, abs=0.25 if n == 500 else 0.06)


@pytest.mark.parametrize("n", [200, 1000])
def test_chance_hardly_ever_stretches(n):
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(60):
        x, noise = rng.normal(size=(2, n, 1))
        changed += sum(neighbors_between(ksg, x, y).value != ksg(x, y) for y in (noise, x + noise))
    assert changed <= 6  # of 120


def test_a_smooth_relation_is_left_as_it_is():
    x, y = wave(1000, 1)
    assert neighbors_between(ksg, x, y).value == ksg(x, y)


def test_categories_are_not_moved_together():
    x = np.random.default_rng(0).normal(size=(600, 1))
    label = 10 * np.floor(np.mod(8 * x, 2))
    calls = []

    def method(a, b):
        calls.append(len(a))
        return mixed_ksg(a, b)

    assert neighbors_between(method, x, label).value == mixed_ksg(x, label)
    assert calls == [600, 300, 300]


def test_the_unit_of_many_rows_is_chosen_on_a_thousand_of_each_half():
    x, y = wave(5000, 16)
    rows = []

    def method(a, b):
        rows.append(len(a))
        return ksg(a, b)

    assert neighbors_between(method, x, y).value > ksg(x, y) + 0.02
    assert rows[-3:] == [5000, 2500, 2500]
    assert set(rows[:-3]) == {1000}


def test_the_larger_change_of_one_half_is_not_taken():
    """The halves choose 64 and 4 times, then 4 and a quarter."""

    def stepwise(first, second):
        def method(x, y):
            wanted = first if y[0, 0] == 0 else second  # of even and of odd rows
            return -abs(float(np.log(x.std()) - np.log(np.arange(200).std() * wanted)))

        return method

    x = np.arange(200.0)[:, None]
    y = np.arange(200.0)[:, None]

    def scale(method):
        seen = []

        def recorded(a, b):
            seen.append((len(a), a.std()))
            return method(a, b)

        neighbors_between(recorded, x, y)
        return round(next(std for rows, std in reversed(seen) if rows == 200) / x.std(), 3)

    assert scale(stepwise(64.0, 4.0)) == scale(stepwise(4.0, 64.0)) == 4
    assert scale(stepwise(1 / 16, 1 / 16)) == 0.062
    assert scale(stepwise(4.0, 0.25)) == scale(stepwise(1.0, 16.0)) == 1


def test_the_gain_of_doubling_the_samples():
    x = np.arange(9.0)[:, None]
    found = neighbors_between(lambda x, y: float(np.max(x + y)), x, x)  # halves: 16 and 14
    assert found == Neighbors(16.0, stderr=1 / 3, learning_gain=1.0, rise=0.5)
    assert neighbors_between(lambda x, y: 1 / len(x), x, x).rise == 0


def test_a_reported_value_is_raised_where_doubling_the_samples_raises_it():
    """Sharp relations of few samples, 3.91 nats."""
    found = []
    for seed in range(5):
        x, noise = np.random.default_rng(seed).normal(size=(2, 500, 1))
        found.append(neighbors_between(ksg, x, x + 0.02 * noise))
    assert np.mean([one.value for one in found]) < 3.912 - 0.15
    assert np.mean([one.value + one.rise for one in found]) == pytest.approx(3.912, abs=0.08)
    assert all(one.rise == max(one.learning_gain - 1.5 * one.stderr, 0) for one in found)
