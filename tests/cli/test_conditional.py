import json

import polars as pl
import pytest

import mibounds as mi

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--steps", "5", "--hidden", "8", "--quiet"]
SHORT = {"steps": 5, "hidden": (8,)}


def test_it_prints_and_writes_what_the_condition_does_not_explain(call, table, tmp_path):
    files = ["--out", tmp_path / "z.json", "--plot", tmp_path / "z.png", "--report", tmp_path / "z.html"]
    done = call("conditional", table, "--x", "a", "--y", "c", "--z", "b,d", *files, *QUICK)
    assert done.exit_code == 0, done.output
    assert "I(X;Y|Z) = " in done.output
    record = json.loads((tmp_path / "z.json").read_text())
    assert record["method"] == "chain"
    assert record["parts"]["I(X;Z)"]["value"] < 0.1
    assert (tmp_path / "z.png").stat().st_size > 5000
    assert "conditional table.csv --y c --z b,d --x a" in (tmp_path / "z.html").read_text(encoding="utf-8")


def test_the_value_is_that_of_the_function(call, table):
    options = ["--x", "a", "--y", "c", "--z", "b", "--method", "neighbors", "--unit", "bits", "--level", "0.9"]
    record = json.loads(call("conditional", table, *options, "--json", *QUICK).stdout)
    frame = pl.read_csv(table)
    expected = mi.conditional(frame["a"], frame["c"], frame["b"], method="neighbors", unit="bits", level=0.9, **SHORT)
    assert (record["value"], record["method"]) == (expected.value, "neighbors")
    assert (record["unit"], record["level"]) == ("bits", 0.9)


def test_a_categorical_condition_makes_strata(call, table, tmp_path):
    frame = pl.read_csv(table).with_columns(code=pl.Series([10.0, 2.5] * 200))
    frame.write_csv(tmp_path / "codes.csv")
    options = ["--x", "a", "--y", "c", "--z", "code", "--categorical", "code", *QUICK]
    printed = call("conditional", tmp_path / "codes.csv", *options).stdout
    assert "z = code=" in printed or "z = 10" in printed


def test_wrong_input_is_one_sentence(call, is_refused, table):
    options = ["--x", "a", "--y", "c", "--z", "b", "--quiet"]
    is_refused(call("conditional", table, *options, "--method", "strata"), "z takes 400 values")
    is_refused(call("conditional", table, *options, "--plot", "z.gif"), "--plot is 'z.gif': expected a file ending in")
    assert call("conditional", table, "--x", "a", "--y", "c").exit_code == 2
    done = call("conditional", table, *options, "--method", "strata")
    assert "Use --method chain." in done.stderr
