"""Cost and memory against the number of rows, and a table that stays on disk: raw results in rows.jsonl.

python benchmarks/speed/rows.py      # some twenty minutes of one core

10,000 to a million rows in memory, then five million in a file. Every estimate has a process of its own. Memory is
RssAnon, what the process holds itself and no file backs: the most of it during the estimate, above what it was after
the imports, beside the size of the data.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from mibounds.benchmark.records import append_line, read_lines

HERE = Path(__file__).parent
COLUMNS, CORRELATION = 10, 0.5  # of each side, and of each pair of columns
ROWS = (10_000, 31_623, 100_000, 316_228, 1_000_000)
ON_DISK = 5_000_000

ONE = """
import json, resource, sys, threading, time, warnings
from pathlib import Path
import numpy as np
import torch
import mibounds as mi

warnings.simplefilter("ignore")
torch.set_num_threads(1)
path, x_columns = sys.argv[1], int(sys.argv[2])
table = np.load(path, mmap_mode="r" if sys.argv[3] == "disk" else None)

def held():
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024

mi.estimate(torch.randn(300, 2), torch.randn(300, 1), steps=10)
before, peak, over = held(), 0.0, threading.Event()

def watch():
    global peak
    while not over.wait(0.05):
        peak = max(peak, held())

watcher = threading.Thread(target=watch)
watcher.start()
start, cpu = time.perf_counter(), time.process_time()
result = mi.estimate(table[:, :x_columns], table[:, x_columns:])
took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
over.set()
watcher.join()
took |= {"mb_above_start": max(peak, held()) - before, "mb_at_start": before}
print(json.dumps({"value": result.value, "interval": result.interval, **took}))
"""


def write(path: Path, rows: int, seed: int) -> None:
    """Correlated Gaussian columns, block by block, as a .npy file of float32."""
    generator = np.random.default_rng(seed)
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, 2 * COLUMNS))
    for start in range(0, rows, 100_000):
        block = generator.standard_normal((min(100_000, rows - start), 2 * COLUMNS), dtype=np.float32)
        block[:, COLUMNS:] *= math.sqrt(1 - CORRELATION**2)
        block[:, COLUMNS:] += CORRELATION * block[:, :COLUMNS]
        table[start : start + len(block)] = block
    table.flush()


def estimate(rows: int, seed: int, where: str, folder: Path) -> dict[str, Any]:
    """One estimate in a process of its own."""
    path = folder / "table.npy"
    write(path, rows, seed)
    command = [sys.executable, "-c", ONE, str(path), str(COLUMNS), where]
    ran = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True
    )
    size = path.stat().st_size / 2**20
    path.unlink()
    truth = -COLUMNS / 2 * math.log(1 - CORRELATION**2)
    return {"rows": rows, "seed": seed, "where": where, "mb_of_data": size, "truth": truth, **json.loads(ran.stdout)}


def main() -> None:
    """Measure what is missing, and print the exponent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=list(ROWS), help="in memory")
    parser.add_argument("--on-disk", type=int, default=ON_DISK, help="0: none")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="for the files; some 400 MB")
    parser.add_argument("--out", type=Path, default=HERE / "rows.jsonl")
    options = parser.parse_args()
    records = read_lines(options.out)
    done = {(record["rows"], record["seed"], record["where"]) for record in records}
    wanted = [(rows, seed, "memory") for rows in options.rows for seed in range(options.seeds)]
    wanted += [(options.on_disk, 0, "disk")] if options.on_disk else []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for rows, seed, where in wanted:
            if (rows, seed, where) not in done:
                records.append(estimate(rows, seed, where, Path(folder)))
                append_line(options.out, records[-1])
                print(records[-1], flush=True)
    in_memory = [record for record in records if record["where"] == "memory"]
    logs = [[math.log(record[name]) for record in in_memory] for name in ("rows", "cpu")]
    print(f"CPU seconds grow like rows to the power {statistics.linear_regression(*logs).slope:.2f}")


if __name__ == "__main__":
    main()
