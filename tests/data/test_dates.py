from datetime import date, datetime, timedelta

import polars as pl
import pytest

from mibounds.data.dates import (
    ISO,
    LOCAL,
    are_local_months,
    are_months,
    dates_among,
    like_dates,
    like_times,
    others_than_dates,
    parsed_dates,
    times_among,
)

DAYS = [date(2023, 1, 1) + timedelta(31 * i) for i in range(24)]
SPELLINGS = [
    "%Y-%m-%d", "%Y/%m/%d", "%Y\u2013%m\u2013%d", "%d.%m.%Y", "%d. %m. %Y", "%d.%m.%Y. 00:00", "%d.%m.",
    "%d %m %Y", "%Y %m %d", "%Y. %m. %d.", "%Y年%m月%d日", "%Y년 %m월 %d일", "%Y年%m月", "%Y-%m", "%m/%Y",
    "%m-%Y", "%Y/%m", "%b %Y", "%B %Y", "%b-%y", "%b '%y", "%y-%b", "%Y %b", "%b%Y", "%d %b %Y", "%Y-%j", "%G-W%V",
]  # fmt: skip
LABELS = [
    *([f"{text} {i}" for i in range(10, 40)] for text in ("Set", "May", "room", "Martin")),
    [f"Q{i}" for i in range(1, 5)],
    [f"{1999 + i}-{i % 100:02}" for i in range(24)],  # seasons
    [f"{2000 + i}-{i + 1:02}" for i in range(12)],
    [f"{2000 + i}/{i + 1:02}" for i in range(14)],
    [f"4711-{i:02}" for i in range(1, 13)],
    ["1.1.", "1.2.", "2.1."],
    ["MARCH1", "SEPT2", "DEC1", "TP53"],
    ["Jan", "Feb", "Mar"],
    ["20-29", "30-39", "40-49"],
    ["12 Martin Rd", "14 Juniper Rd"],
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_texts_that_look_like_dates(spelling):
    texts = [day.strftime(spelling) for day in DAYS]
    assert bool(like_dates(pl.Series(texts)).all())
    assert dates_among([f" {text}" for text in texts]) == [f" {text}" for text in texts]


@pytest.mark.parametrize("form", ["{}-Q{}", "{} Q{}", "{}Q{}", "{}-H{}"])
def test_quarters_look_like_dates(form):
    texts = [form.format(2000 + i // 2, 1 + i % 2) for i in range(24)]
    assert bool(like_dates(pl.Series(texts)).all())
    assert dates_among(texts) == texts


@pytest.mark.parametrize("texts", LABELS, ids=lambda texts: texts[0])
def test_labels_do_not_look_like_dates(texts):
    assert not bool(like_dates(pl.Series(texts)).any())
    assert dates_among(texts) == []


def test_times_of_day():
    texts = [f"{i}:30" for i in range(12)]
    assert times_among([*texts, "noon"]) == texts
    assert bool(like_times(pl.Series(texts)).all())
    assert not bool(like_times(pl.Series(texts[:9])).any())


def test_months():
    assert are_months(pl.Series(["2024-01", "2024-02"]))
    assert are_months(pl.Series(["2003-04"]))
    for texts in (["2003-04", "2004-05"], ["2024-01", "2024-13"], ["2024-1"], ["4711-01"], ["2024-01", "soon"]):
        assert not are_months(pl.Series(texts))
    assert are_local_months(pl.Series(["01.2024", "12.2024"]))
    for texts in (["01.2024"], ["11.2024", "12.2024"], ["01.2024", "13.2024"], ["1.2024", "0.2024"]):
        assert not are_local_months(pl.Series(texts))


def test_parsed_dates():
    texts = pl.Series(["31. 12. 2024", None, "30. 2. 2024"])
    assert parsed_dates(texts, LOCAL, (4, 3, 1)).to_list() == [date(2024, 12, 31), None, None]
    texts = pl.Series(["2024\u201301\u201331 10:00+02", "2024-02-01"])
    assert parsed_dates(texts, ISO, (1, 3, 4)).to_list() == [datetime(2024, 1, 31, 8), datetime(2024, 2, 1)]


def test_others_than_dates():
    texts = pl.Series(["2024-01-31", "2024-02-30", "soon"])
    assert others_than_dates(texts, like_dates(texts)).to_list() == ["2024-02-30", "soon"]
    texts = pl.Series(["Jan 2024", "Feb 2024", "soon"])
    assert others_than_dates(texts, like_dates(texts)).to_list() == ["soon"]
