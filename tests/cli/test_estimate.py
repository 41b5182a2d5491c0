"""`mibounds estimate`, with the options that all commands share."""

import json
import math

import polars as pl
import pytest

import mibounds as mi

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--steps", "20", "--quiet"]


def test_it_prints_value_interval_estimates_and_warnings(call, table):
    done = call("estimate", table, "--x", "a,b,same", "--y", "c,d", *QUICK)
    assert done.exit_code == 0, done.output
    assert "I(X;Y) = " in done.output
    assert "95% interval [" in done.output
    assert "DonskerVaradhan" in done.output
    assert "warning constant-column: x: constant columns were dropped: 'same'" in done.output


def test_the_value_is_that_of_the_function(call, table):
    record = json.loads(call("estimate", table, "--x", "a,b", "--y", "c,d", "--json", *QUICK).stdout)
    frame = pl.read_csv(table)
    expected = mi.estimate(frame.select("a", "b"), frame.select("c", "d"), steps=20)
    assert record["value"] == expected.value


def test_text_and_named_columns_are_categories(call, tmp_path):
    path = tmp_path / "table.csv"
    codes = [float(i % 3) for i in range(300)]
    names = [["Ulm", "Bonn", "Wien"][i % 3] for i in range(300)]
    pl.DataFrame({"code": codes, "city": names}).write_csv(path)
    done = call("estimate", path, "--y", "city", "--categorical", "code", *QUICK)
    assert done.exit_code == 0, done.output
    assert "x: 1 categorical   y: 1 categorical" in done.output
    assert "at most 1.099 (upper confidence limit of the label's entropy)" in done.output


def test_json_plot_and_file(call, table, tmp_path):
    options = ["--unit", "bits", "--level", "0.9", "--plot", tmp_path / "r.png", "--out", tmp_path / "r.json"]
    done = call("estimate", table, "--x", "a,b", "--y", "c,d", "--json", *options, *QUICK)
    record = json.loads(done.stdout)
    assert record["value"] == pytest.approx(1.02 / math.log(2), abs=0.3)
    assert record["unit"] == "bits"
    assert record["level"] == 0.9
    assert record == json.loads((tmp_path / "r.json").read_text())
    assert mi.Result.load(tmp_path / "r.json").value == record["value"]
    assert (tmp_path / "r.png").stat().st_size > 5000


