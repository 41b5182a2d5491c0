import re
from datetime import date, datetime

import polars as pl
import pytest

from mibounds.data.text_columns import MISSING_AMONG_NUMBERS, MISSING_WORDS, TextColumns


def convert(values, keep_text=False, others=None, **options):
    frame = pl.DataFrame({"v": values, **(others or {})})
    return TextColumns(frame, "t.csv", **options).convert("v", keep_text=keep_text)


def is_column(column, dtype, values):
    assert column.name == "v"
    assert column.dtype == dtype
    assert column.to_list() == values


@pytest.mark.parametrize("word", MISSING_WORDS)
def test_words_for_missing_values_in_every_column(word):
    is_column(convert(["1", word]), pl.Int64, [1, None])
    is_column(convert(["1.5", f" {word} "]), pl.Float64, [1.5, None])
    is_column(convert(["2024-01-31", word]), pl.Date, [date(2024, 1, 31), None])
    is_column(convert(["ill", word]), pl.String, ["ill", None])


@pytest.mark.parametrize("word", MISSING_AMONG_NUMBERS)
def test_words_for_missing_values_among_numbers_and_dates(word):
    is_column(convert(["1", word]), pl.Int64, [1, None])
    is_column(convert(["31.12.2024", word]), pl.Date, [date(2024, 12, 31), None])
    is_column(convert(["007", word]), pl.String, ["007", None])
    is_column(convert(["ill", word]), pl.String, ["ill", word])
    is_column(convert([word, word]), pl.String, [word, word])


def test_words_of_the_user():
    is_column(convert(["1", "unknown"], null=("unknown",)), pl.Int64, [1, None])
    is_column(convert(["ill", "unknown"], null=("unknown",)), pl.String, ["ill", None])
    is_column(convert(["-999", "1.5", "-999.00"], null=("-999", "nan")), pl.Float64, [None, 1.5, None])
    is_column(convert([-999, 1], null=("-999",), typed=True), pl.Int64, [None, 1])
    is_column(convert(["a", "b"], null=("b",), typed=True), pl.String, ["a", None])


@pytest.mark.parametrize(
    "texts, dtype, values",
    [
        (["1", "-2", "+3", "−4"], pl.Int64, [1, -2, 3, -4]),
        (["1.5", "2", ".5", "1e3", "-1.25E-1"], pl.Float64, [1.5, 2.0, 0.5, 1000.0, -0.125]),
        ([" 1.5 ", "2"], pl.Float64, [1.5, 2.0]),
        (["inf", "-Infinity", "1"], pl.Float64, [float("inf"), float("-inf"), 1.0]),
        (["12,5", "3"], pl.Float64, [12.5, 3.0]),
        (["1.234,5", "1.234.567"], pl.Float64, [1234.5, 1234567.0]),
        (["1,234.5", "2"], pl.Float64, [1234.5, 2.0]),
        (["1'234", "1 234", "1\u202f234"], pl.Int64, [1234, 1234, 1234]),
        (["0.123"], pl.Float64, [0.123]),
        (["12345678901234567890"], pl.Float64, [12345678901234567890.0]),
        (["", "NA"], pl.Float64, [None, None]),
        (["true", "FALSE", ""], pl.Boolean, [True, False, None]),
        (["007", "12"], pl.String, ["007", "12"]),
        (["01.5", "2"], pl.Float64, [1.5, 2.0]),
        (["12%", "15%"], pl.String, ["12%", "15%"]),
        (["12 kg", "15 kg"], pl.String, ["12 kg", "15 kg"]),
        (["\u0661", "\u0662"], pl.String, ["\u0661", "\u0662"]),
        (["10:30", "11:00"], pl.String, ["10:30", "11:00"]),
    ],
)
def test_numbers_booleans_and_codes(texts, dtype, values):
    is_column(convert(texts), dtype, values)


def test_a_separator_before_three_digits():
    is_column(convert(["1.234"], separator=";"), pl.Float64, [1.234])
    is_column(convert(["1,234"], separator=";"), pl.Float64, [1.234])
    is_column(convert(["1,234"], separator=","), pl.Int64, [1234])
    is_column(convert(["1.234"], decimal=","), pl.Int64, [1234])
    is_column(convert(["1,234"], decimal="."), pl.Int64, [1234])
    is_column(convert(["1.234"], others={"w": ["0,5"]}, separator=";"), pl.Int64, [1234])
    is_column(convert(["1,234"], others={"w": ["0.5"]}, separator=";"), pl.Int64, [1234])
    sentence = "column 'v' of t.csv has numbers like '1.234', whose separator may be a decimal or a thousands separator"
    with pytest.raises(ValueError, match=sentence):
        convert(["1.234"], others={"w": ["0,5"], "u": ["0.5"]})
    with pytest.raises(ValueError, match="give the decimal separator with --decimal"):
        convert(["1.234", "1,234"])


