import json

import polars as pl
import pytest

import mibounds as mi

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--steps", "5", "--hidden", "8", "--quiet"]


def test_it_prints_both_bounds_and_writes_files(call, table, tmp_path):
    options = ["--x", "a,b", "--y", "c,d", *QUICK]
    files = ["--plot", tmp_path / "b.png", "--out", tmp_path / "b.json", "--report", tmp_path / "b.html"]
    done = call("bracket", table, *options, *files)
    assert done.exit_code == 0, done.output
    assert " <= I(X;Y) <= " in done.output
    assert (tmp_path / "b.png").stat().st_size > 5000
    assert "bracket" in (tmp_path / "b.html").read_text(encoding="utf-8")
    record = json.loads((tmp_path / "b.json").read_text())
    low, high = record["interval"]
    assert low < 1.02 < high


def test_the_bounds_are_those_of_the_function(call, table):
    options = ["--x", "a", "--y", "c", "--negatives", "16", "--nan", "drop", "--json", *QUICK]
    record = json.loads(call("bracket", table, *options).stdout)
    frame = pl.read_csv(table)
    expected = mi.bracket(frame["a"], frame["c"], negatives=16, steps=5, hidden=(8,))
    assert (record["lower"], record["upper"]) == (expected.lower, expected.upper)


def test_wrong_input_is_one_sentence(call, is_refused, table):
    done = call("bracket", table, "--x", "a", "--y", "c", "--negatives", "0")
    is_refused(done, "--negatives is 0: expected a whole number of at least 1.")
    done = call("bracket", table, "--x", "a", "--y", "b", "--categorical", "a,b", "--steps", "5", "--quiet")
    is_refused(done, "x and y both have columns without a density (categorical ones)")
    assert done.stderr.endswith("see `mibounds estimate`.\n")
