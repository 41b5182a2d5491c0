"""How often healthy fits are warned, and that every code fires where it should: results.jsonl, the table in README.md.

python benchmarks/diagnostics/run.py            # a quarter of an hour on one core; continues an interrupted run
"""

import json
import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

import mibounds as mi
from mibounds._version import versions
from mibounds.benchmark import PRESETS
from mibounds.benchmark.page import write_between
from mibounds.benchmark.records import append_line, read_lines
from mibounds.tasks import CorrelatedGaussian, MultivariateGaussian, Student, Task
from mibounds.tasks.suites import BMI40

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"

Fit = Callable[[Tensor, Tensor, int], mi.Result]
HEALTHY: tuple[Task, ...] = (
    CorrelatedGaussian(1, 0.5),
    BMI40[2],  # half-cube
    BMI40[4],  # bimodal
    MultivariateGaussian.dense(2, 0.5),
    MultivariateGaussian.dense(3, 0.5),
    MultivariateGaussian.two_pairs(3, 0.8),
    Student.identity(2, 3),
)


def composed(bound: mi.bounds.Bound, **options: Any) -> Fit:
    """A custom estimator, as in the README."""

    def fit(x: Tensor, y: Tensor, seed: int) -> mi.Result:
        torch.manual_seed(seed)
        critic = mi.critics.SeparableCritic(x.shape[1], y.shape[1], hidden=(128, 128))
        return mi.Trainer(**{"folds": 2, "seed": seed, "workers": 1, **options}).fit(
            mi.MIEstimator(critic, bound, symmetric=True), x, y
        )

    return fit


def estimate(**options: Any) -> Fit:
    """The preset "fast", with options."""
    return lambda x, y, seed: PRESETS["fast"](x, y, **{"seed": seed, "workers": 1, **options})


def gaussian(dim: int, nats: float, n: int) -> Callable[[torch.Generator], tuple[Tensor, Tensor]]:
    """Rows of dim + dim Gaussian columns with this information in nats."""
    return lambda generator: CorrelatedGaussian.with_information(dim, nats).sample(n, generator)


def noise(*shape: int, generator: torch.Generator) -> Tensor:
    """Standard Gaussian."""
    return torch.randn(*shape, generator=generator)


