"""The commands as a person types them; wrong input ends with one sentence and exit code 2."""

import json
import math
import subprocess
import sys

import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from mibounds.cli.main import app
from mibounds.tasks import CorrelatedGaussian

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--steps", "100", "--quiet"]


@pytest.fixture
def table(tmp_path):
    x, y = CorrelatedGaussian(2, 0.8).sample(400, torch.Generator().manual_seed(0))
    path = tmp_path / "table.csv"
    columns = {"a": x[:, 0].numpy(), "b": x[:, 1].numpy(), "c": y[:, 0].numpy(), "d": y[:, 1].numpy()}
    pl.DataFrame({**columns, "city": ["Ulm"] * 400, "same": [1] * 400}).write_csv(path)
    return path


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_estimate_prints_value_interval_bounds_and_warnings(table):
    done = call("estimate", table, "--x", "a,b,same", "--y", "c,d", *QUICK)
    assert done.exit_code == 0, done.output
    assert "I(X;Y) = " in done.output
    assert "95% interval [" in done.output
    assert "DonskerVaradhan" in done.output
    assert "warning constant-column: x: constant columns were dropped: 'same'" in done.output


def test_text_and_named_columns_are_categories(tmp_path):
    path = tmp_path / "table.csv"
    codes = [float(i % 3) for i in range(300)]
    names = [["Ulm", "Bonn", "Wien"][i % 3] for i in range(300)]
    pl.DataFrame({"code": codes, "city": names}).write_csv(path)
    done = call("estimate", path, "--y", "city", "--categorical", "code", *QUICK)
    assert done.exit_code == 0, done.output
    assert "x: 1 categorical   y: 1 categorical" in done.output
    assert "at most 1.099, the entropy of a label" in done.output


def test_json_plot_and_file(table, tmp_path):
    options = ["--unit", "bits", "--level", "0.9", "--plot", tmp_path / "r.png", "--out", tmp_path / "r.json"]
    done = call("estimate", table, "--x", "a,b", "--y", "c,d", "--json", *options, *QUICK)
    record = json.loads(done.stdout)
    assert record["value"] == pytest.approx(1.02 / math.log(2), abs=0.3)
    assert record["unit"] == "bits"
    assert record["level"] == 0.9
    assert record == json.loads((tmp_path / "r.json").read_text())
    assert (tmp_path / "r.png").stat().st_size > 5000


def test_the_independence_test_is_printed_and_in_the_json(table):
    options = ["--x", "a,b", "--y", "c,d", "--test", "--bootstrap", "20", *QUICK]
    printed, record = call("estimate", table, *options), json.loads(call("estimate", table, "--json", *options).stdout)
    assert "p = 0.001 for independence" in printed.output
    assert record["independence_test"]["pvalue"] == 0.001
    assert 0 < record["lower_bound"] < record["value"]
    assert f"at least {record['lower_bound']:.4g} (95%, one-sided" in printed.output


def test_a_bracket_is_one_line_or_json_and_a_figure(table, tmp_path):
    options = ["--x", "a,b", "--y", "c,d", "--bracket", *QUICK]
    done = call("estimate", table, *options, "--plot", tmp_path / "b.png", "--out", tmp_path / "b.json")
    assert done.exit_code == 0, done.output
    assert " <= I(X;Y) <= " in done.output
    assert done.stdout.count("\n") == 1
    assert (tmp_path / "b.png").stat().st_size > 5000
    record = json.loads((tmp_path / "b.json").read_text())
    low, high = record["interval"]
    assert low < 1.02 < high


