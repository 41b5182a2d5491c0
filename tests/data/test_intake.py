"""Whatever a person has comes in, or is refused with one sentence."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mibounds.data import complete_rows, intake, intake_again, intake_pair, intake_rows, intake_table
from mibounds.warnings import ConstantColumnWarning, IdentifierWarning, RareCategoriesWarning, RowsDroppedWarning

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
    assert columns.names == names
    assert columns.values.dtype == torch.float32
    assert np.array_equal(columns.values.numpy(), NUMBERS.astype(np.float32))


@pytest.mark.parametrize("data", [NUMBERS[:, 0], pd.Series(NUMBERS[:, 0], name="x"), pl.Series("x", NUMBERS[:, 0])])
def test_one_dimension_is_one_column(data):
    columns = intake(data, "x")
    assert columns.values.shape == (60, 1)
    assert columns.names == ("x",)


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
        (torch.zeros(60, 2, dtype=torch.complex64), TypeError, "x is complex"),
        (np.zeros((60, 2, 2)), ValueError, r"x has shape \(60, 2, 2\): expected \(rows,\) or \(rows, columns\)"),
        (np.zeros((0, 2)), ValueError, "x is empty"),
        (np.float64(3), ValueError, "x is empty"),
        (pd.DataFrame(), ValueError, "x is empty"),
        ([[1, 2], [3]], ValueError, "x is ragged"),
        (pd.DataFrame({"age": [1.0, 2.0], "tags": [["a"], ["b"]]}), TypeError, "x: column 'tags' holds list objects"),
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


def test_unequal_rows():
    with pytest.raises(ValueError, match="x has 60 rows and y has 59: rows are paired samples"):
        intake_pair(NUMBERS, NUMBERS[1:])


def test_missing_values_are_counted_by_column():
    table = pd.DataFrame(NUMBERS.copy(), columns=["a", "b"])
    table.loc[3, "b"] = math.nan
    table.loc[4, "b"] = math.inf
    with pytest.raises(ValueError, match=r"y has 2 missing or infinite values, in column 'b' \(2\).*nan=\"drop\""):
        intake_pair(NUMBERS, table)
    x, y, caught = intake_pair(NUMBERS, table, nan="drop")
    assert len(x.values) == len(y.values) == 58
    assert [type(w) for w in caught] == [RowsDroppedWarning]
    assert "2 of 60 rows" in str(caught[0])
    assert torch.equal(x.values, y.values)
    with pytest.raises(ValueError, match="nan is 'fill', and must be 'raise', 'drop' or 'indicator'"):
        intake_pair(NUMBERS, table, nan="fill")


def test_few_rows():
    with pytest.raises(ValueError, match="49 complete rows are too few: expected at least 50"):
        intake_pair(NUMBERS[:49], NUMBERS[:49])


def test_constant_columns_are_dropped_with_a_warning():
    table = pd.DataFrame(NUMBERS, columns=["a", "b"]).assign(c=7.0)
    x, _, caught = intake_pair(table, NUMBERS)
    assert x.names == ("a", "b")
    assert [type(w) for w in caught] == [ConstantColumnWarning]
    assert "x: constant columns were dropped: 'c'" in str(caught[0])
    with pytest.raises(ValueError, match="y is constant in every column"):
        intake_pair(NUMBERS, np.ones(60))


def test_the_data_are_not_changed():
    before = NUMBERS.copy()
    values = intake_pair(NUMBERS, NUMBERS)[0].values
    values += 1
    assert np.array_equal(before, NUMBERS)
    single = NUMBERS.astype(np.float32)
    intake(single, "x").values.add_(1)
    assert np.array_equal(single, before.astype(np.float32))


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
def test_text_and_categories_become_a_column_a_value(table):
    columns = intake(table, "x")
    assert columns.names == ("city=Bonn", "city=Ulm", "city=Wien")
    assert torch.equal(columns.values, torch.eye(3).repeat(20, 1))
    assert [encoding.kind for encoding in columns.encodings] == ["categorical"]


def test_integers_of_few_values_are_categories_unless_told_otherwise():
    codes = np.arange(200) % 4
    assert intake(codes, "y").values.shape == (200, 4)
    assert intake(codes, "y", "continuous").names == ("y",)
    assert intake(codes.astype(float), "y").names == ("y",)
    assert intake(codes.astype(float), "y", "categorical").values.shape == (200, 4)
    assert intake(np.arange(200) % 11, "y").names == ("y",)
    assert intake(np.arange(60) % 4, "y").names == ("y",), "15 rows a value are too few to tell"


def test_kinds_go_by_column_and_unknown_ones_are_refused():
    table = pd.DataFrame({"a": np.arange(100) % 2, "b": np.arange(100) % 3})
    assert intake(table, "x", {"b": "continuous"}).names == ("a=1", "b")
    with pytest.raises(ValueError, match="x_type names a column 'c' that x does not have"):
        intake(table, "x", {"c": "continuous"})
    with pytest.raises(ValueError, match="x_type is 'ordinal' for column 'a', and must be one of"):
        intake(table, "x", {"a": "ordinal"})


def test_with_continuous_columns_text_is_refused():
    with pytest.raises(TypeError, match="x: column 'city' holds text where numbers are due"):
        intake(pd.DataFrame({"city": CITIES}), "x", "continuous")


def test_dates_are_days():
    days = np.arange("2026-01-01", "2026-03-02", dtype="M8[D]")
    values = intake(days, "x").values
    assert torch.equal(values.diff(dim=0), torch.ones(len(days) - 1, 1))
    hours = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=60, freq="6h")})
    assert torch.equal(intake(hours, "x").values.diff(dim=0), torch.full((59, 1), 0.25))


def test_being_missing_can_be_a_value():
    cities = ["Bonn", None, "Ulm"] * 40
    table = pd.DataFrame({"age": [1.0, math.nan, 3.0] * 40, "city": cities, "full": 2 * NUMBERS.ravel()})
    (columns,), caught = intake_rows({"x": table}, "indicator")
    assert columns.names == ("age", "age=missing", "city=Bonn", "city=Ulm", "city=missing", "full")
    assert not caught
    assert columns.values[1].tolist() == [2.0, 1.0, 0.0, 0.0, 1.0, 2.0], "the median of what is there, and the marks"
    with pytest.raises(ValueError, match=r"in column 'age' \(40\), 'city' \(40\)"):
        intake_rows({"x": table})
    (columns,), caught = intake_rows({"x": table}, "drop")
    assert columns.names == ("age", "city=Ulm", "full")
    assert columns.kept.tolist() == [i for i in range(120) if i % 3 != 1]
    assert columns.given == 120


def test_new_rows_become_the_same_numbers_and_an_unseen_category_tells_nothing():
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


def test_new_rows_lack_the_columns_that_were_dropped():
    wide = np.stack([np.arange(0, 120, 2.0), np.ones(60), 1e9 + np.arange(60) / 8], 1)
    (columns, _), _ = intake_rows({"x": wide, "y": NUMBERS[:, 0]})
    assert columns.schema.names == columns.names == ("x[0]", "x[2]")
    assert torch.equal(intake_again(wide[:3], "x", columns.schema).values, columns.values[:3])
    frame = pl.DataFrame({"c": ["text"] * 3, "b": [1, 2, None], "a": [4, 5, 6]})
    again = intake_again(frame, "x", intake(pl.DataFrame({"a": [1.0, 2.0], "b": [0.5, 1.5]}), "x").schema)
    assert again.values[:2].tolist() == [[4, 1], [5, 2]]
    assert complete_rows({"x": again}, "drop").tolist() == [True, True, False]


def test_rows_that_are_left_are_known():
    x = NUMBERS[:, 0].copy()
    x[[0, 9]] = np.nan
    (columns, other), _ = intake_rows({"x": x, "y": NUMBERS[:, 0]}, "drop")
    assert columns.given == other.given == 60
    assert columns.kept.tolist() == other.kept.tolist() == [i for i in range(60) if i not in (0, 9)]


def test_identifiers_and_rare_categories_are_warned_of():
    names = [f"p{i}" for i in range(500)]
    numbered = np.arange(500)
    noise = np.random.default_rng(0).normal(size=500)
    _, caught = intake_rows({"x": pd.DataFrame({"name": names, "row": numbered, "noise": noise})})
    assert [type(w) for w in caught] == [IdentifierWarning, IdentifierWarning]
    assert "'name' has 500 values in 500 rows and looks like an identifier" in str(caught[0])
    assert "'row' numbers the rows one by one" in str(caught[1])
    many = [f"street {i % 230}" for i in range(920)]
    (columns,), caught = intake_rows({"x": many})
    assert [type(w) for w in caught] == [RareCategoriesWarning]
    assert columns.values.shape == (920, 200)
    assert torch.equal(columns.values.sum(1), torch.ones(920))
    assert columns.names[-1] == "x=others"


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda d: pl.DataFrame(d).lazy(), pa.table])
def test_a_table_keeps_its_numbers_and_names_what_it_leaves_out(make):
    frame = make({"a": NUMBERS[:, 0], "flag": NUMBERS[:, 0] > 50, "city": ["Ulm"] * 60, "b": NUMBERS[:, 1]})
    taken, caught = intake_table(frame)
    assert taken.names == ("a", "flag", "b")
    assert [str(warning) for warning in caught] == ["Columns without numbers were left out: 'city'."]
    taken, caught = intake_table(frame, ["b", "a", "b"])
    assert taken.names == ("b", "a")
    assert not caught


def test_a_table_without_names_is_numbered():
    taken, _ = intake_table(np.c_[NUMBERS, NUMBERS[:, :1]], [2, 0])
    assert taken.names == ("2", "0")
    with pytest.raises(ValueError, match="table has no column '7'. Known: '0', '1'"):
        intake_table(NUMBERS, [7])
    with pytest.raises(ValueError, match="table has one column that varies, '0'"):
        intake_table(NUMBERS[:, 0])
    with pytest.raises(TypeError, match="table: column 'c' holds text"):
        intake_table(pl.DataFrame({"c": ["Ulm"] * 60}))
