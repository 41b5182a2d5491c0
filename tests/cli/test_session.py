import warnings

import pytest
import typer
from typer.testing import CliRunner

from mibounds.cli.outputs import Outputs
from mibounds.cli.session import session
from mibounds.data.readers import read_table
from mibounds.training.recipe import Recipe


@pytest.fixture
def run():
    def call(body, settings=None, outputs=None, **options):
        app = typer.Typer()

        @app.command()
        def command(context: typer.Context, steps: int = 0):
            with session(context, settings or {}, outputs or Outputs(), quiet=True, **options) as recipe_of_options:
                body(recipe_of_options())

        return CliRunner().invoke(app, [])

    return call


def test_the_recipe_has_the_settings_and_the_device(run):
    seen = []
    assert run(seen.append, {"steps": 5, "preset": "quick"}).exit_code == 0
    assert seen == [Recipe.preset("quick").replace(steps=5, device="cpu", progress=False)]


def test_warnings_are_not_issued(run):
    done = run(lambda _: warnings.warn("it is in the result", stacklevel=1))
    assert done.exit_code == 0
    assert done.output == ""


def test_warnings_about_the_reading_of_a_file_are_sentences(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,a\n1,2\n")
    done = run(lambda _: read_table(tmp_path / "t.csv"))
    sentence = "Warning: t.csv has columns of the same name; the later ones are called 'a (2)'.\n"
    assert (done.exit_code, done.stderr) == (0, sentence)


def test_wrong_input_is_one_sentence_that_names_options(run, tmp_path):
    done = run(print, {"steps": 0})
    assert (done.exit_code, done.stderr) == (2, "Error: --steps is 0: expected a whole number of at least 1.\n")

    def body(_):
        raise TypeError("steps is 'a'")

    assert run(body).stderr == "Error: --steps is 'a'\n"


def test_outputs_are_checked_first(run, tmp_path):
    done = run(pytest.fail, {"steps": 0}, Outputs(out=tmp_path / "r.txt"))
    assert done.exit_code == 2
    assert "--out is " in done.stderr


def test_faults_are_not_hidden_and_ctrl_c_is_130(run):
    def fault(_):
        raise ZeroDivisionError

    assert isinstance(run(fault).exception, ZeroDivisionError)

    def interrupt(_):
        raise KeyboardInterrupt

    assert run(interrupt).exit_code == 130


def test_a_command_for_one_process_is_refused_in_a_job(run, monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", "RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    done = run(pytest.fail)
    assert done.exit_code == 2
    assert "without torchrun" in done.stderr
