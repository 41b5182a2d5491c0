"""What two ranks train, against one: raw results in ranks.jsonl, medians printed.

python benchmarks/speed/ranks.py     # some minutes of two idle cores

A step is what a fold does: rows of the batch, forward, loss, backward, gradients averaged, clipping, optimizer; no
validation. Every rank has one thread. Rounds of one rank (the other one waits), of two that share each step, and of two
that train apart, each as if it were alone, take turns in the same processes. The last say what the machine gives to two
threads at once: where they share one core, far less than twice.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import mibounds as mi
from mibounds._version import versions
from mibounds.critics import JointCritic, SeparableCritic
from mibounds.training.candidate_run import Run
from mibounds.training.candidates import Candidate
from mibounds.training.folds import Fold
from mibounds.training.workers import fast_arithmetic

HERE = Path(__file__).parent
DIM, ROWS, RANKS = 20, 20_000, 2
WANTED = 1.6

CASES: dict[str, tuple[bool, int, int]] = {  # a joint critic? rows of a batch of one rank, and of two together
    "separable 3 x 256, the same 512 rows": (False, 512, 512),
    "separable 3 x 256, the same 2,048 rows": (False, 2048, 2048),
    "separable 3 x 256, 512 rows a rank": (False, 512, 1024),
    "joint 3 x 256, 8 negatives, the same 512 rows": (True, 512, 512),
}


def training(joint: bool, batch: int) -> Run:
    """The training of one fold."""
    torch.manual_seed(0)
    critic = (JointCritic if joint else SeparableCritic)(DIM, DIM, hidden=(256,) * 3)
    estimator = mi.MIEstimator(critic, mi.bounds.InfoNCE(), negatives=8 if joint else "all", symmetric=not joint)
    x, y = mi.tasks.CorrelatedGaussian(DIM, 0.5).sample(ROWS, torch.Generator().manual_seed(0))
    rows = torch.arange(ROWS)
    recipe = mi.Recipe(steps=100_000, batch_size=batch, lr=1e-3, check_every=50).filled(ROWS, ROWS - 1000)
    return Run(Candidate("", estimator), x, y, Fold(rows[:-1000], rows[-1000:], rows[:1]), recipe)


def rows_a_second(run: Run, seconds: float, batch: int, steps: int | None = None) -> tuple[float, int]:
    """Of so many training steps, or of as many as take about so long; and how many they were."""
    if steps is None:
        run._train_step()
        start = time.perf_counter()
        run._train_step()
        steps = max(3, round(seconds / (time.perf_counter() - start)))
    start = time.perf_counter()
    for _ in range(steps):
        run._train_step()
    return batch * steps / (time.perf_counter() - start), steps


def measure(rounds: int, seconds: float) -> Iterator[dict[str, object]]:
    """Each case, round by round; called by both ranks, and rank 0's numbers count."""
    first = dist.get_rank() == 0
    for name, (joint, one, two) in CASES.items():
        with mi.local_ranks():
            single = training(joint, one)
            wanted = rows_a_second(single, seconds, one)[1]
        shared = training(joint, two)
        steps = torch.tensor([wanted])
        dist.broadcast(steps, 0)  # both make as many
        for number in range(-1, rounds):  # the first one warms up
            found = {}
            with mi.local_ranks() if first else nullcontext():
                if first:
                    found["one"] = rows_a_second(single, seconds, one, int(steps))[0]
            dist.barrier()
            found["two"] = rows_a_second(shared, seconds, two, int(steps))[0]
            dist.barrier()
            with mi.local_ranks():
                apart = torch.tensor(rows_a_second(single, seconds, one, int(steps))[0])
            dist.all_reduce(apart)
            found["apart"] = float(apart)
            if number >= 0 and first:
                ratios = {"ratio": found["two"] / found["one"], "ratio_apart": found["apart"] / found["one"]}
                yield {"case": name, "round": number, **found, **ratios, **versions()}


def rank(number: int, port: str, rounds: int, seconds: float, out: Path) -> None:
    """What each rank does."""
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=number, world_size=RANKS)
    with fast_arithmetic(torch.device("cpu")):
        records = list(measure(rounds, seconds))
    if number == 0:
        out.write_text("".join(json.dumps(record) + "\n" for record in records))
    dist.destroy_process_group()


def main() -> None:
    """Measure all, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round of one rank")
    parser.add_argument("--port", default="29511")
    parser.add_argument("--out", type=Path, default=HERE / "ranks.jsonl")
    options = parser.parse_args()
    mp.spawn(rank, (options.port, options.rounds, options.seconds, options.out), nprocs=RANKS)
    records = [json.loads(line) for line in options.out.read_text().splitlines()]
    for name in CASES:
        own = [record for record in records if record["case"] == name]
        keys = ("one", "two", "ratio", "apart", "ratio_apart")
        one, two, ratio, apart, most = (statistics.median(record[key] for record in own) for key in keys)
        verdict = "as wanted" if ratio >= WANTED else f"{WANTED} x were wanted"
        print(f"{name}: {one:,.0f} and {two:,.0f} rows a second, {ratio:.2f} x ({verdict}); ", end="")
        print(f"apart {apart:,.0f}, {most:.2f} x")


if __name__ == "__main__":
    main()
