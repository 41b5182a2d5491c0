import math

import numpy as np
import pytest
import torch
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression

from mibounds.classical import (
    conditional_contingency,
    conditional_ksg,
    conditional_mixed_ksg,
    contingency,
    gaussian,
    gaussian_copula,
    gaussian_copula_full,
    ksg,
    mixed_ksg,
)
from mibounds.tasks import CorrelatedGaussian, MultivariateGaussian, UniformDiscrete


def sample(task, n=400, seed=0):
    x, y = task.sample(n, torch.Generator().manual_seed(seed))
    return x.double(), y.double()


def naive(x, y, k, variant):
    """The definition, by loops over all distances."""
    x, y = x.reshape(len(x), -1).numpy(), y.reshape(len(y), -1).numpy()
    n = len(x)
    dx, dy = (np.abs(side[:, None] - side).max(-1) for side in (x, y))
    joint = np.maximum(dx, dy)
    total = 0.0
    for i in range(n):
        near = [j for j in np.argsort(joint[i], kind="stable") if j != i][:k]
        others = np.arange(n) != i
        if variant == 1:
            eps = joint[i, near[-1]]
            total += digamma((dx[i][others] < eps).sum() + 1) + digamma((dy[i][others] < eps).sum() + 1)
        else:
            total += digamma((dx[i][others] <= dx[i, near].max()).sum())
            total += digamma((dy[i][others] <= dy[i, near].max()).sum())
    return digamma(k) - (1 / k if variant == 2 else 0) + digamma(n) - total / n


@pytest.mark.parametrize("variant", [1, 2])
@pytest.mark.parametrize("neighbors", [1, 3, 5])
def test_ksg_is_its_definition(variant, neighbors):
    for x, y in (sample(CorrelatedGaussian(1, 0.7), 120), sample(MultivariateGaussian.dense(2, 0.5), 120)):
        assert ksg(x, y, neighbors=neighbors, variant=variant) == pytest.approx(
            naive(x, y, neighbors, variant), abs=1e-9
        )


@pytest.mark.parametrize("rho", [0.3, 0.9])
def test_ksg_is_that_of_scikit_learn_on_one_column(rho):
    x, y = sample(CorrelatedGaussian(1, rho), 1000)
    # scikit-learn divides by the standard deviation, which leaves the order of the distances in each column.
    x, y = x / x.std(correction=0), y / y.std(correction=0)
    theirs = mutual_info_regression(
        x.numpy(), y.numpy().ravel(), n_neighbors=3, discrete_features=False, random_state=0
    )
    assert ksg(x, y) == pytest.approx(theirs[0], abs=1e-6)


@pytest.mark.parametrize("estimator", [ksg, mixed_ksg, lambda x, y: ksg(x, y, variant=2)])
def test_nearest_neighbors_are_near_the_truth(estimator):
    task = CorrelatedGaussian(1, 0.8)
    errors = []
    for seed in range(4):
        x, y = sample(task, 2000, seed)
        errors.append(estimator(x, y) - float(task.log_ratio(x, y).mean()))
    assert sum(errors) / 4 == pytest.approx(0, abs=0.025)


def gaussian_pair(rho, n, seed):
    x, noise = np.random.default_rng(seed).normal(size=(2, n))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def average(estimator, draw, seeds=3):
    return float(np.mean([estimator(*draw(seed)) for seed in range(seeds)]))


def test_mixed_ksg_counts_where_values_are_tied():
    x = torch.arange(1200) % 4
    y = torch.div(x, 2, rounding_mode="floor")
    assert mixed_ksg(x, y) == pytest.approx(math.log(2), abs=0.01)
    assert mixed_ksg(x, torch.arange(1200) // 4 % 3) == pytest.approx(0, abs=0.01)
    assert mixed_ksg(x, x) == pytest.approx(math.log(4), abs=0.01)
    assert ksg(np.ones(20), np.arange(20.0)) == mixed_ksg(np.ones(20), np.ones(20)) == 0


def test_mixed_ksg_has_one_side_of_each_kind():
    task = UniformDiscrete(5)
    assert average(mixed_ksg, lambda seed: sample(task, 2000, seed)) == pytest.approx(task.mutual_information, abs=0.04)


def test_mixed_ksg_of_independent_integers_is_nothing():
    def draw(seed):
        return np.random.default_rng(seed).integers(0, 100, (2, 3000))

    assert [mixed_ksg(*draw(seed)) for seed in range(3)] == pytest.approx([0, 0, 0], abs=0.03)


@pytest.mark.parametrize(("rho", "n"), [(0, 500), (0.7, 2000)])
def test_mixed_ksg_of_rounded_gaussians(rho, n):
    value = average(mixed_ksg, lambda seed: [side.round(1) for side in gaussian_pair(rho, n, seed)])
    assert value == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.04)


