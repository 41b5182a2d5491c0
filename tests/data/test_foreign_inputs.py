"""What people give to a library that measures dependence, kind by kind: each input is either the same as its plain form
or refused with a sentence that says what to do."""

import array
import datetime as dt
import warnings
from collections import deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from scipy.stats import rankdata

import mibounds as mi
from mibounds.data import Sample

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")

N = 120
RNG = np.random.default_rng(0)
A = RNG.normal(size=N)
B = A + RNG.normal(size=N)
K = RNG.integers(0, 4, N)
WORD = np.array(["Bonn", "Ulm", "Wien", "Graz"])[K]
PAIR = np.stack([A, B], 1)
TINY = {"folds": 2, "steps": 2, "hidden": (8,), "test_negatives": 32}
SHORT = TINY | {"steps": 40}


def taken(x, y=B, kind=None, **keywords):
    return Sample.of(x=x, y=y, types={"x": kind}, **keywords)


def values(x, kind=None, **keywords):
    return taken(x, kind=kind, **keywords).x.values


def codes(sample):
    return [one.code for one in sample.warnings]


def order(column):
    """Which rows are equal, and their order."""
    return np.unique(np.asarray(column), return_inverse=True)[1]


def is_in_order(x, **keywords):
    sample = taken(x, **keywords)
    assert sample.n == N
    assert torch.isfinite(sample.x.values).all()
    return np.array_equal(order(sample.x.values[:, 0]), order(x))


# Column names that are not text


@pytest.mark.parametrize(
    "titles, names",
    [
        ([0, 1], ("0", "1")),
        ([2019, 2020], ("2019", "2020")),
        (pd.MultiIndex.from_tuples([("p", "mean"), ("p", "sd")]), ("p.mean", "p.sd")),
        ([("a", 1), ("b", 2)], ("a.1", "b.2")),
        ([None, "a"], ("x[0]", "a")),
        ([0.5, True], ("0.5", "True")),
        (pd.to_datetime(["2024-01-01", "2024-02-01"]), ("2024-01-01 00:00:00", "2024-02-01 00:00:00")),
        (["a", "a"], ("a", "a (2)")),
        (["1", 1], ("1", "1 (2)")),
    ],
)
def test_pandas_columns_may_be_called_anything(titles, names):
    sample = taken(pd.DataFrame(PAIR, columns=titles))
    assert sample.x.columns == names
    assert torch.equal(sample.x.values, values(PAIR))


@pytest.mark.parametrize("name", [None, 0, ("p", "mean"), "y", pd.Timestamp("2024-01-01")])
def test_a_series_may_be_called_anything(name):
    assert torch.equal(values(pd.Series(A, name=name)), values(A))


def test_repeated_names_of_arrow_and_polars_columns_are_told_apart():
    assert taken(pa.table([pa.array(A), pa.array(B)], names=["a", "a"])).x.columns == ("a", "a (2)")
    assert taken(pl.DataFrame({"": A, " ": B})).x.columns == ("", " ")


@pytest.mark.usefixtures("one_regularization")
def test_every_function_takes_a_frame_without_column_names():
    frame, plain = pd.DataFrame(PAIR), PAIR
    assert mi.estimate(frame, B, **TINY).value == mi.estimate(plain, B, **TINY).value
    assert mi.estimate(B, frame, **TINY).value == mi.estimate(B, plain, **TINY).value
    assert mi.conditional(A, B, frame[[0]], **TINY).value == mi.conditional(A, B, A, **TINY).value
    assert np.array_equal(mi.matrix(frame).values, mi.matrix(plain).values, equal_nan=True)
    assert mi.lagged(frame, B, [0, 1], **TINY).values == mi.lagged(plain, B, [0, 1], **TINY).values
    tested = mi.independence_test(frame, B, permutations=9, **TINY)
    assert tested.pvalue == mi.independence_test(plain, B, permutations=9, **TINY).pvalue


# Whole numbers of many digits

LONG = {
    "ten digits": 1_000_000_000 + K,
    "thirteen digits": 4_006_381_333_931 + K,
    "floats": 1e12 + K,
    "objects": np.array([10**12 + int(k) for k in K], dtype=object),
    "thirty digits": [10**30 + int(k) for k in K],
    "decimals": [Decimal(10) ** 20 + int(k) for k in K],
    "fractions": [Fraction(10**20 + int(k)) for k in K],
    "text": [f"{10**20 + int(k)}" for k in K],
    "unsigned": (K.astype(np.uint64) + np.uint64(2**63)),
    "negative": -(2**62) - K,
    "missing elsewhere": pd.array(10**15 + K, dtype="Int64"),
    "pandas categories": pd.Series(10**15 + K, dtype="category"),
    "polars": pl.Series(10**15 + K),
}


@pytest.mark.parametrize("kind", [*LONG])
def test_long_codes_are_as_many_categories_as_short_ones(kind):
    sample = taken(LONG[kind], kind="categorical")
    assert sample.x.label_entropy == pytest.approx(taken(K, kind="categorical").x.label_entropy, abs=1e-12)
    assert len(sample.x.columns) == 4


@pytest.mark.parametrize("kind", [*LONG])
def test_long_group_numbers_make_as_many_groups_as_short_ones(kind):
    long, short = (taken(A, groups=groups).groups for groups in (LONG[kind], K))
    assert np.array_equal(
        order(np.unique(long, return_index=True)[1][long]), order(np.unique(short, return_index=True)[1][short])
    )


@pytest.mark.parametrize(
    "kind", ["ten digits", "thirteen digits", "negative", "unsigned", "thirty digits", "missing elsewhere"]
)
def test_few_long_codes_are_inferred_to_be_categories(kind):
    assert taken(LONG[kind]).x.kinds == ("categorical",)


def test_many_long_numbers_stay_distinct_numbers():
    many = RNG.permutation(1000)[:N]
    plain = order(many)
    for least in (10**9, 10**15, 10**18, -(2**63)):
        assert np.array_equal(order(values(least + many)[:, 0]), plain)
    assert np.array_equal(order(values(many.astype(np.uint64) + np.uint64(2**63))[:, 0]), plain)
    assert np.array_equal(order(values([10**30 + int(k) for k in many])[:, 0]), plain)
    nanoseconds = 1_700_000_000_000_000_000 + 100 * many
    assert np.array_equal(order(values(nanoseconds)[:, 0]), plain)


def test_the_value_of_long_codes_is_that_of_short_ones():
    y = K + 0.3 * A
    short = mi.estimate(K, y, x_type="categorical", **SHORT)
    long = mi.estimate(1_700_000_000_000 + K, y, x_type="categorical", **SHORT)
    assert long.value == short.value > 0.5
    assert long.entropy_limit == short.entropy_limit


