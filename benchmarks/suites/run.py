"""The default estimate on scenarios of other packages' test suites: results.jsonl, and the tables of README.md.

python benchmarks/suites/run.py              # seed 0; continues an interrupted run; some half a minute a case
python benchmarks/suites/run.py --table      # only writes the tables
"""

import argparse
import time
import warnings
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import torch
from cases import CASES, Case

import mibounds as mi
from mibounds._version import versions
from mibounds.benchmark.page import write_between
from mibounds.benchmark.records import append_line, read_lines

HERE = Path(__file__).parent
RESULTS, ONE_COLUMN = HERE / "results.jsonl", HERE.parent / "one_column" / "results.jsonl"
MARKERS = "<!-- tables: made by run.py -->", "<!-- end of tables -->"
LARGEST = 10  # errors that are listed
Records = list[dict[str, Any]]


def nearest(found: mi.Result, x: np.ndarray, y: np.ndarray) -> tuple[str, float]:
    """Nearest neighbors of all columns as the result prints them; if it does not, of the columns as they are."""
    printed = {**found.estimates, **found.cross_checks}
    for name in ("KSG", "MixedKSG"):
        if name in printed:
            return f"{name} of the result", printed[name]
    tied = any(len(np.unique(side, axis=0)) < len(side) for side in (x, y))
    return ("MixedKSG", mi.classical.mixed_ksg(x, y)) if tied else ("KSG", mi.classical.ksg(x, y))


def one(case: Case, seed: int) -> dict[str, Any]:
    """An estimate with default settings beside the truth and nearest neighbors."""
    x, y = case.sample(seed)
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mi.estimate(x, y, workers=1)
    seconds = time.process_time() - began
    source, neighbors = nearest(found, x, y)
    low, high = found.interval
    return {
        "package": case.package, "scenario": case.scenario, "n": case.n, "seed": seed, "truth": round(case.truth, 4),
        "value": round(found.value, 4), "low": round(low, 4), "high": round(high, 4),
        "lower_bound": None if found.lower_bound is None else round(found.lower_bound, 4), "method": found.method,
        "warnings": [warning.code for warning in found.warnings], "neighbors": round(neighbors, 4),
        "neighbors_from": source, "estimates": {k: round(v, 4) for k, v in found.estimates.items()},
        "cross_checks": {k: round(v, 4) for k, v in found.cross_checks.items()}, "cpu_seconds": round(seconds, 1),
        **versions(),
    }  # fmt: skip


def error(record: dict[str, Any]) -> float:
    """Of the value, in nats."""
    return abs(record["value"] - record["truth"])


def neighbors_error(record: dict[str, Any]) -> float:
    """Of nearest neighbors, in nats."""
    return abs(record["neighbors"] - record["truth"])


def holds(record: dict[str, Any]) -> bool:
    """Does the interval contain the truth?"""
    return bool(record["low"] <= record["truth"] <= record["high"])


def certain(record: dict[str, Any]) -> bool:
    """Is the lower bound not above the truth?"""
    return record["lower_bound"] is None or bool(record["lower_bound"] <= record["truth"])


def line(name: str, of: Records) -> str:
    """Of the table by package."""
    better = sum(error(r) < neighbors_error(r) for r in of)
    seconds = [r["cpu_seconds"] for r in of]
    return (
        f"| {name} | {len(of)} | {fmean(map(error, of)):.3f} | {fmean(map(neighbors_error, of)):.3f} | {better} "
        f"| {sum(map(holds, of))} | {sum(map(certain, of))} | {median(seconds):.0f} | {max(seconds):.0f} |"
    )


