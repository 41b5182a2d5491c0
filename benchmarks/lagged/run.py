"""Transfer entropy of a linear process against its closed form, and the level and power of its p-value.

python benchmarks/lagged/run.py      # continues an interrupted run; writes results.jsonl and the README's tables

The value: 20,000 steps of a process in which x drives y, both directions, 20 seeds. The p-value: 1,000 steps of
processes in which x does not drive y, and of two in which it does.
"""

import argparse
import statistics
import time
import warnings
from collections import defaultdict
from pathlib import Path

import joblib
import torch

import mibounds as mi
from mibounds.benchmark.page import write_between
from mibounds.benchmark.records import append_line, read_lines
from mibounds.tasks import VectorAutoregression
from mibounds.training.workers import fast_arithmetic

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
DRIVEN = VectorAutoregression.one_way(memory=0.5, coupling=0.8)
STEPS, QUICK = 20_000, {"folds": 2, "steps": 300, "hidden": (64, 64)}
SHORT, QUICKER = 1_000, {"folds": 2, "steps": 100, "hidden": (32, 32), "permutations": 99}
TESTED = {  # the process, and whether the direction is turned round
    "nothing flows": (VectorAutoregression.one_way(0.5, 0.0), False),
    "nothing flows, slow": (VectorAutoregression.one_way(0.9, 0.0), False),
    "only the other way": (VectorAutoregression.one_way(0.7, 1.5), True),
    "weakly driven": (VectorAutoregression.one_way(0.5, 0.2), False),
    "driven": (VectorAutoregression.one_way(0.5, 0.4), False),
}
Record = dict[str, object]


def measure(process: VectorAutoregression, rows: int, reverse: bool, seed: int, options: dict) -> Record:
    """One transfer entropy."""
    x, y = process.sample(rows, torch.Generator().manual_seed(1000 + seed))
    source, target = (y, x) if reverse else (x, y)
    start = time.perf_counter(), time.process_time()
    with fast_arithmetic(torch.device("cpu")), joblib.parallel_config(backend="sequential"), warnings.catch_warnings():
        warnings.simplefilter("ignore", mi.MIWarning)
        found = mi.transfer_entropy(source, target, seed=seed, **options)
    low, high = found.interval
    return {
        "seed": seed, "value": found.value, "stderr": found.stderr, "low": low, "high": high, "pvalue": found.pvalue,
        "truth": process.transfer_entropy(reverse=reverse), "seconds": round(time.perf_counter() - start[0], 1),
        "cpu_seconds": round(time.process_time() - start[1], 1),
    }  # fmt: skip


def one(kind: str, name: str, seed: int) -> Record:
    """One measurement of the value, or of the p-value."""
    if kind == "value":
        return {"kind": kind, "name": name, **measure(DRIVEN, STEPS, name == "y to x", seed, QUICK)}
    return {"kind": kind, "name": name, **measure(TESTED[name][0], SHORT, TESTED[name][1], seed, QUICKER)}


def tables(records: list[Record]) -> str:
    """Markdown: the values against the truth, and how often the test rejects."""
    found: dict[tuple[object, object], list[Record]] = defaultdict(list)
    for record in records:
        found[record["kind"], record["name"]].append(record)
    lines = [
        "| direction | closed form | mean of the seeds | error of the mean | smallest, largest | intervals that hold | "
        "seconds |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name in ("x to y", "y to x"):
        if group := found["value", name]:
            values, truth = [one["value"] for one in group], group[0]["truth"]
            mean = round(statistics.mean(values), 4) + 0.0  # which makes 0 of -0
            off = f"{mean / truth - 1:+.1%}" if truth > 1e-9 else f"{mean:+.4f} nats"
            held = sum(one["low"] <= one["truth"] <= one["high"] for one in group)
            seconds = statistics.median(one["cpu_seconds"] for one in group)
            lines.append(
                f"| {name} | {abs(truth):.4f} | {mean:.4f} | {off} | {min(values):.4f}, {max(values):.4f} | "
                f"{held} of {len(group)} | {seconds:.0f} |"
            )
    forth, back = ({one["seed"]: one["value"] for one in found["value", n]} for n in ("x to y", "y to x"))
    seeds = forth.keys() & back.keys()
    lines += ["", f"The direction is right in {sum(forth[s] > back[s] for s in seeds)} of {len(seeds)}.", ""]
    lines += ["| 1,000 steps | closed form | p <= 0.05 | p <= 0.1 |", "|---|--:|--:|--:|"]
    for name, (process, reverse) in TESTED.items():
        pvalues = [one["pvalue"] for one in found["pvalue", name]]
        counts = " | ".join(f"{sum(p <= level for p in pvalues)} of {len(pvalues)}" for level in (0.05, 0.1))
        lines.append(f"| {name} | {abs(process.transfer_entropy(reverse=reverse)):.4f} | {counts} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, and put the tables into README.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="of the value")
    parser.add_argument("--pvalue-seeds", type=int, default=40, help="of each process of the p-value")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    known = read_lines(RESULTS)
    done = {(record["kind"], record["name"], record["seed"]) for record in known}
    wanted = [("value", name, seed) for seed in range(options.seeds) for name in ("x to y", "y to x")]
    wanted += [("pvalue", name, seed) for seed in range(options.pvalue_seeds) for name in TESTED]
    parallel = joblib.Parallel(options.jobs, return_as="generator_unordered", batch_size=1)
    for record in parallel(joblib.delayed(one)(*key) for key in wanted if key not in done):
        append_line(RESULTS, record)
        known.append(record)
    markers = "<!-- tables: made by run.py -->", "<!-- end of tables -->"
    write_between(HERE / "README.md", *markers, f"\n\n{tables(known)}\n\n")
    print(tables(known))


if __name__ == "__main__":
    main()