def walks(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two independent series, each with an autocorrelation of 0.99."""
    steps = noise(2_000, 2, generator=generator)
    for i in range(1, len(steps)):
        steps[i] = 0.99 * steps[i - 1] + math.sqrt(1 - 0.99**2) * steps[i]
    return steps[:, :1], steps[:, 1:]


def with_constant(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A column that never changes."""
    x, y = gaussian(1, 0.5, 1_000)(generator)
    return torch.cat([x, torch.ones_like(x)], 1), y


def with_gap(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A missing value."""
    x, y = gaussian(1, 0.5, 1_000)(generator)
    x[3] = math.nan
    return x, y


def copied(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows drawn with replacement."""
    x, y = gaussian(1, 0.5, 1_000)(generator)
    rows = torch.randint(len(x), (len(x),), generator=generator)
    return x[rows], y[rows]


def a_copy(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same column twice."""
    x = noise(1_000, 1, generator=generator)
    return x, 2 * x + 1


def growing(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A correlation that grows from 0 to 0.95 over the table."""
    x, other = noise(2_000, 1, generator=generator), noise(2_000, 1, generator=generator)
    rho = torch.linspace(0, 0.95, 2_000)[:, None]
    return x, rho * x + (1 - rho**2).sqrt() * other


def trend(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two series with a common trend, and otherwise independent."""
    line = torch.linspace(-2, 2, 2_000)[:, None]
    return line + 0.5 * noise(2_000, 1, generator=generator), line + 0.5 * noise(2_000, 1, generator=generator)


def fine(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A sine of ten periods with little noise."""
    x = 2 * torch.rand(2_000, 1, generator=generator) - 1
    return x, (10 * math.pi * x).sin() + 0.1 * noise(2_000, 1, generator=generator)


def student(dim: int, df: int, n: int) -> Callable[[torch.Generator], tuple[Tensor, Tensor]]:
    """Heavy tails."""
    return lambda generator: Student.identity(dim, df).sample(n, generator)


def widening(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two series that are correlated throughout, the first rows a tenth as wide as the last."""
    scale = torch.linspace(0.3, 3, 1_500)[:, None]
    x, noise = scale * torch.randn(2, 1_500, 1, generator=generator)
    return x, x + 0.3 * noise


def turned(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Gaussian columns of which the first of y is turned by an angle, twice the second, about the origin."""
    x, y = gaussian(5, 6, 1_500)(generator)
    angle = 2 * y[:, 1:2]
    return x, torch.cat([y[:, :1] * angle.cos(), y[:, :1] * angle.sin(), y[:, 2:]], 1)


class Trigger(NamedTuple):
    """What makes a code fire: a sentence, rows and a fit."""

    what: str
    rows: Callable[[torch.Generator], tuple[Tensor, Tensor]]
    fit: Fit


_MEMORIZING = {"steps": 600, "check_every": 600}  # one validation, at the end: the last weights are used
TRIGGERS = {
    "constant-column": Trigger("a column of ones", with_constant, estimate()),
    "rows-dropped": Trigger('a missing value and nan="drop"', with_gap, estimate(nan="drop")),
    "infinite-information": Trigger("y = 2x + 1", a_copy, estimate()),
    "ties": Trigger("1,000 rows drawn with replacement", copied, estimate()),
    "small-sample": Trigger("100 rows", gaussian(1, 0.5, 100), estimate()),
    "serial-correlation": Trigger("two independent series, autocorrelation 0.99", walks, estimate()),
    "heavy-tails": Trigger("Student, df 1, standardized", student(1, 1, 2_000), composed(mi.bounds.InfoNCE())),
    "beyond-log-n": Trigger("20 + 20 Gaussian columns, 15 nats, 1,500 rows", gaussian(20, 15, 1_500), estimate()),
    "ceiling": Trigger("5 nats, 600 rows, InfoNCE", gaussian(5, 5, 600), composed(mi.bounds.InfoNCE())),
    "overfit": Trigger(
        "10 + 10 columns, 500 rows, no stopping", gaussian(10, 1, 500), composed(mi.bounds.InfoNCE(), **_MEMORIZING)
    ),
    "bounds-disagree": Trigger(
        "the same with 3 nats by NWJ", gaussian(10, 3, 500), composed(mi.bounds.NWJ(), **_MEMORIZING)
    ),
    "not-normalized": Trigger("a series whose scale grows tenfold, blocked folds", widening, estimate(split="blocked")),
    "low-effective-sample": Trigger(
        "Student, df 1, by Donsker–Varadhan", student(1, 1, 2_000), composed(mi.bounds.DonskerVaradhan())
    ),
    "not-converged": Trigger(
        "5 + 5 columns, 2 nats, 100 steps at a low rate", gaussian(5, 2, 2_000),
        composed(mi.bounds.InfoNCE(), steps=100, check_every=50, lr=3e-4),
    ),
    "fold-spread": Trigger(
        "a correlation that grows from 0 to 0.95 over the table, blocked folds", growing,
        estimate(split="blocked", folds=5),
    ),
    "extrapolated": Trigger(
        "5 + 5 columns, 6 nats, 1,500 rows, y turned, no learners", turned, estimate(learners=False)
    ),
    "below-gaussian": Trigger("two series with one trend, blocked folds", trend, estimate(split="blocked", folds=5)),
    "cross-check": Trigger("a sine of ten periods, 2,000 rows", fine, estimate(split="blocked", folds=5)),
    "maybe-independent": Trigger("independent columns", gaussian(1, 0, 1_000), estimate()),
    "non-finite-step": Trigger("NWJ at lr 1000", gaussian(5, 5, 600), composed(mi.bounds.NWJ(), lr=1e3)),
}  # fmt: skip
"""The codes, and what makes each fire; seed 0."""

GROUPS: dict[str, tuple[Fit, int, int]] = {
    "fast, 2,000 rows": (estimate(), 2_000, 4),
    "fast, 10,000 rows": (estimate(), 10_000, 2),
    "composed, InfoNCE, 2,000 rows": (composed(mi.bounds.InfoNCE()), 2_000, 2),
}
"""The healthy fits: an estimator, rows, seeds."""


def measured(rows: tuple[Tensor, Tensor], fit: Fit, name: dict[str, Any]) -> dict[str, Any]:
    """One fit: what it is called, its value, its codes and seconds."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = fit(*rows, name["seed"])
    codes = [warning.code for warning in result.warnings]
    seconds = round(time.perf_counter() - start, 2)
    record = {**name, "value": result.value, "stderr": result.stderr, "codes": codes, "seconds": seconds}
    return {**record, "versions": dict(versions())}


def healthy() -> Iterator[tuple[dict[str, Any], Callable[[], dict[str, Any]]]]:
    """What is to be measured of the healthy fits: its name, and how."""
    for group, (fit, n, seeds) in GROUPS.items():
        for seed, (k, task) in product(range(seeds), enumerate(HEALTHY)):
            name = {"kind": "healthy", "group": group, "task": repr(task), "seed": seed}
            generator = torch.Generator().manual_seed(1_000 * seed + k)
            yield name, partial(lambda t, g, r, f, m: measured(t.sample(r, g), f, m),
                                task, generator, n, fit, name)  # fmt: skip


def triggers() -> Iterator[tuple[dict[str, Any], Callable[[], dict[str, Any]]]]:
    """What is to be measured of the triggers."""
    for code, trigger in TRIGGERS.items():
        name = {"kind": "trigger", "group": code, "task": trigger.what, "seed": 0}
        generator = torch.Generator().manual_seed(0)
        yield name, partial(lambda t, g, m: measured(t.rows(g), t.fit, m), trigger, generator, name)


def page(records: list[dict[str, Any]]) -> str:
    """The tables as Markdown."""
    well = [record for record in records if record["kind"] == "healthy"]
    warned = sum(bool(record["codes"]) for record in well)
    lines = [
        f"{json.dumps(records[0]['versions'])}, one thread of a machine busy with other work. Made by "
        "`python benchmarks/diagnostics/run.py`; raw results in `results.jsonl`. *fast* is the preset of "
        "`mibounds benchmark` (two folds of 150 steps), *composed* a separable critic 2x128 with "
        "`Trainer(folds=2)`. Thresholds and their reasons are in "
        "`src/mibounds/training/diagnostics.py` and `src/mibounds/estimation/diagnostics.py`.",
        "",
        f"## {len(well)} healthy fits: {warned} with any warning (target: at most 5 %)",
        "",
        "Tasks: " + ", ".join(f"`{task}`" for task in dict.fromkeys(record["task"] for record in well)) + ".",
        "",
        "| fits | runs | with a warning | which | seconds a fit |",
        "|---|---|---|---|---|",
    ]
    for group in GROUPS:
        mine = [record for record in well if record["group"] == group]
        which = Counter(code for record in mine for code in record["codes"])
        loud = sum(bool(record["codes"]) for record in mine)
        seconds = sum(record["seconds"] for record in mine) / max(len(mine), 1)
        shown = ", ".join(f"{code} {count}" for code, count in which.items()) or "none"
        lines.append(f"| {group} | {len(mine)} | {loud} | {shown} | {seconds:.1f} |")
    lines += ["", "## One task a code", "", "| code | task | fired | and with it | seconds |", "|---|---|---|---|---|"]
    for record in records:
        if record["kind"] == "trigger":
            code = record["group"]
            others = ", ".join(other for other in record["codes"] if other != code)
            fired = "yes" if code in record["codes"] else "**no**"
            lines.append(f"| `{code}` | {record['task']} | {fired} | {others} | {record['seconds']:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing and write the tables."""
    torch.set_num_threads(1)
    records = read_lines(RESULTS)
    have = {(record["kind"], record["group"], record["task"], record["seed"]) for record in records}
    for name, measure in chain(triggers(), healthy()):
        if tuple(name.values()) not in have:
            records.append(measure())
            print(json.dumps(records[-1]), flush=True)
            append_line(RESULTS, records[-1])
    text = page(records)
    write_between(HERE / "README.md", "<!-- tables: made by run.py -->", "<!-- end of tables -->", f"\n\n{text}\n\n")
    print(text)


if __name__ == "__main__":
    main()
