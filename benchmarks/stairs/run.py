"""The staircase of Song and Ermon, 2020, arXiv:1910.06222: one training climbs all stairs on fresh samples.

python benchmarks/stairs/run.py         # continues an interrupted run; then python benchmarks/stairs/compare.py

Raw results go into results.jsonl, one line a stair and method. After every stair the whole state of a training
(weights, optimizer, generator) goes into a checkpoint, so that a killed run comes to the same numbers.
"""

import argparse
import math
import platform
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

import mibounds
from mibounds.benchmark.records import append_line, read_lines
from mibounds.bounds import MINE, NWJ, SMILE, Bound, DonskerVaradhan, InfoNCE, JensenShannon
from mibounds.critics import Critic, JointCritic, SeparableCritic, score
from mibounds.tasks import CorrelatedGaussian

HERE = Path(__file__).parent
DIM, BATCH, HIDDEN, LEARNING_RATE, SEED = 20, 64, (256, 256, 256), 5e-4, 0
STAIRS = (2, 4, 6, 8, 10)

CRITICS = ["separable", "joint", "separable-zero", "joint-zero"]
UNITS = {"nats": 1.0, "bits": math.log(2)}

# The objectives, and the bounds evaluated on the same scores; by default the objective itself.
TRAININGS: dict[str, Callable[[], Bound]] = {
    "JS": JensenShannon,
    "InfoNCE": InfoNCE,
    "NWJ": NWJ,
    "MINE": MINE,
    "DV": DonskerVaradhan,
}
METHODS: dict[str, dict[str, Bound]] = {
    "JS": {"SMILE-1": SMILE(clip=1), "SMILE-5": SMILE(clip=5), "SMILE-inf": DonskerVaradhan()}
}


def build(name: str) -> Critic:
    """A critic as the paper starts it: no layer at zero, no scale on the inner product.

    With "-zero" it is as the library starts it, the first score exactly 0 and an inner product of unit scale.
    """
    if name.startswith("joint"):
        joint = JointCritic(DIM, DIM, hidden=HIDDEN, activation="relu")
        if name == "joint":
            joint.network.output.reset_parameters()
        return joint
    separable = SeparableCritic(DIM, DIM, hidden=HIDDEN, embedding=32, activation="relu")
    if name == "separable":
        separable.tower_x.output.reset_parameters()
        separable.scale = 1.0
    return separable


class Climb(NamedTuple):
    """The identity of a training."""

    unit: str
    critic: str
    training: str
    steps: int


class Climber:
    """The state of a training: all of it goes into the checkpoint.

    Arguments:
        climb: what is trained, and on what.
        checkpoint: its file; read if it is there.
    """

    def __init__(self, climb: Climb, checkpoint: Path):
        torch.manual_seed(SEED)
        self.climb = climb
        self.checkpoint = checkpoint
        self.critic = build(climb.critic)
        self.bound = TRAININGS[climb.training]()
        self.optimizer = torch.optim.Adam(self.critic.parameters(), lr=LEARNING_RATE, fused=True)
        self.generator = torch.Generator().manual_seed(SEED)
        self.records: list[dict[str, Any]] = []
        self.stairs = 0
        if checkpoint.exists():
            self._load()

    def step_up(self, stair: int) -> None:
        """Train on the next stair and keep the mean and sd of the batch values of its last quarter."""
        climb, scale = self.climb, UNITS[self.climb.unit]
        task = CorrelatedGaussian.with_information(DIM, stair * scale)
        methods = METHODS.get(climb.training, {climb.training: self.bound})
        values: dict[str, list[float]] = {method: [] for method in methods}
        for step in range(climb.steps):
            x, y = task.sample(BATCH, self.generator)
            joint, product, _ = score(self.critic, x, y)
            loss = self.bound.loss(joint, product)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if step >= climb.steps - max(2, climb.steps // 4):
                with torch.no_grad():  # the scores of the training step: its pairs are new to the critic
                    for method, bound in methods.items():
                        values[method].append(bound(joint, product).item() / scale)
        for method, of in values.items():
            found = {"mean": round(statistics.fmean(of), 4), "sd": round(statistics.stdev(of), 4)}
            self.records.append({**climb._asdict(), "method": method, "truth": stair, **found, **_versions()})
        self.stairs += 1
        self._save()

    def _save(self) -> None:
        state = {
            "critic": self.critic.state_dict(),
            "bound": self.bound.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "records": self.records,
            "stairs": self.stairs,
        }
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.checkpoint.with_suffix(".unfinished")
        torch.save(state, unfinished)
        unfinished.replace(self.checkpoint)

    def _load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.critic.load_state_dict(state["critic"])
        self.bound.load_state_dict(state["bound"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.records, self.stairs = state["records"], state["stairs"]


def main() -> None:
    """Make what is missing, one training after the other."""
    options = _parse()
    torch.set_num_threads(options.threads)
    done = {_key(record) for record in read_lines(options.out)}
    for critic in options.critics:
        for unit in options.units:
            for training in options.estimators:
                climb_all(Climb(unit, critic, training, options.steps), options.stairs, options.out, done)


def climb_all(climb: Climb, stairs: list[int], out: Path, done: set[tuple[object, ...]]) -> None:
    """Climb the stairs of one training that the file lacks, and write them down."""
    names = METHODS.get(climb.training, [climb.training])
    if all((*climb, name, stair) in done for name in names for stair in stairs):
        return
    climber = Climber(climb, out.parent / ".checkpoints" / f"{out.stem}-{'-'.join(map(str, climb))}.pt")
    _write(climber.records, out, done)
    for stair in stairs[climber.stairs :]:
        climber.step_up(stair)
        _write(climber.records, out, done)


def _write(records: list[dict[str, Any]], out: Path, done: set[tuple[object, ...]]) -> None:
    """Add the records that the file lacks; a run killed between checkpoint and file left some."""
    for record in records:
        if _key(record) not in done:
            append_line(out, record)
            done.add(_key(record))
            print(*(record[name] for name in ("unit", "critic", "method", "truth", "mean", "sd")), flush=True)


def _key(record: dict[str, Any]) -> tuple[object, ...]:
    return tuple(record[name] for name in (*Climb._fields, "method", "truth"))


def _versions() -> dict[str, str]:
    return {"mibounds": mibounds.__version__, "torch": str(torch.__version__), "python": platform.python_version()}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--critics", nargs="+", choices=CRITICS, default=CRITICS[:2])
    parser.add_argument("--estimators", nargs="+", choices=list(TRAININGS), default=list(TRAININGS))
    parser.add_argument("--units", nargs="+", choices=list(UNITS), default=list(UNITS))
    parser.add_argument("--stairs", nargs="+", type=int, default=[2, 4, 6], help="from the first: 2 4 6 8 10")
    parser.add_argument("--steps", type=int, default=4_000, help="a stair; the last quarter is evaluated")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--out", type=Path, default=HERE / "results.jsonl")
    options = parser.parse_args()
    if tuple(options.stairs) != STAIRS[: len(options.stairs)]:
        parser.error(f"--stairs is {options.stairs}, and must be the first of {list(STAIRS)}: none is left out.")
    if options.steps < 2:
        parser.error(f"--steps is {options.steps}, and must be at least 2: there is a standard deviation.")
    return options


if __name__ == "__main__":
    main()
