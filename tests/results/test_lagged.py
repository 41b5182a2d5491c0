from dataclasses import replace

import pytest

from mibounds.results import LaggedResult, Result
from mibounds.warnings import CeilingWarning, SmallSampleWarning


def at(value, *warnings):
    return Result(value=value, stderr=0.01, estimates={"a": value}, method="a", n=598, warnings=warnings)


FOUND = LaggedResult(
    lags=(-1, 0, 2),
    results=(
        at(0.0123),
        at(0.1, CeilingWarning("c")),
        at(0.8, CeilingWarning("d"), CeilingWarning("e"), SmallSampleWarning("s")),
    ),
)


def test_the_best_lag_and_the_number():
    assert FOUND.best == 2
    assert float(FOUND) == FOUND.value == 0.8
    assert FOUND.stderr == 0.01
    assert FOUND.interval == FOUND[2].interval
    assert FOUND.values == (0.0123, 0.1, 0.8)
    assert FOUND.n == 598


def test_results_by_lag():
    assert FOUND[0].value == 0.1
    with pytest.raises(KeyError, match="lag 1 was not estimated. Known: -1, 0, 2."):
        FOUND[1]


def test_lags_are_looped_over_counted_and_found():
    assert list(FOUND) == [-1, 0, 2]
    assert len(FOUND) == 3
    assert [lag in FOUND for lag in (-1, 1, 2, "2")] == [True, False, True, False]
    assert [FOUND[lag].value for lag in FOUND] == [*FOUND.values]


def test_the_warnings_of_all_lags():
    assert [warning.code for warning in FOUND.warnings] == ["ceiling", "ceiling", "ceiling", "small-sample"]


def test_what_is_printed():
    assert repr(FOUND).splitlines() == [
        "I(X[t - lag]; Y[t]) in nats, n = 598",
        "  lag    value   95% interval        notes",
        "   -1   0.0123   [-0.0073, 0.0319]",
        "    0   0.1000   [0.0804, 0.1196]    ceiling",
        "    2   0.8000   [0.7804, 0.8196]    largest, ceiling, small-sample",
        "  warnings are noted by code: their texts are in result[lag].warnings",
    ]
    quiet = replace(FOUND, results=tuple(replace(one, warnings=()) for one in FOUND.results))
    assert "warnings" not in repr(quiet)


def test_the_record():
    record = FOUND.to_dict()
    assert (record["best"], record["value"], record["unit"], record["lags"]) == (2, 0.8, "nats", [-1, 0, 2])
    assert [result["value"] for result in record["results"]] == [0.0123, 0.1, 0.8]


def test_the_report_names_the_lags(tmp_path):
    FOUND.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert [f"lag {lag}: I(X;Y)" in page for lag in (-1, 0, 2)] == [True, True, True]


def test_a_lag_as_text_is_named_as_it_came():
    at = Result(value=0.1, stderr=0.01, estimates={"a": 0.1}, method="a", n=500)
    with pytest.raises(KeyError, match="lag '0' was not estimated. Known: 0."):
        LaggedResult(lags=(0,), results=(at,))["0"]