# One far value


@pytest.mark.parametrize("far", [0.0, -1.0, 1e300, -1e18])
def test_one_far_value_leaves_the_others_apart(far):
    seconds = 1.6e9 + 30 * A
    seconds[7] = far
    assert is_in_order(seconds)


def test_one_far_date_leaves_the_others_apart():
    moments = np.datetime64("2024-01-01") + (1e6 * A).astype("timedelta64[us]")
    moments[7] = np.datetime64("1900-01-01")
    assert is_in_order(moments)


def test_two_far_clusters_leave_the_others_apart():
    assert is_in_order(np.where(np.arange(N) % 2, 0, 5e8) + A)
    assert is_in_order(np.where(np.arange(N) % 3, -1e12, 1e12) + 1e-3 * A)


def test_a_far_whole_number_leaves_the_others_apart():
    nanoseconds = 1_700_000_000_000_000_000 + 100 * RNG.permutation(N)
    nanoseconds[3] = 0
    assert is_in_order(nanoseconds)
    nanoseconds[5] = -(2**62)
    assert is_in_order(nanoseconds)


def test_the_value_survives_one_far_value():
    a = np.random.default_rng(8).normal(size=400)
    b = a + np.random.default_rng(9).normal(size=400)
    seconds = 1.6e9 + 30 * a
    plain = mi.estimate(seconds, b, **SHORT)
    seconds[0] = 0.0
    assert mi.estimate(seconds, b, **SHORT).value == pytest.approx(plain.value, abs=0.05)
    assert plain.value > 0.2


# Magnitudes beyond float32


@pytest.mark.parametrize(
    "column",
    [
        10.0 ** (-60 + 15 * A),
        1e-39 * A,
        5e-324 * RNG.permutation(N),
        10.0 ** (60 + 15 * A),
        np.exp(100 * A),
        1e300 * A,
        1.7e308 * np.tanh(A),
        np.sinh(200 * A),
        (1e300 * A).astype(np.longdouble),
    ],
    ids=["p-values", "1e-39", "subnormal", "1e60", "exp(100 a)", "1e300", "largest", "both signs", "long double"],
)
def test_numbers_of_any_magnitude_keep_their_order_and_none_is_missing(column):
    assert is_in_order(column)


def test_scores_of_new_numbers_of_any_magnitude_are_finite():
    tiny = 10.0 ** (-60 + 15 * A)
    fitted = mi.estimate(tiny, B, **TINY).fitted
    new = np.array([0.0, 1e-200, 1e300, -1e300, float(np.median(tiny))])
    assert torch.isfinite(fitted.score_pairs(new, B[:5])).all()


def test_the_value_is_the_same_on_a_scale_beyond_float32():
    plain = mi.estimate(A, B, **SHORT).value
    for scale in (2.0**-300, 2.0**900):
        assert mi.estimate(scale * A, B, **SHORT).value == pytest.approx(plain, abs=1e-4)


# Masked arrays


def test_masked_values_are_missing():
    gone = np.arange(N) % 5 == 0
    masked = np.ma.masked_array(np.where(gone, -9999.0, A), mask=gone)
    sample = taken(masked, nan="drop")
    assert sample.n == N - gone.sum()
    assert torch.equal(sample.x.values[:, 0], torch.from_numpy(A[~gone]).float())
    with pytest.raises(ValueError, match=r"x has 24 missing or infinite values, in column 'x' \(24\)"):
        taken(masked)
    assert taken(A, masked, nan="drop").n == N - gone.sum()
    assert taken(masked, nan="indicator").x.columns == ("x", "x=missing")


def test_masked_integers_booleans_and_text_keep_their_kind():
    for column, kind in (
        (K, "categorical"),
        (A > 0, "categorical"),
        (WORD, "categorical"),
        (np.arange(N) ** 2, "continuous"),
    ):
        sample = taken(np.ma.masked_array(column, mask=np.arange(N) == 4), nan="drop")
        assert sample.x.kinds == (kind,)
        assert sample.n == N - 1


def test_a_masked_column_of_several_and_a_mask_of_nothing():
    table = np.ma.masked_array(PAIR, mask=np.stack([A > 1, np.zeros(N, dtype=bool)], 1))
    assert taken(table, nan="drop").n == (A <= 1).sum()
    assert torch.equal(values(np.ma.masked_array(PAIR)), values(PAIR))
    with pytest.raises(ValueError, match="has no values at all, all are missing"):
        taken(np.ma.masked_all(N))