def test_mixed_ksg_of_a_label_and_a_shifted_gaussian():
    def draw(seed):
        label, noise = (
            np.random.default_rng(seed).integers(0, 3, 2000),
            np.random.default_rng(9 + seed).normal(size=2000),
        )
        return label, 1.5 * label + noise

    u = np.linspace(-8, 11, 20_001)
    p = sum(np.exp(-((u - 1.5 * k) ** 2) / 2) for k in range(3)) / (3 * math.sqrt(2 * math.pi))
    truth = -np.sum(p * np.log(p)) * (u[1] - u[0]) - 0.5 * math.log(2 * math.pi * math.e)
    assert average(mixed_ksg, draw) == pytest.approx(truth, abs=0.03)


def test_mixed_ksg_of_zero_inflated_columns():
    def draw(seed):
        rng = np.random.default_rng(seed)
        dry = rng.random(2000) < 0.4
        x = np.where(dry, 0, rng.exponential(size=2000))
        return x, np.where(dry & (rng.random(2000) < 0.8), 0, rng.exponential(size=2000))

    def entropy(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    assert average(mixed_ksg, draw) == pytest.approx(entropy(0.32) - 0.4 * entropy(0.2), abs=0.035)


def test_mixed_ksg_of_labels_is_near_the_counts():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 2000)
    y = (x + rng.integers(0, 3, 2000)) % 5
    assert mixed_ksg(x, y) == pytest.approx(contingency(x, y, correction="miller-madow"), abs=0.005)


def test_mixed_ksg_is_ksg_without_ties():
    x, y = sample(MultivariateGaussian.dense(2, 0.5))
    assert mixed_ksg(x, y) == ksg(x, y)
    assert mixed_ksg(x, y, seed=3) == ksg(x, y)
    assert mixed_ksg(x.round(), y.round(), seed=3) != mixed_ksg(x.round(), y.round())


def naive_conditional(x, y, z, k):
    """The definition of Frenzel and Pompe, by loops over all distances."""
    dx, dy, dz = (np.abs(side[:, None] - side).max(-1) for side in (x, y, z))
    xz, yz = np.maximum(dx, dz), np.maximum(dy, dz)
    joint = np.maximum(xz, dy)
    total = 0.0
    for i in range(len(x)):
        others = np.arange(len(x)) != i
        radius = np.sort(joint[i][others])[k - 1]
        n_z, n_xz, n_yz = ((d[i][others] < radius).sum() for d in (dz, xz, yz))
        total += digamma(k) + digamma(n_z + 1) - digamma(n_xz + 1) - digamma(n_yz + 1)
    return total / len(x)


@pytest.mark.parametrize("neighbors", [1, 4])
def test_conditional_ksg_is_its_definition(neighbors):
    x, y, z = np.random.default_rng(0).normal(size=(3, 120, 2))
    x, y = x + z, y[:, :1] + x[:, :1]
    expected = pytest.approx(naive_conditional(x, y, z, neighbors), abs=1e-12)
    assert conditional_ksg(x, y, z, neighbors=neighbors) == expected
    assert conditional_mixed_ksg(x, y, z, neighbors=neighbors) == expected


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("rho", [0, 0.6])
def test_conditional_neighbors_are_near_the_truth(rho, digits):
    def draw(seed):
        a, b = gaussian_pair(rho, 2000, seed)
        z = np.random.default_rng(50 + seed).normal(size=2000)
        return [side if digits is None else side.round(digits) for side in (z + a, z + b, z)]

    estimator = conditional_ksg if digits is None else conditional_mixed_ksg
    assert average(estimator, draw) == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.03)


