"""How single columns become numbers."""

import json

import numpy as np
import pytest

from mibounds.data.encoding import (
    MOST_CATEGORIES,
    Categorical,
    Continuous,
    Encoding,
    encoding_from,
    fit_encoding,
    kind_names,
)
from mibounds.data.values import is_missing

# A column of every kind, for the contract: a new kind needs a line here.
COLUMNS = {
    "continuous": np.array([1e9 + 0.25, 1e9 - 0.5, np.nan, 1e9]),
    "categorical": np.array(["b", "a", None, "b"], dtype=object),
}


def test_every_kind_has_a_column_here():
    assert set(kind_names()) == set(COLUMNS)


@pytest.mark.parametrize("indicator", [False, True])
@pytest.mark.parametrize("kind", kind_names())
def test_every_kind_keeps_the_contract_of_encodings(kind, indicator):
    column = COLUMNS[kind]
    encoding = fit_encoding(column, "x", kind, indicator)
    assert isinstance(encoding, Encoding)
    assert (encoding.kind, encoding.name) == (kind, "x")
    values = encoding(column)
    assert values.dtype == np.float32
    assert values.shape == (len(column), len(encoding.names))
    assert len(set(encoding.names)) == len(encoding.names)
    missing = np.array([is_missing(value) for value in column.tolist()])
    if len(encoding.names) > len(fit_encoding(column, "x", kind).names):  # it has an indicator
        assert np.isfinite(values).all()
    else:
        assert np.array_equal(np.isnan(values).any(1), missing)
    assert np.array_equal(encoding(column[::-1]), values[::-1], equal_nan=True), "rows are encoded one by one"
    record = json.loads(json.dumps(encoding.to_dict()))
    again = encoding_from(record)
    assert again == encoding
    assert np.array_equal(again(column), values, equal_nan=True)
    present = values[~missing]
    assert len({encoding.shown(row) for row in present}) == len(np.unique(present, axis=0))


def test_a_record_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="the kind of a column is 'spiral': expected 'continuous'"):
        encoding_from({"kind": "spiral", "name": "x"})


def test_an_encoding_is_a_function_of_the_value_alone():
    column = np.array(["a", "b", "c", "a"])
    encoding = fit_encoding(column, "x")
    assert encoding.frequencies == (0.5, 0.25, 0.25)
    assert np.array_equal(encoding(column[::-1]), encoding(column)[::-1])
    assert np.array_equal(encoding(np.array(["z"])), [[0.5, 0.25, 0.25]])


def test_numbers_are_encoded_the_same_whatever_their_dtype():
    encoding = fit_encoding(np.array([1, 2, 3] * 20), "x", "categorical")
    assert np.array_equal(encoding(np.array([2.0])), encoding(np.array([2])))
    assert np.array_equal(encoding(np.array(["2"])), encoding(np.array([2])))


def test_booleans_are_one_column_of_their_own_name():
    encoding = fit_encoding(np.array([True, False]), "smokes")
    assert encoding.names == ("smokes",)
    assert encoding(np.array([True, False])).tolist() == [[1.0], [0.0]]
    assert [encoding.shown(row) for row in np.array([[1.0], [0.0]])] == ["True", "False"]


def test_two_categories_are_one_column_named_by_the_second():
    encoding = fit_encoding(np.array(["m", "f", "m"]), "sex")
    assert encoding.names == ("sex=m",)
    assert encoding(np.array(["m", "f", "?"])).tolist() == [[1.0], [0.0], [pytest.approx(2 / 3)]]
    assert [encoding.shown(row) for row in np.array([[1.0], [0.0]])] == ["m", "f"]


def test_missing_values_stay_missing_without_an_indicator():
    for column in (
        np.array([1.5, np.nan]),
        np.array(["a", None], dtype=object),
        np.array(["2026-01-01", "NaT"], "M8[D]"),
    ):
        numbers = fit_encoding(column, "x")(column)
        assert np.isfinite(numbers[0]).all()
        assert np.isnan(numbers[1]).all()


