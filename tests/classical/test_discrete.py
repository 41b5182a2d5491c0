import itertools
import math

import numpy as np
import pytest
import torch

from mibounds.classical import conditional_contingency, contingency, discrete, entropy

LN2 = math.log(2)


def draws(seed=0, n=300):
    x, y, z = np.random.default_rng(seed).integers(0, 4, (3, n))
    return (x + z) % 4, np.minimum(y, z), z


def by_definition(x, y, z):
    n = len(x)
    total = 0.0
    for a, b, c in set(zip(x, y, z, strict=True)):
        joint = ((x == a) & (y == b) & (z == c)).sum()
        given = (z == c).sum()
        total += joint / n * math.log(joint * given / (((x == a) & (z == c)).sum() * ((y == b) & (z == c)).sum()))
    return total


def test_counts_give_the_definition():
    x = torch.tensor([0] * 40 + [1] * 60)
    y = torch.tensor([0] * 30 + [1] * 10 + [0] * 20 + [1] * 40)
    joint = {(0, 0): 0.3, (0, 1): 0.1, (1, 0): 0.2, (1, 1): 0.4}
    by_hand = sum(p * math.log(p / ((0.4, 0.6)[a] * (0.5, 0.5)[b])) for (a, b), p in joint.items())
    assert contingency(x, y) == pytest.approx(by_hand, abs=1e-14)
    assert contingency(x, y, correction="miller-madow") == pytest.approx(by_hand - 1 / 200, abs=1e-14)
    assert entropy(x) == pytest.approx(-0.4 * math.log(0.4) - 0.6 * math.log(0.6), abs=1e-14)
    assert entropy(x, correction="miller-madow") == pytest.approx(entropy(x) + 1 / 200, abs=1e-14)


def test_counts_given_a_third_variable_give_the_definition():
    x, y, z = draws()
    assert conditional_contingency(x, y, z) == pytest.approx(by_definition(x, y, z), abs=1e-13)


def test_exact_tables_are_exact():
    assert contingency([0, 0, 1, 1], [0, 1, 0, 1]) == 0
    assert contingency([1, 0, 1, 0], [1, 0, 1, 0]) == LN2
    inputs = np.array(list(itertools.product([0, 1], repeat=3)))
    parity = inputs.sum(1) % 2
    assert contingency(inputs, parity) == pytest.approx(LN2, abs=1e-15)
    assert contingency(inputs[:, :2], parity) == 0
    assert conditional_contingency(inputs[:, 0], parity, inputs[:, 1:]) == pytest.approx(LN2, abs=1e-15)
    assert conditional_contingency(inputs[:, 0], parity, inputs[:, 1]) == 0


@pytest.mark.parametrize("correction", [None, "miller-madow"])
def test_a_variable_with_itself_has_its_entropy(correction):
    x = np.random.default_rng(0).integers(0, 50, 200)
    assert contingency(x, x, correction=correction) == entropy(x, correction=correction)
    assert contingency(x, draws(n=200)[0]) <= entropy(x)


@pytest.mark.parametrize("correction", [None, "miller-madow"])
def test_the_chain_rule_is_exact(correction):
    x, y, z = draws()
    whole = contingency(x, np.stack([y, z], 1), correction=correction)
    parts = contingency(x, z, correction=correction), conditional_contingency(x, y, z, correction=correction)
    assert whole == pytest.approx(sum(parts), abs=1e-13)


@pytest.mark.parametrize("correction", [None, "miller-madow"])
def test_a_condition_that_holds_x_or_y_leaves_nothing(correction):
    x, y, _ = draws()
    assert conditional_contingency(x, y, x, correction=correction) == 0
    assert conditional_contingency(x, y, y, correction=correction) == 0


@pytest.mark.parametrize("z", [None, [], np.empty((300, 0)), torch.empty(0), {}, ["a"] * 300, np.zeros((300, 2))])
def test_no_condition_and_a_constant_one_are_unconditional(z):
    x, y, _ = draws()
    assert conditional_contingency(x, y, z) == contingency(x, y)


def test_the_correction_removes_the_bias():
    generator = torch.Generator().manual_seed(0)
    samples = [torch.randint(0, 5, (3, 200), generator=generator) for _ in range(100)]
    plain, corrected = (
        sum(contingency(x, y, correction=one) for x, y, _ in samples) / len(samples) for one in (None, "miller-madow")
    )
    assert plain == pytest.approx(16 / 400, abs=0.006)
    assert corrected == pytest.approx(0, abs=0.005)
    samples = [(x % 3, y % 3, z % 2) for x, y, z in samples]
    given = sum(conditional_contingency(*one, correction="miller-madow") for one in samples) / len(samples)
    assert given == pytest.approx(0, abs=0.005)


