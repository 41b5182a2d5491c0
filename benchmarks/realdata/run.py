"""Real tables: `mi.estimate` beside a lower bound from boosted trees.

python benchmarks/realdata/run.py --install        # once: the packages that hold the tables, 90 MB
python benchmarks/realdata/run.py                  # all pairs into results.jsonl; continues an interrupted run
python benchmarks/realdata/run.py --pair wage --pair oj --recipe quick --out quick.jsonl
python benchmarks/realdata/run.py --check          # loads every table and prints its shape

Ours is `mi.estimate(X, y, nan="indicator")` and nothing else; the bound is described in trees.py. Both are timed in CPU
seconds of one process.
"""

import argparse
import os
import time
import warnings
from pathlib import Path
from statistics import fmean, median

import numpy as np
import torch
from tables import PAIRS, Pair, install
from trees import tree_bound

import mibounds as mi
from mibounds.benchmark.records import append_line, read_lines

HERE = Path(__file__).parent
CLOSE = 2  # standard errors of the bound


def measure(name: str, packages: Path, recipe: str, seed: int) -> dict:
    """One pair as a record."""
    pair = PAIRS[name]
    x, y = pair.table(packages)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # codes of ours are in the record
        start = time.process_time()
        bound = tree_bound(x, y, pair.label)
        middle = time.process_time()
        result = mi.estimate(x, y, nan="indicator", recipe=recipe, seed=seed, workers=1)
        end = time.process_time()
    low, high = result.interval
    return {
        "pair": name,
        "recipe": recipe,
        "seed": seed,
        "n": len(x),
        "columns": x.shape[1],
        "label": pair.label,
        "value": result.value,
        "stderr": result.stderr,
        "low": low,
        "high": high,
        "lower_bound": result.lower_bound,
        "method": result.method,
        "warnings": [warning.code for warning in result.warnings],
        "cpu_seconds": end - middle,
        "trees": bound.value,
        "trees_stderr": bound.stderr,
        "trees_kind": bound.kind,
        "trees_cpu_seconds": middle - start,
    }


def verdict(record: dict) -> str:
    """How a value stands to the bound of the trees."""
    if record["value"] >= record["trees"] - CLOSE * record["trees_stderr"]:
        return "above"
    if record["high"] >= record["trees"]:
        return "interval and warning" if record["warnings"] else "interval, no warning"
    return "**below**"


def print_table(records: list[dict]) -> None:
    """The pairs, ranked by how far the value lies below the trees' bound."""
    print(
        "| pair | N | columns | ours | 95 % interval | at least | trees | trees - ours | verdict "
        "| CPU s, ours / trees | warnings |\n|---|--:|--:|--:|---|--:|---|--:|---|--:|---|"
    )
    for one in sorted(records, key=lambda record: record["value"] - record["trees"]):
        gap = one["trees"] - one["value"]
        least = "" if one["lower_bound"] is None else f"{one['lower_bound']:.3f}"
        print(
            f"| {one['pair']} | {one['n']} | {one['columns']} | {one['value']:.3f} "
            f"| [{one['low']:.3f}, {one['high']:.3f}] | {least} "
            f"| {one['trees']:.3f} ± {one['trees_stderr']:.3f}, {one['trees_kind']} "
            f"| {gap:+.3f} ({gap / max(one['trees_stderr'], 1e-9):+.1f} se) | {verdict(one)} "
            f"| {one['cpu_seconds']:.1f} / {one['trees_cpu_seconds']:.1f} | {', '.join(one['warnings'])} |"
        )
    ratios = [one["cpu_seconds"] / max(one["trees_cpu_seconds"], 1e-3) for one in records]
    held = sum(verdict(one) in {"above", "interval and warning"} for one in records)
    print(
        f"\n{held} of {len(records)} pairs hold (at least the bound less {CLOSE} standard errors, or an interval that "
        f"reaches it and a warning). Mean of ours {fmean(one['value'] for one in records):.3f}, of the trees "
        f"{fmean(one['trees'] for one in records):.3f}. CPU seconds {sum(one['cpu_seconds'] for one in records):.0f} "
        f"and {sum(one['trees_cpu_seconds'] for one in records):.0f}, median ratio {median(ratios):.1f}."
    )


def check(packages: Path) -> None:
    """Load every table."""
    for name, pair in PAIRS.items():
        try:
            x, y = pair.table(packages)
        except (OSError, KeyError, ValueError) as error:
            print(f"{name}: {type(error).__name__}: {error}")
            continue
        print(f"{name}: {x.shape[0]} x {x.shape[1]}, y {_described(y, pair)}, {int(x.isna().sum().sum())} missing")


def _described(y, pair: Pair) -> str:
    return f"{y.nunique()} labels" if pair.label else f"{np.min(y):g} to {np.max(y):g}"


def main() -> None:
    """Make the fits that are missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("REALDATA_PACKAGES", HERE / ".packages"))
    parser.add_argument("--packages", type=Path, default=default, help="folder of the packages that hold the tables")
    parser.add_argument("--install", action="store_true", help="install them there, and do nothing else")
    parser.add_argument("--check", action="store_true", help="only load the tables")
    parser.add_argument("--pair", action="append", choices=PAIRS, help="only this one; repeat it for several")
    parser.add_argument("--recipe", default="default", help="the recipe of ours")
    parser.add_argument("--seed", type=int, default=0, help="the seed of ours")
    parser.add_argument("--out", type=Path, default=HERE / "results.jsonl", help="file of the results")
    arguments = parser.parse_args()
    if arguments.install:
        install(arguments.packages)
        return
    if not arguments.packages.exists():
        raise SystemExit(f"{arguments.packages} is missing: run python benchmarks/realdata/run.py --install first.")
    if arguments.check:
        check(arguments.packages)
        return
    torch.set_num_threads(1)
    records = read_lines(arguments.out)
    finished = {(record["pair"], record["recipe"], record["seed"]) for record in records}
    for name in arguments.pair or PAIRS:
        if (name, arguments.recipe, arguments.seed) not in finished:
            records.append(measure(name, arguments.packages, arguments.recipe, arguments.seed))
            append_line(arguments.out, records[-1])
    chosen = [one for one in records if (one["recipe"], one["seed"]) == (arguments.recipe, arguments.seed)]
    print_table(chosen)


if __name__ == "__main__":
    main()