def test_a_report_tells_the_command_the_test_and_the_bracket(table, tmp_path):
    options = [
        "--x",
        "a,b",
        "--y",
        "c,d",
        "--steps",
        "30",
        "--quiet",
        "--unit",
        "bits",
        "--report",
        tmp_path / "r.html",
    ]
    tested = call("estimate", table, *options, "--test", "--json")
    page, record = (tmp_path / "r.html").read_text(encoding="utf-8"), json.loads(tested.stdout)
    assert f"<span>{record['value']:#.4g}</span> bits" in page
    assert "p = 0.001 (999 permutations)" in page
    assert f"estimate {table} --y c,d --x a,b --unit bits --test --steps 30" in page
    done = call("estimate", table, *options, "--bracket", "--out", tmp_path / "b.json")
    assert done.exit_code == 0, done.output
    page, record = (tmp_path / "r.html").read_text(encoding="utf-8"), json.loads((tmp_path / "b.json").read_text())
    assert f"a lower bound of {record['lower']:#.4g} and an upper bound of {record['upper']:#.4g} bits" in page
    assert f"<span>{record['lower']:#.4g}</span> bits" in page


def test_a_condition_is_what_the_other_columns_do_not_explain(table, tmp_path):
    done = call("estimate", table, "--x", "a", "--y", "c", "--z", "b,d", "--out", tmp_path / "z.json", *QUICK)
    assert done.exit_code == 0, done.output
    assert "I(X;Y|Z) = " in done.output
    record = json.loads((tmp_path / "z.json").read_text())
    assert record["method"] == "chain"
    assert record["parts"]["I(X;Z)"]["value"] < 0.1
    refused = call("estimate", table, "--x", "a", "--y", "c", "--z", "b", "--bracket")
    assert refused.exit_code == 2
    assert "go with neither each other" in refused.output


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--x", "aa", "--y", "c"], "Error: --x: there is no column 'aa'. Did you mean 'a'?"),
        (["--x", "city", "--y", "c"], "Error: x is constant in every column"),
        (["--x", "a", "--y", "c", "--categorical", "cit"], "Error: --categorical: there is no column 'cit'."),
        (["--x", "same", "--y", "c"], "Error: x is constant in every column"),
        (["--x", "a", "--y", "c", "--unit", "bit"], "Error: unit is 'bit', and must be 'nats' or 'bits'."),
        (["--x", "a", "--y", "c", "--bound", "infonse"], "Did you mean 'infonce'?"),
        (["--x", "a", "--y", "c", "--device", "cuda:9"], "Error: device is 'cuda:9', which this machine does not have"),
        (["--x", "a", "--y", "c", "--batch-size", "999"], "Error: batch_size is 999, and a fold trains on"),
        (["--x", "a", "--y", "c", "--steps", "0"], "Error: steps is 0, and must be at least 1."),
        (["--x", "a", "--y", "c", "--plot", "/nowhere/p.png"], "Error:"),
        (["--x", "a", "--y", "c", "--report", "/nowhere/r.html"], "Error: There is no folder '/nowhere'"),
        (["--x", "a", "--y", "c", "--z", "b", "--report", "r.html"], "Error: --bracket and --z go with neither"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(table, options, sentence):
    done = call("estimate", table, *options, *(QUICK if "--steps" not in options else ["--quiet"]))
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_missing_file(tmp_path):
    done = call("estimate", tmp_path / "tabel.csv", "--y", "c")
    assert done.exit_code == 2
    assert "There is no file" in done.stderr


@pytest.mark.parametrize("command", [["--help"], ["estimate", "--help"]])
def test_help_shows_an_example(command):
    done = call(*command)
    assert done.exit_code == 0
    assert len(command) == 1 or "Example:" in done.output


def test_help_names_the_bounds_that_train_any_critic():
    said = " ".join(call("estimate", "--help").output.replace("│", " ").split())
    names = said.split("The bound that trains the critics: ")[1].split(".")[0].split(", ")
    assert {"infonce", "mine", "nwj", "smile", "jensenshannon"} <= {*names}
    assert not {"club", "leaveoneout", "plugin"} & {*names}, "these train densities only"


def test_python_dash_m():
    done = subprocess.run([sys.executable, "-m", "mibounds", "--help"], capture_output=True, text=True, check=True)
    assert "estimate" in done.stdout
