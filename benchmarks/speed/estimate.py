"""A default estimate now and at an older commit, in turns: raw results in estimate.jsonl, medians and ratios printed.

python benchmarks/speed/estimate.py --against e17003b     # before anything was made quicker

Some ten minutes of two idle cores. 10,000 rows of four tasks with five columns a side. Every estimate has a process of
its own, in which a small one ran before the clock; the older commit's sources are taken from git.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TASKS = {10: "dense Gaussian", 15: "two pairs", 22: "Student", 28: "half-cube"}  # of the forty

ONE = """
import json, sys, time, warnings
import torch
import mibounds as mi
from mibounds.tasks.suites import BMI40
warnings.simplefilter("ignore")
task, seed = BMI40[int(sys.argv[1])], int(sys.argv[2])
x, y = task.sample(10_000, torch.Generator().manual_seed(seed))
mi.estimate(x[:300], y[:300], steps=10)
start, cpu = time.perf_counter(), time.process_time()
value = mi.estimate(x, y, seed=seed).value
took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
print(json.dumps({"shape": [x.shape[1], y.shape[1]], "value": value, "truth": task.mutual_information, **took}))
"""


def estimate(source: Path, task: int, seed: int) -> dict[str, Any]:
    """One estimate in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(source)}
    ran = subprocess.run(
        [sys.executable, "-c", ONE, str(task), str(seed)], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def main() -> None:
    """Measure in turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", required=True, help="a commit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "estimate.jsonl")
    options = parser.parse_args()
    records = []
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", options.against, "src"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        for seed in range(options.rounds):
            for task, name in TASKS.items():
                both = {"then": estimate(Path(folder) / "src", task, seed), "now": estimate(ROOT / "src", task, seed)}
                records += [{"task": name, "seed": seed, "at": at, **found} for at, found in both.items()]
                print(*records[-2:], sep="\n", flush=True)
    options.out.write_text("".join(json.dumps({**record, "then": options.against}) + "\n" for record in records))
    then, now = ([record for record in records if record["at"] == at] for at in ("then", "now"))
    for what in ("seconds", "cpu"):
        ratio = statistics.median(a[what] / b[what] for a, b in zip(then, now, strict=True))
        before, after = (statistics.median(record[what] for record in side) for side in (then, now))
        print(f"{what}: {before:.1f} to {after:.1f}, {ratio:.2f} times")
    errors = [statistics.fmean(abs(r["value"] - r["truth"]) for r in side) for side in (then, now)]
    print("mean error: " + " to ".join(f"{error:.4f}" for error in errors))


if __name__ == "__main__":
    main()
