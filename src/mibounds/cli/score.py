"""`mibounds score`: log-ratios of the rows of a file by critics that `mibounds estimate --save` kept."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Optional

import typer

from mibounds.cli.errors import one_sentence

__all__ = ["score"]


def score(
    model: Annotated[Path, typer.Argument(help="What `mibounds estimate --save` wrote.")],
    file: Annotated[Path, typer.Argument(help="A .csv or .parquet table, a .npy matrix or a .npz with named arrays.")],
    y: Annotated[str, typer.Option("--y", help="Columns of y, separated by commas.")],
    x: Annotated[
        Optional[str],  # noqa: UP045  (typer evaluates the annotation on Python 3.10)
        typer.Option("--x", help="Columns of x, separated by commas. All others if left out."),
    ] = None,
    nan: Annotated[str, typer.Option(help="Missing or infinite values: raise, or drop: no score.")] = "raise",
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write the scores to this .csv file instead of the terminal."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score the rows of a file: a log-ratio in nats for each, above 0 where x and y go together, in the rows' order.

    Example: **mibounds score model.safetensors new.csv --x age,weight --y pressure --out scores.csv**
    """
    with one_sentence():
        from mibounds._files import write_text
        from mibounds.cli.files import read_variables
        from mibounds.training import load

        fitted = load(model, device=device)
        scores = fitted.score_pairs(*read_variables(file, x, y), nan=nan).tolist()  # type: ignore[arg-type]
        known = [value for value in scores if not math.isnan(value)]
        mean = sum(known) / len(known) if known else None
        table = "\n".join(["log_ratio", *("" if math.isnan(value) else f"{value:.9g}" for value in scores)])
        if out is not None:
            write_text(out, table + "\n")
        if as_json:
            rows = [None if math.isnan(value) else value for value in scores]
            typer.echo(json.dumps({"rows": len(rows), "mean": mean, "log_ratios": rows}))
        elif out is None:
            typer.echo(table)
        else:
            told = f"{mean:.4g} nats" if mean is not None else "unknown"
            typer.echo(f"{len(scores):,} rows, mean log-ratio {told}: {out}")
