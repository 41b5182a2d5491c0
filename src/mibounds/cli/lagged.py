"""`mibounds lagged`: lagged mutual information and transfer entropies of two series."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Annotated, Any

import typer

from mibounds.cli.errors import one_sentence
from mibounds.cli.job import job, writes
from mibounds.cli.options import AsJson, Device, Out, Plot, Quiet, Seed, TableFile, UnitName

__all__ = ["lagged", "parse_lags"]


def lagged(
    file: TableFile,
    x: Annotated[str, typer.Option("--x", help="Columns of x, separated by commas.")],
    y: Annotated[str, typer.Option("--y", help="Columns of y, separated by commas.")],
    lags: Annotated[
        str, typer.Option(help="Rows from x to y: 0:11 is 0 to 10; also 0,5,20. With a negative lag y is earlier.")
    ] = "0:11",
    transfer_entropy: Annotated[
        bool,
        typer.Option("--transfer-entropy", help="Estimate the transfer entropies of both directions, too."),
    ] = False,
    history: Annotated[int, typer.Option(help="Past rows for --transfer-entropy.")] = 1,
    permutations: Annotated[int, typer.Option(help="Surrogates for the p-values of --transfer-entropy.")] = 199,
    gap: Annotated[
        int | None,
        typer.Option(help="Rows over which the series are correlated; by default 1 % of all."),
    ] = None,
    critic: Annotated[str, typer.Option(help="separable, joint or bilinear.")] = "separable",
    unit: UnitName = "nats",
    level: Annotated[float, typer.Option(help="Confidence level of the intervals.")] = 0.95,
    nan: Annotated[str, typer.Option(help="Missing or infinite values: raise, or drop their times.")] = "raise",
    seed: Seed = 0,
    steps: Annotated[int | None, typer.Option(help="Training steps of a fold.")] = None,
    folds: Annotated[int | None, typer.Option(help="Number of folds, which are blocks of rows.")] = None,
    device: Device = "cpu",
    plot: Plot = None,
    out: Out = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Estimate I(X[t - lag]; Y[t]) of two series for every lag, and transfer entropies; the rows are in time order.

    Example: **mibounds lagged weather.csv --x pressure --y rain --lags 0:11 --transfer-entropy**
    """
    with one_sentence(distributed=True), job(device) as own_device:
        from mibounds import estimation
        from mibounds._files import write_json
        from mibounds.cli.files import read_variables
        from mibounds.plots import save_figure
        from mibounds.results.units import nats_in

        nats_in(unit)  # an unknown unit is refused before the work and not after it
        chosen = parse_lags(lags)
        series_x, series_y = read_variables(file, x, y)
        options: dict[str, Any] = {
            "gap": gap, "critic": critic, "level": level, "nan": nan, "seed": seed, "steps": steps, "folds": folds,
            "device": own_device, "unit": unit, "progress": not quiet and sys.stderr.isatty(),
        }  # fmt: skip
        directions: dict[str, estimation.TransferEntropyResult] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are in the results, and printed with them
            if transfer_entropy:
                options |= {"history": history, "permutations": permutations}
                directions["x to y"] = estimation.transfer_entropy(series_x, series_y, **options)
                directions["y to x"] = estimation.transfer_entropy(series_y, series_x, **options)
                del options["history"], options["permutations"]
            found = estimation.lagged(series_x, series_y, chosen, **options)
        record = found.to_dict()
        if directions:
            record["transfer_entropy"] = {name: one.to_dict() for name, one in directions.items()}
        if plot is not None and writes():
            save_figure(found.plot(), str(plot))
        if out is not None and writes():
            write_json(out, record)
        lines = [repr(found), *(f"{name}: {one!r}" for name, one in directions.items())]
        typer.echo(json.dumps(record, indent=2) if as_json else "\n".join(lines))


def parse_lags(wanted: str) -> list[int]:
    """The lags of a text like "0:3,7", in increasing order.

    >>> parse_lags("-1:2,7")
    [-1, 0, 1, 7]
    """
    chosen: set[int] = set()
    for part in wanted.split(","):
        try:
            ends = [int(end) for end in part.split(":")]
            first, stop = ends if len(ends) > 1 else (ends[0], ends[0] + 1)
        except ValueError:
            raise ValueError(f"--lags is {part!r}: expected whole numbers and ranges, like 0:11 or 0,5,20.") from None
        chosen |= set(range(first, stop))
    if not chosen:
        raise ValueError(f"--lags is {wanted!r}, an empty range: ranges end before their second number, like 0:11.")
    return sorted(chosen)
