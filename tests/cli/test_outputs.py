import json
import os
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import mibounds as mi
from mibounds._extras import MissingExtraError
from mibounds.cli.outputs import Outputs
from mibounds.results import BracketResult
from mibounds.warnings import InterruptedWarning, TiesWarning

RESULT = mi.Result(value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=1000)
PART = BracketResult(lower=0.4, lower_stderr=0.1, upper=0.6, upper_stderr=0.1, estimates={}, n=1000)


@pytest.fixture
def finish():
    """Runs a command that finishes with a result."""

    def call(outputs, result=RESULT, **options):
        app = typer.Typer()

        @app.command()
        def measure(context: typer.Context, nan: str = "raise"):
            outputs.finish(context, result, **options)

        return CliRunner().invoke(app, [], prog_name="mibounds measure")

    return call


def test_all_files_are_written(finish, tmp_path):
    outputs = Outputs(plot=tmp_path / "r.svg", report=tmp_path / "r.html", out=tmp_path / "r.json")
    outputs.check()
    done = finish(outputs)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{RESULT!r}\n"
    assert mi.Result.load(tmp_path / "r.json") == RESULT
    assert (tmp_path / "r.svg").stat().st_size > 5000
    assert "mibounds measure" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_parts_are_printed_and_in_the_json(finish, tmp_path):
    parts = {"bracket": PART, "others": {"first": RESULT, "second": RESULT}}
    printed = finish(Outputs(), parts=parts).stdout.splitlines()
    assert repr(PART).splitlines()[0] in printed
    assert f"second: {RESULT!r}".splitlines()[0] in printed
    outputs = Outputs(as_json=True, out=tmp_path / "r.json")
    record = json.loads(finish(outputs, parts=parts).stdout)
    assert record["bracket"]["lower"] == 0.4
    assert record["others"]["second"]["value"] == 0.5
    assert json.loads((tmp_path / "r.json").read_text()) == record


def test_a_report_of_the_command(finish, tmp_path):
    written = []
    done = finish(Outputs(report=tmp_path / "r.html"), report=lambda path, described: written.append((path, described)))
    assert done.exit_code == 0
    assert written == [(tmp_path / "r.html", {"command": "mibounds measure"})]


def test_the_result_is_printed_before_files_are_written(finish, tmp_path):
    done = finish(Outputs(out=tmp_path / "none" / "r.json"))
    assert done.exit_code != 0
    assert done.stdout == f"{RESULT!r}\n"
    done = finish(Outputs(save=tmp_path / "m.safetensors"))
    assert str(done.exception) == "--save: there are no critics to save, because a variable is constant."
    assert done.stdout == f"{RESULT!r}\n"


def test_printed_warnings_name_options(finish):
    text = 'Rows have gaps: pass nan="drop".'
    result = mi.Result(
        value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=1000,
        warnings=(TiesWarning(text),),
    )  # fmt: skip
    assert "Rows have gaps: pass --nan drop." in finish(Outputs(), result).stdout
    record = json.loads(finish(Outputs(as_json=True), result).stdout)
    assert record["warnings"][0]["message"] == text


def test_an_interrupted_result_is_written_and_ends_with_130(finish, tmp_path):
    result = mi.Result(
        value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=1000,
        warnings=(InterruptedWarning("Training was interrupted."),),
    )  # fmt: skip
    done = finish(Outputs(out=tmp_path / "r.json"), result)
    assert done.exit_code == 130
    assert (tmp_path / "r.json").exists()


@pytest.mark.parametrize(
    "name, path, sentence",
    [
        ("plot", "r.gif", "--plot is '.*r.gif': expected a file ending in .png, .svg or .pdf."),
        ("report", "r.pdf", "--report is '.*r.pdf': expected a file ending in .html."),
        ("out", "r", "--out is '.*r': expected a file ending in .json."),
        ("save", "r.pt", "--save is '.*r.pt': expected a file ending in .safetensors."),
        ("out", "none/r.json", "--out is '.*r.json', and there is no folder '.*none': create it first."),
        ("out", "folder.json", "--out is '.*folder.json', a folder: expected a file."),
    ],
)
def test_paths_are_checked(tmp_path, name, path, sentence):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ValueError, match=sentence):
        Outputs(**{name: tmp_path / path}).check()


@pytest.mark.parametrize("protected", [".", "r.json"])
def test_a_write_protected_output_is_refused_before_the_work(protected, tmp_path, monkeypatch):
    (tmp_path / "r.json").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / protected)  # root may write anywhere
    with pytest.raises(ValueError, match=r"--out is '.*r.json', and '.*' is write-protected: give another file\."):
        Outputs(out=tmp_path / "r.json").check()


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """A folder of one file under many names: a table, and links to it with the endings of outputs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{i},{i * i % 17}\n" for i in range(60)))
    for i, name in enumerate(("x.json", "x.png", "x.html", "x.safetensors", "x.md", "sub/x.csv")):
        (tmp_path / name).symlink_to(table) if i % 2 else (tmp_path / name).hardlink_to(table)
    return table


@pytest.mark.parametrize(
    "line, option",
    [
        ("estimate table.csv --y b --out x.json", "--out"),
        ("estimate x.json --y b --out sub/../x.json", "--out"),
        ("estimate table.csv --y b --plot x.png", "--plot"),
        ("bracket table.csv --y b --report x.html", "--report"),
        ("estimate table.csv --y b --save x.safetensors", "--save"),
        ("conditional table.csv --x a --y b --z a --out x.json", "--out"),
        ("independence table.csv --y b --out x.json", "--out"),
        ("matrix table.csv --plot x.png", "--plot"),
        ("lagged table.csv --x a --y b --out x.json", "--out"),
        ("learning-curve table.csv --y b --out x.json", "--out"),
        ("consistency table.csv --out x.json", "--out"),
        ("score model table.csv --y b --out ./table.csv", "--out"),
        ("score sub/x.csv other.csv --y b --out table.csv", "--out"),
        ("score model ~/table.csv --y b --out sub/x.csv", "--out"),
        ("benchmark page x.md", "--out"),
        ("benchmark page table.csv --out x.html", "--out"),
    ],
)
def test_inputs_are_not_replaced(line, option, inputs, call, is_refused, monkeypatch):
    monkeypatch.setenv("HOME", str(inputs.parent))
    content = inputs.read_bytes()
    path = line.split()[-1]
    is_refused(call(*line.split()), f"{option} is '{Path(path)}', a file that the command reads: give another one.")
    assert inputs.read_bytes() == content


def test_missing_packages_are_named_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="A report needs jinja2"):
        Outputs(report=tmp_path / "r.html").check()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="A figure needs matplotlib"):
        Outputs(plot=tmp_path / "r.png").check()
    Outputs(out=tmp_path / "r.json").check()


def test_a_file_that_cannot_be_written_is_named(finish, tmp_path, monkeypatch):
    def fail(path, record):
        raise OSError(28, "No space left on device", str(tmp_path / ".result.json.1a2b"))

    monkeypatch.setattr("mibounds.cli.outputs.write_json", fail)
    out = tmp_path / "result.json"
    done = finish(Outputs(out=out))
    assert f"--out is {str(out)!r}, which cannot be written: No space left on device." in str(done.exception)
