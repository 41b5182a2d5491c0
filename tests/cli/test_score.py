"""Critics kept by `estimate --save` score another file."""

import json
import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

import mibounds as mi
from mibounds.cli.main import app
from mibounds.tasks import CorrelatedGaussian

pytestmark = pytest.mark.usefixtures("two_folds")


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def table(path, rows, seed):
    x, y = CorrelatedGaussian(1, 0.8).sample(rows, torch.Generator().manual_seed(seed))
    found = pl.DataFrame({"a": x[:, 0].numpy(), "b": y[:, 0].numpy(), "city": ["Ulm"] * rows})
    found.write_csv(path)
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    table(folder / "old.csv", 200, 0)
    options = ["--x", "a", "--y", "b", "--steps", "20", "--save", folder / "model.safetensors", "--quiet"]
    done = call("estimate", folder / "old.csv", *options)
    assert done.exit_code == 0, done.output
    return folder / "model.safetensors"


def test_scores_are_written_in_the_order_of_the_rows(model, tmp_path):
    new = table(tmp_path / "new.csv", 30, 1)
    done = call("score", model, tmp_path / "new.csv", "--x", "a", "--y", "b", "--out", tmp_path / "scores.csv")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("30 rows, mean log-ratio ")
    expected = mi.load(model).score_pairs(new["a"], new["b"])
    assert pl.read_csv(tmp_path / "scores.csv")["log_ratio"].to_list() == pytest.approx(expected.tolist(), abs=1e-6)


def test_terminal_and_json(model, tmp_path):
    new = table(tmp_path / "new.csv", 4, 1)
    new.with_columns(b=pl.Series([1.0, None, 2.0, 3.0])).write_csv(tmp_path / "new.csv")
    options = ["score", model, tmp_path / "new.csv", "--y", "b"]  # x is all else, of which the model takes its own
    assert "y has 1 missing or infinite values, in column 'b'" in call(*options).stderr
    lines = call(*options, "--nan", "drop").stdout.splitlines()
    assert lines[0] == "log_ratio"
    assert lines[2] == ""
    record = json.loads(call(*options, "--nan", "drop", "--json").stdout)
    assert record["log_ratios"][1] is None
    assert [record["log_ratios"][i] for i in (0, 2, 3)] == pytest.approx([float(lines[i + 1]) for i in (0, 2, 3)])
    assert math.isclose(record["mean"], sum(record["log_ratios"][i] for i in (0, 2, 3)) / 3)


def test_wrong_input_is_one_sentence(model, tmp_path):
    table(tmp_path / "new.csv", 5, 1)
    for options, sentence in (
        (
            ["score", tmp_path / "new.csv", tmp_path / "new.csv", "--y", "b"],
            "new.csv is damaged or no safetensors file",
        ),
        (["score", tmp_path / "m", tmp_path / "new.csv", "--y", "b"], "There is no file"),
        (["score", model, tmp_path / "new.csv", "--x", "b", "--y", "a"], "x has no column 'a', which the critics were"),
    ):
        done = call(*options)
        assert done.exit_code == 2
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """A model of a number and a label, both with names."""
    folder = tmp_path_factory.mktemp("labels")
    found = table(folder / "old.csv", 200, 0).with_columns(city=pl.Series(["Ulm", "Bonn"] * 100))
    found.write_csv(folder / "old.csv")
    options = ["--x", "a,city", "--y", "b", "--steps", "5", "--save", folder / "model.safetensors", "--quiet"]
    assert call("estimate", folder / "old.csv", *options).exit_code == 0
    return folder / "model.safetensors"


def test_other_kinds_are_refused(labels, tmp_path):
    found = table(tmp_path / "new.csv", 30, 1)
    found.with_columns(city=pl.Series([0, 1] * 15)).write_csv(tmp_path / "coded.csv")
    found.with_columns(city=pl.Series(["Ulm", "Bonn"] * 15), a=pl.lit("some")).write_csv(tmp_path / "text.csv")
    np.save(tmp_path / "m.npy", np.zeros((30, 3)))
    for name, options, sentence in (
        (
            "coded.csv",
            [],
            "column 'city' of coded.csv has none of the categories that the critics were trained on, 'Bonn'",
        ),
        ("text.csv", [], "x holds text where the critics were trained on numbers, in column 'a', like 'some': "),
        (
            "m.npy",
            ["--x", "0,1", "--y", "2"],
            "m.npy has no column names, and the critics take x by names, 'a', 'city': ",
        ),
    ):
        done = call("score", labels, tmp_path / name, *(options or ["--x", "a,city", "--y", "b"]))
        assert done.exit_code == 2
        assert sentence in done.stderr
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)


