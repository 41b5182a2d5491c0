"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Device", "Out", "Plot", "Quiet", "Seed", "TableFile", "UnitName"]

TableFile = Annotated[
    Path, typer.Argument(help="A .csv or .parquet table, a .npy matrix or a .npz file with named arrays.")
]
UnitName = Annotated[str, typer.Option("--unit", help="nats or bits.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same numbers.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, ...")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Save a figure to this .png, .svg or .pdf file.")]
Out = Annotated[Path | None, typer.Option("--out", help="Save the result to this JSON file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress bar.")]
