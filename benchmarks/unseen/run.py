"""The default estimate on relations that it was not tuned on: results.jsonl, and the tables of README.md.

python benchmarks/unseen/run.py                  # 2,000 samples, seed 0; continues an interrupted run
python benchmarks/unseen/run.py --set second --n 1000 --seed 1
"""

import argparse
import math
import time
import warnings
from pathlib import Path
from statistics import fmean, median

import torch
from fifth import FIFTH
from fourth import FOURTH
from relations import FIRST, SECOND
from third import THIRD

import mibounds as mi
from mibounds._version import versions
from mibounds.benchmark.records import append_line, read_lines

RESULTS = Path(__file__).parent / "results.jsonl"
SETS = {"first": FIRST, "second": SECOND, "third": THIRD, "fourth": FOURTH, "fifth": FIFTH}
RELATIONS = FIRST | SECOND | THIRD | FOURTH | FIFTH


def one(name: str, n: int, seed: int) -> dict:
    """An estimate beside the truth; `floor` is the mean absolute error of an efficient estimator."""
    relation = RELATIONS[name]
    x, y = relation.sample(n, seed)
    truth, spread = relation.truth()
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = mi.estimate(x, y, workers=1, **({"y_type": "categorical"} if relation.kind == "label" else {}))
    return {
        "relation": name, "n": n, "seed": seed, "truth": round(truth, 4), "value": round(r.value, 4),
        "low": round(r.interval[0], 4), "high": round(r.interval[1], 4), "lower_bound": round(r.lower_bound, 4),
        "floor": round(math.sqrt(2 / math.pi) * spread / math.sqrt(n), 5), "method": r.method,
        "warnings": [one.code for one in r.warnings], "processor_seconds": round(time.process_time() - began, 1),
        **versions(),
    }  # fmt: skip


def table(found: list[dict]) -> str:
    """A line for each relation, and what they have in common."""
    lines = ["| relation | truth | value | 95 % interval | error / floor | reported |", "|---|--:|--:|---|--:|---|"]
    for r in found:
        missed = "" if r["low"] <= r["truth"] <= r["high"] else " (missed)"
        lines.append(
            f"| {r['relation']} | {r['truth']:.3f} | {r['value']:.3f} | [{r['low']:.3f}, {r['high']:.3f}]{missed} "
            f"| {abs(r['value'] - r['truth']) / r['floor']:.1f} | {r['method']} |"
        )
    errors = [abs(r["value"] - r["truth"]) for r in found]
    held = sum(r["low"] <= r["truth"] <= r["high"] for r in found)
    certain = sum(r["lower_bound"] <= r["truth"] for r in found)
    multiple = fmean(error / r["floor"] for error, r in zip(errors, found, strict=True))
    se = median((r["high"] - r["low"]) / (r["floor"] * math.sqrt(math.pi / 2)) for r in found)
    lines.append(
        f"\nMean error {fmean(errors):.3f} nats, {multiple:.1f} times the floor; {held} of {len(found)} intervals and "
        f"{certain} lower bounds hold; median width {se:.1f} standard errors of the floor; "
        f"{median(r['processor_seconds'] for r in found):.0f} processor seconds in the median."
    )
    return "\n".join(lines)


def main() -> None:
    """Run what is missing and print the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--set", choices=SETS, default="first", help="of relations")
    options.add_argument("--n", type=int, default=2_000, help="samples")
    options.add_argument("--seed", type=int, default=0, help="of the samples")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    done = {(r["relation"], r["n"], r["seed"]) for r in read_lines(RESULTS)}
    for name in SETS[chosen.set]:
        if (name, chosen.n, chosen.seed) not in done:
            record = one(name, chosen.n, chosen.seed)
            append_line(RESULTS, record)
            print(record, flush=True)
    wanted = chosen.n, chosen.seed
    print(
        table([r for r in read_lines(RESULTS) if r["relation"] in SETS[chosen.set] and (r["n"], r["seed"]) == wanted])
    )


if __name__ == "__main__":
    main()