def test_masked_weights_and_groups_are_refused():
    with pytest.raises(ValueError, match="sample_weight has missing, infinite or negative numbers"):
        taken(A, weights=np.ma.masked_greater(np.arange(N, dtype=float), 100))
    with pytest.raises(ValueError, match="groups has missing values"):
        taken(A, groups=np.ma.masked_greater(np.arange(N) // 4, 20))


# Tuples of text and numbers


def test_rows_of_text_and_numbers_are_columns_of_text_and_of_numbers():
    rows = [("yes" if i % 2 else "no", float(a)) for i, a in enumerate(A)]
    frame = pd.DataFrame(rows)
    for data in (rows, [list(row) for row in rows], tuple(rows), np.array(rows, dtype=object)):
        sample = taken(data)
        assert sample.x.kinds == ("categorical", "continuous")
        assert torch.equal(sample.x.values, values(frame))


def test_rows_of_dates_text_and_whole_numbers_are_columns_of_each():
    rows = [(dt.date(2024, 1, 1) + dt.timedelta(i * i), WORD[i], int(K[i]), a, a > 0) for i, a in enumerate(A)]
    assert taken(rows).x.kinds == ("continuous", "categorical", "categorical", "continuous", "categorical")


def test_rows_with_none_in_place_of_numbers_or_text_miss_them():
    rows = [(None if i == 3 else WORD[i], None if i == 4 else a) for i, a in enumerate(A)]
    sample = taken(rows, nan="drop")
    assert sample.n == N - 2
    assert sample.x.kinds == ("categorical", "continuous")
    with pytest.raises(ValueError, match=r"missing or infinite values, in column 'x\[0\]' \(1\), 'x\[1\]' \(1\)"):
        taken(rows)


def test_numbers_beside_text_in_one_column_are_refused():
    with pytest.raises(TypeError, match="column 'x' holds number and text: expected numbers, dates, booleans or text"):
        taken([a if i % 9 else "low" for i, a in enumerate(A)])


@pytest.mark.parametrize(
    "value", [[1.0, 2.0], np.zeros(3), {"a": 1}, {1, 2}, ([1], 2), torch.zeros(2)], ids=lambda one: type(one).__name__
)
def test_lists_in_a_column_are_refused_as_labels_and_as_groups_too(value):
    column = np.empty(N, dtype=object)
    for i in range(N):
        column[i] = value if i % 2 else "a"
    for data in (column, {"a": column}):
        with pytest.raises(TypeError, match="^x: column '.': a value is a .*: expected numbers, dates"):
            taken(data, kind="categorical")
    with pytest.raises(TypeError, match="^groups: a value is a .*: expected numbers, dates, booleans or text[.]$"):
        taken(A, groups=column)


# NaN in text


@pytest.mark.parametrize("missing", [float("nan"), np.nan, None, pd.NA, pd.NaT, np.float32("nan"), Decimal("NaN")])
@pytest.mark.parametrize(
    "hold", [list, lambda data: np.array(data, dtype=object), lambda data: pd.Series(data, dtype=object)]
)
def test_missing_values_in_text_are_missing_whatever_they_are(missing, hold):
    words = hold([missing if i % 7 == 0 else "pq"[i % 2] for i in range(N)])
    with pytest.raises(ValueError, match=r"x has 18 missing or infinite values"):
        taken(words)
    sample = taken(words, nan="drop")
    assert (sample.n, sample.x.columns) == (N - 18, ("x=q",))
    assert taken(words, nan="indicator").x.columns == ("x=p", "x=q", "x=missing")


def test_the_word_nan_is_a_word():
    assert taken(["nan" if i % 7 == 0 else "pq"[i % 2] for i in range(N)]).x.columns == ("x=nan", "x=p", "x=q")


def test_missing_booleans_and_whole_numbers_keep_their_kind():
    for column in (
        [None, *(A > 0)[1:].tolist()],
        pd.array([None, *K[1:].tolist()], dtype="Int64"),
        [None, *K[1:].tolist()],
    ):
        assert taken(column, nan="drop").x.kinds == ("categorical",)
    frame = pl.DataFrame({"k": [None, *K[1:].tolist()]})
    assert taken(frame, nan="drop").x.kinds == ("categorical",)


# Repeated rows


@pytest.mark.parametrize("times", [2, 3])
def test_a_table_that_holds_every_row_several_times_is_warned_of(times):
    x, y = np.random.default_rng(5).normal(size=(2, 100, 4))
    found = mi.estimate(np.tile(x, (times, 1)), np.tile(y, (times, 1)), **TINY)
    assert "ties" in [one.code for one in found.warnings]
    assert "the value is too high" in str(found.warnings)


def test_rows_drawn_with_replacement_and_single_copied_columns_are_warned_of():
    drawn = np.random.default_rng(1).integers(0, N, 2 * N)
    assert "ties" in [one.code for one in mi.estimate(A[drawn], B[drawn], **TINY).warnings]
    twice = np.r_[A, A]
    assert "ties" in [one.code for one in mi.estimate(twice, np.r_[B, B], **TINY).warnings]


def test_rows_that_are_equal_by_chance_are_no_repeated_rows():
    rng = np.random.default_rng(24)
    x = rng.normal(size=300)
    y = 0.7 * x + 0.71 * rng.normal(size=300)
    whole = np.round(15 * np.stack([x, y], 1) + 50)
    assert len(np.unique(whole, axis=0)) < 0.95 * 300
    assert len(np.unique(whole[:, 0])) >= 60
    assert "ties" not in codes(mi.estimate(*whole.T, **TINY))
    fine = np.round(40 * np.stack([x, y], 1))[:150]
    assert "ties" in codes(mi.estimate(*np.r_[fine, fine].T, **TINY))


def test_rounded_numbers_and_labels_are_no_repeated_rows():
    for x in (A.round(2), K, WORD):
        assert "ties" not in [one.code for one in mi.estimate(x, B, **TINY).warnings]


# Categories that did not occur, and the same value in another type


@pytest.fixture(scope="module")
def fitted():
    a = np.random.default_rng(0).integers(0, 4, 300)
    b = a + 0.5 * np.random.default_rng(1).normal(size=300)
    word = np.array(["Bonn", "Ulm", "Wien", "Graz"])[a]
    return mi.estimate(word, b, **SHORT).fitted, word, b


def test_an_unseen_category_tells_nothing(fitted):
    scores, word, b = fitted[0].score_pairs, *fitted[1:]
    with pytest.warns(mi.warnings.UnseenCategoryWarning, match="300 values that did not occur in the fit"):
        unseen = scores(["Rome"] * 300, b)
    assert abs(float(unseen.mean())) < 0.3
    assert float(unseen.min()) > -2
    assert float(scores(word, b).mean()) > 0.5


@pytest.mark.parametrize("other", ["bonn", "Bonn ", "", "others", "missing", 3, True])
def test_other_spellings_are_unseen_and_finite(fitted, other):
    words = np.array([other, *fitted[1][1:]], dtype=object)
    with pytest.warns(mi.warnings.UnseenCategoryWarning, match="1 values that did not occur"):
        scores = fitted[0].score_pairs(words, fitted[2])
    assert torch.isfinite(scores).all()
    assert torch.equal(scores[1:], fitted[0].score_pairs(fitted[1], fitted[2])[1:])


@pytest.mark.parametrize(
    "trained, scored",
    [
        (A > 0, (A > 0).astype(int)),
        (A > 0, (A > 0).astype(float)),
        ((A > 0).astype(int), A > 0),
        (A > 0, np.where(A > 0, "True", "False")),
        (K, K.astype(float)),
        (K, [str(k) for k in K]),
        (pd.Series(K.astype(float), dtype="category"), K),
        (WORD, pd.Series(WORD, dtype="category")),
        (WORD, WORD.astype(object)),
        (WORD, [word.encode() for word in WORD]),
        (pd.Series(WORD, dtype="category"), pl.Series(WORD, dtype=pl.Categorical)),
    ],
)
def test_the_same_value_in_another_type_is_the_same_category(trained, scored):
    fit = mi.estimate(trained, B, **TINY).fitted
    assert torch.equal(fit.score_pairs(trained, B), fit.score_pairs(scored, B))


def test_negative_zero_is_zero():
    rounded = np.round(0.3 * A)
    assert np.signbit(rounded[rounded == 0]).any()
    assert len(taken(rounded, kind="categorical").x.columns) == len(taken(rounded + 0.0, kind="categorical").x.columns)
    assert np.array_equal(values(rounded, kind="categorical"), values(rounded.astype(int), kind="categorical"))


# Column names that collide


def test_columns_that_come_to_the_same_name_are_all_kept():
    c = np.where(A > 0, "yes", "no")
    frame = pd.DataFrame({"c": c, "c=yes": B})
    sample = taken(frame, A)
    assert sample.x.columns == ("c=yes", "c=yes (2)")
    assert torch.equal(sample.x.values, torch.tensor(np.stack([c == "yes", B], 1), dtype=torch.float32))
    other = taken(frame[["c=yes", "c"]], A)
    assert other.x.columns == ("c=yes", "c (2)=yes")
    assert torch.equal(other.x.values, sample.x.values.flip(1))


def test_an_indicator_and_a_column_of_its_name_are_both_kept():
    frame = pd.DataFrame({"v": np.where(A > 1, np.nan, A), "v=missing": B})
    sample = taken(frame, nan="indicator")
    assert sample.x.columns == ("v", "v=missing", "v=missing (2)")
    assert torch.equal(sample.x.values[:, 1] == 1, torch.from_numpy(A > 1))


def test_categories_of_two_columns_and_names_of_two_variables_may_be_equal():
    frame = pd.DataFrame({"a": WORD, "a=Bonn": np.where(A > 0, "u", "v")})
    assert len(set(taken(frame).x.columns)) == 5
    joined = taken(pd.DataFrame({"c": A}), pd.DataFrame({"c": B}))
    assert joined.select(x="x", y=("x", "y")).y.columns == ("x.c", "y.c")


# Indexes that differ


def test_the_same_index_in_another_order_is_refused():
    x, y = pd.Series(A), pd.Series(B)
    for other in (y[::-1], y.sample(frac=1, random_state=0), y.sort_values()):
        with pytest.raises(ValueError, match=r"same index in another order.*y\.loc\[x\.index\]"):
            taken(x, other)
    assert codes(taken(x, y[::-1].loc[x.index])) == []


def test_indexes_of_other_labels_are_warned_of():
    x = pd.Series(A, name="a")
    for index in (np.arange(N) + 1, np.zeros(N), pd.date_range("2024", periods=N)):
        sample = taken(x, pd.Series(B, index=index))
        assert codes(sample) == ["index-mismatch"]
        assert torch.equal(sample.y.values, taken(A).y.values)


def test_one_index_is_no_mismatch_and_a_third_table_is_compared_too():
    assert codes(taken(pd.Series(A, index=np.arange(N)[::-1]), B)) == []
    assert codes(taken(pd.DataFrame(PAIR), pd.Series(B))) == []
    with pytest.raises(ValueError, match="x and z have the same index in another order"):
        mi.conditional(pd.Series(A), pd.Series(B), pd.Series(A**2)[::-1], **TINY)


# Uneven weights


def test_weights_that_cost_most_rows_are_warned_of():
    found = taken(A, weights=np.where(np.arange(N) == 0, 1.8, 1.0) * np.ones(N))
    assert codes(found) == []
    a = np.tile(A, 5)
    for weights in (np.where(np.arange(5 * N) == 0, 4.0, 1.0), np.where(np.arange(5 * N) % 5 > 1, 0, 1.0)):
        sample = Sample.of(x=a, y=a**2, weights=weights)
        assert codes(sample) == ["uneven-weights"]
        assert "The effective sample size of the weights is" in str(sample.warnings[0])


def test_weights_that_leave_too_few_rows_are_refused():
    for weights in (10.0 ** (3 * A), np.where(np.arange(N) < 5, 1.0, 0.0), np.where(np.arange(N) == 3, 1e300, 1e-300)):
        with pytest.raises(ValueError, match=r"sample_weight leaves \d+ of 120 rows"):
            taken(A, weights=weights)


@pytest.mark.parametrize(
    "weights, sentence",
    [
        (np.zeros(N), "sample_weight is 0 throughout"),
        (-np.ones(N), "missing, infinite or negative"),
        (np.full(N, np.inf), "missing, infinite or negative"),
        (["heavy"] * N, "expected one number for each of the 120 rows"),
        (np.ones(N - 1), "sample_weight has 119 rows"),
        (np.ones((N, 2)), "2 columns"),
    ],
)
def test_weights_that_mean_nothing_are_refused(weights, sentence):
    with pytest.raises(ValueError, match=sentence):
        taken(A, weights=weights)


# A missing y


@pytest.mark.parametrize("nan", ["drop", "indicator"])
@pytest.mark.parametrize(
    "y",
    [
        np.where(np.arange(N) < 40, np.nan, B),
        np.where(np.arange(N) < 40, np.datetime64("NaT"), np.datetime64("2024") + (np.arange(N) ** 2 % 97)),
        [None if i < 40 else WORD[i] for i in range(N)],
        pd.array([None] * 40 + K[40:].tolist(), dtype="Int64"),
        np.where(np.arange(N) < 40, np.inf, B),
    ],
    ids=["numbers", "dates", "text", "whole numbers", "infinite"],
)
def test_rows_without_y_are_dropped_and_get_no_indicator(y, nan):
    sample = taken(A, y, nan=nan)
    assert sample.n == N - 40
    assert not any(column.endswith("missing") for column in sample.y.columns)
    assert torch.equal(sample.kept, torch.arange(40, N))
    assert codes(sample) == ["rows-dropped"]


# Identifier columns


def test_an_identifier_beside_other_columns_is_left_out():
    for name in (
        np.array([f"p{i}" for i in range(N)]),
        [f"2024-{i}-x" for i in range(N)],
        [f"{i:05}" for i in range(N)],
    ):
        sample = taken({"id": name, "a": A})
        assert (sample.x.columns, codes(sample)) == (("a",), ["identifier"])
        assert "left out" in str(sample.warnings[0])
        assert torch.equal(sample.x.values, values(A))


def test_an_identifier_alone_or_declared_is_kept_with_a_warning():
    name = np.array([f"p{i}" for i in range(N)])
    assert codes(taken(name)) == ["identifier"]
    declared = Sample.of(x={"id": name, "a": A}, y=B, types={"x": {"id": "categorical"}})
    assert len(declared.x.columns) == N + 1
    assert codes(taken(A, name)) == ["identifier"]


def test_row_numbers_are_warned_of_in_either_direction():
    for numbers in (np.arange(N), np.arange(N)[::-1], np.arange(N) + 7.0, 10**12 + np.arange(N), range(N)):
        assert codes(taken(numbers)) == ["identifier"]


def test_ranks_shuffled_numbers_and_steps_of_two_are_no_identifiers():
    for numbers in (rankdata(A), A.argsort().argsort(), RNG.permutation(N), 2 * np.arange(N), np.linspace(0, 1, N)):
        assert codes(taken(numbers)) == []
    assert codes(taken(np.array([f"p{i // 4}" for i in range(N)]))) == []


# Labels that determine each other, and rare events


@pytest.mark.parametrize(
    "make",
    [
        lambda k: (np.char.add("a", k.astype(str)), np.char.add("k", k.astype(str))),
        lambda k: (k, 5 * k % 16),
        lambda k: (k, k // 2),
        lambda k: (np.char.add("a", k.astype(str)), k * 3),
    ],
    ids=["text", "numbers", "coarser", "text and numbers"],
)
def test_labels_that_determine_each_other_read_the_smaller_entropy_at_most(make):
    x, y = make(np.arange(640) % 16)
    found = mi.estimate(x, y, x_type="categorical", y_type="categorical", **SHORT)
    limit = np.log(len(np.unique(y)))
    assert found.entropy_limit == pytest.approx(limit, abs=1e-6)
    assert 0.9 * limit < found.value <= limit + 1e-5


@pytest.mark.slow
def test_a_hundred_labels_that_determine_each_other_are_measured():
    k = np.arange(1000) % 100
    found = mi.estimate(np.char.add("a", k.astype(str)), np.char.add("k", k.astype(str)), **TINY)
    assert 0.9 * np.log(100) < found.value <= np.log(100) + 1e-5


@pytest.mark.parametrize("events", [[17], [17, 90], [17, 50, 90], [0]])
def test_a_rare_event_in_both_columns_is_measured(events):
    rare = np.zeros(N, dtype=int)
    rare[events] = 1
    found = mi.estimate(rare, 3 * rare, **TINY)
    assert -0.05 <= found.value <= found.entropy_limit + 1e-5
    spike = mi.estimate(rare, B, **TINY)
    assert abs(spike.value) < 0.3
    floats = mi.estimate(5.0 * rare + 0.1, -2.0 * rare, x_type="continuous", y_type="continuous", **TINY)
    assert np.isfinite(floats.value)


# Groups as large as a fold


@pytest.mark.parametrize(
    "groups",
    [
        np.where(np.arange(N) < 60, 0, 1 + np.arange(N) // 10),
        np.where(np.arange(N) < 100, 0, np.arange(N)),
        np.arange(N) < 60,
        np.zeros(N),
    ],
    ids=["half", "most", "two", "one"],
)
def test_groups_that_no_fold_can_hold_are_refused(groups):
    with pytest.raises(ValueError, match=r"groups has .*(group|groups).*(Give more folds|give 4 groups or more)"):
        mi.estimate(A, B, groups=groups, **TINY)


def test_a_splitter_that_leaves_one_group_is_refused():
    from sklearn.model_selection import LeaveOneGroupOut

    with pytest.raises(ValueError, match="groups has one group in the 60 rows that a fold trains and validates on"):
        mi.estimate(A, B, groups=np.arange(N) % 2, cv=LeaveOneGroupOut(), steps=2, hidden=(8,))
    assert mi.estimate(A, B, groups=np.arange(N) % 3, cv=LeaveOneGroupOut(), steps=2, hidden=(8,)).n == N


# What holds no rows, or holds them otherwise


@pytest.mark.parametrize(
    "data, sentence",
    [
        (None, "x is None: expected rows of numbers or text"),
        ("age", r"x is the text 'age': pass the column itself, for example table\['age'\]"),
        (b"age", "x is the text b'age'"),
        ({1.0, 2.0}, "x is a set, whose values have no order"),
        (frozenset([1.0]), "x is a frozenset, whose values have no order"),
        ((a for a in A), r"x is a generator, which can be read only once: pass list\(x\)"),
        (map(float, A), "x is a map, which can be read only once"),
        (iter(A.tolist()), "x is a list_iterator, which can be read only once"),
        (3, "x is of type int: expected rows of numbers or text"),
        ({"a": A}.values(), "x is of type dict_values"),
        (len, "x is of type builtin_function_or_method"),
        (object(), "x is of type object"),
        (A + 1j, "x is complex: give real numbers"),
        (torch.complex(torch.from_numpy(A), torch.from_numpy(B)), "x is complex"),
        (torch.empty(N, device="meta"), "x is a tensor on the meta device, which holds no values"),
        (np.zeros(N, dtype="V4"), "x holds bytes of no type"),
        ("a" * 300, "x is a text of 300 characters: expected rows"),
        (np, "x is of type module"),
        (np.ndarray, "x is of type type"),
        (pd.DataFrame(PAIR).groupby(0), "x is of type DataFrameGroupBy"),
        (
            torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)], layout=torch.jagged),
            r"x is a nested tensor: .* x.unbind\(\)",
        ),
        ({"a": 1, "b": 2}, "column 'a' of x is of type int: expected rows"),
        ({"a": A, "b": None}, "column 'b' of x is None"),
        (A.astype(object) + 1j, "column 'x' is complex: give real numbers"),
    ],
)
def test_what_holds_no_rows_is_refused_by_its_name(data, sentence):
    with pytest.raises(TypeError, match=sentence):
        taken(data)


@pytest.mark.parametrize(
    "data, sentence",
    [
        ([], r"x is empty \(shape \(0,\)\)"),
        ([[]] * N, "x has 120 rows and no columns"),
        ({}, "x is an empty dictionary"),
        (pd.DataFrame(), "x is empty"),
        (pd.DataFrame({"a": []}), "x is empty"),
        (pl.DataFrame(), "x is empty"),
        (np.float64(3), r"x is a single value \(shape \(\)\): expected at least 50 rows"),
        (np.array("a"), "x is a single value"),
        (torch.tensor(3.0), "x is a single value"),
        (np.zeros((N, 0)), "x has 120 rows and no columns"),
        (deque([[1, 2], [3]]), "x is ragged"),
        ({"a": A, "b": A[1:]}, "columns of different lengths"),
        ({"a": PAIR}, "column 'a' has 2 columns itself"),
        (["a", ["b"]] * 60, "x is ragged"),
        (np.zeros(N, dtype=[("u", "f8", (2,)), ("v", "f8")]), "column 'u' has 2 columns itself"),
    ],
)
def test_what_holds_rows_of_no_table_is_refused(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        taken(data)


@pytest.mark.parametrize(
    "data",
    [
        scipy.sparse.csr_matrix(PAIR),
        scipy.sparse.coo_array(PAIR),
        scipy.sparse.lil_matrix(PAIR),
        torch.from_numpy(PAIR).to_sparse(),
        {"a": A, "b": B},
        {"a": torch.from_numpy(A), "b": B.tolist()},
        {0: pd.Series(A), 1: pl.Series(B)},
        [{"a": a, "b": b} for a, b in PAIR],
        [{"b": b, "a": a} if i else {"a": a, "b": b} for i, (a, b) in enumerate(PAIR)],
        [torch.from_numpy(row) for row in PAIR],
        [tuple(row) for row in PAIR],
        [np.array(row) for row in PAIR],
        np.rec.fromarrays([A, B], names="u,v"),
        np.array([tuple(row) for row in PAIR], dtype=[("u", "f8"), ("v", "f8")]),
        np.asfortranarray(PAIR),
        torch.from_numpy(PAIR).requires_grad_(),
        pl.LazyFrame({"a": A, "b": B}),
        pa.table({"a": A, "b": pa.chunked_array([B[:50], B[50:]])}),
        pd.DataFrame({"a": pd.arrays.SparseArray(A), "b": pd.array(B, dtype="Float64")}),
        pd.DataFrame(PAIR.astype(object)),
        [[Decimal(float(a)), Fraction(float(b))] for a, b in PAIR],
    ],
    ids=lambda data: type(data).__name__,
)
def test_rows_of_numbers_are_the_same_whatever_holds_them(data):
    assert torch.equal(values(data), values(PAIR))


@pytest.mark.parametrize(
    "data",
    [
        deque(A.tolist()),
        array.array("d", A.tolist()),
        memoryview(A),
        pd.Index(A),
        pl.Series(A),
        pa.array(A),
        [torch.tensor(a) for a in A],
        torch.from_numpy(A).to_sparse(),
        A[::-1][::-1],
        A.astype(">f8"),
        A.tolist(),
        tuple(A),
    ],
    ids=lambda data: type(data).__name__,
)
def test_a_column_of_numbers_is_the_same_whatever_holds_it(data):
    assert torch.equal(values(data), values(A))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float8_e5m2, torch.float8_e4m3fn])