def test_conditional_mixed_ksg_of_labels_is_near_the_counts():
    rng = np.random.default_rng(0)
    x, y, z = rng.integers(0, 3, (3, 3000))
    x, y = (x + z) % 3, np.maximum(y, z) + x
    expected = conditional_contingency(x, y, z, correction="miller-madow")
    assert conditional_mixed_ksg(x, y, z) == pytest.approx(expected, abs=0.01)
    assert conditional_mixed_ksg(x, y, x) == pytest.approx(0, abs=0.01)
    a, b, parity = [0, 0, 1, 1] * 100, [0, 1, 0, 1] * 100, [0, 1, 1, 0] * 100
    assert conditional_mixed_ksg(a, b, parity) == pytest.approx(math.log(2), abs=0.01)


def test_conditional_mixed_ksg_given_a_label():
    def draw(seed):
        a, b = gaussian_pair(0.6, 2000, seed)
        z = np.random.default_rng(50 + seed).integers(0, 4, 2000)
        return z + a, z + b, z

    assert average(conditional_mixed_ksg, draw) == pytest.approx(-0.5 * math.log(1 - 0.36), abs=0.03)


@pytest.mark.parametrize("z", [None, [], np.empty((400, 0)), np.full(400, 7.5)])
def test_no_condition_and_a_constant_one_are_unconditional(z):
    x, y = sample(MultivariateGaussian.dense(2, 0.5))
    assert conditional_ksg(x, y, z) == ksg(x, y)
    x, y = x.round(), y.round()
    assert conditional_mixed_ksg(x, y, z) == mixed_ksg(x, y)


def test_a_condition_that_holds_x_leaves_nothing():
    x, y = sample(MultivariateGaussian.dense(2, 0.5))
    assert conditional_ksg(x, y, x) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    "estimator", [ksg, mixed_ksg, lambda x, y: ksg(x, y, variant=2), lambda x, y: conditional_ksg(x, y, y.sum(1))]
)
def test_the_order_of_the_rows_does_not_matter(estimator):
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    for decimals in (9, 1):
        x, y = (side.round(decimals=decimals) for side in sample(MultivariateGaussian.dense(2, 0.5), 200))
        assert estimator(x[order], y[order]) == estimator(x, y)


def test_sides_columns_units_and_ranks_do_not_matter():
    x, y = sample(MultivariateGaussian.dense(2, 0.5))
    z = x[:, :1] + y[:, :1]
    assert ksg(y, x) == ksg(x.flip(1), y) == ksg(4 * x, 4 * y) == ksg(-x, y) == ksg(x, y)
    assert conditional_ksg(y, x, z) == conditional_ksg(x, y, z)
    a, b = (np.argsort(np.argsort(side[:, 0].numpy())) / 400 for side in (x, y))
    for scale in (1e-3, 1e6):
        c, d = (np.argsort(np.argsort(scale * side[:, 0].numpy() ** 3)) / 400 for side in (x, y))
        assert ksg(c, d) == ksg(a, b)
    x, y = x[:, 0].round(decimals=1), y[:, 0].round(decimals=1)
    assert mixed_ksg(x, y) == pytest.approx(mixed_ksg(8 * x, 8 * y), abs=1e-12)
    assert mixed_ksg(x, y) == pytest.approx(mixed_ksg(y, x), abs=0.06)


def test_every_container_is_the_same():
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    x, y = (side.numpy() for side in sample(CorrelatedGaussian(1, 0.7), 60))
    column, expected = x[:, 0], ksg(x, y)
    for one in (
        column,
        column.tolist(),
        x.tolist(),
        torch.from_numpy(x).requires_grad_(),
        pd.Series(column),
        pd.DataFrame(x),
        pl.Series("a", column),
        pl.DataFrame({"a": column}),
        pa.array(column),
        pa.table({"a": column}),
        {"a": column},
        column.astype(object),
    ):
        assert ksg(one, y) == mixed_ksg(one, y) == expected
    days = np.arange(60).astype("datetime64[D]")
    assert ksg(days, y) == ksg(np.arange(60), y) == ksg(2**60 + np.arange(60), y)


@pytest.mark.parametrize("estimator", [ksg, mixed_ksg])
def test_five_rows_and_extreme_magnitudes_are_enough(estimator):
    assert math.isfinite(estimator([0, 1, 2, 3, 4], [2.0, 1.0, 5.0, 0.0, 3.0]))
    x, y = (side.double() for side in sample(CorrelatedGaussian(1, 0.7), 60))
    assert estimator(2.0**900 * x, 2.0**900 * y) == estimator(2.0**-900 * x, 2.0**-900 * y) == estimator(x, y)


