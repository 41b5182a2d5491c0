"""Do our 40 tasks draw what benchmark-mi draws? A two-sample check of each, written to samplers.csv.

python benchmarks/peers/samplers.py

Its own samples of the same task are compared with ours column by column and pair of columns by pair of columns; how is
told in workers/compare_samples.py.
"""

import argparse
import csv
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from environments import default_folder, python_of, variables_of

from mibounds.tasks.suites import BMI40

HERE = Path(__file__).parent
ALARM = 0.001

_NORMAL, _STUDENT = "1v1-normal-0.75", "student-identity"
_PAIRS = [f"multinormal-sparse-{dim}-{dim}-2-2.0" for dim in (2, 3, 5, 25)]

NAMES = [
    _NORMAL,
    f"normal_cdf-{_NORMAL}",
    f"half_cube-{_NORMAL}",
    f"wiggly-{_NORMAL}",
    "1v1-bimodal-0.75",
    f"swissroll_x-normal_cdf-{_NORMAL}",
    "1v1-additive-0.1",
    "1v1-additive-0.75",
    *(f"multinormal-dense-{dim}-{dim}-0.5" for dim in (2, 3, 5, 25, 50)),
    *_PAIRS,
    *(f"{_STUDENT}-{dim}-{dim}-{df}" for dim, df in ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))),
    *(f"{over}-{base}" for over in ("normal_cdf", "half_cube", "spiral", "spiral-normal_cdf") for base in _PAIRS[1:]),
    *(f"asinh-{_STUDENT}-{dim}-{dim}-{df}" for dim, df in ((1, 1), (2, 1), (3, 2), (5, 2))),
]
"""The peer's names of our tasks, in the order of `BMI40`."""


def main() -> None:
    """Draw, compare, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=5_000, help="rows of each sample")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--environments", type=Path, default=default_folder(), help="of the peers")
    wanted = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for task, name in zip(BMI40, NAMES, strict=True):
            x, y = task.sample(wanted.n, torch.Generator().manual_seed(wanted.seed))
            np.savez(Path(folder) / f"{name}.npz", x=x.numpy(), y=y.numpy())
        script = HERE / "workers" / "compare_samples.py"
        command = [python_of("benchmark-mi", wanted.environments), script, folder, str(wanted.seed), *NAMES]
        lines = subprocess.run(
            command, env=variables_of("benchmark-mi"), stdout=subprocess.PIPE, text=True, check=True
        ).stdout
    for task, line in zip(BMI40, lines.splitlines(), strict=True):
        told = json.loads(line)
        rows.append(
            {
                "task": repr(task),
                "peer": told["name"],
                "truth": f"{task.mutual_information:.6f}",
                "peer_truth": f"{told['truth']:.6f}",
                "comparisons": told["comparisons"],
                "p": f"{told['p']:.3g}",
                "smallest": told["smallest"],
                "correlation_deviation": f"{told['deviation']:.2f}",
            }
        )
        print(" | ".join(str(cell) for cell in list(rows[-1].values())[1:]))
    with (HERE / "samplers.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    odd = [row["peer"] for row in rows if float(row["p"]) < ALARM]
    apart = [row["peer"] for row in rows if abs(float(row["truth"]) - float(row["peer_truth"])) > 1e-6]
    print(f"samples that differ (p < {ALARM}): {odd or 'none'}; truths that differ: {apart or 'none'}")


if __name__ == "__main__":
    main()