def test_tensors_of_few_bits_are_numbers(dtype):
    column = torch.from_numpy(A).float().to(dtype)
    assert torch.equal(values(column)[:, 0], column.float())


def test_whole_and_quantized_tensors_are_numbers():
    for dtype in (torch.uint8, torch.int8, torch.int32, torch.int64, torch.bool):
        assert torch.equal(values(torch.from_numpy(K % 2).to(dtype))[:, 0], torch.from_numpy(K % 2).float())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of torch do not make such tensors any more
        quantized = torch.quantize_per_tensor(torch.from_numpy(A).float(), 0.1, 0, torch.qint8)
    assert torch.equal(values(quantized)[:, 0], quantized.dequantize())


def test_fields_of_a_structured_array_are_columns_by_name():
    table = np.array(list(zip(WORD, A, K, strict=True)), dtype=[("w", "U9"), ("a", "f4"), ("k", "i2")])
    sample = taken(table)
    assert sample.x.kinds == ("categorical", "continuous", "categorical")
    assert sample.x.columns[-5] == "a"
    masked = np.ma.masked_array(table, mask=[(False, i == 2, False) for i in range(N)])
    assert taken(masked, nan="drop").n == N - 1


# Dates

HOURS = (1000 * A).round()
MOMENTS = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=float(hours)) for hours in HOURS]


