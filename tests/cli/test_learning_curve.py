import json

import polars as pl
import pytest

import mibounds as mi

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--x", "a", "--y", "c", "--steps", "5", "--hidden", "8", "--quiet"]


def test_it_prints_a_line_for_every_size_and_writes_files(call, table, tmp_path):
    files = ["--plot", tmp_path / "c.png", "--out", tmp_path / "c.json", "--report", tmp_path / "c.html"]
    done = call("learning-curve", table, "--sizes", "100,200,400", "--repeats", "1", *files, *QUICK)
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[2:5]] == ["100", "200", "400"]
    assert json.loads((tmp_path / "c.json").read_text())["sizes"] == [100, 200, 400]
    assert (tmp_path / "c.png").stat().st_size > 5000
    assert "learning-curve" in (tmp_path / "c.html").read_text(encoding="utf-8")


def test_the_values_are_those_of_the_function(call, table):
    options = ["--sizes", "400,100,200", "--repeats", "1", "--json", "--unit", "bits", *QUICK]
    record = json.loads(call("learning-curve", table, *options).stdout)
    frame = pl.read_csv(table)
    expected = mi.learning_curve(
        frame["a"], frame["c"], sizes=[100, 200, 400], repeats=1, steps=5, hidden=(8,), unit="bits"
    )
    assert record["values"] == list(expected.values)


def test_wrong_input_is_one_sentence(call, is_refused, table):
    is_refused(call("learning-curve", table, *QUICK), "400 rows are too few for a curve")
    is_refused(call("learning-curve", table, "--sizes", "a", *QUICK), "--sizes is 'a': expected whole numbers")
    is_refused(call("learning-curve", table, "--sizes", "100,400", *QUICK), "--sizes is [100, 400], and must hold")
    is_refused(call("learning-curve", table, "--repeats", "0", *QUICK), "--repeats is 0: expected a whole number")
