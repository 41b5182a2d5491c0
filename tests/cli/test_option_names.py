from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mibounds._extras import MissingExtraError
from mibounds.cli.option_names import option_names, options_of, with_options

OPTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in ("nan", "split", "resume", "checkpoint", "batch_size", "gap", "lr", "sizes")
}


@pytest.mark.parametrize(
    "text, expected",
    [
        ('pass nan="drop", or nan="indicator".', "pass --nan drop, or --nan indicator."),
        ("gap is 5: pass split='blocked' too.", "--gap is 5: pass --split blocked too."),
        ("pass resume=True to continue it", "pass --resume to continue it"),
        ("A fit with checkpoint= continues with resume=True.", "A fit with --checkpoint continues with --resume."),
        ("pass checkpoint=, its folder.", "pass --checkpoint, its folder."),
        ("give a smaller batch_size, or none", "give a smaller --batch-size, or none"),
        ("use gap=12.", "use --gap 12."),
        ("use lr=0.001, or less", "use --lr 0.001, or less"),
        ("a lower lr brings them together", "a lower lr brings them together"),
        ("x: columns were dropped: 'gap=1', 'split=a'.", "x: columns were dropped: 'gap=1', 'split=a'."),
        ("the gap is wide", "the gap is wide"),
        ("the column 'batch_size' is text", "the column 'batch_size' is text"),
        ("--gap is 5", "--gap is 5"),
        ("gap.csv is empty", "gap.csv is empty"),
        ("gap-2020.csv has no rows", "gap-2020.csv has no rows"),
        ("There is no file batch_size.csv.", "There is no file batch_size.csv."),
        ("expected at least 800, or sizes= of your own.", "expected at least 800, or --sizes of your own."),
        ('pass bootstrap="yes"', 'pass bootstrap="yes"'),
    ],
)  # fmt: skip
def test_arguments_become_options(text, expected):
    assert with_options(text, OPTIONS) == expected


def test_text_of_results_keeps_its_columns():
    printed = 'I(X;Y) = 0.5 nats\n  estimates: InfoNCE 0.5\n  warning time-order: leak: pass\n    split="blocked".'
    assert with_options(printed, OPTIONS).splitlines()[:2] == printed.splitlines()[:2]
    assert with_options(printed, OPTIONS).endswith("--split blocked.")


@pytest.fixture
def run():
    def call(error):
        app = typer.Typer()

        @app.command()
        def command(
            context: typer.Context,
            file: Path,
            x: Annotated[str, typer.Option("--x")] = "",
            batch_size: Annotated[int, typer.Option("--batch-size", "-b")] = 1,
            categorical: Annotated[str, typer.Option("--categorical")] = "",
        ):
            typer.echo(options_of(context))
            with option_names(context):
                raise error

        return CliRunner().invoke(app, ["t.csv"])

    return call


def test_options_are_those_of_the_command_without_variables(run):
    printed = run(ValueError("")).stdout
    assert "'batch_size': '--batch-size'" in printed
    assert "'x_type': '--categorical'" in printed
    assert "'x':" not in printed
    assert "'file':" not in printed


def test_errors_name_options(run):
    done = run(TypeError("batch_size is 'a': expected a number."))
    assert isinstance(done.exception, ValueError)
    assert str(done.exception) == "--batch-size is 'a': expected a number."
    assert str(run(ValueError("x_type is 'a'")).exception) == "--categorical is 'a'"


@pytest.mark.parametrize(
    "error", [MissingExtraError("needs polars"), OSError("disk full"), ZeroDivisionError("batch_size")]
)
def test_other_errors_pass_unchanged(run, error):
    assert run(error).exception is error
