"""`mibounds score`: log-ratios of the rows of a file, by critics that `mibounds estimate --save` saved."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from mibounds.cli.errors import one_sentence
from mibounds.cli.file_options import TableFile, file_options
from mibounds.cli.options import AsJson, Device

__all__ = ["score"]


@file_options
def score(
    model: Annotated[Path, typer.Argument(help="A file of `mibounds estimate --save`.")],
    file: TableFile,
    y: Annotated[str, typer.Option("--y", help="Columns of y, separated by commas.")],
    x: Annotated[
        str | None,
        typer.Option("--x", help="Columns of x, separated by commas. All others if left out."),
    ] = None,
    nan: Annotated[str, typer.Option(help="Missing or infinite values: raise; or drop, no score.")] = "raise",
    device: Device = "cpu",
    out: Annotated[
        Path | None,
        typer.Option(help="Write the scores to this .csv file instead of the terminal."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score the rows of a file: a log-ratio in nats for each row, in order; positive values mean a likely pair.

    Example: **mibounds score model.safetensors new.csv --x age,weight --y pressure --out scores.csv**
    """
    with one_sentence():
        from mibounds._files import write_text
        from mibounds.cli.files import read_variables
        from mibounds.training import load

        fitted = load(model, device=device)
        scores = fitted.score_pairs(*read_variables(file.path, x, y, categorical="*", **file.reading), nan=nan).tolist()  # type: ignore[arg-type]
        present = [value for value in scores if not math.isnan(value)]
        mean = sum(present) / len(present) if present else None
        table = "\n".join(["log_ratio", *("" if math.isnan(value) else f"{value:.9g}" for value in scores)])
        if out is not None:
            write_text(out, table + "\n")
        if as_json:
            rows = [None if math.isnan(value) else value for value in scores]
            typer.echo(json.dumps({"rows": len(rows), "mean": mean, "log_ratios": rows}))
        elif out is None:
            typer.echo(table)
        else:
            mean_text = f"{mean:.4g} nats" if mean is not None else "undefined"
            typer.echo(f"{len(scores):,} rows, mean log-ratio {mean_text}: {out}")
