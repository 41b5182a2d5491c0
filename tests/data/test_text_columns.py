import re
from datetime import date, datetime, timedelta

import polars as pl
import pytest

from mibounds.data.text_columns import MISSING_AMONG_NUMBERS, MISSING_WORDS, ReadingWarning, TextColumns


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
        (["53\u2009000", "53\u2007000"], pl.Int64, [53000, 53000]),
        (["0.123"], pl.Float64, [0.123]),
        (["1234567890123456781", "+1234567890123456782"], pl.Int64, [1234567890123456781, 1234567890123456782]),
        (
            ["12345678901234567890", "12345678901234567891", "NA"],
            pl.UInt64,
            [12345678901234567890, 12345678901234567891, None],
        ),
        (["-12345678901234567890", "+1", "NA"], pl.Object, [-12345678901234567890, 1, None]),
        ([f"{10**30 + i:,}" for i in range(3)], pl.Object, [10**30 + i for i in range(3)]),
        (["12345678901234567890.5"], pl.Float64, [12345678901234567890.5]),
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


@pytest.mark.parametrize("separator", ["\t", ";", ""])
@pytest.mark.parametrize("mark", [",", "."])
def test_thousands_beside_smaller_numbers(separator, mark):
    """Read as decimals, 1,234 would be below 999; if all numbers had the mark, a factor would not matter."""
    texts = [f"1{mark}234", "999", f"-12{mark}500", "0"]
    with pytest.raises(ValueError, match="whose separator may be a decimal or a thousands separator: give the decimal"):
        convert(texts, separator=separator)
    is_column(convert(texts, separator=separator, decimal=mark), pl.Float64, [1.234, 999.0, -12.5, 0.0])
    is_column(convert(texts, separator=separator, decimal={",": ".", ".": ","}[mark]), pl.Int64, [1234, 999, -12500, 0])
    for proof, value in ((f"0{mark}234", 0.234), (f"1234{mark}500", 1234.5), (f"1{mark}5", 1.5), ("1234", 1234.0)):
        is_column(convert([f"1{mark}234", "999", proof], separator=separator), pl.Float64, [1.234, 999.0, value])


def test_a_comma_in_a_file_of_commas_separates_thousands():
    is_column(convert(["1,234", "999"], separator=","), pl.Int64, [1234, 999])
    is_column(convert(["1.234", "999"], separator=","), pl.Float64, [1.234, 999.0])


def test_long_whole_numbers_differ_from_null_words_that_are_near():
    near = [1234567890123456780, 1234567890123456781, 5]
    null = ("1234567890123456781", "5.0", "1e99", "inf", "nan")
    is_column(convert(near, null=null), pl.Int64, [near[0], None, None])
    is_column(convert([str(one) for one in near], null=null), pl.Int64, [near[0], None, None])


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
        (
            [
                "2024-01-31 10:00:00+02",
                "2024-01-31 10:00:00 UTC",
                "2024-01-31 10:00:00.5-03:30",
                "2024-01-31 10:00 GMT",
            ],
            pl.Datetime("us"),
            [
                datetime(2024, 1, 31, 8),
                datetime(2024, 1, 31, 10),
                datetime(2024, 1, 31, 13, 30, 0, 500_000),
                datetime(2024, 1, 31, 10),
            ],
        ),
        (["31/12/2024 10:00 +02"], pl.Datetime("us"), [datetime(2024, 12, 31, 8)]),
        (["2024-01-31-05"], pl.String, ["2024-01-31-05"]),
        (["2024-01", "2024-12", None], pl.Date, [date(2024, 1, 1), date(2024, 12, 1), None]),
        (["2003-04", "2004-05"], pl.String, ["2003-04", "2004-05"]),
        (["2024-01", "2024-13", "2024-14"], pl.String, ["2024-01", "2024-13", "2024-14"]),
        (["31. 12. 2024", "1. 2. 2024"], pl.Date, [date(2024, 12, 31), date(2024, 2, 1)]),
        (["01.02.2024. 00:00"], pl.Datetime("us"), [datetime(2024, 2, 1)]),
        (["2024\u201301\u201331"], pl.Date, [date(2024, 1, 31)]),
    ],
)
def test_dates(texts, dtype, values):
    is_column(convert(texts), dtype, values)
    is_column(convert(texts, typed=True), dtype, values)


def test_dates_keep_nanoseconds():
    texts = [f"2024-01-31T10:00:00.12345678{i}+02" for i in range(3)]
    column = convert(texts)
    assert column.dtype == pl.Datetime("ns")
    assert (column.dt.timestamp("ns") % 10).to_list() == [0, 1, 2]
    column = convert(["1500-01-31T10:00:00.123456789", "2024-01-31T10:00:00"])  # too far for nanoseconds of 64 bits
    is_column(column, pl.Datetime("us"), [datetime(1500, 1, 31, 10, 0, 0, 123456), datetime(2024, 1, 31, 10)])


DAYS = [date(2024, 1, 1) + timedelta(17 * i) for i in range(20)]


@pytest.mark.parametrize(
    "spelling",
    [
        "%d-%b-%Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y", "%d%b%Y", "%d-%b-%y", "%Y-%b-%d",
        "%a, %d %b %Y 10:00:00 +0000", "%A %d %B %Y", "%a %b %d 10:00:00 %Y", "%b %d 10:00:00", "%d. Januar %Y",
        "%m/%Y", "%Y/%m", "%m.%Y", "%b %Y", "%B %Y", "%b-%y", "%Y年%m月%d日", "%d %m %Y", "%Y %m %d", "%d.%m.",
        "%d février %Y", "%Y-%j", "%Y-W%V-%u", "%Y%m%dT100000", "%Y.%m.%d", "%d.%m.%y", "%m/%d/%y 10:00", "%Y-%m-%dZ",
    ],
)  # fmt: skip
def test_dates_in_other_spellings_are_refused(spelling):
    """One sentence about dates, also where they could be taken for numbers or units."""
    texts = [day.strftime(spelling) for day in DAYS]
    example = re.escape(min(texts))
    with pytest.raises(
        ValueError, match=f"has dates like '{example}': write ISO dates, YYYY-MM-DD, or name the column"
    ):
        convert(texts)
    is_column(convert(texts, keep_text=True), pl.String, texts)


