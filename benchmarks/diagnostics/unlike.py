"""False alarms of every warning on healthy fits of 25 unlike kinds of data: 200 of the preset "quick", 8 seeds each, of
300 to 1,500 rows, and 38 of the default recipe.

    python benchmarks/diagnostics/unlike.py            # fits what is not in unlike.jsonl, then writes unlike.md
    python benchmarks/diagnostics/unlike.py --page     # the page alone

Healthy: independent rows (or groups that are given), at least 200 of them, and a dependence that the recipe learns;
every warning is a false alarm.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

import mibounds as mi
from mibounds._version import versions
from mibounds.benchmark.records import append_line, read_lines

HERE = Path(__file__).parent
RAW, PAGE = HERE / "unlike.jsonl", HERE / "unlike.md"
SIZES = (300, 600, 1_000, 1_500)
RUNS = [("quick", seed, SIZES[seed % len(SIZES)], 1) for seed in range(8)]
RUNS += [("default", 0, 600, 1), ("default", 1, 1_000, 2)]
"""The preset, the seed, the number of samples, and every which of the kinds is fitted."""


def _gaussian(rng, n, rho, dim=1):
    x = rng.normal(size=(n, dim))
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, dim))


def _label(rng, n, classes, shift=2.0):
    label = rng.integers(0, classes, n)
    return label, shift * label[:, None] / classes + rng.normal(size=(n, 2))


def _sorted_by_label(rng, n):
    label, x = _label(rng, n, 3)
    order = np.argsort(label, kind="stable")
    return x[order], label[order]


def _sorted_by_number(rng, n):
    x, y = _gaussian(rng, n, 0.7)
    order = np.argsort(y[:, 0])
    return x[order], y[order]


def _table(rng, n):
    age, income = rng.normal(50, 12, n), rng.lognormal(10, 0.5, n)
    city = rng.choice(["Bonn", "Ulm", "Wien"], n, p=[0.5, 0.3, 0.2])
    ill = rng.random(n) < 1 / (1 + np.exp(-(age - 50) / 6 - (city == "Ulm")))
    return pd.DataFrame({"age": age, "income": income, "city": city}), ill


def _missing(rng, n):
    x, y = _gaussian(rng, n, 0.7, 2)
    return np.where(rng.random(x.shape) < 0.1, np.nan, x), y[:, :1]


def _dates(rng, n):
    days = rng.integers(0, 2_000, n)
    y = np.sin(2 * np.pi * days / 2_000) + 0.3 * rng.normal(size=n)
    return pd.Series(pd.Timestamp("2015-01-01") + pd.to_timedelta(days, unit="D")), y


def _codes(rng, n):
    k = rng.integers(0, 5, n)
    return np.char.add("k", k.astype(str)), np.char.add("a", ((3 * k) % 5).astype(str))


def _grouped(rng, n):
    person = np.repeat(np.arange(n // 10), 10)
    level = rng.normal(size=n // 10)[person]
    x = level + rng.normal(size=n)
    return x, x + rng.normal(size=n)


def _gaussian_sides(function, rho=0.7):
    return lambda rng, n: tuple(function(side) for side in _gaussian(rng, n, rho))


def _given_x(draw_x, draw_y):
    """Kinds in which y is drawn given x."""

    def draw(rng, n):
        x = draw_x(rng, n)
        return x, draw_y(rng, x)

    return draw


def _common_counts(rng, n):
    common = rng.poisson(5, n)
    return common + rng.poisson(5, n), common + rng.poisson(5, n)


def _imbalanced(rng, n):
    y = rng.random(n) < 0.1
    return 1.5 * y[:, None] + rng.normal(size=(n, 2)), y


def _noisy(rng, labels):
    return np.where(rng.random(len(labels)) < 0.3, rng.integers(0, 4, len(labels)), labels)


KINDS = {
    "Gaussian pair": _gaussian_sides(lambda side: side),
    "weak Gaussian pair, r = 0.3": _gaussian_sides(lambda side: side, 0.3),
    "Gaussian, 3 + 3 columns": lambda rng, n: _gaussian(rng, n, 0.6, 3),
    "heavy tails": _gaussian_sides(lambda side: side**3),
    "log-normal": _gaussian_sides(np.exp),
    "uniform noise": _given_x(lambda rng, n: rng.uniform(size=n), lambda rng, x: x + rng.uniform(-0.75, 0.75, len(x))),
    "rounded to 0.1": _gaussian_sides(lambda side: side.round(1)),
    "whole numbers": _gaussian_sides(lambda side: (15 * side + 50).round().astype(int)),
    "ranks": _gaussian_sides(lambda side: pd.Series(side[:, 0]).rank().to_numpy()),
    "counts": _given_x(lambda rng, n: rng.gamma(4, 1.0, n), lambda rng, x: rng.poisson(x)),
    "counts with a common part": _common_counts,
    "scaled by 1e9, offset 1e12": _gaussian_sides(lambda side: 1e12 + 1e9 * side),
    "Likert items": _gaussian_sides(lambda side: np.clip(np.round(side + 3), 1, 5).astype(int)),
    "two classes": lambda rng, n: _label(rng, n, 2)[::-1],
    "ten classes": lambda rng, n: _label(rng, n, 10, 20.0)[::-1],
    "imbalanced classes": _imbalanced,
    "labels that determine each other": _codes,
    "noisy labels": _given_x(lambda rng, n: rng.integers(0, 4, n), _noisy),
    "sorted by a label": _sorted_by_label,
    "sorted by a number": _sorted_by_number,
    "table of mixed kinds": _table,
    "missing values, indicators": _missing,
    "dates": _dates,
    "rows of persons, groups": _grouped,
    "a square": _given_x(lambda rng, n: rng.normal(size=n), lambda rng, x: x**2 + 0.3 * rng.normal(size=len(x))),
}


def options(kind: str, n: int) -> dict[str, object]:
    """What the user of such data passes."""
    if kind == "missing values, indicators":
        return {"nan": "indicator"}
    return {"groups": np.repeat(np.arange(n // 10), 10)} if kind == "rows of persons, groups" else {}


def fit(recipe: str, kind: str, seed: int, n: int) -> mi.Result:
    """One estimate of n samples of a kind."""
    x, y = KINDS[kind](np.random.default_rng(1_000 * seed + [*KINDS].index(kind)), n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mi.estimate(x, y, recipe=recipe, seed=seed, **options(kind, n))


def measure() -> None:
    """Fit what is not there yet, one line a fit."""
    there = {(record["recipe"], record["kind"], record["seed"]) for record in read_lines(RAW)}
    for recipe, seed, n, step in RUNS:
        for kind in [*KINDS][::step]:
            if (recipe, kind, seed) in there:
                continue
            start = time.process_time()
            result = fit(recipe, kind, seed, n)
            record = {
                "recipe": recipe,
                "kind": kind,
                "seed": seed,
                "n": n,
                "value": result.value,
                "stderr": result.stderr,
                "codes": [warning.code for warning in result.warnings],
                "seconds": round(time.process_time() - start, 2),
                "versions": dict(versions()),
            }
            append_line(RAW, record)


def page() -> str:
    """The tables as Markdown."""
    records = read_lines(RAW)
    recipes = [*dict.fromkeys(record["recipe"] for record in records)]
    counts = {recipe: sum(record["recipe"] == recipe for record in records) for recipe in recipes}
    lines = [
        f"# False alarms on {len(records)} healthy fits of {len(KINDS)} unlike kinds",
        "",
        f"{', '.join(f'{count} of the preset {recipe}' for recipe, count in counts.items())}, of "
        f"{SIZES[0]:,} to {SIZES[-1]:,} rows. Made by `python benchmarks/diagnostics/unlike.py` from `unlike.jsonl`.",
        f"Fits with any warning: {sum(bool(record['codes']) for record in records)}.",
        "",
        f"| code | {' | '.join(recipes)} | rate of all | kinds and rows |",
        f"|---|{'---|' * len(recipes)}---|---|",
    ]
    for code in mi.warnings.by_code():
        found = [record for record in records if code in record["codes"]]
        each = [str(sum(record["recipe"] == recipe for record in found)) for recipe in recipes]
        kinds = Counter((record["kind"], record["n"]) for record in found)
        shown = ", ".join(f"{kind} ({n:,}) {count}" for (kind, n), count in kinds.most_common())
        lines.append(f"| `{code}` | {' | '.join(each)} | {len(found) / len(records):.1%} | {shown} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="write the page from the raw results")
    if not parser.parse_args().page:
        measure()
    PAGE.write_text(page(), encoding="utf-8")