@pytest.mark.parametrize(
    "data",
    [
        MOMENTS,
        np.array(MOMENTS, dtype=object),
        [pd.Timestamp(one) for one in MOMENTS],
        [np.datetime64(one) for one in MOMENTS],
        [one.replace(tzinfo=dt.timezone.utc).astimezone(dt.timezone(dt.timedelta(hours=5))) for one in MOMENTS],
        np.array(MOMENTS, dtype="datetime64[ns]"),
        np.array(MOMENTS, dtype="datetime64[s]"),
        pd.Series(MOMENTS),
        pd.DatetimeIndex(MOMENTS),
        pd.Series(MOMENTS).dt.tz_localize("UTC"),
        pd.Series(MOMENTS).dt.to_period("h"),
        pd.PeriodIndex(MOMENTS, freq="h"),
        pl.Series(MOMENTS),
        pa.array(MOMENTS),
        [(one,) for one in MOMENTS],
    ],
    ids=lambda data: type(data).__name__,
)
def test_moments_are_days_whatever_holds_them(data):
    assert torch.equal(values(data), values(np.array(MOMENTS, dtype="datetime64[us]")))
    assert np.array_equal(order(values(data)[:, 0]), order(HOURS))


@pytest.mark.parametrize(
    "data",
    [
        [dt.timedelta(hours=float(hours)) for hours in HOURS],
        HOURS.astype("timedelta64[h]"),
        pd.Series(pd.to_timedelta(HOURS, unit="h")),
        [pd.Timedelta(hours=float(hours)) for hours in HOURS],
        pl.Series([dt.timedelta(hours=float(hours)) for hours in HOURS]),
    ],
    ids=lambda data: type(data).__name__,
)
def test_durations_are_days_whatever_holds_them(data):
    assert torch.allclose(values(data)[:, 0], torch.from_numpy(HOURS / 24).float())


