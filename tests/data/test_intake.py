"""Intake of tables: every kind of table becomes float32 columns, or is refused with one sentence."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mibounds.data.intake import check_labels, group_codes, intake, intake_again, intake_columns, is_empty

NUMBERS = np.arange(120.0).reshape(60, 2)


@pytest.mark.parametrize(
    "data, names",
    [
        (NUMBERS, ("x[0]", "x[1]")),
        (NUMBERS.astype(np.int64), ("x[0]", "x[1]")),
        (NUMBERS.astype(np.float16), ("x[0]", "x[1]")),
        (torch.from_numpy(NUMBERS).requires_grad_(), ("x[0]", "x[1]")),
        (NUMBERS.tolist(), ("x[0]", "x[1]")),
        (pd.DataFrame(NUMBERS, columns=["a", "b"]), ("a", "b")),
        (pl.DataFrame(NUMBERS, schema=["a", "b"]), ("a", "b")),
        (pl.DataFrame(NUMBERS, schema=["a", "b"]).lazy(), ("a", "b")),
        (pa.table({"a": NUMBERS[:, 0], "b": NUMBERS[:, 1]}), ("a", "b")),
    ],
    ids=["float", "int", "half", "tensor", "list", "pandas", "polars", "lazy", "pyarrow"],
)
def test_tables_and_arrays(data, names):
    columns = intake(data, "x")
    assert columns.columns == names
    assert columns.values.dtype == torch.float32
    assert np.array_equal(columns.values.numpy(), NUMBERS.astype(np.float32))


@pytest.mark.parametrize("data", [NUMBERS[:, 0], pd.Series(NUMBERS[:, 0], name="x"), pl.Series("x", NUMBERS[:, 0])])
def test_one_dimension_is_one_column(data):
    columns = intake(data, "x")
    assert columns.values.shape == (60, 1)
    assert columns.columns == ("x",)


def test_booleans_and_missing_values_of_tables_become_numbers():
    table = pl.DataFrame({"flag": [True, False, None], "count": [1, None, 3]})
    values = intake(table, "x").values
    assert values[:2, 0].tolist() == [1, 0]
    assert values[2, 0].isnan()
    assert values[1, 1].isnan()


def test_a_large_offset_does_not_round_differences_away():
    stamps = 1.7e9 + np.arange(100) * 0.01
    values = intake(stamps, "x").values.flatten()
    assert len(values.unique()) == 100
    assert float(values[1] - values[0]) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(
    "data, error, sentence",
    [
        (np.array([object(), None]), TypeError, "x: column 'x' holds object objects: expected numbers, dates"),
        (np.array(["a", 1.5, None], dtype=object), TypeError, "x: column 'x' holds number and text: expected"),
        (NUMBERS + 1j, TypeError, "x is complex: give real numbers"),
        (pd.Series(NUMBERS[:, 0] + 1j), TypeError, "x: column 'x' is complex: give real numbers"),
        (pd.DataFrame({"a": [1.0, 2.0], "b": [1j, None]}), TypeError, "x: column 'b' is complex: give real numbers"),
        (torch.zeros(60, 2, dtype=torch.complex64), TypeError, "x is complex"),
        (np.zeros((60, 2, 2)), ValueError, r"x has shape \(60, 2, 2\): expected \(rows,\) or \(rows, columns\)"),
        (np.zeros((0, 2)), ValueError, "x is empty"),
        (np.float64(3), ValueError, "x is a single value"),
        (pd.DataFrame(), ValueError, "x is empty"),
        ([[1, 2], [3]], ValueError, "x is ragged"),
        (pd.DataFrame({"age": [1.0, 2.0], "tags": [["a"], ["b"]]}), TypeError, "x: column 'tags' holds lists"),
        (pd.DataFrame({"age": [math.nan, math.nan]}), ValueError, "x: column 'age' has no values at all"),
        (
            pl.DataFrame({"city": [None, None]}, schema={"city": pl.String}),
            ValueError,
            "x: column 'city' has no values",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_sentence(data, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        intake(data, "x")
    assert "\n" not in str(caught.value)


CITIES = ["Bonn", "Ulm", "Wien"] * 20


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"city": CITIES}),
        pd.DataFrame({"city": pd.Categorical(CITIES)}),
        pl.DataFrame({"city": CITIES}),
        pl.DataFrame({"city": CITIES}, schema={"city": pl.Enum(["Bonn", "Ulm", "Wien", "Graz"])}),
        pl.DataFrame({"city": CITIES}, schema={"city": pl.Categorical}),
        pa.table({"city": pa.array(CITIES).dictionary_encode()}),
    ],
    ids=["pandas", "pandas categorical", "polars", "polars enum", "polars categorical", "pyarrow dictionary"],
)
def test_text_and_categories_become_one_column_for_each_value(table):
    columns = intake(table, "x")
    assert columns.columns == ("city=Bonn", "city=Ulm", "city=Wien")
    assert torch.equal(columns.values, torch.eye(3).repeat(20, 1))
    assert [encoding.kind for encoding in columns.encodings] == ["categorical"]


def test_integers_of_few_values_are_categories_unless_a_kind_is_given():
    codes = np.arange(200) % 4
    assert intake(codes, "y").values.shape == (200, 4)
    assert intake(codes, "y", "continuous").columns == ("y",)
    assert intake(codes.astype(float), "y").columns == ("y",)
    assert intake(codes.astype(float), "y", "categorical").values.shape == (200, 4)
    assert intake(np.arange(200) % 11, "y").columns == ("y",)
    assert intake(np.arange(60) % 4, "y").columns == ("y",), "15 rows for each value are too few"


def test_kinds_go_by_column_and_unknown_ones_are_refused():
    table = pd.DataFrame({"a": np.arange(100) % 2, "b": np.arange(100) % 3})
    assert intake(table, "x", {"b": "continuous"}).columns == ("a=1", "b")
    with pytest.raises(ValueError, match="x_type names a column 'c' that x does not have"):
        intake(table, "x", {"c": "continuous"})
    with pytest.raises(ValueError, match="x_type is 'ordinal' for column 'a': expected one of 'continuous', 'c"):
        intake(table, "x", {"a": "ordinal"})


def test_with_continuous_columns_text_is_refused():
    with pytest.raises(TypeError, match="x: column 'city' holds text where numbers are due"):
        intake(pd.DataFrame({"city": CITIES}), "x", "continuous")


def test_missing_values_can_have_a_column_of_their_own():
    cities = ["Bonn", None, "Ulm"] * 40
    table = pd.DataFrame({"age": [1.0, math.nan, 3.0] * 40, "city": cities, "full": 2 * NUMBERS.ravel()})
    variable = intake(table, "x", nan="indicator")
    assert variable.columns == ("age", "age=missing", "city=Bonn", "city=Ulm", "city=missing", "full")
    assert variable.values[1].tolist() == [2.0, 1.0, 0.0, 0.0, 1.0, 2.0], "the median of the others, and the marks"
    assert intake(table, "x").columns == ("age", "city=Ulm", "full")


def test_dates_are_days():
    days = np.arange("2026-01-01", "2026-03-02", dtype="M8[D]")
    values = intake(days, "x").values
    assert torch.equal(values.diff(dim=0), torch.ones(len(days) - 1, 1))
    hours = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=60, freq="6h")})
    assert torch.equal(intake(hours, "x").values.diff(dim=0), torch.full((59, 1), 0.25))


def test_new_rows_become_the_same_numbers_and_an_unseen_category_is_not_informative():
    table = pd.DataFrame({"city": CITIES, "age": NUMBERS[:, 0] + 1e9, "sex": ["f", "m"] * 30})
    like = intake(table, "x")
    assert torch.equal(intake_again(table, "x", like.schema).values, like.values)
    shuffled = table.assign(more=["text"] * 60)[["sex", "more", "age", "city"]]
    assert torch.equal(intake_again(shuffled, "x", like.schema).values, like.values), "columns go by name"
    new = pd.DataFrame({"city": ["Graz", "Ulm"], "age": [1e9, 1e9 + 2], "sex": ["?", "f"]})
    values = intake_again(new, "x", like.schema).values
    assert torch.allclose(values[0, :3], torch.full((3,), 1 / 3))
    assert values[0, -1] == 0.5
    assert values[1].tolist() == [0, 1, 0, float(values[0, 3]) + 2, 0]
    with pytest.raises(ValueError, match="x has no column 'city', which the critics were trained on"):
        intake_again(new[["age"]], "x", like.schema)
    with pytest.raises(ValueError, match="x has 1 column, and the critics were trained on 3 columns"):
        intake_again(NUMBERS[:, 0], "x", like.schema)
    with pytest.raises((ValueError, TypeError), match="x"):
        intake_again(new.assign(age=["old", "young"]), "x", like.schema)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda d: pl.DataFrame(d).lazy(), pa.table])
def test_a_table_keeps_its_numeric_columns_and_names_the_others(make):
    frame = make({"a": NUMBERS[:, 0], "flag": NUMBERS[:, 0] > 50, "city": ["Ulm"] * 60, "b": NUMBERS[:, 1]})
    variable, warnings = intake_columns(frame)
    assert variable.columns == ("a", "flag", "b")
    assert [str(warning) for warning in warnings] == ["Columns without numbers were left out: 'city'."]
    variable, warnings = intake_columns(frame, ["b", "a", "b"])
    assert variable.columns == ("b", "a")
    assert not warnings


def test_a_table_reads_numbers_beside_words_for_a_missing_value_and_says_which_words_are_neither():
    written = [f"{value:.2f}" for value in NUMBERS[:, 0]]
    words = ["NA", "n/a", "", "?", ".", "-", " NaN "]
    frame = pd.DataFrame({"a": NUMBERS[:, 0], "b": [*words, *written[7:]], "c": ["unknown", *written[1:]]})
    variable, warnings = intake_columns(frame)
    assert variable.columns == ("a", "b")
    assert bool(variable.values[:7, 1].isnan().all())
    assert variable.values[7:, 1].tolist() == pytest.approx([float(text) for text in written[7:]])
    assert [str(warning) for warning in warnings] == [
        "Columns without numbers were left out: 'c'. Column 'c' is text, but 59 of 60 values are numbers; the others: "
        "'unknown' (1). Clean and convert it (pandas.to_numeric)."
    ]
    mixed = pd.DataFrame({"a": NUMBERS[:, 0], "b": ["u", b"u"] * 30, "c": ["u", [1]] * 30})
    assert intake_columns(mixed, labels=True)[0].columns == ("a",)
    codes = pd.DataFrame({"a": NUMBERS[:, 0], "zip": ["01067", "00501", "NA"] * 20, "said": ["1,5", "2,5", "NA"] * 20})
    assert intake_columns(codes)[0].columns == ("a",)


@pytest.mark.parametrize(
    "make", [pl.DataFrame, pa.table, lambda columns: columns, lambda c: pd.DataFrame(c, dtype=object)]
)
def test_whole_numbers_and_booleans_with_missing_values_are_numeric(make):
    count = [None, *range(59)]
    table = make({"a": NUMBERS[:, 0].tolist(), "count": count, "flag": [None, *[True, False] * 29, True]})
    for labels in (False, True):
        variable, warnings = intake_columns(table, labels=labels)
        assert variable.columns == ("a", "count", "flag")
        assert not warnings
        assert variable.values[0, 1:].isnan().all()
        assert variable.values[1:3].tolist() == [[NUMBERS[1, 0], 0, 1], [NUMBERS[2, 0], 1, 0]]


def test_nullable_columns_of_pandas_are_numeric_and_objects_are_not():
    table = pd.DataFrame({
        "i": pd.array([None, *range(59)], dtype="Int64"),
        "f": pd.array([None, *[True] * 30, *[False] * 29], dtype="boolean"),
        "none": pd.Series([None] * 60, dtype=object),
        "mixed": [1, "a"] * 30,
        "complex": NUMBERS[:, 0] + 1j,
    })  # fmt: skip
    variable, warnings = intake_columns(table, labels=True)
    assert variable.columns == ("i", "f")
    assert "were left out: 'none', 'mixed', 'complex'." in str(warnings[0])


@pytest.mark.parametrize("columns", ["ab", 3, 2.5])
def test_the_columns_to_take_are_a_list(columns):
    with pytest.raises(TypeError, match=f"columns is {columns!r}: expected the names of columns, for example \\["):
        intake_columns(NUMBERS, columns)


@pytest.mark.parametrize("mixed", [[1, "1"], ["2020-01-01 00:00:00", pd.Timestamp("2020-01-01")], [True, "True"]])
def test_labels_are_of_one_kind(mixed):
    column = np.array([*mixed, None], dtype=object)
    with pytest.raises(
        TypeError, match="^groups holds .* and .*: expected numbers, dates, booleans or text, one of th"
    ):
        check_labels(column, "groups")
    with pytest.raises(TypeError, match="^groups holds"):
        group_codes(mixed * 30, 60, torch.arange(60))
    with pytest.raises(TypeError, match="^x: column 'x' holds .* and .*: expected"):
        intake(mixed * 30, "x", "categorical")
    check_labels(np.array([True, 1, None, 2.5], dtype=object), "numbers and booleans are told apart")


def test_what_is_empty():
    for empty in (
        None,
        [],
        [[], ()],
        {"a": []},
        np.zeros((3, 0)),
        torch.zeros(0),
        pd.DataFrame(),
        pl.Series([]),
        range(0),
    ):
        assert is_empty(empty)
    for full in ([None], [[1], []], {"a": [1]}, np.zeros(1), pd.DataFrame({"a": [1]}), range(1), 3):
        assert not is_empty(full)


def test_the_columns_of_an_array_are_numbered():
    variable, _ = intake_columns(np.c_[NUMBERS, NUMBERS[:, :1]], [2, 0])
    assert variable.columns == ("2", "0")
    with pytest.raises(ValueError, match="table has no column '7'. Known: '0', '1'"):
        intake_columns(NUMBERS, [7])
    with pytest.raises(TypeError, match="table: column 'c' holds text"):
        intake_columns(pl.DataFrame({"c": ["Ulm"] * 60}))


def test_the_data_are_not_changed():
    single = NUMBERS.astype(np.float32)
    intake(single, "x").values.add_(1)
    assert np.array_equal(single, NUMBERS.astype(np.float32))


def test_new_rows_are_encoded_by_the_columns_that_are_used():
    wide = np.stack([np.arange(0, 120, 2.0), np.ones(60), 1e9 + np.arange(60) / 8], 1)
    variable = intake(wide, "x").only(["x[0]", "x[2]"])
    again = intake_again(wide[:3], "x", variable.schema)
    assert again.columns == variable.columns == ("x[0]", "x[2]")
    assert torch.equal(again.values, variable.values[:3])
    frame = pl.DataFrame({"c": ["text"] * 3, "b": [1, 2, None], "a": [4, 5, 6]})
    again = intake_again(frame, "x", intake(pl.DataFrame({"a": [1.0, 2.0], "b": [0.5, 1.5]}), "x").schema)
    assert again.values[:2].tolist() == [[4, 1], [5, 2]]
    assert again.values[2, 1].isnan()


def test_groups_are_numbered_whatever_they_are_called():
    names = ["b", "a", "b", "c"]
    assert group_codes(names, 4, torch.arange(4)).tolist() == [1, 0, 1, 2]
    assert group_codes(pd.Series(names), 4, torch.tensor([0, 3])).tolist() == [0, 1], "of the rows that are kept"
    assert group_codes(np.array([7, 7, 3, 9]), 4, torch.arange(4)).tolist() == [1, 1, 0, 2]
    assert group_codes(None, 4, torch.arange(4)) is None
    with pytest.raises(ValueError, match="groups has 4 rows and 1 column: expected one value for each of the 5 rows"):
        group_codes(names, 5, torch.arange(5))
    with pytest.raises(ValueError, match="groups has 4 rows and 2 columns"):
        group_codes(np.zeros((4, 2)), 4, torch.arange(4))
    with pytest.raises(ValueError, match="groups has missing values"):
        group_codes(["a", None, "b"], 3, torch.arange(3))
    assert group_codes(["a", None, "b"], 3, torch.tensor([0, 2])).tolist() == [0, 1], "a dropped row needs no group"


def test_an_empty_choice_of_columns():
    with pytest.raises(ValueError, match="columns is empty: expected the names of at least two columns"):
        intake_columns(np.zeros((60, 2)), [])