@pytest.mark.parametrize(
    "texts, dtype, values",
    [
        (["2024-01-31", "2024/2/1"], pl.Date, [date(2024, 1, 31), date(2024, 2, 1)]),
        (["31.12.2024", "1.2.2024"], pl.Date, [date(2024, 12, 31), date(2024, 2, 1)]),
        (["1.2.2024"], pl.Date, [date(2024, 2, 1)]),
        (["31/12/2024", "1/2/2024"], pl.Date, [date(2024, 12, 31), date(2024, 2, 1)]),
        (["12/31/2024", "1/2/2024"], pl.Date, [date(2024, 12, 31), date(2024, 1, 2)]),
        (["3/3/2024"], pl.Date, [date(2024, 3, 3)]),
        (["31/12/2024 9:05"], pl.Datetime("us"), [datetime(2024, 12, 31, 9, 5)]),
        (["2024-01-31 10:00", "2024-02-01"], pl.Datetime("us"), [datetime(2024, 1, 31, 10), datetime(2024, 2, 1)]),
        (["2024-01-31T10:00:01.25"], pl.Datetime("us"), [datetime(2024, 1, 31, 10, 0, 1, 250000)]),
        (
            ["2024-01-31T10:00:00+02:30", "2024-01-31T10:00Z", "2024-01-31 10:00-0100"],
            pl.Datetime("us"),
            [datetime(2024, 1, 31, 7, 30), datetime(2024, 1, 31, 10), datetime(2024, 1, 31, 11)],
        ),
    ],
)
def test_dates(texts, dtype, values):
    is_column(convert(texts), dtype, values)
    is_column(convert(texts, typed=True), dtype, values)


@pytest.mark.parametrize(
    "texts, sentence",
    [
        (["1/2/2024", "3/4/2024"], "has dates like '1/2/2024', whose day and month cannot be told apart: write ISO"),
        (["31.12.24", "1.12.24"], "has dates like '1.12.24': write ISO dates, YYYY-MM-DD."),
        (["2024-01-31 10:00Z", "2024-01-31 10:00"], "has times with and without a UTC offset: write all of them alike"),
    ],
)
def test_ambiguous_dates(texts, sentence):
    with pytest.raises(ValueError, match=f"column 'v' of t.csv {re.escape(sentence)}"):
        convert(texts)


@pytest.mark.parametrize(
    "texts, sentence",
    [
        (
            [*map(str, range(227)), *["<10"] * 13],
            "column 'v' is text, but 227 of 240 values are numbers; the others: '<10' (13). "
            "Clean them, name them with --null, or name the column with --categorical.",
        ),
        (["1", "2", "3", "4", "b", "a", "a"], "4 of 7 values are numbers; the others: 'a' (2), 'b' (1)."),
        ([*map(str, range(9)), *"abcdefgh"], "the others: 'a' (1), 'b' (1), 'c' (1), 'd' (1), 'e' (1) and 3 more."),
        (["1.5", "2.5", "3,25"], "2 of 3 values are numbers; the others: '3,25' (1)."),
        (["2024-01-31", "2024-02-01", "soon"], "2 of 3 values are dates; the others: 'soon' (1)."),
        (["2024-01-31", "2024-02-01", "2024-02-30"], "2 of 3 values are dates; the others: '2024-02-30' (1)."),
        (["31.1.2024", "30.1.2024", "31.6.2024"], "2 of 3 values are dates; the others: '31.6.2024' (1)."),
    ],
)
def test_text_that_is_mostly_numbers_or_dates(texts, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        convert(texts)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        convert(texts, typed=True)
    is_column(convert(texts, keep_text=True), pl.String, texts)


def test_text_of_which_half_is_numbers():
    is_column(convert(["1", "a", "1", "1"]), pl.String, ["1", "a", "1", "1"])
    is_column(convert(["0,5", "0.123"]), pl.String, ["0,5", "0.123"])


def test_types_of_the_format_are_kept():
    is_column(convert(["1", "2"], typed=True), pl.String, ["1", "2"])
    is_column(convert(["NA", " x "], typed=True), pl.String, ["NA", " x "])
    is_column(convert([1, None], typed=True), pl.Int64, [1, None])
    is_column(convert([None, None], typed=True), pl.Null, [None, None])
    is_column(convert(pl.Series([None], dtype=pl.String), typed=True), pl.String, [None])


@pytest.mark.parametrize("unit", [" kg", "%", "°C"])
def test_numbers_with_one_unit_are_refused(unit):
    texts = [*(f"{i}.5{unit}" for i in range(20)), "none"]
    sentence = (
        f"is text like '0.5{unit}', numbers with the unit '{unit.strip()}': write the numbers alone, or name the "
    )
    with pytest.raises(ValueError, match=sentence):
        convert(texts)
    is_column(convert(texts, keep_text=True), pl.String, texts)


def test_many_numbers_with_several_units_are_said():
    texts = [f"{i} {'kg' if i % 2 else 'g'}" for i in range(11)]
    with pytest.warns(UserWarning, match=r"column 'v' of t.csv is text like '0 g', and each text is a category"):
        is_column(convert(texts), pl.String, texts)


def test_lists_are_refused():
    with pytest.raises(ValueError, match="column 'v' of t.csv holds lists or objects: expected one value in each row"):
        convert([[1], [2, 3]])