@pytest.mark.parametrize("spelling", ["%H:%M", "%H:%M:%S", "%I:%M %p", "%H:%M:%S.250"])
def test_times_of_day_are_refused(spelling):
    texts = [(datetime(2024, 1, 1) + timedelta(minutes=17 * i)).strftime(spelling) for i in range(20)]
    with pytest.raises(
        ValueError, match=f"has times of day like '{min(texts)}': write numbers, such as hours, or name"
    ):
        convert(texts)
    is_column(convert(texts, keep_text=True), pl.String, texts)
    is_column(convert(texts[:2]), pl.String, texts[:2])


@pytest.mark.parametrize("word", ["{}-OAK-2024", "MAR{}", "v{}.1", "room {}", "{} Martin Rd"])
def test_codes_are_no_dates(word):
    texts = [word.format(10 + i) for i in range(9)]
    is_column(convert(texts), pl.String, texts)


@pytest.mark.parametrize(
    "texts, sentence",
    [
        (["1/2/2024", "3/4/2024"], "has dates like '1/2/2024', whose day and month cannot be told apart: write ISO"),
        (["31.12.24", "1.12.24"], "has dates like '1.12.24': write ISO dates, YYYY-MM-DD, or name the column with"),
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


@pytest.mark.parametrize("text", ["{} €", "R$ {}", "-${}", "{} mmol/L", "({})", '="{}"', "{}±1", "{}/100", "[{}]"])
def test_numbers_with_something_beside_them_are_refused(text):
    texts = [text.format(20 + i) for i in range(20)]
    sentence = f"column 'v' of t.csv is text like {texts[0]!r}, numbers with "
    for typed in (False, True):
        with pytest.raises(ValueError, match=re.escape(sentence)) as error:
            convert(texts, typed=typed)
        assert str(error.value).endswith("write the numbers alone, or name the column with --categorical.")
    with pytest.raises(ValueError, match=re.escape(sentence)):
        convert([*texts, *map(str, range(20))])
    is_column(convert(texts, keep_text=True), pl.String, texts)
    is_column(convert(texts[:9]), pl.String, texts[:9])


@pytest.mark.parametrize("text", ["room {}", "A{}", "{}-29", "1.{}.3", "0171 23{}", "row {}"])
def test_labels_codes_versions_and_ranges_are_text(text):
    texts = [text.format(20 + i) for i in range(20)]
    is_column(convert(texts), pl.String, texts)


@pytest.mark.parametrize("unit", [" kg", "%", "°C"])
def test_numbers_with_one_unit_are_refused(unit):
    texts = [*(f"{i}.5{unit}" for i in range(20)), "none"]
    sentence = (
        f"is text like '0.5{unit}', numbers with the unit '{unit.strip()}': write the numbers alone, or name the "
    )
    with pytest.raises(ValueError, match=sentence):
        convert(texts)
    is_column(convert(texts, keep_text=True), pl.String, texts)


@pytest.mark.parametrize(
    "text, decimal, mark",
    [("{}.5", ",", ","), ("{},5", ".", "."), ("1,{:02},38,111", None, "."), ("1.{:02}.38.111", ",", ",")],
)
def test_numbers_in_a_form_that_is_not_read(text, decimal, mark):
    texts = [text.format(10 + i) for i in range(20)]
    sentence = (
        f"is text like '{texts[0]}', no number with the decimal separator '{mark}' and thousands in groups of three"
    )
    with pytest.raises(ValueError, match=re.escape(sentence)):
        convert(texts, decimal=decimal)
    is_column(convert(texts, keep_text=True, decimal=decimal), pl.String, texts)


def test_many_numbers_with_several_units_are_said():
    texts = [f"{i} {'kg' if i % 2 else 'g'}" for i in range(11)]
    with pytest.warns(ReadingWarning, match=r"column 'v' of t.csv is text like '0 g', and each text is a") as caught:
        is_column(convert(texts), pl.String, texts)
    assert caught[0].filename == __file__


def test_lists_are_refused():
    with pytest.raises(ValueError, match="column 'v' of t.csv holds lists or objects: expected one value in each row"):
        convert([[1], [2, 3]])


def test_exponents_of_fortran():
    assert convert(["1.5D+02", "-2.5d-01", "3.0"]).to_list() == [150.0, -0.25, 3.0]
    assert convert(["1D", "2D", "A3"]).to_list() == ["1D", "2D", "A3"]


LONG = [f"0.1234567890123456789{i:02d}" for i in range(30)]


@pytest.mark.parametrize(
    "texts", [LONG, [one.replace(".", ",") for one in LONG], [f"{10**20 + i}.5" for i in range(30)]]
)
def test_numbers_that_floats_do_not_tell_apart(texts):
    with pytest.raises(
        ValueError, match=r"column 'v' of t.csv has numbers of more digits than floats .* like .*00\S* and"
    ):
        convert(texts)
    assert convert(texts, keep_text=True).to_list() == texts


def test_spellings_of_one_number():
    assert convert(["1.50", "1.5", "1.500", "2.5"]).to_list() == [1.5, 1.5, 1.5, 2.5]
