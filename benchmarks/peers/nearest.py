"""Is our KSG the KSG of scikit-learn and of benchmark-mi? One column a side, three neighbors, the same rows.

python benchmarks/peers/nearest.py

Prints a line for each of the tasks of one column a side, and the largest differences.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from environments import default_folder, python_of, variables_of
from sklearn.feature_selection import mutual_info_regression

from mibounds.benchmark.records import Key
from mibounds.benchmark.runner import sample_rows
from mibounds.classical import ksg
from mibounds.tasks.suites import BMI40

HERE = Path(__file__).parent


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=2_000, help="rows")
    parser.add_argument("--environments", type=Path, default=default_folder(), help="of the peers")
    wanted = parser.parse_args()
    python = python_of("benchmark-mi", wanted.environments)
    differences = []
    print("| task | ours | scikit-learn | benchmark-mi |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "sample.npz"
        for task in BMI40:
            x, y = sample_rows(Key("bmi40", repr(task), "", wanted.n, 0), task)
            if x.shape[1] + y.shape[1] > 2:
                continue
            # Both sides standardized in float64, as the others do it once more.
            x, y = ((side.double() - side.double().mean()) / side.double().std(correction=0) for side in (x, y))
            np.savez(arrays, x=x.numpy(), y=y.numpy())
            command = [python, HERE / "workers" / "fit_benchmark_mi.py", "KSG of 3", arrays, "0"]
            ended = subprocess.run(
                command, env=variables_of("benchmark-mi"), capture_output=True, text=True, check=True
            )
            theirs = json.loads(ended.stdout.splitlines()[-1])["value"]
            learnt = mutual_info_regression(x.numpy(), y.numpy().ravel(), random_state=0)[0]
            ours = ksg(x, y)
            differences.append((abs(ours - learnt), abs(ours / theirs - 1)))
            print(f"| `{task!r}` | {ours:.6f} | {learnt:.6f} | {theirs:.6f} |", flush=True)
    absolute, relative = (max(column) for column in zip(*differences, strict=True))
    print(f"\nLargest difference from scikit-learn {absolute:.1e} nats, from benchmark-mi {relative:.2%}.")


if __name__ == "__main__":
    main()
