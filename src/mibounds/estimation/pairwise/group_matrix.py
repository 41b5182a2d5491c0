"""Pairs of groups of columns: one estimate each, side by side."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from mibounds._distributed import ranks
from mibounds.data import MissingPolicy, Sample
from mibounds.data.sources import MINIMUM_ROWS, title_of
from mibounds.data.variable import complete_rows
from mibounds.estimation._estimate import _estimate
from mibounds.estimation.independence_test import _independence_test
from mibounds.training.interrupts import no_partial_results
from mibounds.training.progress_bars import Progress
from mibounds.training.recipe import Recipe
from mibounds.warnings import MaybeIndependentWarning, MIWarning

__all__ = ["measure_groups", "take_groups"]

Floats = NDArray[np.float64]
_PERMUTATIONS = 999


def take_groups(
    table: Any, columns: Sequence[Any] | None, groups: Mapping[str, Sequence[Any]], nan: MissingPolicy
) -> tuple[Sample, dict[str, list[str]]]:
    """The sample of the table, and the columns of each group that vary.

    Raises:
        TypeError: unless groups is a mapping.
        ValueError: for fewer than two groups, an empty one, a column that is unknown or in two groups.
    """
    if columns is not None:
        raise ValueError("columns and groups exclude each other: groups name their columns already. Give one of them.")
    if not isinstance(groups, Mapping):
        raise TypeError(
            f"groups is a {type(groups).__name__}: expected a dictionary of names to lists of columns, for example "
            '{"size": ["height", "weight"], "age": ["age"]}.'
        )
    if len(groups) < 2:
        raise ValueError(f"groups has {len(groups)} group(s): expected at least two, to make a pair.")
    for name, members in groups.items():
        if isinstance(members, str) or not isinstance(members, Collection) or not len(members):
            raise ValueError(f"group {name!r} is {members!r}: expected a list of columns.")
    named = {name: [title_of(column) for column in members] for name, members in groups.items()}
    every = [column for members in named.values() for column in members]
    twice = [column for column, count in Counter(every).items() if count > 1]
    if twice:
        owners = [name for name, members in named.items() if twice[0] in members]
        raise ValueError(
            f"column {twice[0]!r} is twice in the groups ({', '.join(map(repr, owners))}): "
            "two groups that share a column share infinite information. Leave it in one."
        )
    sample = Sample.of_columns(table, every, nan)
    varying = set(sample.variables["table"].columns)
    taken = {}
    for name, members in named.items():
        kept = [title for title in members if title in varying]
        if not kept:
            raise ValueError(f"group {name!r} is constant in every column: it shares nothing with anything.")
        taken[str(name)] = kept
    return sample, taken


def measure_groups(
    sample: Sample, groups: Mapping[str, Sequence[str]], tested: bool, recipe: Recipe, threads: int
) -> tuple[list[Floats], list[MIWarning]]:
    """Values and standard errors in nats, numbers of samples and, if asked for, p-values of the pairs of groups, and
    their warnings. A pair leaves out the samples in which a column of its groups is missing; its value is NaN where
    fewer than 50 are left."""
    pairs = list(combinations(groups, 2))

    def run(x: str, y: str) -> tuple[list[float], list[MIWarning]]:
        pair = sample.columns(x=groups[x], y=groups[y])
        complete = complete_rows([pair.x, pair.y], "drop")
        n = int(complete.sum())
        if n < MINIMUM_ROWS:
            return [math.nan, math.nan, n, *([math.nan] if tested else [])], []
        pair = pair if n == len(complete) else pair[complete]
        own = replace(recipe.part(f"{x}, {y}"), workers=1, progress=False)
        p = []
        if tested:
            test = _independence_test(pair, own, _PERMUTATIONS)
            result, p = test.estimate, [test.pvalue]
        else:
            result = _estimate(pair, own)
        bar.advance(1, "pairs")
        found = [one for one in result.warnings if not isinstance(one, MaybeIndependentWarning)]
        return [result.value, result.stderr, n, *p], [type(one)(f"{x}, {y}: {one}") for one in found]

    with Progress(recipe.progress, len(pairs)) as bar, no_partial_results():
        threads = 1 if ranks() > 1 else threads  # ranks exchange messages about one fit at a time
        done = joblib.Parallel(n_jobs=threads, prefer="threads")(joblib.delayed(run)(*pair) for pair in pairs)
    numbers, warnings = zip(*done, strict=True)
    return [np.array(column) for column in zip(*numbers, strict=True)], [one for several in warnings for one in several]
