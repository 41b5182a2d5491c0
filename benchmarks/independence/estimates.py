"""`mi.estimate` of independent columns, 20 seeds of two widths and two sizes: estimates.jsonl and a table.

python benchmarks/independence/estimates.py      # continues an interrupted run; some twenty minutes of one core

X has 5 or 50 normal columns and Y is normal noise, 200 and 2,000 samples. The information is 0. Wanted: a value of at
most 0.02 nats, and an interval that contains 0.
"""

import argparse
import itertools
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mibounds as mi
from mibounds._version import versions
from mibounds.benchmark.page import write_between
from mibounds.benchmark.records import append_line, read_lines

HERE = Path(__file__).parent
RESULTS = HERE / "estimates.jsonl"
COLUMNS, ROWS = (5, 50), (200, 2_000)


def one(columns: int, rows: int, seed: int) -> dict[str, Any]:
    """An estimate with default settings."""
    rng = np.random.default_rng([seed, columns, rows])
    x, y = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mi.estimate(x, y)
    low, high = found.interval
    record = {"columns": columns, "rows": rows, "seed": seed, "value": found.value, "low": low, "high": high}
    record |= {"lower_bound": found.lower_bound, "cpu_seconds": round(time.process_time() - began, 1)}
    return {**record, "versions": versions()}


def table(records: list[dict[str, Any]]) -> str:
    """A line for each width and size."""
    lines = ["| columns | samples | seeds | largest value | above 0.02 | intervals with 0 | largest upper end |"]
    lines.append("|--:|--:|--:|--:|--:|--:|--:|")
    for columns, rows in itertools.product(COLUMNS, ROWS):
        of = [r for r in records if (r["columns"], r["rows"]) == (columns, rows)]
        if of:
            largest, above = max(abs(r["value"]) for r in of), sum(abs(r["value"]) > 0.02 for r in of)
            hold, end = sum(r["low"] <= 0 <= r["high"] for r in of), max(r["high"] for r in of)
            lines.append(f"| {columns} | {rows:,} | {len(of)} | {largest:.3f} | {above} | {hold} | {end:.3f} |")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing and write the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--seeds", type=int, default=20, help="of each width and size")
    seeds = options.parse_args().seeds
    torch.set_num_threads(1)
    done = {(r["columns"], r["rows"], r["seed"]) for r in read_lines(RESULTS)}
    for seed, rows, columns in itertools.product(range(seeds), ROWS, COLUMNS):
        if (columns, rows, seed) not in done:
            append_line(RESULTS, one(columns, rows, seed))
    markers = "<!-- table: made by estimates.py -->", "<!-- end of the table of estimates -->"
    write_between(HERE / "README.md", *markers, f"\n\n{table(read_lines(RESULTS))}\n\n")


if __name__ == "__main__":
    main()
