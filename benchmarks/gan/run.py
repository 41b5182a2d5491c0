"""The GAN on points of the plane, over weights of the information term and seeds: raw results and the table.

python benchmarks/gan/run.py            # continues an interrupted run; --help lists what can be chosen

The networks, rates and steps are those of `mibounds demo gan`; the runs differ in beta only, and beta 0 is the plain
GAN.
"""

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path

import joblib
from records import append

from mibounds.benchmark.records import read_lines
from mibounds.demos.gan import RECIPES, train
from mibounds.demos.targets import gaussians, spirals

RESULTS = Path(__file__).parent / "results.jsonl"
TARGETS = {"gaussians": gaussians, "spirals": spirals}
# data, weights, seeds; in this order
PLAN = [
    ("gaussians", (RECIPES["gaussians"].beta, 0.0), range(5)),
    ("spirals", (RECIPES["spirals"].beta, 0.0), range(3)),
    ("gaussians", (0.1, 1.0, 3.0), range(3)),
]


def one(data: str, beta: float, seed: int) -> None:
    """One training; its metrics are appended to the results."""
    began = time.process_time()
    outcome = train(replace(RECIPES[data], beta=beta), TARGETS[data](seed=seed), seed)
    record = {"data": data, "beta": beta, "seed": seed, **asdict(outcome.metrics)}
    append(RESULTS, record, outcome.seconds, began)


def main() -> None:
    """Run what is missing."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--jobs", type=int, default=2, help="runs side by side, one thread each")
    options.add_argument("--data", choices=[*TARGETS], help="only this")
    options.add_argument("--beta", type=float, help="only this weight")
    chosen = options.parse_args()
    done = {(r["data"], r["beta"], r["seed"]) for r in read_lines(RESULTS)}
    plan = [(data, beta, seed) for data, betas, seeds in PLAN for seed in seeds for beta in betas]
    missing = [
        what
        for what in plan
        if what not in done
        and (chosen.data is None or what[0] == chosen.data)
        and (chosen.beta is None or what[1] == chosen.beta)
    ]
    joblib.Parallel(n_jobs=chosen.jobs)(joblib.delayed(one)(*what) for what in missing)


if __name__ == "__main__":
    main()