def test_days_months_and_mixtures_of_days_and_moments_are_days():
    days = [(dt.date(2024, 1, 1) + dt.timedelta(int(k))) for k in K * 31]
    assert np.array_equal(order(values(days)[:, 0]), order(K))
    assert np.array_equal(order(values(pd.PeriodIndex(days, freq="M"))[:, 0]), order([day.month for day in days]))
    mixed = [day if i % 2 else dt.datetime(day.year, day.month, day.day) for i, day in enumerate(days)]
    assert torch.equal(values(mixed), values(days))


def test_missing_dates_are_missing_and_the_first_and_the_last_day_are_days():
    for missing in (None, pd.NaT, np.datetime64("NaT"), float("nan")):
        assert taken([missing, *MOMENTS[1:]], nan="drop").n == N - 1
    assert is_in_order(
        np.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), *[one.date() for one in MOMENTS[2:]]], dtype="M8[D]")
    )


def test_times_of_day_and_dates_beside_numbers_are_refused():
    with pytest.raises(TypeError, match="column 'x' holds time objects: expected numbers, dates"):
        taken([dt.time(int(k)) for k in K])
    with pytest.raises(TypeError, match="column 'x' holds date and number"):
        taken([one if i % 2 else 3.0 for i, one in enumerate(MOMENTS)])


