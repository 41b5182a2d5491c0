"""CPU seconds of an estimate of wide tables: raw results in wide.jsonl, which is replaced.

python benchmarks/speed/wide.py      # some five minutes of one core

200 rows of 5,000 columns of x and one of y, and 2,000 rows of 2,000 columns of x and of y; three factors are hidden in
them. One thread, default settings. A small estimate runs before the clock starts: imports are not counted.
"""

import json
import time
import warnings
from pathlib import Path

import numpy as np
import torch

import mibounds as mi
from mibounds._version import versions

SHAPES = (200, 5_000, 1), (2_000, 2_000, 2_000)


def draw(rows: int, dim_x: int, dim_y: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns that are mixtures of three factors and noise."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(rows, 3))
    x, y = (factors @ rng.normal(size=(3, dim)) + 3 * rng.normal(size=(rows, dim)) for dim in (dim_x, dim_y))
    return x, y


def main() -> None:
    """Measure both shapes."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    mi.estimate(*draw(300, 3, 1), steps=10)
    lines = []
    for shape in SHAPES:
        data = draw(*shape)
        start, before = time.perf_counter(), time.process_time()
        found = mi.estimate(*data)
        took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - before}
        lines.append({"shape": shape, "value": found.value, "interval": found.interval, **took, "versions": versions()})
        print(lines[-1], flush=True)
    (Path(__file__).parent / "wide.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main()