def test_a_report_with_the_test_and_the_bracket(call, table, tmp_path):
    options = ["--x", "a,b", "--y", "c,d", "--steps", "5", "--hidden", "8", "--quiet", "--unit", "bits"]
    report = ["--report", tmp_path / "r.html", "--with-test", "--with-bracket"]
    done = call("estimate", table, *options, *report, "--out", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    page, record = (tmp_path / "r.html").read_text(encoding="utf-8"), json.loads((tmp_path / "r.json").read_text())
    test, bracket = record["independence_test"], record["bracket"]
    assert f"<span>{record['value']:#.4g}</span> bits" in page
    assert "p = 0.001, 999 permutations" in page
    assert f"{bracket['lower']:#.4g}" in page
    assert f"{bracket['upper']:#.4g} bits" in page
    assert "estimate table.csv --y c,d --x a,b --unit bits" in page
    assert "--with-test --with-bracket" in page
    assert test["pvalue"] == 0.001
    assert test["statistic"] == record["estimates"]["InfoNCE"] == bracket["lower"]
    assert {test["unit"], bracket["unit"]} == {"bits"}
    assert "p = 0.001 (null hypothesis: independence)" in done.stdout
    assert f"{bracket['lower']:.4g} <= I(X;Y) <= {bracket['upper']:.4g} bits" in done.stdout


def test_a_preset_and_settings_that_take_precedence(call, table):
    options = [
        "--x",
        "a",
        "--y",
        "c",
        "--preset",
        "quick",
        "--hidden",
        "16",
        "--steps",
        "20",
        "--seed",
        "3",
        "--json",
        "--quiet",
    ]
    record = json.loads(call("estimate", table, *options).stdout)
    frame = pl.read_csv(table)
    expected = mi.estimate(frame["a"], frame["c"], recipe="quick", hidden=(16,), steps=20, seed=3)
    assert (record["value"], record["seed"]) == (expected.value, 3)
    assert len(record["fold_values"]) == 2


def test_a_checkpoint_is_continued_to_the_same_number(call, table, tmp_path):
    options = ["--x", "a", "--y", "c", "--steps", "5", "--quiet", "--json", "--checkpoint", tmp_path / "run"]
    first = call("estimate", table, *options)
    again = call("estimate", table, *options)
    assert again.exit_code == 2
    assert "holds a checkpoint already: pass --resume to continue it" in again.stderr
    assert json.loads(call("estimate", table, *options, "--resume").stdout) == json.loads(first.stdout)


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--x", "aa"], "--x: there is no column 'aa'. Did you mean 'a'?"),
        (["--x", "a", "--categorical", "cit"], "--categorical: there is no column 'cit'."),
        (["--x", "a", "--bound", "infonse"], "--bound is 'infonse': expected the name of a bound. Did you mean 'info"),
        (["--x", "a", "--critic", "joined"], "--critic is 'joined': expected one of "),
        (["--x", "a", "--device", "cuda:9"], "--device is 'cuda:9', which this machine does not have"),
        (["--x", "a", "--batch-size", "999"], "--batch-size is 999, and a fold trains on"),
        (["--x", "a", "--steps", "0"], "--steps is 0: expected a whole number of at least 1."),
        (["--x", "a", "--hidden", "8,a"], "--hidden is 'a': expected whole numbers and ranges"),
        (["--x", "a", "--split", "block"], "--split is 'block': expected 'random' or 'blocked'. Did you mean"),
        (["--x", "a", "--gap", "5"], "--gap is 5, and a random split has none: pass --split blocked too."),
        (["--x", "a", "--resume"], "--resume continues a checkpoint, and there is none: pass --checkpoint, its"),
        (["--x", "a", "--level", "2"], "--level is 2.0, and must lie strictly between 0 and 1."),
        (["--x", "a", "--with-test"], "--with-test and --with-bracket are parts of a report: give its file by"),
        (["--x", "a", "--plot", "/nowhere/p.png"], "--plot is '/nowhere/p.png', and there is no folder '/nowhere'"),
        (["--x", "a", "--report", "/nowhere/r.html"], "--report is '/nowhere/r.html', and there is no folder"),
        (["--x", "a", "--out", "r.txt"], "--out is 'r.txt': expected a file ending in .json."),
        (["--x", "a", "--save", "m"], "--save is 'm': expected a file ending in .safetensors."),
    ],
)
def test_wrong_input_is_one_sentence_that_names_the_option(call, is_refused, table, options, sentence):
    is_refused(call("estimate", table, "--y", "c", "--quiet", *options), sentence)


@pytest.mark.parametrize(
    "options, expected",
    [(["--unit", "bit"], "--unit"), (["--nan", "ignore"], "--nan"), (["--preset", "slow"], "--preset")],
)
def test_choices_are_listed(call, unframed, table, options, expected):
    done = call("estimate", table, "--y", "c", *options)
    assert done.exit_code == 2
    said = unframed(done.stderr)
    assert f"Invalid value for '{expected}'" in said
    assert f"'{options[1]}' is not one of" in said


def test_missing_values_name_the_option(call, is_refused, tmp_path):
    path = tmp_path / "gaps.csv"
    pl.DataFrame({"a": [None, *map(float, range(99))], "b": [float(i**2) for i in range(100)]}).write_csv(path)
    done = call("estimate", path, "--y", "b", *QUICK)
    is_refused(done, "x has 1 missing or infinite values, in column 'a' (1)")
    assert "or pass --nan drop to leave out their rows, or --nan indicator to encode" in done.stderr
    dropped = call("estimate", path, "--y", "b", "--nan", "drop", "--steps", "5", "--quiet")
    assert "n = 99" in dropped.stdout


def test_constants_have_no_information_and_no_critics(call, table, tmp_path):
    done = call("estimate", table, "--x", "same", "--y", "c", *QUICK)
    assert done.exit_code == 0
    assert "I(X;Y) = 0 nats" in done.stdout
    assert "warning constant-column: x is constant in every column" in done.stdout
    done = call("estimate", table, "--x", "city", "--y", "c", "--save", tmp_path / "m.safetensors", *QUICK)
    assert done.exit_code == 2
    assert "I(X;Y) = 0 nats" in done.stdout, "results are printed before files are written"
    assert "--save: there are no critics to save" in done.stderr


def test_a_missing_file(call, tmp_path):
    done = call("estimate", tmp_path / "tabel.csv", "--y", "c")
    assert done.exit_code == 2
    assert "There is no file" in done.stderr


@pytest.mark.parametrize("option", ["--z", "--bracket", "--test"])
def test_commands_of_their_own_are_no_options(call, table, option):
    assert call("estimate", table, "--y", "c", option).exit_code == 2
