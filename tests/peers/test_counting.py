"""Tables of counts whose information is known exactly: copies, independent draws, parity, noisy channels, constants."""

import math

import numpy as np
import pytest

import mibounds as mi
from mibounds.classical import conditional_contingency, contingency, entropy

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

LN2 = math.log(2)
SHORT = {"folds": 2, "steps": 40, "hidden": (8,), "test_negatives": 32}


def binary_entropy(p):
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


def pairs(counts):
    """Rows with exactly these counts of each pair of values."""
    table = np.asarray(counts)
    x, y = np.indices(table.shape).reshape(2, -1)
    return np.repeat(x, table.ravel()), np.repeat(y, table.ravel())


def information(counts):
    """The information of the law in proportion to the counts, in nats."""
    joint = np.asarray(counts) / np.sum(counts)
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / independent[there])).sum())


TABLES = {
    "copy of a coin": ([[1, 0], [0, 1]], LN2),
    "inverted coin": ([[0, 1], [1, 0]], LN2),
    "independent coins": ([[1, 1], [1, 1]], 0.0),
    "independent, uneven": ([[6, 3], [2, 1]], 0.0),
    "copy of a die": (np.eye(6, dtype=int), math.log(6)),
    "symmetric channel": ([[9, 1], [1, 9]], LN2 - binary_entropy(0.1)),
    "erasure channel": ([[3, 1, 0], [0, 1, 3]], 0.75 * LN2),
    "Z channel": ([[4, 0], [2, 2]], binary_entropy(0.25) - LN2 / 2),
    "AND": ([[2, 0], [1, 1]], binary_entropy(0.25) - LN2 / 2),
    "three to two": ([[1, 0], [1, 0], [0, 1]], binary_entropy(1 / 3)),
    "uneven counts": ([[10, 20, 5], [3, 1, 40]], information([[10, 20, 5], [3, 1, 40]])),
    "constant": ([[3, 5, 2]], 0.0),
}


@pytest.mark.parametrize("name", [*TABLES])
def test_exact_tables_are_counted_exactly(name):
    counts, truth = TABLES[name]
    x, y = pairs(counts)
    assert contingency(x, y) == pytest.approx(truth, abs=1e-12)
    assert contingency(y, x) == pytest.approx(truth, abs=1e-12)
    many = contingency(np.tile(x, 50), np.tile(y, 50))
    assert many == pytest.approx(truth, abs=1e-12)


@pytest.mark.parametrize("name", [*TABLES])
def test_names_of_the_values_and_the_order_of_rows_do_not_matter(name):
    x, y = pairs(TABLES[name][0])
    order = np.random.default_rng(0).permutation(len(x))
    renamed = np.array(["zebra", "ape", "hen", "ox", "cat", "dog"])[x]
    assert contingency(renamed[order], y[order]) == pytest.approx(TABLES[name][1], abs=1e-12)
    assert contingency([str(value) for value in x], 1e6 * y - 7) == pytest.approx(TABLES[name][1], abs=1e-12)


def test_parity_is_seen_by_both_inputs_together_only():
    a, b = np.indices((2, 2)).reshape(2, -1)
    both = np.stack([a, b], 1)
    assert contingency(a, a ^ b) == pytest.approx(0, abs=1e-12)
    assert contingency(b, a ^ b) == pytest.approx(0, abs=1e-12)
    assert contingency(both, a ^ b) == pytest.approx(LN2, abs=1e-12)
    assert conditional_contingency(a, a ^ b, b) == pytest.approx(LN2, abs=1e-12)
    a, b, c = np.indices((2, 2, 2)).reshape(3, -1)
    assert contingency(np.stack([a, b], 1), a ^ b ^ c) == pytest.approx(0, abs=1e-12)
    assert contingency(np.stack([a, b, c], 1), a ^ b ^ c) == pytest.approx(LN2, abs=1e-12)


