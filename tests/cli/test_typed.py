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
