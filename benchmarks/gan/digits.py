"""The GAN on stacked digits, 1,000 modes, over bounds and seeds: raw results; `page.py` writes the table.

python benchmarks/gan/digits.py         # continues an interrupted run; --help lists what can be chosen

The networks, rates and steps are the same in all runs: those of `DigitsRecipe`.
"""

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import joblib
from records import append

from mibounds.benchmark.records import read_lines
from mibounds.demos.stacked_digits import DigitsRecipe, classifier, train

RESULTS = Path(__file__).parent / "digits.jsonl"
METHODS: dict[str, dict[str, Any]] = {
    "plain": {"beta": 0.0},
    "mine": {},
    "infonce": {"regularizer": "nce"},
    "dv": {"regularizer": "dv"},
}
SEEDS = 3


def one(method: str, seed: int) -> None:
    """One training; its coverage is appended to the results."""
    began = time.process_time()
    outcome = train(replace(DigitsRecipe(), **METHODS[method]), seed)
    record = {"method": method, "seed": seed, **asdict(outcome.coverage), "accuracy": classifier().accuracy}
    append(RESULTS, record, outcome.seconds, began)


def main() -> None:
    """Run what is missing."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--jobs", type=int, default=2, help="runs side by side, one thread each")
    options.add_argument("--methods", nargs="+", default=[*METHODS], choices=[*METHODS], help="only these")
    options.add_argument("--seeds", type=int, default=SEEDS, help="number of seeds, from 0")
    chosen = options.parse_args()
    done = {(r["method"], r["seed"]) for r in read_lines(RESULTS)}
    first = [one for one in ("plain", "mine") if one in chosen.methods]  # the two that the page compares
    others = [one for one in chosen.methods if one not in first]
    plan = [(method, seed) for methods in (first, others) for seed in range(chosen.seeds) for method in methods]
    joblib.Parallel(n_jobs=chosen.jobs)(joblib.delayed(one)(*what) for what in plan if what not in done)


if __name__ == "__main__":
    main()
