"""The default estimate of fixed samples, one JSON line a task: run before and after a change that must move no number.

    python benchmarks/pipeline/values.py benchmarks/pipeline/after.jsonl
    python benchmarks/pipeline/values.py --compare benchmarks/pipeline/before.jsonl benchmarks/pipeline/after.jsonl

Twenty samples of 2,000 rows: the quick suite and every fourth of the forty tasks.
"""

import argparse
import json
import subprocess
import warnings
from pathlib import Path

import torch

import mibounds as mi
from mibounds.tasks import suites

ROWS, SEED = 2_000, 0


def tasks():
    """The quick suite, and every fourth of the forty tasks."""
    return [("quick", task) for task in suites.QUICK] + [("bmi40", task) for task in suites.BMI40[::4]]


def measure(out: Path) -> None:
    """One line a task: the value, its error, interval and certified lower bound."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(mi.__file__).parent,
    ).stdout.strip()
    with out.open("w", encoding="utf-8") as file:
        for suite, task in tasks():
            x, y = task.sample(ROWS, torch.Generator().manual_seed(SEED))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = mi.estimate(x, y, seed=SEED)
            record = {
                "suite": suite,
                "task": str(task),
                "truth": task.mutual_information,
                "value": result.value,
                "stderr": result.stderr,
                "interval": list(result.interval),
                "lower_bound": result.lower_bound,
                "codes": [warning.code for warning in result.warnings],
                "commit": commit,
                "torch": torch.__version__,
            }
            file.write(json.dumps(record) + "\n")
            file.flush()


def compare(before: Path, after: Path) -> None:
    """The largest difference of each number, and the tasks where one exceeds 1e-6."""
    old, new = (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in (before, after)
    )
    differences = dict.fromkeys(("value", "stderr", "low", "high", "lower_bound"), 0.0)
    for one, other in zip(old, new, strict=True):
        assert one["task"] == other["task"], f"{one['task']} against {other['task']}"
        ends = [{**record, "low": record["interval"][0], "high": record["interval"][1]} for record in (one, other)]
        for name in differences:
            gap = abs(ends[0][name] - ends[1][name])
            differences[name] = max(differences[name], gap)
            if gap > 1e-6:
                print(f"{one['task']}: {name} {ends[0][name]:.6g} before, {ends[1][name]:.6g} after")
        if one["codes"] != other["codes"]:
            print(f"{one['task']}: warnings {one['codes']} before, {other['codes']} after")
    print("largest differences:", {name: f"{gap:.2g}" for name, gap in differences.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="*", help="the file to write, or with --compare the two to compare")
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    if options.compare:
        compare(*options.out)
    else:
        measure(options.out[0])
