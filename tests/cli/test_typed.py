from pathlib import Path
from typing import Annotated

import typer
from typer.testing import CliRunner

from mibounds.cli.typed import typed

app = typer.Typer()


@app.command()
def measure(
    context: typer.Context,
    file: Path,
    y: Annotated[str, typer.Option("--y")],
    level: float = 0.95,
    seed: int = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
):
    typer.echo(typed(context))


def test_what_was_given_is_shown_and_defaults_are_not():
    done = CliRunner().invoke(app, ["my table.csv", "--y", "a,b c", "--seed", "0", "-q"], prog_name="mibounds")
    assert done.output == "mibounds 'my table.csv' --y 'a,b c' --seed 0 --quiet\n"
    assert CliRunner().invoke(app, ["--y=a", "t.csv"], prog_name="mibounds").output == "mibounds t.csv --y a\n"


def test_absolute_paths_are_not_shown(tmp_path):
    done = CliRunner().invoke(app, [str(tmp_path / "t.csv"), "--y", "/a"], prog_name="mibounds")
    assert done.output == "mibounds t.csv --y /a\n"


def test_repeated_options():
    several = typer.Typer()

    @several.command()
    def measure(context: typer.Context, null: Annotated[list[str], typer.Option("--null")]):
        typer.echo(typed(context))

    done = CliRunner().invoke(several, ["--null", "x", "--null", "<10"], prog_name="mibounds")
    assert done.output == "mibounds --null x --null '<10'\n"
