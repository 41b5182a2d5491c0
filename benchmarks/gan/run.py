"""Five seeds of the plain and the regularized GAN: raw results in results.jsonl, the table in README.md.

python benchmarks/gan/run.py            # some ten minutes on two cores; continues an interrupted run
"""

import json
import platform
import statistics
from dataclasses import asdict, replace
from pathlib import Path

import joblib
import torch

import mibounds
from mibounds.demos.gan import Recipe, gaussians, train

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
SEEDS = range(5)


def one(name: str, seed: int) -> dict[str, object]:
    """One training and its metrics."""
    recipe = Recipe() if name == "regularized" else replace(Recipe(), beta=0.0)
    outcome = train(recipe, gaussians(seed=seed), seed)
    record = {"run": name, "seed": seed, **asdict(outcome.metrics), "seconds": round(outcome.seconds, 1)}
    record |= {"mibounds": mibounds.__version__, "torch": torch.__version__, "python": platform.python_version()}
    with RESULTS.open("a") as file:
        file.write(json.dumps(record) + "\n")
    return record


def main() -> None:
    """Run what is missing and write the table."""
    done = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    have = {(record["run"], record["seed"]) for record in done}
    missing = [(n, s) for s in SEEDS for n in ("plain", "regularized") if (n, s) not in have]
    done += joblib.Parallel(n_jobs=2, verbose=5)(joblib.delayed(one)(*what) for what in missing)
    lines = [
        "# The GAN that stops losing modes: five seeds",
        "",
        f"25 Gaussians, 2,500 samples, torch {done[0]['torch']}. Made by `python benchmarks/gan/run.py`; "
        "raw results in `results.jsonl`.",
        "",
        "| seed | plain: modes | high quality | reverse KL | regularized: modes | high quality | reverse KL |",
        "|---|---|---|---|---|---|---|",
    ]
    by = {(record["run"], record["seed"]): record for record in done}
    for seed in SEEDS:
        cells = [_cells(by[name, seed]) for name in ("plain", "regularized")]
        lines.append(f"| {seed} | {' | '.join(cells)} |")
    means = []
    for name in ("plain", "regularized"):
        of = [by[name, seed] for seed in SEEDS]
        mean = {key: statistics.mean(r[key] for r in of) for key in ("modes", "high_quality", "reverse_kl")}
        means.append(_cells(mean))
    lines.append(f"| mean | {' | '.join(means)} |")
    (HERE / "README.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def _cells(record: dict[str, float]) -> str:
    return f"{record['modes']:g} | {record['high_quality']:.1%} | {record['reverse_kl']:.3f}"


if __name__ == "__main__":
    main()