@pytest.fixture
def dates(tmp_path):
    """A file of dates, of days that are labels, of mostly numbers that are labels, and of a number."""
    rng = np.random.default_rng(0)
    days = [date(2024, 1, 1) + timedelta(int(k)) for k in rng.integers(0, 300, 120)]
    few = [f"2024-01-0{1 + i % 3}" for i in range(120)]
    children = ["012"[i % 3] if i % 7 else "3+" for i in range(120)]
    number = [day.timetuple().tm_yday / 100 + error for day, error in zip(days, rng.normal(size=120), strict=True)]
    pl.DataFrame({"d": map(str, days), "few": few, "children": children, "y": number}).write_csv(tmp_path / "d.csv")
    return tmp_path / "d.csv"


@pytest.mark.parametrize(
    "x, categorical", [("d", []), ("few", ["--categorical", "few"]), ("d,children", ["--categorical", "children"])]
)
def test_columns_are_converted_as_they_were_for_the_fit(dates, tmp_path, x, categorical):
    model = tmp_path / "m.safetensors"
    done = call("estimate", dates, "--x", x, "--y", "y", *categorical, "--steps", "5", "--save", model, "--quiet")
    assert done.exit_code == 0, done.output
    for options in (["--x", x], []):  # without --x the others come, too
        done = call("score", model, dates, *options, "--y", "y")
        assert done.exit_code == 0, done.output
        assert (done.stderr, done.stdout.count("\n")) == ("", 121)
    frame = pl.read_csv(dates, try_parse_dates=not categorical)
    if categorical == ["--categorical", "children"]:
        frame = frame.with_columns(pl.col("d").str.to_date())
    expected = mi.load(model).score_pairs(frame[x.split(",")], frame["y"])
    assert [float(line) for line in done.stdout.split()[1:]] == pytest.approx(expected.tolist(), abs=1e-6)


def test_text_among_dates_is_named(dates, tmp_path):
    model = tmp_path / "m.safetensors"
    assert call("estimate", dates, "--x", "d", "--y", "y", "--steps", "5", "--save", model, "--quiet").exit_code == 0
    (tmp_path / "new.csv").write_text("d,y\nsoon,1\nlater,2\n")
    done = call("score", model, tmp_path / "new.csv", "--y", "y")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: x holds text where the critics were trained on numbers (dates), in column 'd', like 'soon': convert "
        "it, or leave its rows out.\n"
    )


def test_columns_of_arrays_are_taken_by_name(tmp_path):
    k = np.random.default_rng(0).normal(size=(100, 3))
    np.save(tmp_path / "k.npy", k)
    np.savez(tmp_path / "k.npz", left=k[:, 0], more=k[:, 1], y=k[:, 2])
    for file, y in (("k.npy", "2"), ("k.npz", "y")):
        model = tmp_path / f"{file}.safetensors"
        options = ["--y", y, "--steps", "5", "--save", model, "--quiet"]
        assert call("estimate", tmp_path / file, *options).exit_code == 0
        done = call("score", model, tmp_path / file, "--y", y)
        assert done.exit_code == 0, done.output
        expected = mi.load(model).score_pairs(k[:, :2], k[:, 2])
        assert [float(line) for line in done.stdout.split()[1:]] == pytest.approx(expected.tolist(), abs=1e-6)


def test_unseen_categories_are_reported(labels, tmp_path):
    new = table(tmp_path / "new.csv", 30, 1).with_columns(city=pl.Series(["Ulm", "Bonn", "Rome"] * 10))
    new.write_csv(tmp_path / "new.csv")
    done = call("score", labels, tmp_path / "new.csv", "--x", "a,city", "--y", "b", "--out", tmp_path / "s.csv")
    assert done.exit_code == 0
    assert done.stderr.startswith("Warning: x: column 'city' has 10 values that did not occur in the fit.")
    assert done.stdout.startswith("30 rows, mean log-ratio ")


def test_warnings_about_the_reading_of_a_file_are_reported(model, tmp_path):
    (tmp_path / "new.csv").write_text("a,b,b\n0.5,1,2\n1.5,2,3\n")
    done = call("score", model, tmp_path / "new.csv", "--x", "a", "--y", "b")
    assert done.exit_code == 0
    assert done.stderr == "Warning: new.csv has columns of the same name; the later ones are called 'b (2)'.\n"


@pytest.mark.parametrize("device", ["meta", "nowhere"])
def test_devices_that_do_not_compute_are_refused(model, tmp_path, device):
    table(tmp_path / "new.csv", 30, 1)
    done = call("score", model, tmp_path / "new.csv", "--x", "a", "--y", "b", "--device", device)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"Error: --device is '{device}', which ")


def test_help_shows_an_example():
    assert "Example:" in call("score", "--help").output
