"""Nearest neighbors in the few columns that matter, among many that do not."""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mibounds.classical import mixed_ksg
from mibounds.data import RankGaussianize, Sample, Variable
from mibounds.estimation.stretched import Neighbors, neighbors_between
from mibounds.training.policy import CrossCheck

__all__ = ["selected_columns"]

Floats = NDArray[np.float64]

_ROWS, _SEARCHED = 10_000, 2_000  # at most; of the second, each half chooses columns
_MOST = 100  # columns to choose from
_PAIRED = 8  # columns of which all pairs are tried
_CHOSEN = 3  # columns
_NARROW = 3  # columns of the other variable
_CLEARLY = 2.5  # errors, by which fewer of these have to say more
_VALUES, _ROWS_PER_VALUE = 60, 10  # at most, and at least: values that count as categories
_DISTINCT = 0.95  # of the rows, of a continuous variable
_OSCILLATES = 16.0  # times as near are the values of the target, where columns otherwise say nothing
_APART = 10.0  # categories, as numbers: farther than normal scores reach


def selected_columns(sample: Sample, seed: int) -> CrossCheck | None:
    r"""Nearest neighbors between one variable and the columns of the other that say most about it, in nats.

    Columns that do not matter spoil nearest neighbors, and leaving columns out can only lose information:
    :math:`I(X_S;Y) \le I(X;Y)`. The subset S grows from the best single column, or the best pair, by the column that
    adds most; of two or three columns on the other side a subset is chosen afterwards, and taken if it says clearly
    more. Each half of the samples chooses; what both choose is measured on all samples, so where nothing matters
    chance hardly ever chooses, and the value has to exceed what the best of so many independent subsets would show.
    Where they agree on no column they choose again, in units in which a column that oscillates is seen.

    Arguments:
        sample: of two tables, of which one has several columns and the other at most three, or a label.
        seed: draws the halves.

    Returns:
        None where the halves agree on no column, or on all where plain nearest neighbors say the same, and where the
        data do not suit.

    Example:
        >>> from mibounds.data import Sample
        >>> x = torch.randn(600, 6, generator=torch.Generator().manual_seed(0))
        >>> check = selected_columns(Sample.of(x=x, y=x[:, 2].square()), 0)
        >>> check.columns
        ('x[2]',)
    """
    widest, other = sorted((sample.x, sample.y), key=lambda variable: len(variable.encodings), reverse=True)
    if not 1 <= len(widest.encodings) <= _MOST or not 1 <= len(other.encodings) <= _NARROW:
        return None
    wide, narrow = _blocks(widest), _blocks(other)
    if not wide or not narrow:
        return None
    order = np.random.default_rng(seed).permutation(sample.n)
    columns, target = [one.values for one in wide], np.hstack([one.values for one in narrow])
    half = min(sample.n, _SEARCHED) // 2
    parts = [order[part * half : (part + 1) * half] for part in (0, 1)]
    chosen, tried = _agreed(columns, target, parts)
    if not chosen:
        chosen, more = _agreed(columns, target / _OSCILLATES, parts)
        tried += more
    everything = len(chosen) == len(wide) and not any(one.is_coded for one in (*wide, *narrow))
    if not chosen or (everything and len(narrow) == 1):
        return None
    rows = order[:_ROWS]
    side = np.hstack([columns[i] for i in chosen])
    found, names = _measured(side[rows], target[rows]), [widest.encodings[i].name for i in chosen]
    if len(narrow) > 1:
        kept, more = _agreed([one.values for one in narrow], side, parts)
        if kept and len(kept) < len(narrow):
            fewer = _measured(side[rows], np.hstack([narrow[i].values for i in kept])[rows])
            if fewer is not None and (found is None or fewer.value > found.value + _CLEARLY * found.stderr):
                found, tried, everything = fewer, tried + more, False
                names += [other.encodings[i].name for i in kept]
    if everything or found is None or found.value < found.stderr * (1 + math.sqrt(2 * math.log(tried))):
        return None
    return CrossCheck("SelectedKSG", **found._asdict(), low_from=0, unbiased=True, learned=True, columns=tuple(names))


def _measured(x: Floats, y: Floats) -> Neighbors | None:
    """Nearest neighbors; None of two labels, of which the value is too high, like that of counts."""
    if all(len(np.unique(side, axis=0)) < _DISTINCT * len(side) for side in (x, y)):
        return None
    return neighbors_between(mixed_ksg, x, y)


def _agreed(columns: list[Floats], target: Floats, parts: list[NDArray[np.int64]]) -> tuple[tuple[int, ...], int]:
    """The columns that both parts of the rows choose, and of how many subsets each."""
    searches = [_Search(columns, target, rows) for rows in parts]
    first, second = (search.grown() for search in searches)
    return tuple(sorted(set(first) & set(second))), len(searches[0].values)


class _Search:
    """The information of subsets of columns with a target, on some rows."""

    def __init__(self, columns: list[Floats], target: Floats, rows: NDArray[np.int64]):
        self.columns, self.target = [column[rows] for column in columns], target[rows]
        self.gain = 1 / math.sqrt(2 * len(rows))
        self.values: dict[tuple[int, ...], float] = {}

    def grown(self) -> tuple[int, ...]:
        """The best subset, which each further column raised by more than about the error of the value."""
        everything = range(len(self.columns))
        best: tuple[int, ...] = max(((i,) for i in everything), key=self.value)
        top = sorted(everything, key=lambda i: -self.value((i,)))[:_PAIRED]
        pair = max((tuple(sorted(pair)) for pair in combinations(top, 2)), key=self.value, default=best)
        if self.value(pair) <= self.value(best) + self.gain:
            return best
        best = pair
        while len(best) < min(_CHOSEN, len(self.columns)):
            larger = max((tuple(sorted((*best, i))) for i in top if i not in best), key=self.value, default=best)
            if self.value(larger) <= self.value(best) + self.gain:
                break
            best = larger
        return best

    def value(self, chosen: tuple[int, ...]) -> float:
        if chosen not in self.values:
            self.values[chosen] = mixed_ksg(np.hstack([self.columns[i] for i in chosen]), self.target)
        return self.values[chosen]


class _Block(NamedTuple):
    """A given column as numbers (N, D), and whether they are codes."""

    values: Floats
    is_coded: bool


def _blocks(variable: Variable) -> list[_Block]:
    """The given columns: normal scores, and a category, or one of few values with many rows each, as a
    number far from the others."""
    if variable.table is None:
        return []
    place = {name: i for i, name in enumerate(variable.columns)}
    found = []
    for encoding in variable.encodings:
        block = variable.table[:, [place[name] for name in encoding.names if name in place]]
        _, codes, counts = torch.unique(block, dim=0, return_inverse=True, return_counts=True)
        few = len(counts) <= _VALUES and int(counts.min()) >= _ROWS_PER_VALUE
        if few or not encoding.has_density:
            found.append(_Block(_APART * codes.double().numpy()[:, None], True))
        else:
            found.append(_Block(RankGaussianize().fit(block)(block).double().numpy(), False))
    return found
