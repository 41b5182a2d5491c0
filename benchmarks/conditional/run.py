"""Conditional information and transfer entropy by default settings: results.jsonl, and the table of README.md.

python benchmarks/conditional/run.py            # 2,000 rows, seed 0; continues an interrupted run
python benchmarks/conditional/run.py --table    # of what is measured
"""

import argparse
import time
import warnings
from pathlib import Path
from statistics import fmean, median

import torch
from relations import RELATIONS

import mibounds as mi
from mibounds._version import versions
from mibounds.benchmark.records import append_line, read_lines

RESULTS = Path(__file__).parent / "results.jsonl"


def one(name: str, n: int, seed: int) -> dict:
    """An estimate beside the truth, with all estimates of its parts."""
    relation = RELATIONS[name]
    variables = relation.sample(n, seed)
    truth, _ = relation.truth()
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = getattr(mi, relation.verb)(*variables, workers=1, **relation.settings)
    seconds = time.process_time() - began
    found = getattr(r, "conditional", r)
    parts = {name: {"method": part.method, "value": part.value, **part.estimates} for name, part in found.parts.items()}
    return {
        "relation": name, "verb": relation.verb, "n": n, "seed": seed, "truth": round(truth, 4),
        "value": round(r.value, 4), "low": round(r.interval[0], 4), "high": round(r.interval[1], 4),
        "stderr": round(r.stderr, 5), "method": found.method, "parts": parts,
        "warnings": [one.code for one in r.warnings], "processor_seconds": round(seconds, 1), **versions(),
    }  # fmt: skip


def _summary(found: list[dict]) -> str:
    """What records have in common."""
    off = fmean(abs(r["value"] - r["truth"]) for r in found)
    held = sum(r["low"] <= r["truth"] <= r["high"] for r in found)
    width = median(r["high"] - r["low"] for r in found)
    return f"mean error {off:.3f} nats; {held} of {len(found)} intervals hold, of width {width:.3f} in the median"


def table(found: list[dict]) -> str:
    """A line for each relation, and what they have in common."""
    lines = ["| relation | truth | value | 95 % interval | processor seconds | method |", "|---|--:|--:|---|--:|---|"]
    for r in found:
        missed = "" if r["low"] <= r["truth"] <= r["high"] else " (missed)"
        lines.append(
            f"| {r['relation']} | {r['truth']:.3f} | {r['value']:.3f} | [{r['low']:.3f}, {r['high']:.3f}]{missed} "
            f"| {r['processor_seconds']:.0f} | {r['method']} |"
        )
    parts = {
        "All": found,
        "Truth 0": [r for r in found if r["truth"] == 0],
        "Others": [r for r in found if r["truth"] != 0],
    }
    lines += ["", *(f"- {name}: {_summary(records)}." for name, records in parts.items() if records)]
    if found:
        seconds = [r["processor_seconds"] for r in found]
        lines.append(f"- Processor seconds: {median(seconds):.0f} in the median, {sum(seconds):,.0f} in all.")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing and print the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--n", type=int, default=2_000, help="rows")
    options.add_argument("--seed", type=int, default=0, help="of the samples")
    options.add_argument("--table", action="store_true", help="print the table and measure nothing")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    wanted = chosen.n, chosen.seed
    done = {r["relation"] for r in read_lines(RESULTS) if (r["n"], r["seed"]) == wanted}
    for name in [] if chosen.table else RELATIONS:
        if name not in done:
            record = one(name, *wanted)
            append_line(RESULTS, record)
            print(record, flush=True)
    found = {r["relation"]: r for r in read_lines(RESULTS) if (r["n"], r["seed"]) == wanted}
    print(table([found[name] for name in RELATIONS if name in found]))


if __name__ == "__main__":
    main()
