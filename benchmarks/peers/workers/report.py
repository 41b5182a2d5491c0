"""What every worker does around its fit: arrays in, one line of JSON out. Needs NumPy and nothing else."""

import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

import numpy as np

Fit = Callable[[np.ndarray, np.ndarray, int], float]


def main(settings: Mapping[str, Fit], *packages: str) -> None:
    """Run `SCRIPT SETTING ARRAYS SEED`: fit x and y of an .npz file and print value (nats), seconds and versions.

    The clock runs over the whole fit: everything but imports and reading the file.
    """
    setting, arrays, seed = sys.argv[1:]
    with np.load(arrays) as file:
        x, y = file["x"], file["y"]
    start = time.perf_counter()
    value = float(settings[setting](x, y, int(seed)))
    seconds = time.perf_counter() - start
    versions = {name: version(name) for name in packages} | {"python": platform.python_version()}
    print(json.dumps({"value": value, "seconds": round(seconds, 3), "versions": versions}))
