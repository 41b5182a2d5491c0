"""Pairs of groups of columns: one estimate each, side by side."""

from __future__ import annotations

import warnings as python_warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mibounds._distributed import ranks
from mibounds.data import MissingPolicy, intake_table
from mibounds.estimation.estimate import estimate
from mibounds.estimation.independence_test import independence_test
from mibounds.training.checkpoints import part
from mibounds.training.interrupts import no_partial_results
from mibounds.training.workers import Progress
from mibounds.warnings import MaybeIndependentWarning, MIWarning

__all__ = ["measure_groups", "take_groups"]

Floats = NDArray[np.float64]


def take_groups(
    table: Any, columns: Sequence[Any] | None, groups: Mapping[str, Sequence[Any]], nan: MissingPolicy
) -> tuple[dict[str, Tensor], list[MIWarning]]:
    """The columns of each group, (N, D_g), and the warnings to raise.

    Raises:
        ValueError: for fewer than two groups, an empty one, a column that is unknown or in two groups.
    """
    if columns is not None:
        raise ValueError("columns and groups go together badly: groups name their columns already. Give one of them.")
    if len(groups) < 2:
        raise ValueError(f"groups has {len(groups)} group(s): expected at least two, to make a pair.")
    for name, members in groups.items():
        if isinstance(members, str) or not len(members):
            raise ValueError(f"group {name!r} is {members!r}: expected a list of columns.")
    every = [column for members in groups.values() for column in members]
    twice = [column for column, count in Counter(every).items() if count > 1]
    if twice:
        owners = [name for name, members in groups.items() if twice[0] in members]
        raise ValueError(
            f"column {twice[0]!r} is twice in the groups ({', '.join(map(repr, owners))}): "
            "what two groups have in common they share without limit. Leave it in one."
        )
    data, caught = intake_table(table, every, nan)
    place = {name: i for i, name in enumerate(data.names)}
    taken = {}
    for name, members in groups.items():
        kept = [place[str(column)] for column in members if str(column) in place]
        if not kept:
            raise ValueError(f"group {name!r} is constant in every column: it shares nothing with anything.")
        taken[str(name)] = data.values[:, kept]
    return taken, caught


def measure_groups(
    taken: Mapping[str, Tensor], tested: bool, threads: int, progress: bool, options: Mapping[str, Any]
) -> tuple[list[Floats], list[MIWarning]]:
    """Values, standard errors and, if asked for, p-values of the pairs of groups in nats, and their warnings."""
    pairs = list(combinations(taken, 2))

    def run(x: str, y: str) -> tuple[list[float], list[MIWarning]]:
        p, own = [], part(options, f"{x}, {y}")
        if tested:
            test = independence_test(taken[x], taken[y], workers=1, **own)
            result, p = test.estimate, [test.pvalue]
        else:
            result = estimate(taken[x], taken[y], workers=1, **own)
        bar.advance(1, f"{x}, {y}")
        told = [w for w in result.warnings if not isinstance(w, MaybeIndependentWarning)]
        return [result.value, result.stderr, *p], [type(w)(f"{x}, {y}: {w}") for w in told]

    with Progress(progress, len(pairs)) as bar, python_warnings.catch_warnings(), no_partial_results():
        python_warnings.simplefilter("ignore", MIWarning)  # they come once, with the names of their groups
        threads = 1 if ranks() > 1 else threads  # ranks talk about one fit at a time
        done = joblib.Parallel(n_jobs=threads, prefer="threads")(joblib.delayed(run)(*pair) for pair in pairs)
    numbers, told = zip(*done, strict=True)
    return [np.array(column) for column in zip(*numbers, strict=True)], [w for several in told for w in several]