def test_an_indicator_is_given_only_where_values_are_missing():
    whole, holes = np.array([1.0, 2.0, 6.0]), np.array([1.0, np.nan, 6.0, 2.0])
    assert fit_encoding(whole, "x", indicator=True).names == ("x",)
    encoding = fit_encoding(holes, "x", indicator=True)
    assert encoding.names == ("x", "x=missing")
    assert encoding(holes).tolist() == [[1, 0], [2, 1], [6, 0], [2, 0]]
    assert [encoding.shown(row) for row in encoding(holes)[:2]] == ["1", "missing"]
    assert fit_encoding(np.array(["a", "b"]), "x", indicator=True).names == ("x=b",)
    assert fit_encoding(np.array(["a", None, "b"], dtype=object), "x", indicator=True).names[-1] == "x=missing"


def test_an_offset_that_float32_cannot_hold_is_subtracted():
    column = 1e9 + np.arange(8.0)
    encoding = fit_encoding(column, "x")
    assert np.array_equal(encoding(column)[:, 0], np.arange(8) - 3.5)
    assert encoding.shown(encoding(column)[0]) == "1000000000"
    assert fit_encoding(np.arange(8.0), "x") == Continuous("x")
    single = (1e6 + np.arange(8) / 16).astype(np.float32)
    assert len(np.unique(single)) == 8
    assert fit_encoding(single, "x") == Continuous("x"), "it has no more digits"


def test_numbers_are_shown_with_the_digits_that_distinguish_them():
    values = np.array([0.1, 1.0000001, 1.0000002, 20230101, -3], np.float32)
    expected = ["0.1", "1.0000001", "1.0000002", "20230100", "-3"]
    assert [Continuous("x").shown(values[i : i + 1]) for i in range(5)] == expected
    dates = np.array([20230101.0, 20230102.0, 20230103.0])
    encoding = fit_encoding(dates, "day")
    assert [encoding.shown(row) for row in encoding(dates)] == ["20230101", "20230102", "20230103"]


def test_of_many_categories_the_most_frequent_keep_a_column():
    column = np.repeat([f"v{i:03}" for i in range(MOST_CATEGORIES + 1)], 3)
    column = np.append(column, ["v200"] * 2 + ["v007"])
    encoding = fit_encoding(column, "x")
    assert len(encoding.names) == MOST_CATEGORIES
    assert encoding.names[-1] == "x=others"
    assert {"x=v200", "x=v007"} < {*encoding.names}
    merged = [f"v{i:03}" for i in range(MOST_CATEGORIES + 1) if f"x=v{i:03}" not in encoding.names]
    assert len(merged) == 2
    assert encoding(np.array(merged)).argmax(1).tolist() == [MOST_CATEGORIES - 1] * 2
    assert sum(encoding.frequencies) == pytest.approx(1)
    assert encoding.distinct == MOST_CATEGORIES + 1
    exactly = np.repeat([f"v{i:03}" for i in range(MOST_CATEGORIES)], 3)
    assert "x=others" not in fit_encoding(exactly, "x").names


def codes(encoding, column):
    return [warning.code for warning in encoding.warnings(encoding(column), "x")]


def test_identifiers_and_rare_categories_have_a_warning():
    rng = np.random.default_rng(0)
    named = np.array([f"p{i}" for i in range(100)])
    assert codes(fit_encoding(named, "name"), named) == ["identifier"]
    halves = np.array([f"p{i // 2}" for i in range(100)])
    assert codes(fit_encoding(halves, "name"), halves) == [], "50 values in 100 rows are not more than half"
    rows = np.arange(100) + 7.0
    assert codes(Continuous("row"), rows) == codes(Continuous("row"), rows[::-1]) == ["identifier"]
    assert codes(Continuous("row"), rows * 1.25) == [], "not whole numbers one by one"
    assert codes(Continuous("row"), np.append(rows[:-1], rows[0])) == [], "one value is there twice"
    assert codes(Continuous("row"), rng.permutation(100) + 7.0) == [], "ranks are no identifier"
    assert codes(Continuous("row"), rng.normal(size=100)) == []
    many = np.array([f"street {i % 230}" for i in range(920)])
    assert codes(fit_encoding(many, "street"), many) == ["rare-categories"]


