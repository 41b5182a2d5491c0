"""The correlated-Gaussian curve: `estimate` and the original recipe compared with the true information.

There are d = 20 pairs of coordinates with correlation rho. The original recipe is trained as published: batches of 128,
a joint critic of three layers of 256 with ReLU, Adam with learning rate 1e-4, ten epochs, one shuffled negative for
MINE and NWJ, the whole batch for InfoNCE. Its estimate is the mean over the batches of its training data. Its InfoNCE
critic is separable here: over the 128 x 128 pairs of every batch a joint one takes a hundred times longer and has the
same upper limit ln 128.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import joblib
import torch
from torch import Tensor

from mibounds._files import write_text
from mibounds._random import seeded
from mibounds.bounds import MINE, NWJ, InfoNCE
from mibounds.critics import JointCritic, SeparableCritic
from mibounds.estimation import estimate
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.plots import plot_curve, save_figure
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.interrupts import no_partial_results
from mibounds.training.workers import fast_arithmetic

__all__ = ["FULL", "GLANCE", "QUICK", "Point", "Scale", "draw", "measure", "original_recipe", "read_points", "table"]

DIM = 20
ORIGINAL = ("MINE", "NWJ", "InfoNCE")


@dataclass(frozen=True)
class Scale:
    """The size of a run: correlations, rows, epochs of the original recipe, and steps of `estimate`."""

    correlations: tuple[float, ...]
    rows: int
    epochs: int
    steps: int | None = None


GLANCE = Scale((-0.9, 0.0, 0.9), rows=1_000, epochs=10, steps=50)
QUICK = Scale((-0.9, -0.5, 0.0, 0.5, 0.9), rows=2_000, epochs=10, steps=250)
FULL = Scale(tuple(round(-0.95 + 0.1 * i, 2) for i in range(20)), rows=100_000, epochs=10)


@dataclass(frozen=True)
class Point:
    """Results for one correlation in nats: the truth, `estimate` with its interval, the three original estimates."""

    rho: float
    truth: float
    value: float
    low: float
    high: float
    method: str
    mine: float
    nwj: float
    infonce: float


def measure(
    scale: Scale, seed: int = 0, done: Callable[[str], None] = lambda doing: None, points: Sequence[Point] = ()
) -> Iterator[Point]:
    """The points of a scale, one after another.

    Arguments:
        scale: the size of the run.
        seed: seed of the samples and the fits.
        done: called with a description before each fit.
        points: finished points, which are not fitted again.
    """
    finished = {point.rho: point for point in points}
    for i, rho in enumerate(scale.correlations):
        if rho in finished:
            yield finished[rho]
            continue
        task = CorrelatedGaussian(DIM, rho)
        x, y = task.sample(scale.rows, torch.Generator().manual_seed(seed * 1000 + i))
        done(f"rho {rho:+.2f}: mibounds.estimate")
        with no_partial_results():
            result = estimate(x, y, seed=seed, steps=scale.steps)
        done(f"rho {rho:+.2f}: the original recipe with three bounds")
        original = joblib.Parallel(n_jobs=len(ORIGINAL))(
            joblib.delayed(original_recipe)(name, x, y, scale.epochs, seed) for name in ORIGINAL
        )
        yield Point(rho, task.mutual_information, result.value, *result.interval, result.method, *original)


def original_recipe(name: str, x: Tensor, y: Tensor, epochs: int = 10, seed: int = 0) -> float:
    """The estimate of the original recipe in nats, trained and evaluated on the same batches."""
    dim, batch = x.shape[1], 128
    with seeded(seed):
        if name == "InfoNCE":
            estimator = MIEstimator(SeparableCritic(dim, dim, activation="relu"), InfoNCE())
        else:
            bound = MINE(decay=0.99) if name == "MINE" else NWJ()
            estimator = MIEstimator(JointCritic(dim, dim, activation="relu"), bound, negatives=1)
    with fast_arithmetic(x.device):
        return _train_and_evaluate(estimator, x, y, epochs, batch, torch.Generator().manual_seed(seed))


def _train_and_evaluate(
    estimator: MIEstimator, x: Tensor, y: Tensor, epochs: int, batch: int, generator: torch.Generator
) -> float:
    n = len(x)
    optimizer = torch.optim.Adam(estimator.parameters(), lr=1e-4, fused=True)
    for _ in range(epochs):
        order = torch.randperm(n, generator=generator)
        for start in range(0, n - batch + 1, batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            estimator.loss(x[rows], y[rows], generator).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    order = torch.randperm(n, generator=generator)
    with torch.no_grad():
        values = [
            estimator.value(x[order[i : i + batch]], y[order[i : i + batch]], generator)
            for i in range(0, n - batch + 1, batch)
        ]
    return float(torch.stack(values).mean())


def draw(points: list[Point], scale: Scale, seed: int, path: Path) -> None:
    """Write the figure to `path` and the numbers beside it, as CSV."""
    fine = [-0.96 + 1.92 * i / 400 for i in range(401)]
    figure = plot_curve(
        [point.rho for point in points],
        (fine, [CorrelatedGaussian(DIM, rho).mutual_information for rho in fine]),
        [point.value for point in points],
        [(point.low, point.high) for point in points],
        {f"original recipe, {name}": [getattr(point, name.lower()) for point in points] for name in ORIGINAL},
        f"{DIM} + {DIM} Gaussian columns, {scale.rows:,} rows",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, str(path))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["rows", "seed", *asdict(points[0])], lineterminator="\n")
    writer.writeheader()
    writer.writerows({"rows": scale.rows, "seed": seed, **asdict(point)} for point in points)
    write_text(path.with_suffix(".csv"), text.getvalue())


def read_points(path: Path, scale: Scale, seed: int) -> list[Point]:
    """The points that `draw` wrote beside the figure at `path` for the same rows and seed."""
    path = path.with_suffix(".csv")
    if not path.exists():
        return []
    names = Point.__dataclass_fields__
    with path.open(encoding="utf-8") as file:
        records = [row for row in csv.DictReader(file) if (row["rows"], row["seed"]) == (str(scale.rows), str(seed))]
    complete = [row for row in records if names.keys() <= row.keys()]  # another version may have had other columns
    return [Point(**{n: r[n] if n == "method" else float(r[n]) for n in names}) for r in complete]  # type: ignore[arg-type]


def table(points: list[Point], scale: Scale) -> str:
    """The points as a table of text."""
    lines = [
        f"I(X;Y) of {DIM} + {DIM} correlated Gaussian columns in nats, {scale.rows:,} rows",
        "",
        "                 mibounds.estimate                                original recipe",
        "   rho    truth    value   error   95 % interval  method            MINE    NWJ  InfoNCE",
    ]
    for p in points:
        lines.append(
            f"{p.rho:+6.2f} {p.truth:8.3f} {p.value:8.3f} {p.value - p.truth:+7.3f}   [{p.low:5.2f}, {p.high:5.2f}]  "
            f"{p.method:14s} {p.mine:7.2f} {p.nwj:6.2f} {p.infonce:7.2f}"
        )
    return "\n".join(lines)