def test_threads_change_nothing():
    x, y = sample(MultivariateGaussian.dense(2, 0.5))
    assert ksg(x, y, workers=2) == ksg(x, y)


def test_what_cannot_be_used_is_refused():
    x = torch.randn(3, 1, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="only 2 others: give fewer"):
        ksg(x, x)
    with pytest.raises(ValueError, match="x has 3 rows and y has 2"):
        mixed_ksg(x, x[:2])
    with pytest.raises(ValueError, match="x has 3 rows and z has 2"):
        conditional_ksg(x, x, x[:2])
    with pytest.raises(ValueError, match="variant is 3: expected 1 or 2"):
        ksg(x, x, variant=3)
    with pytest.raises(TypeError, match=r"neighbors is 2\.7 \(a float\): expected a whole number of at least 1"):
        ksg(x, x, neighbors=2.7)
    with pytest.raises(ValueError, match="neighbors is 0"):
        mixed_ksg(x, x, neighbors=0)
    with pytest.raises(ValueError, match="workers is 0"):
        ksg(x, x, neighbors=1, workers=0)
    with pytest.raises(TypeError, match="seed is None"):
        mixed_ksg(x, x, neighbors=1, seed=None)


@pytest.mark.parametrize("estimator", [ksg, mixed_ksg, gaussian, gaussian_copula, gaussian_copula_full])
@pytest.mark.parametrize(
    ("y", "error", "sentence"),
    [
        (["a", "b", "c", "a", "b"], TypeError, r"^y holds text: expected numbers\."),
        ({"city": ["a", "b", "c", "a", None]}, TypeError, "^column 'city' of y holds text: expected numbers"),
        ([0.0, 1.0, math.nan, 3.0, 4.0], ValueError, r"^y has 1 missing value: fill them in, or leave the rows out\.$"),
        ([0.0, math.inf, -math.inf, 3.0, 4.0], ValueError, r"^y has 2 infinite values: replace them"),
        ([], ValueError, "^y is empty: expected one row for each sample"),
        (np.array(1.0), ValueError, "^y is a single value: expected one row for each sample"),
        (None, TypeError, "^y is None"),
        ("city", TypeError, "^y is the text 'city'"),
    ],
)
def test_values_that_are_no_numbers_are_refused_in_one_sentence(estimator, y, error, sentence):
    with pytest.raises(error, match=sentence):
        estimator([0.0, 1.0, 2.0, 3.0, 4.0], y)


@pytest.mark.parametrize("method", [ksg, conditional_ksg, mixed_ksg, conditional_mixed_ksg])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_largest_numbers_have_neighbors_too(method, place):
    rng = np.random.default_rng(0)
    columns = [*rng.uniform(-1, 1, (3 if "conditional" in method.__name__ else 2, 60))]
    place %= len(columns)
    columns[place] = 1.7e308 * np.sign(columns[place]) * rng.uniform(0.5, 1, 60)
    small = [2.0**-100 * column for column in columns]  # the same, to the bit
    assert method(*columns) == method(*small)


@pytest.mark.parametrize("nats", [0.0, 1.0, 3.5])
def test_whole_numbers_without_ties_have_tied_distances_that_add_nothing(nats):
    rng = np.random.default_rng(0)
    r = math.sqrt(1 - math.exp(-2 * nats))
    x, noise = rng.normal(size=(2, 1500))
    y = r * x + math.sqrt(1 - r * r) * noise
    ranks = [np.argsort(np.argsort(column)) for column in (x, y)]
    truth = ksg(x, y)
    for a, b in (ranks, [10**9 + 3 * ranks[0], 2.5 * ranks[1]], [ranks[0] / 250, y]):
        assert mixed_ksg(a, b) == pytest.approx(truth, abs=0.03)
    assert mixed_ksg(x, y) == truth, "values that are on no grid stay as they are"


def test_numbers_that_vanish_beside_the_largest_are_one_value():
    """All are divided by a power of two, so that differences of the largest stay finite."""
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=60), rng.choice([-1.7e308, 1e308, 1.7e308], 60)
    tiny = 5e-324 * rng.integers(0, 50, 60)
    assert conditional_mixed_ksg(x, tiny, z) == pytest.approx(conditional_mixed_ksg(x, np.zeros(60), z), abs=0.05)
    assert conditional_mixed_ksg(tiny, x, z) == pytest.approx(0, abs=0.05)