def test_integers_of_few_values_are_categories():
    assert isinstance(fit_encoding(np.arange(200) % 10, "x"), Categorical)
    assert isinstance(fit_encoding(np.arange(220) % 11, "x"), Continuous)
    assert isinstance(fit_encoding(np.arange(199) % 10, "x"), Continuous), "19.9 rows for each value"
    late = np.r_[np.arange(1000) % 5, np.arange(1000)]
    assert isinstance(fit_encoding(late, "x"), Continuous), "the first thousand rows are not all"


@pytest.mark.parametrize("column", [np.array([np.nan, np.inf]), np.array([None, None], dtype=object)])
def test_a_column_without_values_is_refused(column):
    with pytest.raises(ValueError, match="column 'x' has no values at all"):
        fit_encoding(column, "x", "continuous" if column.dtype.kind == "f" else None)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.filterwarnings("error")
def test_missing_values_of_any_precision(dtype):
    column = np.array([1.5, np.nan, -2.0, np.inf, 6e4], dtype=dtype)
    found = fit_encoding(column, "a")(column)[:, 0]
    assert found.dtype == np.float32
    assert np.array_equal(found, [1.5, np.nan, -2.0, np.nan, np.float32(dtype(6e4))], equal_nan=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_far_values_stay_apart_where_others_are_missing(dtype):
    column = np.array([1.0, 2.0, np.nan, 4.0, np.inf, -3.0], dtype=dtype) * dtype(1e4 if dtype == np.float16 else 5e37)
    values = fit_encoding(column, "x")(column)[:, 0]
    assert np.array_equal(values, np.where(np.isfinite(column), column, np.nan), equal_nan=True)


def test_values_beyond_single_precision_stay_in_order():
    column = np.array([-1e300, -1e35, 0.0, 1e31, 1e35, 1e300])
    values = Continuous("x")(column)[:, 0]
    assert np.isfinite(values).all() and (np.diff(values) > 0).all()


@pytest.mark.parametrize("words", [["missing"], ["missing", "(missing)"], ["others", "missing"]])
def test_a_category_that_is_called_like_a_column_of_several_stays_apart(words):
    column = np.array([*words, "a", None] * 3, dtype=object)
    encoding = Categorical.fit(column, "x", indicator=True)
    assert len(encoding.categories) == len(words) + 2
    assert len(np.unique(encoding(column), axis=0)) == len(words) + 2
    assert encoding.shown(encoding(column)[-1]) == encoding.categories[-1] not in [*words, "a"]
    assert encoding.unseen(np.array(["new", "(others)", None], dtype=object)).tolist() == [True, True, False]
    assert encoding_from(json.loads(json.dumps(encoding.to_dict()))) == encoding


def test_rare_categories_do_not_join_one_that_is_called_others():
    column = np.array(["others"] * 3 + [f"v{i:03}" for i in range(MOST_CATEGORIES + 20)] * 2, dtype=object)
    encoding = Categorical.fit(column, "x")
    assert encoding.categories[-1] == "(others)"
    assert encoding(column[:1]).argmax() == encoding.categories.index("others")
    rare = next(one for one in column if one not in encoding.categories)
    assert encoding(np.array([rare, "new"], dtype=object)).argmax(1).tolist() == [MOST_CATEGORIES - 1] * 2
    shared = encoding.shared()
    assert (shared.column, shared.fraction) == ("x=(others)", encoding.frequencies[-1])