@pytest.mark.parametrize(
    "others, held",
    [
        (MOMENTS[:1], "date and number"),
        ([dt.timedelta(3)], "duration and number"),
        ([1j], "complex objects and number"),
        ([[1]], "list objects and number"),
        ([object()], "number and object objects"),
    ],
)
def test_other_values_among_numbers_are_refused_where_numbers_are_declared(others, held):
    """Whichever function is called, and in new rows of a fit."""
    column = np.empty(N, dtype=object)
    column[:] = [float(k) for k in range(N)]
    column[[1, 7]] = others * 2
    sentence = rf"column 'y' holds {held}: expected numbers, dates, booleans or text, one of them throughout\."
    with pytest.raises(TypeError, match=sentence):
        mi.estimate(A, column, y_type="continuous", **TINY)
    with pytest.raises(TypeError, match=sentence):
        mi.Trainer(steps=1, folds=2).fit(
            mi.MIEstimator(mi.critics.BilinearCritic(1, 1), mi.bounds.InfoNCE()), A, column
        )
    fitted = mi.estimate(A, B, **TINY).fitted
    with pytest.raises(TypeError, match=sentence):
        fitted.score_pairs(A, column)
    column[[1, 7]] = "many"
    with pytest.raises(
        ValueError, match=r"y holds text where the critics were trained on numbers, in column 'y', like 'many'"
    ):
        fitted.score_pairs(A, column)


# Columns by name


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": A, "b": B}),
        pl.DataFrame({"a": A, "b": B}),
        pl.LazyFrame({"a": A, "b": B}),
        pa.table({"a": A, "b": B}),
        {"a": A, "b": B},
        np.rec.fromarrays([A, B], names="a,b"),
        [{"a": a, "b": b} for a, b in PAIR],
    ],
    ids=lambda data: type(data).__name__,
)
def test_y_may_be_the_name_of_a_column(table):
    for name in ("b", ["b"]):
        sample = taken(table, name)
        assert (sample.x.columns, sample.y.columns) == (("a",), ("b",))
        assert torch.equal(sample.x.values, values(A))
        assert torch.equal(sample.y.values, values(B))


def test_a_name_that_no_column_has_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="y is 'height', which is no column of x. Did you mean 'heights'"):
        taken(pd.DataFrame({"heights": A, "w": B}), "height")
    with pytest.raises(ValueError, match="no column is left for x"):
        taken({"a": A, "b": B}, ["a", "b"])
    with pytest.raises(TypeError, match="y is the text 'b': pass the column itself"):
        taken(PAIR, "b")


def test_names_that_are_no_text_name_columns_as_they_are_shown():
    assert taken(pd.DataFrame(PAIR), "1").x.columns == ("0",)
    frame = pd.DataFrame(PAIR, columns=pd.MultiIndex.from_tuples([("l", "u"), ("l", "v")]))
    assert taken(frame, "l.v").x.columns == ("l.u",)


# Text that is mostly numbers or dates


@pytest.mark.parametrize(
    "data, what",
    [
        ([f"{a:.2f}" for a in A], "120 of 120 values are numbers"),
        (["NA" if i % 10 == 0 else str(i * 7 % 83) for i in range(N)], r"are numbers; the others: 'NA' \(12\)"),
        ([f"{i}%" for i in range(N)], "numbers"),
        ([f"{1000 * i:,}.50" for i in range(N)], "numbers"),
        ([f"{i},5" for i in range(N)], "numbers"),
        ([f"{a:.3e}" for a in A], "numbers"),
        ([b"%d" % i for i in range(N)], "numbers"),
        ([f" {i} " for i in range(N)], "numbers"),
        ([f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(N)], "dates"),
        ([f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}T10:00:00Z" for i in range(N)], "dates"),
        ([f"{i % 28 + 1}.{i % 12 + 1}.2024" for i in range(N)], "dates"),
        ([f"{i % 12 + 1}/{i % 28 + 1}/24 10:00" for i in range(N)], "dates"),
        ([f"{2000 + i // 12}-{i % 12 + 1:02}" for i in range(N)], "dates"),
        ([f"{2000 + i // 4}-Q{i % 4 + 1}" for i in range(N)], "dates"),
        (pd.Series([f"{a:.2f}" for a in A]), "numbers"),
        (pl.Series([f"{a:.2f}" for a in A]), "numbers"),
    ],
)
def test_text_that_is_mostly_numbers_or_dates_is_refused(data, what):
    with pytest.raises(ValueError, match=f"column 'x' is text, but .*{what}"):
        taken(data)
    assert set(taken(data, kind="categorical").x.kinds) == {"categorical"}


@pytest.mark.parametrize("text", ["{} €", "EUR {}", "({})", "{} minutes"])
def test_numbers_with_something_beside_them_are_refused(text):
    data = [text.format(i) for i in range(N)]
    with pytest.raises(
        ValueError, match="column 'x' is text like .*, numbers with .*: write the numbers alone, or decl"
    ):
        taken(data)
    assert set(taken(data, kind="categorical").x.kinds) == {"categorical"}


@pytest.mark.parametrize(
    "data",
    [
        [f"{k}" for k in K],
        [f"0{1000 + k}" for k in range(40)] * 3,
        [f"v{i % 30}.{i % 4}" for i in range(N)],
        [f"{i % 30} to {i % 30 + 1}" for i in range(N)],
        ["12", "a", "b"] * 40,
        ["2024-01-01", "2024-01-02"] * 60,
    ],
    ids=["few numbers", "zip codes", "versions", "intervals", "one number", "two dates"],
)
def test_text_with_few_numbers_or_with_codes_is_text(data):
    assert taken(data).x.kinds == ("categorical",)


# Constants


@pytest.mark.parametrize(
    "constant", [np.ones(N), ["same"] * N, np.ones((N, 2)), [True] * N, [dt.date(2024, 1, 1)] * N, np.zeros(N)]
)
def test_a_constant_tells_nothing(constant):
    for x, y in ((A, constant), (constant, B), (constant, constant)):
        found = mi.estimate(x, y, **TINY)
        assert (found.value, found.stderr, found.interval) == (0.0, 0.0, (0.0, 0.0))
        assert {one.code for one in found.warnings} == {"constant-column"}


def test_constants_beside_other_columns_are_dropped_and_named():
    sample = taken({"a": A, "c": np.ones(N), "w": ["s"] * N})
    assert sample.x.columns == ("a",)
    assert "constant columns were dropped: 'c', 'w'" in str(sample.warnings[0])
    left = taken(np.stack([A, np.where(np.arange(N) < 9, np.nan, 3.0)], 1), nan="drop")
    assert left.x.columns == ("x[0]",)


def test_a_constant_in_every_function_is_zero_or_leaves_out_itself():
    constant = np.full(N, 3.5)
    assert mi.conditional(A, B, constant, **TINY).value == mi.estimate(A, B, **TINY).value
    assert mi.conditional(A, constant, B, **TINY).value == 0
    assert mi.bracket(A, constant, **TINY).interval == (0.0, 0.0)
    assert mi.lagged(A, constant, [0, 1], **TINY).values == (0.0, 0.0)
    assert 0 < mi.independence_test(A, constant, permutations=9, **TINY).pvalue <= 1
    with pytest.raises(ValueError, match="expected at least two, to make a pair"):
        mi.matrix(np.stack([A, constant], 1))


# Integers that mixed nearest neighbors used to count as dependent


@pytest.mark.parametrize("make", [lambda v: v, lambda v: v / 7, lambda v: v * 1000.0, lambda v: v - 50])
def test_nearest_neighbors_read_about_zero_for_independent_integers(make):
    x, y = torch.from_numpy(np.random.default_rng(0).integers(0, 100, (2, 1000))).double()
    assert abs(mi.classical.mixed_ksg(make(x), make(y))) < 0.05


# Further inputs of the same kinds


def test_columns_may_be_asked_for_by_names_that_are_no_text():
    frame = pd.DataFrame(np.c_[A, K, B], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("c", "")]))
    found = mi.matrix(frame, columns=[("a", 1), ("c", "")], folds=2)
    assert found.names == ("a.1", "c")
    groups = {"one": [("a", 1)], "two": [("b", 2)]}
    assert mi.matrix(frame, groups=groups, **TINY).names == ("one", "two")
    for key in (("b", 2), "b.2"):
        assert taken(frame, kind={key: "categorical"}).x.kinds == ("continuous", "categorical", "continuous")
    assert taken(pd.DataFrame(np.c_[A, K]), kind={1: "categorical"}).x.kinds == ("continuous", "categorical")
    with pytest.raises(ValueError, match="x_type names a column '2' that x does not have"):
        taken(pd.DataFrame(PAIR), kind={2: "categorical"})