def test_order_names_and_sides_do_not_matter():
    x, y, z = draws()
    order = np.random.default_rng(1).permutation(len(x))
    for value, same in (
        (contingency(x, y), contingency(x[order], y[order])),
        (contingency(x, y), contingency(y, x)),
        (contingency(x, y), contingency(np.array([3, 0, 7, 5])[x], np.array(list("dbca"))[y])),
        (conditional_contingency(x, y, z), conditional_contingency(x[order], y[order], z[order])),
        (conditional_contingency(x, y, z), conditional_contingency(y, x, -z)),
    ):
        assert value == pytest.approx(same, abs=1e-14)
    assert contingency(x, y) == contingency(x[order], y[order])


def test_every_container_is_the_same():
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    x, y, _ = draws()
    expected = contingency(x, y)
    for one in (
        x.tolist(),
        x.astype(float),
        torch.from_numpy(x),
        torch.from_numpy(x)[:, None].float(),
        pd.Series(x),
        pd.DataFrame({"a": x}),
        pd.Series(x.astype(str)).astype("category"),
        pl.Series("a", x),
        pl.DataFrame({"a": x.astype(str)}),
        pa.array(x),
        pa.table({"a": x}),
        {"a": x},
        x.astype(str),
        [str(value) for value in x],
        x.astype("datetime64[D]"),
        x.astype(object),
    ):
        assert contingency(one, y) == expected
    assert contingency(x > 1, y > 1) == contingency([bool(value) for value in x > 1], (y > 1).astype(str))


def test_several_columns_are_one_value():
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]).repeat(25, 1)
    assert contingency(x, x) == pytest.approx(math.log(4), abs=1e-14)
    assert contingency([("a", 1), ("a", 2), ("b", 1), ("b", 2)], [0, 1, 2, 3]) == pytest.approx(math.log(4), abs=1e-14)


def test_codes_beyond_float_precision_are_distinct():
    x = 2**60 + np.arange(100) % 4
    assert contingency(x, np.arange(100) % 4) == pytest.approx(math.log(4), abs=1e-14)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (
            [0.0, math.nan, 1.0],
            "x has 1 missing value: give the missing value a name of its own, or leave the rows out",
        ),
        (["a", None, None], "x has 2 missing values: give"),
        ({"age": [1.0, math.nan, 2.0]}, "column 'age' of x has 1 missing value: give"),
        ([], "x is empty: expected one row for each sample"),
        (np.empty((3, 0)), "x is empty"),
        ([0, 1], "x has 2 rows and y has 3"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_one_sentence(x, sentence):
    with pytest.raises(ValueError, match=sentence):
        contingency(x, [0, 1, 2])


def test_arguments_are_checked():
    with pytest.raises(TypeError, match="x is None"):
        entropy(None)
    with pytest.raises(ValueError, match="x has 3 rows and z has 2"):
        conditional_contingency([0, 1, 2], [0, 1, 2], [0, 1])
    with pytest.raises(ValueError, match="correction is 'miller'.*Did you mean 'miller-madow'"):
        entropy([0, 1], correction="miller")
    with pytest.raises(TypeError, match="correction is True"):
        contingency([0, 1], [0, 1], correction=True)


def test_the_error_of_counts_is_the_spread_over_samples():
    truth_of = np.array([[0.30, 0.10, 0.05], [0.05, 0.10, 0.40]])
    values, errors = [], []
    for seed in range(300):
        cell = np.random.default_rng(seed).choice(6, 200, p=truth_of.ravel())
        values.append(contingency(cell // 3, cell % 3, correction="miller-madow"))
        errors.append(discrete.error(cell // 3, cell % 3))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)
    independent = [np.random.default_rng(seed).integers(0, 3, (2, 200)) for seed in range(300)]
    assert np.std([contingency(*pair, correction="miller-madow") for pair in independent]) == pytest.approx(
        math.sqrt(4 / 2) / 200, rel=0.12
    )
    chance = [discrete.error(*pair) for pair in independent]
    assert math.sqrt(4 / 2) / 200 < np.mean(chance) < 2 * math.sqrt(4 / 2) / 200


def test_the_error_of_counts_in_clusters():
    x, y = np.random.default_rng(0).integers(0, 3, (2, 100))
    clusters = np.arange(100).repeat(4)
    alone = discrete.error(x, y)
    assert discrete.error(x.repeat(4), y.repeat(4), cluster=clusters) == pytest.approx(alone, rel=1e-9)
    assert discrete.error(x.repeat(4), y.repeat(4)) < 0.6 * alone
