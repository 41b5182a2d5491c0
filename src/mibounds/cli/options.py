"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = [
    "AsJson",
    "Categorical",
    "ColumnsX",
    "ColumnsY",
    "Device",
    "Level",
    "Missing",
    "Out",
    "Plot",
    "Quiet",
    "Report",
    "Seed",
    "UnitName",
]

_OUTPUT = "Output"  # the panel of the help

ColumnsX = Annotated[
    str | None,
    typer.Option("--x", help="Columns of x, separated by commas; patterns like 'mean *' too. By default all others."),
]
ColumnsY = Annotated[str, typer.Option("--y", help="Columns of y, separated by commas.")]
Categorical = Annotated[
    str | None,
    typer.Option(
        "--categorical", help="Columns whose numbers are codes of categories, separated by commas. Text always is."
    ),
]
Missing = Annotated[
    Literal["raise", "drop", "indicator"],
    typer.Option(
        "--nan",
        help="Missing or infinite values: raise an error; drop their rows; or indicator, fill them in and mark them.",
    ),
]
UnitName = Annotated[Literal["nats", "bits"], typer.Option("--unit", help="Unit of information.")]
Level = Annotated[float, typer.Option("--level", help="Confidence level of intervals.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same numbers.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, ...")]
Plot = Annotated[
    Path | None, typer.Option("--plot", help="Save a figure to this .png, .svg or .pdf file.", rich_help_panel=_OUTPUT)
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report", help="Save a page with the result and figures to this .html file.", rich_help_panel=_OUTPUT
    ),
]
Out = Annotated[Path | None, typer.Option("--out", help="Save the result to this .json file.", rich_help_panel=_OUTPUT)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=_OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress bar.", rich_help_panel=_OUTPUT)]
