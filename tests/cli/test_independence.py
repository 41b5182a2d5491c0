import json

import polars as pl
import pytest

import mibounds as mi

pytestmark = pytest.mark.usefixtures("two_folds")


def test_it_prints_the_p_value_and_writes_files(call, table, tmp_path):
    options = ["--x", "a,b", "--y", "c,d", "--steps", "5", "--hidden", "8", "--quiet"]
    files = ["--plot", tmp_path / "p.png", "--out", tmp_path / "p.json", "--report", tmp_path / "p.html"]
    done = call("independence", table, *options, *files)
    assert done.exit_code == 0, done.output
    assert "p = 0.001 (null hypothesis: independence)" in done.stdout
    assert json.loads((tmp_path / "p.json").read_text())["pvalue"] == 0.001
    assert (tmp_path / "p.png").stat().st_size > 5000
    assert "p = 0.001" in (tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("retrain", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_p_value_is_that_of_the_function(call, table, retrain):
    options = ["--x", "a", "--y", "d", "--permutations", "9", "--steps", "2", "--hidden", "8", "--json", "--quiet"]
    record = json.loads(call("independence", table, *options, *(["--retrain"] if retrain else [])).stdout)
    frame = pl.read_csv(table)
    with pytest.warns(mi.MIWarning):
        expected = mi.independence_test(frame["a"], frame["d"], permutations=9, retrain=retrain, steps=2, hidden=(8,))
    assert (record["pvalue"], record["statistic"]) == (expected.pvalue, expected.statistic)
    assert record["retrained"] is retrain


def test_wrong_input_is_one_sentence(call, is_refused, table):
    done = call("independence", table, "--x", "a", "--y", "c", "--permutations", "0")
    is_refused(done, "--permutations is 0: expected a whole number of at least 1.")
