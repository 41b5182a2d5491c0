"""What must not change the information does not change the estimate, or by less than its error.

Another order of rows, exchanged variables and other containers or dtypes give the same number. Units, origins and
monotone maps move a value by at most a fifth of its standard error, or 0.01 nats. Rotated or repeated columns train
other critics: the intervals overlap.
"""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import mibounds as mi

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

SHORT = {"folds": 2, "steps": 40, "hidden": (16,), "test_negatives": 32}
N = 300
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("sine", "two columns", "independent")]  # `make slow`


def drawn(name):
    rng = np.random.default_rng(2)
    x = rng.normal(size=N)
    if name == "two columns":
        x = rng.normal(size=(N, 2))
        return x, x @ np.array([[1, 0.5], [0, 1]]) + rng.normal(size=(N, 2))
    noise = rng.normal(size=N)
    return x, {
        "gauss": x + noise,
        "sine": np.sin(2 * x) + 0.3 * noise,
        "label": np.where(x + 0.7 * noise > 0, 1, 0),
        "independent": noise,
    }[name]


def estimate(x, y):
    return mi.estimate(x, y, **SHORT)


@pytest.fixture(scope="module", params=["gauss", pytest.param("label", marks=pytest.mark.slow), *SLOW])
def plain(request):
    """For tests that are marked `supervised`."""
    x, y = drawn(request.param)
    return x, y, estimate(x, y)


@pytest.fixture(scope="module", params=["gauss", "label", *SLOW])
def without_learners(request):
    """The same for tests that are not: learners are given the same numbers whatever holds them."""
    x, y = drawn(request.param)
    return x, y, estimate(x, y)


@pytest.mark.parametrize(
    "hold",
    [
        torch.from_numpy,
        lambda side: torch.from_numpy(side).requires_grad_() if side.dtype.kind == "f" else torch.from_numpy(side),
        pd.DataFrame,
        lambda side: pl.DataFrame(side, schema=[f"c{i}" for i in range(side.size // N)]),
        lambda side: side.tolist(),
        np.asfortranarray,
        lambda side: side.astype(np.float32) if side.dtype.kind == "f" else side.astype(np.int8),
        lambda side: side.astype(np.longdouble) if side.dtype.kind == "f" else side.astype(np.uint64),
    ],
    ids=["torch", "torch with gradient", "pandas", "polars", "list", "fortran order", "float32", "long double"],
)
def test_containers_and_dtypes_do_not_change_the_value(without_learners, hold):
    x, y, found = without_learners
    again = estimate(hold(x), hold(y))
    assert again.value == found.value
    assert again.stderr == found.stderr
    assert again.interval == found.interval


@pytest.mark.supervised
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda x: 2.0**20 * x, marks=pytest.mark.slow),
        pytest.param(lambda x: 1e-9 * x, marks=pytest.mark.slow),
        pytest.param(lambda x: 2.0**-200 * x, marks=pytest.mark.slow),
        lambda x: 3 * x - 1e9,
        pytest.param(lambda x: -x, marks=pytest.mark.slow),
        np.exp,
        pytest.param(lambda x: x**3, marks=pytest.mark.slow),
    ],
    ids=["2**20", "1e-9", "2**-200", "- 1e9", "mirrored", "exp", "cube"],
)
def test_units_origins_and_monotone_maps_move_the_value_by_less_than_a_fifth_of_its_error(plain, change):
    x, y, found = plain
    again = estimate(change(x), y)
    if found.value < 0.1:  # noise, which far values of standardized columns make larger
        assert overlap(found, again)
    else:
        assert abs(again.value - found.value) < 0.2 * found.stderr + 0.01


def test_a_far_origin_moves_the_value_by_less_than_a_fifth_of_its_error(without_learners):
    x, y, found = without_learners
    assert abs(estimate(3 * x - 1e9, y).value - found.value) < 0.2 * found.stderr + 0.01


def overlap(one, other):
    return one.interval[0] <= other.interval[1] and other.interval[0] <= one.interval[1]


@pytest.mark.supervised
def test_neither_the_order_of_rows_nor_that_of_the_variables_changes_a_number(plain):
    x, y, found = plain
    order = np.random.default_rng(0).permutation(N)
    again = estimate(y[order], x[order])
    assert (again.value, again.stderr, again.interval) == (found.value, found.stderr, found.interval)
    assert again.kinds == found.kinds[::-1]
    assert [len(names) for names in again.columns] == [len(names) for names in found.columns[::-1]]
    assert torch.equal(again.pointwise, found.pointwise[order])
    assert torch.allclose(again.fitted.score_pairs(y, x), found.fitted.score_pairs(x, y))
    for one in (found, again):
        tested = torch.cat([fold.fold.test for fold in one.fitted])
        assert sorted(tested.tolist()) == list(range(N))
    assert set(order[again.fitted[0].fold.test]) == set(found.fitted[0].fold.test.tolist())


@pytest.mark.supervised
@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.column_stack([x, x]),
        pytest.param(lambda x: np.column_stack([x, np.ones(N)]), marks=pytest.mark.slow),
        pytest.param(lambda x: np.column_stack([x, 5 - 3 * x]), marks=pytest.mark.slow),
        pytest.param(lambda x: x.reshape(N, -1)[:, ::-1], marks=pytest.mark.slow),
        pytest.param(
            lambda x: x.reshape(N, -1) @ ([[0.6, 0.8], [-0.8, 0.6]] if x.ndim > 1 else [[-1.0]]), marks=pytest.mark.slow
        ),
    ],
    ids=["repeated", "with a constant", "with a multiple", "in another order", "rotated"],
)
def test_repeated_rotated_and_constant_columns_leave_the_intervals_overlapping(plain, change):
    x, y, found = plain
    assert overlap(found, estimate(change(x), y))


def test_a_constant_column_and_new_names_of_labels_do_not_change_the_value():
    x, y = drawn("label")
    found = estimate(x, y)
    assert estimate(np.column_stack([x, np.ones(N)]), y).value == found.value
    assert estimate(x, np.array(["no", "yes"])[y]).value == found.value
    assert estimate(x, 10**12 + y).value == found.value
    assert estimate(x, y > 0).value == found.value
    assert estimate(x, np.array(["yes", "no"])[y]).value == pytest.approx(found.value, abs=0.2 * found.stderr)


def test_the_same_seed_gives_the_same_number_and_another_one_an_overlapping_interval(without_learners):
    x, y, found = without_learners
    assert estimate(x, y).value == found.value
    assert overlap(found, mi.estimate(x, y, seed=1, **SHORT))