def by_package(records: Records) -> Iterator[str]:
    """A line for all, for sizes, and for each package."""
    yield (
        "| | cases | mean error | of nearest neighbors | value is nearer | intervals hold | lower bounds hold "
        "| CPU seconds, median | largest |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    yield line("all", records)
    sizes = ("up to 450 samples", 0, 450), ("more samples", 451, 10**9)
    kinds = ("independent", [r for r in records if r["truth"] == 0]), ("dependent", [r for r in records if r["truth"]])
    groups = [(name, [r for r in records if low <= r["n"] <= high]) for name, low, high in sizes]
    packages = groupby(sorted(records, key=package), key=package)
    for name, of in [*groups, *kinds, *((name, list(of)) for name, of in packages)]:
        if of:
            yield line(name, of)


def package(record: dict[str, Any]) -> str:
    """Whose suite has the scenario."""
    return str(record["package"])


def details(records: Records) -> Iterator[str]:
    """A line for each case."""
    yield "| case | samples | truth | value | 95 % interval | nearest neighbors | reported | warnings |"
    yield "|---|--:|--:|--:|---|--:|---|---|"
    for r in records:
        missed = "" if holds(r) else " (missed)"
        yield (
            f"| {r['package']}: {r['scenario']} | {r['n']:,} | {r['truth']:.3f} | {r['value']:.3f} "
            f"| [{r['low']:.3f}, {r['high']:.3f}]{missed} | {r['neighbors']:.3f} | {r['method']} "
            f"| {', '.join(r['warnings'])} |"
        )


def with_families(records: Records) -> str:
    """The errors together with those of benchmarks/one_column, whose families mutinfo's suite has."""
    stored = [{**r, "truth": r["nats"]} for r in read_lines(ONE_COLUMN) if r["seed"] == 0]
    seconds = median([r["cpu_seconds"] for r in records] + [r["processor_seconds"] for r in stored])
    both = [*records, *stored]
    return (
        f"With the {len(stored)} stored results of [one column a side](../one_column/README.md), 5,000 samples of "
        f"mutinfo's families at 0.5 to 5 nats: {len(both)} cases, mean error {fmean(map(error, both)):.3f} nats, of "
        f"nearest neighbors {fmean(map(neighbors_error, both)):.3f}; {sum(map(holds, both))} intervals hold; "
        f"{seconds:.0f} CPU seconds in the median. Of the stored ones alone {fmean(map(error, stored)):.3f} and "
        f"{fmean(map(neighbors_error, stored)):.3f}."
    )


def page(records: Records) -> str:
    """The tables."""
    below = sum(r["value"] < r["truth"] for r in records if r["truth"])
    dependent = sum(r["truth"] > 0 for r in records)
    missing = len(CASES) - len(records)
    parts = [
        f"{len(records)} of {len(CASES)} cases were run{'; the command continues' if missing else ''}.",
        "\n".join(by_package(records)),
        f"{below} of {dependent} values with a truth above 0 are below it.",
        with_families(records),
        f"The {LARGEST} largest errors:",
        "\n".join(details(sorted(records, key=error, reverse=True)[:LARGEST])),
        "All cases:",
        "\n".join(details(records)),
    ]
    return "\n\n".join(parts)


def main() -> None:
    """Run what is missing and write the tables."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--seed", type=int, default=0, help="of the samples")
    options.add_argument("--table", action="store_true", help="only write the tables")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    done = {(r["package"], r["scenario"], r["n"], r["seed"]) for r in read_lines(RESULTS)}
    shuffled = np.random.default_rng(0).permutation(len(CASES))  # so that an interrupted run is a fair share of cases
    for case in [] if chosen.table else [CASES[i] for i in shuffled]:
        if (case.package, case.scenario, case.n, chosen.seed) not in done:
            record = one(case, chosen.seed)
            append_line(RESULTS, record)
            print(record, flush=True)
    places = {(case.package, case.scenario, case.n): i for i, case in enumerate(CASES)}
    records = [r for r in read_lines(RESULTS) if r["seed"] == chosen.seed]
    records.sort(key=lambda r: places[r["package"], r["scenario"], r["n"]])
    write_between(HERE / "README.md", *MARKERS, f"\n\n{page(records)}\n\n")


if __name__ == "__main__":
    main()
