"""The command `mibounds`: all its commands, in the order of its help."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from mibounds.cli import benchmark, demo, run
from mibounds.cli.bracket import bracket
from mibounds.cli.conditional import conditional
from mibounds.cli.consistency import consistency
from mibounds.cli.estimate import estimate
from mibounds.cli.independence import independence
from mibounds.cli.lagged import lagged
from mibounds.cli.learning_curve import learning_curve
from mibounds.cli.matrix import matrix
from mibounds.cli.score import score

__all__ = ["app", "run"]

_COMMANDS = (estimate, conditional, bracket, independence, matrix, lagged, learning_curve, consistency, score)
_GROUPS = {"benchmark": benchmark.app, "demo": demo.app}


class _InOrder(TyperGroup):
    """Commands first, groups of commands last."""

    def list_commands(self, context: Any) -> list[str]:
        """The names in the order of the help."""
        return sorted(super().list_commands(context), key=lambda name: name in _GROUPS)


app = typer.Typer(
    cls=_InOrder,
    help="Estimate mutual information: bounds with confidence intervals and diagnostic warnings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for _command in _COMMANDS:
    app.command()(_command)
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(demo.app, name="demo", help="Demonstrations that draw a figure and print a table.")
