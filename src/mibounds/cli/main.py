"""The command `mibounds`: all its commands, in the order of its help."""

from __future__ import annotations

import io
import sys
from typing import Annotated, Any

import typer

from mibounds._version import __version__
from mibounds.cli import benchmark, demo, run
from mibounds.cli.bracket import bracket
from mibounds.cli.conditional import conditional
from mibounds.cli.consistency import consistency
from mibounds.cli.estimate import estimate
from mibounds.cli.independence import independence
from mibounds.cli.lagged import lagged
from mibounds.cli.learning_curve import learning_curve
from mibounds.cli.matrix import matrix
from mibounds.cli.metavars import Group
from mibounds.cli.score import score
from mibounds.cli.single_options import SingleCommand, UsageError

__all__ = ["app", "run"]

_COMMANDS = (estimate, conditional, bracket, independence, matrix, lagged, learning_curve, consistency, score)
_GROUPS = {"benchmark": benchmark.app, "demo": demo.app}


class _Program(Group):
    """Commands first, groups of commands last; a wrong command line is one sentence, as other errors are."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; exit with its code if `standalone_mode`."""
        if isinstance(sys.stdout, io.TextIOWrapper):  # a name that the terminal cannot show must not cost the result
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                error.show()
            else:
                message = _message(error)
                message += "" if message.endswith("?") else "."
                hint = f" Try '{error.ctx.command_path} --help'." if error.ctx else ""
                typer.echo(f"Error: {message}{hint}", err=True)
            code = error.exit_code
        except typer.Abort:
            typer.echo("Aborted.", err=True)
            code = 130
        if standalone_mode:
            sys.exit(code or 0)
        return code

    def list_commands(self, context: Any) -> list[str]:
        """The names in the order of the help."""
        return sorted(super().list_commands(context), key=lambda name: name in _GROUPS)


def _message(error: Any) -> str:
    """The message of a wrong command line; for a text that is no number, with the text."""
    message: str = error.format_message().replace("Value error, ", "").rstrip(".")
    for one in getattr(error.__cause__, "errors", list)():  # of pydantic, in newer versions of typer
        expected = one["msg"].removeprefix("Input should be ").partition(",")[0].replace("integer", "whole number")
        message = message.replace(one["msg"], f"{one['input']!r}, expected {expected}")
    return message


app = typer.Typer(
    cls=_Program,
    help="Estimate mutual information: bounds with confidence intervals and diagnostic warnings.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        typer.echo(f"mibounds {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


for _command in _COMMANDS:
    app.command(cls=SingleCommand)(_command)
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(demo.app, name="demo", help="Demonstrations that draw a figure and print a table.")