def test_a_common_cause_explains_its_effects():
    z, x, y = np.indices((2, 4, 4)).reshape(3, -1)
    weight = np.where((x == 0) == (z == 0), 3, 1) * np.where((y == 0) == (z == 0), 3, 1)
    z, x, y = (np.repeat(one, weight) for one in (z, x, y))
    assert conditional_contingency(x, y, z) == pytest.approx(0, abs=1e-12)
    assert contingency(x, y) > 0.01


@pytest.mark.parametrize("values", [1, 2, 7, 50])
def test_a_copy_tells_its_entropy_and_nothing_tells_more(values):
    x = np.random.default_rng(values).integers(0, values, 200)
    assert contingency(x, x) == pytest.approx(entropy(x), abs=1e-12)
    assert contingency(x, 3 * x + 1) == pytest.approx(entropy(x), abs=1e-12)
    assert contingency(x, x // 2) == pytest.approx(entropy(x // 2), abs=1e-12)
    assert contingency(x, np.random.default_rng(0).integers(0, 9, 200)) <= entropy(x) + 1e-12


def test_chain_rule_and_symmetry_hold_for_any_counts():
    x, y, z = np.random.default_rng(3).integers(0, 3, (3, 300))
    y = np.where(x > 0, y, z)
    assert contingency(x, y) == pytest.approx(contingency(y, x), abs=1e-12)
    chain = contingency(x, z) + conditional_contingency(x, y, z)
    assert contingency(x, np.stack([y, z], 1)) == pytest.approx(chain, abs=1e-12)
    assert contingency(x, y) == pytest.approx(entropy(x) + entropy(y) - entropy(np.stack([x, y], 1)), abs=1e-12)


@pytest.mark.parametrize("name", ["copy of a coin", "inverted coin", "copy of a die", "three to two"])
def test_critics_read_exact_tables_and_never_more_than_the_entropy(name):
    counts, truth = TABLES[name]
    x, y = (np.tile(side, 600 // int(np.sum(counts))) for side in pairs(counts))
    found = mi.estimate(x, y, x_type="categorical", y_type="categorical", **SHORT)
    assert found.value == pytest.approx(truth, abs=0.05)
    least = min(entropy(x), entropy(y))
    assert least - 1e-6 <= found.entropy_limit <= least + 0.05
    assert found.value <= found.entropy_limit + 1e-5
    assert found.interval[1] <= found.entropy_limit + 1e-5


def test_critics_read_parity_from_both_inputs_and_nothing_from_one():
    a, b = np.tile(np.indices((2, 2)).reshape(2, -1), 150)
    order = np.random.default_rng(0).permutation(600)
    a, b = a[order], b[order]
    recipe = SHORT | {"steps": 80, "hidden": (32,)}
    alone = mi.estimate(a, a ^ b, **recipe)
    both = mi.estimate(np.stack([a, b], 1), a ^ b, **recipe)
    assert abs(alone.value) < 0.02
    assert both.value == pytest.approx(LN2, abs=0.05)


@pytest.mark.parametrize("flip", [0.0, 0.1, 0.3, 0.5])
def test_critics_read_a_bernoulli_channel_within_their_interval(flip):
    rng = np.random.default_rng(7)
    x = rng.integers(0, 2, 800)
    y = x ^ (rng.random(800) < flip)
    found = mi.estimate(x, y, **SHORT)
    assert found.interval[0] - 0.01 <= LN2 - binary_entropy(flip) <= found.interval[1] + 0.01


@pytest.mark.parametrize(
    "other", [np.arange(80) % 3, np.linspace(0, 1, 80) ** 2, np.array(["a", "b"] * 40), np.ones(80)]
)
def test_a_constant_shares_nothing(other):
    for constant in (np.zeros(80), np.full(80, 1e30), ["one"] * 80, np.full(80, -3)):
        for x, y in ((constant, other), (other, constant)):
            assert mi.estimate(x, y, **SHORT).value == 0
    assert contingency(np.zeros(80), other.round(1) if other.dtype.kind == "f" else other) == 0
