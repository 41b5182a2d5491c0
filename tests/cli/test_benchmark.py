"""The benchmark as a person types it."""

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mibounds.benchmark import PRESETS, read_records
from mibounds.cli.benchmark import progress_table
from mibounds.cli.main import app

pytestmark = pytest.mark.usefixtures("tiny_benchmark")


def call(*arguments):
    return CliRunner().invoke(app, ["benchmark", *(str(argument) for argument in arguments)])


def test_run_and_page(tmp_path):
    out = tmp_path / "results.jsonl"
    options = ["--suite", "quick", "--estimator", "tiny", "--n", 100, "--n", 200, "--seeds", 1, "--out", out]
    done = call(*options, "--jobs", 1, "--backend", "threading")
    assert done.exit_code == 0, done.output
    assert "| tiny | 100 | 2 | 0 |" in done.stdout
    assert "| tiny | 200 | 2 | 0 |" in done.stdout
    assert done.stderr == ""  # no terminal, no live table
    assert call(*options, "--quiet").stdout == done.stdout
    records = read_records(out)
    assert len(records) == 4
    page = call("page", out)
    assert page.exit_code == 0, page.output
    assert "2 | `CorrelatedGaussian(dim=1, rho=0.9)` | 0.830 |" in (tmp_path / "results.md").read_text()
    assert (tmp_path / "results-quick-errors.png").exists()
    assert call("page", out, "--out", tmp_path / "other" / "page.md").exit_code == 0
    assert (tmp_path / "other" / "page.md").exists()
    console = Console(width=140, file=io.StringIO())
    console.print(progress_table(records, 9))
    text = console.file.getvalue()
    assert "4 of 9 fits, last CorrelatedGaussian(dim=1, rho=0.9)" in text
    assert "tiny" in text


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--suite", "quik"], "Error: --suite is 'quik': expected the name of a suite. Did you mean 'quick'?"),
        (
            ["--estimator", "fsat"],
            "Error: --estimator is 'fsat': expected the name of an estimator. Did you mean 'fast'?",
        ),
        (
            ["--backend", "threads"],
            "Error: Invalid value for '--backend': 'threads' is not one of 'loky', 'threading', 'dask', 'ray'. "
            "Try 'root benchmark --help'.",
        ),
        (["--seeds", "0"], "Error: --seeds is 0, and must be at least 1."),
        (["page", "nowhere.jsonl"], "Error: There is no file 'nowhere.jsonl'."),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(options, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*options)
    assert done.exit_code == 2
    assert done.stderr == f"{sentence}\n"
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_exit_code_1_if_every_fit_failed(tmp_path, monkeypatch):
    def fails(x, y, seed, workers):
        if len(x) > 100:
            return PRESETS["tiny"](x, y, seed=seed, workers=workers)
        raise ArithmeticError("no number.")

    monkeypatch.setitem(PRESETS, "fails", fails)
    out = tmp_path / "results.jsonl"
    options = ["--estimator", "fails", "--seeds", 1, "--backend", "threading", "--out", out]
    done = call(*options, "--n", 100)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"Error: all 2 fits failed, the first with ArithmeticError: no number. Results: {out}\n"
    some = call(*options, "--n", 100, "--n", 200)
    assert (some.exit_code, some.stderr) == (0, "")
    assert "| fails | 100 | 0 | 2 |" in some.stdout


@pytest.mark.parametrize("command", [["--help"], ["page", "--help"]])
def test_help_shows_an_example(command):
    done = call(*command)
    assert done.exit_code == 0
    assert "Example:" in done.output
