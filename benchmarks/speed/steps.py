"""How much of a training step is matrix products: raw results in steps.jsonl, medians printed.

python benchmarks/speed/steps.py     # a minute of one idle core

A step is what a fold does: rows of the batch, forward, loss, backward, clipping, optimizer; no validation. Bare
are the matrix products of the same shapes, X W, dY W^T and X^T dY of every layer, and those of the scores of all pairs.
Rounds of both take turns.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import torch

import mibounds as mi
from mibounds._version import versions
from mibounds.critics import JointCritic, SeparableCritic
from mibounds.training.candidate_run import Run
from mibounds.training.candidates import Candidate
from mibounds.training.folds import Fold
from mibounds.training.workers import fast_arithmetic

HERE = Path(__file__).parent
DIM, ROWS, EMBEDDING = 20, 20_000, 64

Shape = tuple[int, int, int]  # rows, columns in, columns out


def separable(hidden: tuple[int, ...], batch: int) -> tuple[mi.MIEstimator, list[Shape]]:
    """An estimator that scores all pairs of a batch, and its matrix products."""
    critic = SeparableCritic(DIM, DIM, hidden=hidden, embedding=EMBEDDING)
    widths = (DIM, *hidden, EMBEDDING)
    towers = [(batch, a, b) for a, b in pairwise(widths)]
    return mi.MIEstimator(critic, mi.bounds.InfoNCE(), symmetric=True), [*towers, *towers, (batch, EMBEDDING, batch)]


def joint(hidden: tuple[int, ...], batch: int) -> tuple[mi.MIEstimator, list[Shape]]:
    """An estimator with two mismatched pairs a row, and its matrix products: the first layer sees rows, the others
    pairs."""
    critic = JointCritic(DIM, DIM, hidden=hidden)
    widths = (*hidden, 1)
    first = [(batch, DIM, hidden[0])] * 2
    pairs = [(rows, a, b) for a, b in pairwise(widths) for rows in (batch, 2 * batch)]
    return mi.MIEstimator(critic, mi.bounds.JensenShannon(), negatives=2), [*first, *pairs]


CASES: dict[str, Callable[[], tuple[mi.MIEstimator, list[Shape]]]] = {
    "separable 3 x 256, 512 rows": lambda: separable((256,) * 3, 512),
    "joint 3 x 256, 512 rows, 2 negatives": lambda: joint((256,) * 3, 512),
    "separable 3 x 128, 256 rows (the default)": lambda: separable((128,) * 3, 256),
}


def steps(estimator: mi.MIEstimator, batch: int) -> Callable[[], None]:
    """Training steps of a fold."""
    x, y = mi.tasks.CorrelatedGaussian(DIM, 0.5).sample(ROWS, torch.Generator().manual_seed(0))
    rows = torch.arange(ROWS)
    recipe = mi.Recipe(steps=100_000, batch_size=batch, lr=1e-3, check_every=50).filled(ROWS, ROWS - 1000)
    return Run(Candidate("", estimator), x, y, Fold(rows[:-1000], rows[-1000:], rows[:1]), recipe)._train_step


def products(shapes: list[Shape]) -> Callable[[], None]:
    """The matrix products of one step, forward and backward."""
    made = [(torch.randn(n, a), torch.randn(a, b), torch.randn(n, b)) for n, a, b in shapes]

    def run() -> None:
        for x, weight, back in made:
            _ = x @ weight, back @ weight.T, x.T @ back

    return run


def seconds(run: Callable[[], None], times: int) -> float:
    """Of one call, the median of so many."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def measure(rounds: int, times: int) -> Iterator[dict[str, object]]:
    """Each case, round by round, with the settings that a fold has."""
    with fast_arithmetic(torch.device("cpu")):
        for name, build in CASES.items():
            estimator, shapes = build()
            whole, bare = steps(estimator, shapes[0][0]), products(shapes)
            seconds(whole, 20)
            for i in range(rounds):
                took = {"bare": seconds(bare, times), "step": seconds(whole, times)}
                yield {"case": name, "round": i, **took, "share": took["bare"] / took["step"], "versions": versions()}


def main() -> None:
    """Measure all, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--times", type=int, default=60, help="steps of a round")
    parser.add_argument("--out", type=Path, default=HERE / "steps.jsonl")
    options = parser.parse_args()
    records = list(measure(options.rounds, options.times))
    options.out.write_text("".join(json.dumps(record) + "\n" for record in records))
    for name in CASES:
        own = [record for record in records if record["case"] == name]
        bare, step, share = (statistics.median(float(str(r[key])) for r in own) for key in ("bare", "step", "share"))
        print(f"{name}: {1e3 * bare:.2f} of {1e3 * step:.2f} ms, {share:.0%} matrix products")


if __name__ == "__main__":
    main()