@pytest.mark.parametrize(
    "make",
    [
        lambda: [np.ma.masked if k == 3 else a for a, k in zip(A, K, strict=True)],
        lambda: {"x": np.ma.masked_array(A, mask=K == 3)},
        lambda: np.ma.masked_array(A.astype(object), mask=K == 3),
        lambda: pd.Series(pd.array(np.where(K == 3, np.nan, A), dtype="Float64")),
        lambda: pl.Series([None if k == 3 else a for a, k in zip(A, K, strict=True)]),
        lambda: pa.array([None if k == 3 else a for a, k in zip(A, K, strict=True)]),
    ],
    ids=["list", "dictionary", "objects", "pandas", "polars", "pyarrow"],
)
def test_values_that_are_missing_in_any_way_are_missing(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", mi.MIWarning)
        sample = taken(make(), nan="drop")
    assert torch.equal(sample.x.values[:, 0], torch.from_numpy(A[K != 3]).float())


def test_records_in_a_list_are_columns_by_name():
    structured = np.array([tuple(row) for row in PAIR], dtype=[("u", "f8"), ("v", "f8")])
    sample = taken(list(structured))
    assert sample.x.columns == ("u", "v")
    assert torch.equal(sample.x.values, torch.from_numpy(PAIR).float())


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 2 has text of any length")
def test_text_of_any_length_is_text():
    plain = taken(WORD)
    assert torch.equal(values(np.array(WORD, dtype=np.dtypes.StringDType())), plain.x.values)
    missing = np.array([None if k == 3 else w for k, w in zip(K, WORD, strict=True)], dtype=object)
    gaps = missing.astype(np.dtypes.StringDType(na_object=None))
    assert taken(gaps, nan="drop").n == (K != 3).sum()
    assert mi.classical.entropy(np.array(WORD, dtype=np.dtypes.StringDType())) == mi.classical.entropy(WORD)


def test_moments_with_nanoseconds_and_time_zones_are_days_without_a_word():
    start = pd.Timestamp("2020-01-01", tz="Europe/Berlin")
    moments = [start + pd.Timedelta(nanoseconds=int(1e13 * abs(a)) + 1) for a in A]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample = taken(moments)
    utc = pd.Series(pd.DatetimeIndex(moments).tz_convert("UTC").tz_localize(None))
    assert torch.equal(sample.x.values, values(utc))


@pytest.mark.parametrize(
    "data",
    [
        10.0**25 + K,
        [Decimal(10**25 + int(k)) for k in K],
        [Fraction(10**25 + int(k)) for k in K],
        pl.Series([2**100 + int(k) for k in K], dtype=pl.Int128),
        1 + K * 2.0**-52,
        np.nextafter(np.float32(1), np.float32(2)) * K.astype(np.float32),
    ],
    ids=["floats", "decimals", "fractions", "128 bits", "neighbors of 1", "float32"],
)
def test_categories_are_told_apart_to_the_last_digit(data):
    distinct = len(set(np.asarray(data, dtype=object).tolist())) if not isinstance(data, pl.Series) else data.n_unique()
    sample = taken(data, kind="categorical")
    assert len(torch.unique(sample.x.values, dim=0)) == distinct


@pytest.mark.parametrize("shift", [0.0, 1.0, -7.0])
def test_negative_zero_is_zero_in_groups_and_counts_too(shift):
    signed = np.where(A > 0, 0.0, -0.0) + shift
    assert Sample.of(x=A, y=B, groups=signed).groups.max() == 0
    assert mi.classical.entropy(signed) == 0
    assert mi.classical.contingency(np.c_[signed, K], K) == pytest.approx(mi.classical.entropy(K))


@pytest.mark.parametrize("largest", [1.7e308, 1e200, 1.0, 1e-200, 5e-324 * 2**20])
def test_the_gaussian_formulas_take_numbers_of_any_magnitude(largest):
    rng = np.random.default_rng(1)
    x, z = rng.uniform(-1, 1, (2, 400))
    y = x + z + 0.5 * rng.uniform(-1, 1, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = mi.classical.gaussian(largest * x, y)
        given = mi.classical.conditional_gaussian(largest * x, y, z)
    assert value == pytest.approx(mi.classical.gaussian(x, y), rel=1e-3)
    assert given == pytest.approx(mi.classical.conditional_gaussian(x, y, z), rel=1e-3)


# Missing values of a table of which all pairs are measured


def test_missing_values_of_a_matrix_are_refused_or_dropped():
    table = PAIR.copy()
    table[::10, 0] = np.nan
    with pytest.raises(ValueError, match="table has 12 missing or infinite values"):
        mi.matrix(table)
    assert mi.matrix(table, nan="drop").n == N - 12
