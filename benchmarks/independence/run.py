"""Level and power of `mi.independence_test`, beside distance correlation and a permutation test with KSG.

python benchmarks/independence/run.py      # continues an interrupted run; writes results.jsonl and the README's tables

The level is counted on independent rows of four kinds, the power on six dependences, each drawn anew for every seed.
All three tests use 199 permutations and the same rows.
"""

import argparse
import math
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import torch
from torch import Tensor

import mibounds as mi
from mibounds.benchmark.page import write_between
from mibounds.benchmark.records import append_line, read_lines
from mibounds.classical import ksg
from mibounds.data import RankGaussianize
from mibounds.training.workers import fast_arithmetic

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
ROWS, PERMUTATIONS, LEVEL = 300, 199, 0.05
SETTINGS = {"folds": 5, "steps": 150, "hidden": (128, 128)}
Pair = tuple[Tensor, Tensor]


def _noise(g: torch.Generator, columns: int = 1) -> Tensor:
    return torch.randn(ROWS, columns, generator=g)


def _uniform(g: torch.Generator) -> Tensor:
    return 2 * torch.rand(ROWS, 1, generator=g) - 1


def _circle(g: torch.Generator) -> Pair:
    angle = math.pi * _uniform(g)
    return angle.cos() + 0.4 * _noise(g), angle.sin() + 0.4 * _noise(g)


def _checkerboard(g: torch.Generator) -> Pair:
    x = 2 * _uniform(g)
    cell = (x.floor() + 2 * torch.randint(-1, 1, (ROWS, 1), generator=g)) % 4 - 2
    return x + 0.1 * _noise(g), cell + torch.rand(ROWS, 1, generator=g) + 0.1 * _noise(g)


def _linear(g: torch.Generator) -> Pair:
    x = _noise(g)
    return x, 0.2 * x + _noise(g)


def _parabola(g: torch.Generator) -> Pair:
    x = _uniform(g)
    return x, x.square() + 0.6 * _noise(g)


def _sine(g: torch.Generator) -> Pair:
    x = _uniform(g)
    return x, (2 * math.pi * x).sin() + 1.2 * _noise(g)


def _scale(g: torch.Generator) -> Pair:
    x = _noise(g)
    return x, (0.5 + 0.5 * x.abs()) * _noise(g)


INDEPENDENT: dict[str, Callable[[torch.Generator], Pair]] = {
    "Gaussian": lambda g: (_noise(g), _noise(g)),
    "Gaussian, 5 + 5 columns": lambda g: (_noise(g, 5), _noise(g, 5)),
    "Cauchy and uniform": lambda g: (_noise(g) / _noise(g), _uniform(g)),
    "ring and coin": lambda g: (torch.cat(_circle(g), 1), (_uniform(g) > 0).float()),
}
DEPENDENT: dict[str, Callable[[torch.Generator], Pair]] = {
    "linear": _linear,
    "parabola": _parabola,
    "sine": _sine,
    "circle": _circle,
    "checkerboard": _checkerboard,
    "noise scale": _scale,
}


def ours(x: Tensor, y: Tensor, seed: int) -> float:
    """The quick test of the library."""
    return mi.independence_test(x, y, permutations=PERMUTATIONS, seed=seed, workers=1, **SETTINGS).pvalue


def distance_correlation(x: Tensor, y: Tensor, seed: int) -> float:
    """Székely, Rizzo and Bakirov, 2007: the covariance of doubly centered distances."""
    a, b = (_centered(side.double().numpy()) for side in (x, y))
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(PERMUTATIONS):
        order = generator.permutation(len(a))
        drawn.append((a * b[np.ix_(order, order)]).sum())
    return float((1 + np.sum(np.array(drawn) >= (a * b).sum())) / (1 + PERMUTATIONS))


def ksg_permuted(x: Tensor, y: Tensor, seed: int) -> float:
    """KSG with three neighbors on ranked columns."""
    x, y = (RankGaussianize().fit(side)(side) for side in (x, y))
    generator = torch.Generator().manual_seed(seed)
    observed = ksg(x, y)
    drawn = [ksg(x, y[torch.randperm(len(y), generator=generator)]) for _ in range(PERMUTATIONS)]
    return (1 + sum(value >= observed for value in drawn)) / (1 + PERMUTATIONS)


TESTS = {"mibounds": ours, "distance correlation": distance_correlation, "KSG": ksg_permuted}


def one(kind: str, name: str, seed: int) -> list[dict[str, object]]:
    """The p-values of all tests on one draw; on independent rows of mibounds only."""
    warnings.simplefilter("ignore")
    draw = INDEPENDENT[name] if kind == "level" else DEPENDENT[name]
    x, y = draw(torch.Generator().manual_seed(1000 + seed))
    records = []
    for test, run in TESTS.items():
        if kind == "level" and test != "mibounds":
            continue
        start = time.perf_counter()
        with fast_arithmetic(torch.device("cpu")), joblib.parallel_config(backend="sequential"):
            p = run(x, y, seed)
        seconds = round(time.perf_counter() - start, 3)
        records.append({"kind": kind, "name": name, "seed": seed, "test": test, "pvalue": p, "seconds": seconds})
    return records


def _centered(rows: np.ndarray) -> np.ndarray:
    distance = np.sqrt(np.square(rows[:, None] - rows[None]).sum(-1))
    return distance - distance.mean(0) - distance.mean(1)[:, None] + distance.mean()


def tables(records: list[dict[str, object]]) -> str:
    """Markdown: rejections on independent rows, and the power."""
    found: dict[tuple[object, object, object], list[bool]] = defaultdict(list)
    for record in records:
        found[record["kind"], record["name"], record["test"]].append(record["pvalue"] <= LEVEL)
    lines = ["| independent rows | rejected at 0.05 |", "|---|--:|"]
    null = {name: found["level", name, "mibounds"] for name in INDEPENDENT}
    lines += [f"| {name} | {sum(hits)} of {len(hits)} |" for name, hits in null.items()]
    lines += [f"| all | {sum(map(sum, null.values()))} of {sum(map(len, null.values()))} |", ""]
    lines += [f"| power at 0.05 | {' | '.join(TESTS)} |", "|---|" + "--:|" * len(TESTS)]
    for name in DEPENDENT:
        hits = [found["power", name, test] for test in TESTS]
        lines.append(f"| {name} | " + " | ".join(f"{sum(h) / max(len(h), 1):.2f}" for h in hits) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, and put the tables into README.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level-seeds", type=int, default=100, help="of each kind of independent rows")
    parser.add_argument("--power-seeds", type=int, default=50, help="of each dependence")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    known = read_lines(RESULTS)
    done = {(record["kind"], record["name"], record["seed"]) for record in known}
    wanted = [("level", name, seed) for seed in range(options.level_seeds) for name in INDEPENDENT]
    wanted += [("power", name, seed) for seed in range(options.power_seeds) for name in DEPENDENT]
    parallel = joblib.Parallel(options.jobs, return_as="generator_unordered", batch_size=1)
    for records in parallel(joblib.delayed(one)(*key) for key in wanted if key not in done):
        for record in records:
            append_line(RESULTS, record)
        known += records
    markers = "<!-- tables: made by run.py -->", "<!-- end of tables -->"
    write_between(HERE / "README.md", *markers, f"\n\n{tables(known)}\n\n")
    print(tables(known))


if __name__ == "__main__":
    main()
