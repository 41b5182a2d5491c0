"""Errors on the suite EVERYDAY as multiples of the floor, and how often intervals contain the truth.

python benchmarks/everyday/summary.py                          # of results.jsonl beside this file
python benchmarks/everyday/summary.py a.jsonl b.jsonl --tasks  # also a line for each task

The floor is the mean absolute error of an efficient unbiased estimator, sqrt(2/pi) sd/sqrt(N), where sd is the standard
deviation of the exact log-ratio, over 20,000 samples: no regular estimator without bias has a smaller standard error.
"""

import argparse
import math
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median

import torch

from mibounds.benchmark.records import Failed, Measured, read_records
from mibounds.tasks import Task
from mibounds.tasks.everyday import FAMILIES

HERE = Path(__file__).parent
SAMPLES = 20_000
FAR = 0.2, 0.1  # of the truth, and nats: a task whose median error exceeds both is listed
FAMILY_OF = {repr(task): name for name, tasks in FAMILIES.items() for task in tasks}
TASK_OF = {repr(task): task for tasks in FAMILIES.values() for task in tasks}
HEAD = (
    "| {} | tasks | error / floor | mean error | bias | intervals hold | lower bounds hold | width / floor se "
    "| median s |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def spread_of(task: Task) -> float:
    """The standard deviation of the log-ratio."""
    ratios = task.log_ratio(*task.sample(SAMPLES, torch.Generator().manual_seed(0)))
    return float(ratios.double().std())


def floor_of(spread: float, n: int) -> float:
    """The mean absolute error of an efficient estimator."""
    return math.sqrt(2 / math.pi) * spread / math.sqrt(n)


def line(title: str, records: list[Measured], spreads: dict[str, float]) -> str:
    """A row of the table; the mean over tasks of means over seeds."""
    by_task = defaultdict(list)
    for record in records:
        by_task[record.task].append(record)
    multiples = [
        fmean(abs(one.deviation) for one in group) / floor_of(spreads[task], group[0].n)
        for task, group in by_task.items()
    ]
    widths = [(one.high - one.low) / (spreads[one.task] / math.sqrt(one.n)) for one in records]
    bounded = [one for one in records if one.lower_bound is not None]
    below = f"{1 - fmean(one.exceeded for one in bounded):.0%} of {len(bounded)}" if bounded else ""
    return (
        f"| {title} | {len(by_task)} | {fmean(multiples):.1f} | {fmean(abs(one.deviation) for one in records):.3f} "
        f"| {fmean(one.deviation for one in records):+.3f} | {fmean(one.hit for one in records):.0%} of {len(records)} "
        f"| {below} | {median(widths):.1f} | {median(one.seconds for one in records):.1f} |"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="*", default=[HERE / "results.jsonl"], help="files of results")
    parser.add_argument("--tasks", action="store_true", help="a line for each task, too")
    arguments = parser.parse_args()
    records = [record for path in arguments.results for record in read_records(path) if record.task in FAMILY_OF]
    good = [record for record in records if isinstance(record, Measured)]
    if not good:
        raise SystemExit(f"{', '.join(map(str, arguments.results))}: no results of this suite.")
    spreads = {task: spread_of(TASK_OF[task]) for task in {record.task for record in good}}
    for estimator, n in sorted({(record.estimator, record.n) for record in good}):
        group = [record for record in good if (record.estimator, record.n) == (estimator, n)]
        print(f"\n## {estimator}, {n:,} samples\n\n{HEAD.format('family')}")
        for family in FAMILIES:
            if some := [record for record in group if FAMILY_OF[record.task] == family]:
                print(line(family, some, spreads))
        print(line("**all**", group, spreads))
        if arguments.tasks:
            print(f"\n{HEAD.format('task')}")
            for task in TASK_OF:
                if some := [record for record in group if record.task == task]:
                    print(line(f"{task}, {some[0].truth:.3f} nats", some, spreads))
        for task in TASK_OF:
            some = [record for record in group if record.task == task]
            error = median(abs(record.deviation) for record in some) if some else 0.0
            if some and error > max(FAR[0] * some[0].truth, FAR[1]):
                values = ", ".join(f"{record.value:.3f}" for record in some)
                print(f"\nFar off: {task}, truth {some[0].truth:.3f}, values {values}")
    for record in records:
        if isinstance(record, Failed):
            print(f"\nFailed: {record.task}, {record.n:,} samples, seed {record.seed}: {record.error}")


if __name__ == "__main__":
    main()
