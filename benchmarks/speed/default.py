"""CPU seconds of an estimate of the first example of the README: raw results in default.jsonl, and a table.

python benchmarks/speed/default.py      # less than a minute of one idle core; replaces default.jsonl

Three columns of x and one of y, or one and one, 500, 2,000 and 10,000 rows, one thread, the recipe "quick" and the
default. Of one and one, y is the first column of x and noise, which needs no training. Every
estimate has a process of its own, in which a small one ran before the clock: imports are not counted. The table is that
of docs/performance.md (tests/test_documents.py).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ROWS = (500, 2_000, 10_000)
CASES: dict[str, tuple[int, dict[str, str]]] = {
    'recipe="quick", 3 + 1 columns': (3, {"recipe": "quick"}),
    "default, 3 + 1 columns": (3, {}),
    "default, 1 + 1 columns": (1, {}),
}

ONE = """
import json, resource, sys, time, warnings
import numpy as np
import torch
import mibounds as mi

warnings.simplefilter("ignore")
torch.set_num_threads(1)
rows, columns, settings = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])

def draw(rows):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns))
    signal = np.sin(2 * x[:, :1]) if columns > 1 else x
    return x, signal + 0.3 * rng.normal(size=(rows, 1))

def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)

mi.estimate(*draw(300), **{**settings, "steps": 10})
data = draw(rows)
start, before = time.perf_counter(), cpu()
result = mi.estimate(*data, **settings)
took = {"seconds": time.perf_counter() - start, "cpu": cpu() - before}
versions = {"mibounds": mi.__version__, "torch": torch.__version__}
print(json.dumps({"value": result.value, "interval": result.interval, **took, "versions": versions}))
"""


def estimate(rows: int, name: str) -> dict[str, Any]:
    """One estimate in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    columns, settings = CASES[name]
    command = [sys.executable, "-c", ONE, str(rows), str(columns), json.dumps(settings)]
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return {"rows": rows, "columns": [columns, 1], "settings": name, **json.loads(ran.stdout)}


def table(records: list[dict[str, Any]]) -> str:
    """CPU seconds by settings and number of rows."""
    cells = {(record["settings"], record["rows"]): f"{record['cpu']:.1f}" for record in records}
    lines = [["CPU seconds", *(f"{rows:,} rows" for rows in ROWS)], ["---", *("--:" for _ in ROWS)]]
    lines += [[name, *(cells[name, rows] for rows in ROWS)] for name in CASES]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace(" --- ", "---").replace(" --: ", "--:")


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "default.jsonl")
    options = parser.parse_args()
    records = []
    for name in CASES:
        for rows in ROWS:
            records.append({**estimate(rows, name), "python": platform.python_version()})
            print(records[-1], flush=True)
    options.out.write_text("".join(json.dumps(record) + "\n" for record in records))
    print(table(records))


if __name__ == "__main__":
    main()
