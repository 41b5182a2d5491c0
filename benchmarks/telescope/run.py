"""High information: `mi.Telescope` at 15 and 20 nats, and against `mi.estimate` at 10 nats behind a mixing.

python benchmarks/telescope/run.py         # continues an interrupted run, and prints the table of README.md

Raw results go into results.jsonl, one line a case.
"""

import argparse
import json
import platform
import time
import warnings
from pathlib import Path
from typing import Any

import torch

import mibounds as mi
from mibounds.benchmark.records import append_line, read_lines
from mibounds.tasks import CorrelatedGaussian, Task, Transformed
from mibounds.tasks.maps import CUBIC, HALF_CUBE, IDENTITY, mixing

HERE = Path(__file__).parent
DIM, ROWS, SEED = 20, 50_000, 0
RECIPE: dict[str, Any] = {"steps": 1_500, "lr": 5e-3}


def task(shape: str, nats: int) -> Task:
    """Those of `suites.HIGH_MI`."""
    gaussian = CorrelatedGaussian.with_information(DIM, nats)
    if shape == "mixed":
        tails = Transformed(gaussian, HALF_CUBE, HALF_CUBE)
        return Transformed(tails, mixing(DIM, seed=0), mixing(DIM, seed=1))
    return Transformed(gaussian, IDENTITY, CUBIC if shape == "cubic" else IDENTITY)


# Shape, nats, estimator, and what preprocesses.
CASES = {
    f"{shape}-{nats}-{estimator}": (shape, nats, estimator)
    for shape, nats, estimator in (
        ("gaussian", 15, "telescope"),
        ("gaussian", 20, "telescope"),
        ("cubic", 15, "telescope"),
        ("cubic", 20, "telescope"),
        ("mixed", 10, "telescope"),
        ("mixed", 10, "telescope on ranks"),
        ("mixed", 10, "estimate"),
    )
}


def measure(shape: str, nats: int, estimator: str) -> dict[str, Any]:
    """One case: its value, interval and seconds."""
    x, y = task(shape, nats).sample(ROWS, torch.Generator().manual_seed(SEED))
    torch.manual_seed(SEED)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mi.MIWarning)
        if estimator == "estimate":
            result = mi.estimate(x, y, seed=SEED)
        else:
            preprocessing = mi.Gaussianize() if estimator == "telescope" else mi.RankGaussianize()
            result = mi.Trainer(preprocessing=preprocessing, seed=SEED, **RECIPE).fit(mi.Telescope(DIM, DIM), x, y)
    return {
        "shape": shape,
        "nats": nats,
        "estimator": estimator,
        "rows": ROWS,
        "seed": SEED,
        "value": round(result.value, 4),
        "interval": [round(end, 4) for end in result.interval],
        "folds": [round(value, 4) for value in result.fold_values],
        "seconds": round(time.perf_counter() - start, 1),
        "mibounds": mi.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def table(records: list[dict[str, Any]]) -> str:
    """The table of README.md."""
    lines = ["| task | truth | estimator | value | off by | interval | seconds |", "|---|---|---|---|---|---|---|"]
    order = list(CASES.values())
    for record in sorted(records, key=lambda r: order.index((r["shape"], r["nats"], r["estimator"]))):
        off = record["value"] / record["nats"] - 1
        low, high = record["interval"]
        lines.append(
            f"| {record['shape']} | {record['nats']} | {record['estimator']} | {record['value']:.2f} | {off:+.1%} | "
            f"{low:.2f} to {high:.2f} | {record['seconds']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure what is not in results.jsonl yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="by default all of them")
    parser.add_argument("--out", type=Path, default=HERE / "results.jsonl")
    parser.add_argument("--threads", type=int, default=1, help="folds side by side")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name in arguments.cases:
        if CASES[name] not in {(r["shape"], r["nats"], r["estimator"]) for r in read_lines(arguments.out)}:
            record = measure(*CASES[name])
            append_line(arguments.out, record)
            print(json.dumps(record), flush=True)
    print(table(read_lines(arguments.out)))


if __name__ == "__main__":
    main()
