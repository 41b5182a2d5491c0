"""`mibounds lagged` as a person types it."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from mibounds.cli.lagged import parse_lags
from mibounds.cli.main import app
from mibounds.tasks import VectorAutoregression

pytestmark = pytest.mark.usefixtures("two_folds")
QUICK = ["--steps", 10, "--folds", 2, "--quiet"]


@pytest.fixture
def table(tmp_path):
    x, y = VectorAutoregression.one_way(memory=0.3, coupling=1.5).sample(500, torch.Generator().manual_seed(0))
    np.savetxt(tmp_path / "t.csv", torch.cat([x, y], 1).numpy(), delimiter=",", header="wind,rain", comments="")
    return tmp_path / "t.csv"


def call(*arguments):
    return CliRunner().invoke(app, ["lagged", *(str(argument) for argument in arguments)])


def test_a_line_for_every_lag_a_figure_and_a_file(table, tmp_path):
    options = ["--lags", "0:3", "--plot", tmp_path / "lags.png", "--out", tmp_path / "lags.json", *QUICK]
    done = call(table, "--x", "wind", "--y", "rain", *options)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "I(X[t - lag]; Y[t]) in nats with 95% intervals, 498 rows"
    assert [line.split()[:2] for line in lines[1:]] == [["lag", "0"], ["lag", "1"], ["lag", "2"]]
    assert "largest" in lines[2]
    assert (tmp_path / "lags.png").stat().st_size > 5000
    assert json.loads((tmp_path / "lags.json").read_text())["best"] == 1


def test_transfer_entropies_are_printed_and_in_the_json(table):
    options = ["--x", "wind", "--y", "rain", "--lags", "1", "--transfer-entropy", "--permutations", 19, *QUICK]
    record = json.loads(call(table, *options, "--json", "--unit", "bits").stdout)
    assert record["unit"] == "bits"
    found = record["transfer_entropy"]
    assert found["x to y"]["value"] > 0.5 > 0.2 > found["y to x"]["value"]  # truth .85 bits
    assert found["x to y"]["pvalue"] == 0.05
    printed = call(table, *options).stdout
    assert "x to y: transfer entropy" in printed
    assert "y to x: transfer entropy" in printed


def test_lags_as_a_person_writes_them():
    assert parse_lags("3") == [3]
    assert parse_lags("4, 0:3,-2") == [-2, 0, 1, 2, 4]


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--lags", "0-5"], "Error: --lags is '0-5': expected whole numbers and ranges, like 0:11 or 0,5,20."),
        (["--lags", "0:5:2"], "Error: --lags is '0:5:2': expected whole numbers and ranges"),
        (["--lags", "5:5"], "Error: --lags is '5:5', an empty range"),
        (["--lags", "600"], "Error: lags reach from 600 to 600, which leaves 0 of 500 rows"),
        (["--unit", "bit"], "Error: unit is 'bit', and must be 'nats' or 'bits'."),
        (["--x", "wnd"], "Error: --x: there is no column 'wnd'. Did you mean 'wind'?"),
        (["--transfer-entropy", "--history", "0"], "Error: history is 0, and must be at least 1."),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(table, options, sentence):
    done = call(table, "--x", "wind", "--y", "rain", *QUICK, *options)
    assert done.exit_code == 2
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_help_shows_an_example():
    done = call("--help")
    assert done.exit_code == 0
    assert "Example:" in done.output
