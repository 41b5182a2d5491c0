import json
import math

import numpy as np
import polars as pl
import pytest
import torch

from mibounds.estimation.pairwise import column_matrix

pytestmark = pytest.mark.usefixtures("two_folds")


@pytest.fixture
def table(tmp_path):
    a, b, c = torch.randn(3, 600, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "table.csv"
    frame = {"a": a.numpy(), "b": (a + b).numpy(), "c": c.numpy(), "city": ["Ulm"] * 600, "same": [1] * 600}
    pl.DataFrame(frame).write_csv(path)
    return path


@pytest.fixture
def matrix(call):
    return lambda *arguments: call("matrix", *arguments, "--quiet")


def test_it_prints_the_largest_pairs_and_the_warnings(matrix, table, monkeypatch):
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (12, 12))
    done = matrix(table, "--pvalues")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "I(X;Y) of 3 pairs of 3 variables in nats, n = 600"
    assert lines[2].split()[:3] == ["a", "-", "b"]
    assert 0.2 < float(lines[2].split()[3]) < 0.5
    said = " ".join(done.stdout.split())
    assert "Columns without numbers (or text with 2 to 12 different values) were left out: 'city'" in said
    assert "warning columns-left-out" in said
    assert "warning constant-column" in done.stdout


def test_json_file_and_figure(matrix, table, tmp_path):
    files = ["--out", tmp_path / "m.json", "--plot", tmp_path / "m.png", "--report", tmp_path / "m.html"]
    done = matrix(table, "--columns", "a,b", "--unit", "bits", "--json", *files)
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "m.json").read_text())
    assert record["names"] == ["a", "b"]
    assert record["unit"] == "bits"
    assert record["values"][0][1] == pytest.approx(0.3466 / math.log(2), abs=0.1)
    assert (tmp_path / "m.png").stat().st_size > 5000


def test_settings_are_those_of_columns(matrix, table):
    first, again, other = (
        json.loads(matrix(table, "--columns", "a,c", "--folds", "2", "--json", "--seed", seed).stdout)
        for seed in (1, 1, 2)
    )
    assert (first["seed"], other["seed"]) == (1, 2)
    assert first == again
    assert first["values"][0][1] != other["values"][0][1]
    assert matrix(table, "--steps", "5").exit_code == 2
    assert matrix(table, "--preset", "quick").exit_code == 2


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--columns", "a"], "table has one column that varies, 'a'"),
        (["--columns", "a,d"], "--columns: there is no column 'd'."),
        (["--columns", "a,city"], "table: column 'city' holds text"),
        (["--folds", "1"], "--folds is 1: expected a whole number of at least 2."),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(matrix, is_refused, table, options, sentence):
    is_refused(matrix(table, *options), sentence)


def test_columns_of_arrays_keep_their_names(matrix, tmp_path):
    k = np.random.default_rng(0).normal(size=(100, 3))
    np.save(tmp_path / "k.npy", k)
    np.savez(tmp_path / "k.npz", left=k[:, 0], more=k[:, 1:], words=np.array(["u", "v"] * 50))
    for arguments, names in (
        ([tmp_path / "k.npy", "--columns", "2,0"], ["2", "0"]),
        ([tmp_path / "k.npz"], ["left", "more[0]", "more[1]", "words"]),
    ):
        done = matrix(*arguments, "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["names"] == names


def test_the_help_names_what_is_taken_by_default(call, unframed):
    assert "By default all numeric ones, and those of text with 2 to 12 different values." in unframed(
        call("matrix", "--help").output
    )


@pytest.mark.parametrize(
    "name, values, said",
    [
        ("time", [f"{i % 24}:{i % 60:02}" for i in range(100)], "values are times of day"),
        ("day", [f"{i % 12 + 1}/{i * 5 % 12 + 1}/20{i % 60 + 10}" for i in range(100)], "values are dates"),
        ("size", ["x<5" if i % 9 == 0 else f"{i}.5" for i in range(100)], "'x<5' (12)"),
        ("list", [[1, i] for i in range(100)], "left out: 'list'"),
    ],
)
def test_a_column_that_cannot_be_read_is_left_out_unless_it_is_asked_for(matrix, tmp_path, name, values, said):
    a, b = np.random.default_rng(0).normal(size=(2, 100))
    frame = pl.DataFrame({"a": a, "b": b, name: values})
    path = tmp_path / ("t.parquet" if name == "list" else "t.csv")
    frame.write_parquet(path) if name == "list" else frame.write_csv(path)
    done = matrix(path, "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["names"] == ["a", "b"]
    (warning,) = [one["message"] for one in record["warnings"] if one["code"] == "columns-left-out"]
    assert said in warning and "categorical" not in warning
    refused = matrix(path, "--columns", f"a,b,{name}")
    assert refused.exit_code == 2
    assert "--categorical" not in refused.output
