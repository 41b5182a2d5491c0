import json
import math

import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from mibounds.cli.main import app
from mibounds.estimation.pairwise import column_matrix

pytestmark = pytest.mark.usefixtures("two_folds")


@pytest.fixture
def table(tmp_path):
    a, b, c = torch.randn(3, 600, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "table.csv"
    frame = {"a": a.numpy(), "b": (a + b).numpy(), "c": c.numpy(), "city": ["Ulm"] * 600, "same": [1] * 600}
    pl.DataFrame(frame).write_csv(path)
    return path


def call(*arguments):
    return CliRunner().invoke(app, ["matrix", *(str(argument) for argument in arguments), "--quiet"])


def test_it_prints_the_largest_pairs_and_the_warnings(table, monkeypatch):
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (12, 12))
    done = call(table, "--pvalues")
    assert done.exit_code == 0, done.output
    assert "I of 3 pairs of 3 variables, 600 rows, in nats; 1 found" in done.stdout
    assert done.stdout.splitlines()[1].startswith("  a - b   0.3")
    assert "warning columns-left-out: Columns without numbers were left out: 'city'" in done.stdout
    assert "warning constant-column" in done.stdout


def test_json_file_and_figure(table, tmp_path):
    done = call(
        table, "--columns", "a,b", "--bits", "--json", "--out", tmp_path / "m.json", "--plot", tmp_path / "m.png"
    )
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "m.json").read_text())
    assert record["names"] == ["a", "b"]
    assert record["unit"] == "bits"
    assert record["values"][0][1] == pytest.approx(0.3466 / math.log(2), abs=0.1)
    assert (tmp_path / "m.png").stat().st_size > 5000


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--columns", "a"], "Error: table has one column that varies, 'a'"),
        (["--columns", "a,d"], "Error: --columns: there is no column 'd'."),
        (["--columns", "a,city"], "Error: table: column 'city' holds text"),
        (["--unit", "bit"], "Error: unit is 'bit', and must be 'nats' or 'bits'."),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(table, options, sentence):
    done = call(table, *options)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_help_shows_an_example():
    assert "Example:" in CliRunner().invoke(app, ["matrix", "--help"]).output
