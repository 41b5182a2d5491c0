"""Five relations at 2,000 samples with default settings: does the interval contain the truth?

python benchmarks/everyday/first_rows.py                 # seeds 0, 1, 2 into first_rows.jsonl; continues that file
python benchmarks/everyday/first_rows.py --seeds 5 --recipe quick --out quick.jsonl
"""

import argparse
import time
import warnings
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import torch

import mibounds as mi
from mibounds.benchmark.records import append_line, read_lines
from mibounds.tasks import FlippedLabel, Regression, Task
from mibounds.tasks.functions import RIPPLE, ROOT, SINE, STEPS
from mibounds.tasks.labels import XOR2
from mibounds.tasks.noises import Laplace, Normal

HERE = Path(__file__).parent
ROWS = 2_000
TASKS: dict[str, Task] = {
    "sin(2x) + 0.3 noise, two idle columns": Regression(SINE, Normal(0.3), 2),
    "cos(3 x1) x2 + 0.4 noise, three idle columns": Regression(RIPPLE, Normal(0.4), 3),
    "signed root + Laplace noise, two idle columns": Regression(ROOT, Laplace(0.2), 2),
    "floor(2x)/2 + 0.1 noise, one idle column": Regression(STEPS, Normal(0.1), 1),
    "sign(x1 x2) flipped with chance 0.1, six idle columns": FlippedLabel(XOR2, 0.1, 6),
}


def measure(name: str, seed: int, recipe: str) -> dict:
    """One fit as a record."""
    task = TASKS[name]
    x, y = task.sample(ROWS, torch.Generator().manual_seed(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # their codes are in the record
        start = time.process_time()
        result = mi.estimate(x, y, recipe=recipe, seed=seed, workers=1)
        seconds = time.process_time() - start
    low, high = result.interval
    return {
        "data": name,
        "seed": seed,
        "recipe": recipe,
        "n": ROWS,
        "truth": task.mutual_information,
        "value": result.value,
        "stderr": result.stderr,
        "low": low,
        "high": high,
        "lower_bound": result.lower_bound,
        "cpu_seconds": seconds,
        "warnings": [warning.code for warning in result.warnings],
    }


def main() -> None:
    """Make the fits that are missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds: 0, 1, ...")
    parser.add_argument("--recipe", default="default", help="the recipe of every fit")
    parser.add_argument("--out", type=Path, default=HERE / "first_rows.jsonl", help="file of the results")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    records = read_lines(arguments.out)
    finished = {(record["data"], record["seed"], record["recipe"]) for record in records}
    for seed in range(arguments.seeds):
        for name in TASKS:
            if (name, seed, arguments.recipe) not in finished:
                records.append(measure(name, seed, arguments.recipe))
                append_line(arguments.out, records[-1])
    groups = defaultdict(list)
    for record in records:
        groups[record["data"], record["recipe"]].append(record)
    print("| data | recipe | truth | values | mean error | intervals hold | CPU s | warnings |")
    print("|---|---|--:|---|--:|--:|--:|---|")
    for (name, recipe), group in groups.items():
        values = ", ".join(f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in group)
        hits = sum(one["low"] <= one["truth"] <= one["high"] for one in group)
        error = fmean(abs(one["value"] - one["truth"]) for one in group)
        codes = ", ".join(sorted({code for one in group for code in one["warnings"]}))
        print(
            f"| {name} | {recipe} | {group[0]['truth']:.3f} | {values} | {error:.3f} | {hits} of {len(group)} "
            f"| {fmean(one['cpu_seconds'] for one in group):.1f} | {codes} |"
        )


if __name__ == "__main__":
    main()
