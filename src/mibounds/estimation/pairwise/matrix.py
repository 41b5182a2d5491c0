"""Mutual information of every pair of columns of a table, or of groups of columns."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import Unpack

from mibounds._checks import check_flag, check_fraction
from mibounds._version import versions
from mibounds.data import MissingPolicy, Sample
from mibounds.estimation.false_discovery import benjamini_hochberg
from mibounds.estimation.pairwise.column_matrix import column_warnings, measure_columns
from mibounds.estimation.pairwise.group_matrix import measure_groups, take_groups
from mibounds.results import MatrixResult
from mibounds.results.units import Unit, nats_in
from mibounds.training.recipe import Recipe, Settings, takes_settings
from mibounds.warnings import MIWarning, RowsDroppedWarning, SmallSampleWarning, issue

__all__ = ["matrix"]

Floats = NDArray[np.float64]
_OF_COLUMNS = ("folds", "seed", "workers", "device", "progress")  # settings that single columns take


@takes_settings()
def matrix(
    table: Any,
    *,
    columns: Sequence[Any] | None = None,
    groups: Mapping[str, Sequence[Any]] | None = None,
    pvalues: bool = False,
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    nan: MissingPolicy = "raise",
    **settings: Unpack[Settings],
) -> MatrixResult:
    r"""Mutual information of every pair of columns of a table, many pairs trained at once.

    On normal scores the critic of a pair of columns is :math:`\phi(x)^\top W \psi(y)`, with features that belong to the
    columns and are shared by all their pairs; stacks of pairs are trained together in batched products. Each starts as
    the Gaussian copula and leaves it only as far as validation rows confirm. Rows are split into folds, and every row
    is evaluated by critics that did not train on it.

    Fails on dependences finer than a tenth of the ranks (several periods of a sine; sharp edges cost some hundredths
    of a nat), where it is low; above some 3 nats, where columns are nearly copies, it is rough. Estimate such pairs
    by `estimate`. Rows must be independent.

    References:
        Donsker and Varadhan, Asymptotic evaluation of certain Markov process expectations for large time, 1983, for the
        objective; van den Oord, Li and Vinyals, Representation learning with contrastive predictive coding, 2018,
        arXiv:1807.03748, for the estimate; Benjamini and Hochberg, 1995, for the false discovery rate.

    Arguments:
        table: (N, D) numbers: NumPy array, torch tensor, list, or a pandas, polars or pyarrow table. Text and
            categories with 2 to 12 different values are labels; other columns without numbers are left out, and with
            `groups` text is refused.
        columns: names of the columns to take (of an array, their numbers); all by default.
        groups: names to lists of columns: measures all pairs of groups instead, by one `estimate` each.
        pvalues: test each pair for independence, too, against a null of shuffled columns, with false discovery control.
        recipe: with `groups`, "quick", "default", "thorough" or a `Recipe`, of each estimate.
        unit: "nats" or "bits".
        level: of intervals.
        nan: what to do about missing and infinite values: "raise"; or "drop": each pair leaves out the rows in which
            one of its two has none, whatever is missing in a third column.
        settings: single settings of `Recipe` as keywords; without `groups` only `folds` (by default 5 up to 20,000
            rows and 2 above), `seed`, `workers`, `device` and `progress`.

    Returns:
        A `MatrixResult`.

    Raises:
        TypeError: if a column that was asked for is not numeric; for options without groups.
        ValueError: for fewer than two columns that vary, unknown names, groups that share a column, missing values.

    Example:
        >>> x, a, b = torch.randn(3, 1000, generator=torch.Generator().manual_seed(0))
        >>> found = matrix(torch.stack([x, x + a, b], 1), folds=2)
        >>> found.values.shape, round(float(found.values[0, 1]), 1)  # truth 0.35
        ((3, 3), 0.3)
    """
    nats_in(unit)
    check_fraction("level", level)
    pvalues = check_flag("pvalues", pvalues)
    chosen = Recipe.of(recipe, settings)
    threads = chosen.workers if chosen.workers is not None else torch.get_num_threads()
    if groups is not None:
        sample, taken = take_groups(table, columns, groups, nan)
        names: tuple[str, ...] = tuple(taken)
        found, warnings = measure_groups(sample, taken, pvalues, chosen, threads)
    else:
        _check_settings(chosen)
        sample = Sample.of_columns(table, columns, nan, labels=True)
        variable = sample.variables["table"]
        names, warnings = variable.columns, column_warnings(variable)
        assert variable.table is not None
        device = chosen.torch_device
        threads = threads if device.type == "cpu" else 1
        found = measure_columns(variable.table.to(device), pvalues, chosen.folds, threads, chosen.progress, chosen.seed)
    size = len(names)
    values, stderr, counts = (_square(numbers, size) for numbers in found[:3])
    warnings = [*_incomplete(found[2], sample.given), *warnings, *_undefined(values, names, sample.n)]
    result = MatrixResult(
        values=values,
        stderr=stderr,
        names=names,
        n=sample.n,
        counts=counts if (found[2] < sample.n).any() else None,
        warnings=(*sample.warnings, *warnings),
        seed=chosen.seed,
        versions=versions(),
    )
    if pvalues:
        adjusted = benjamini_hochberg(found[3])
        result = replace(result, pvalues=_square(found[3], size), adjusted=_square(adjusted, size))
    issue(result.warnings)
    return result.to(unit, level=level)


def _incomplete(counts: Floats, given: int) -> list[MIWarning]:
    """A warning of the rows that pairs leave out."""
    least, most = int(counts.min()), int(counts.max())
    if least == given:
        return []
    left = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return [
        RowsDroppedWarning(
            f"Each pair leaves out the rows in which one of its two has a missing or infinite value: {left} of "
            f"{given:,} rows are left."
        )
    ]


def _undefined(values: Floats, names: Sequence[str], n: int) -> list[MIWarning]:
    """A warning of pairs without a value: too few rows have values of both, or a column has one value in the training
    part of some fold."""
    upper = itertools.combinations(range(len(names)), 2)
    pairs = [(names[i], names[j]) for i, j in upper if np.isnan(values[i, j])]
    if not pairs:
        return []
    shown = ", ".join(f"{one!r} and {other!r}" for one, other in pairs[:3])
    return [
        SmallSampleWarning(
            f"{len(pairs)} of the pairs have no value ({shown}{', ...' if len(pairs) > 3 else ''}): too few of the "
            f"{n:,} rows have values of both, or a column varies in too few of them. Leave it out, or give more rows."
        )
    ]


def _check_settings(recipe: Recipe) -> None:
    """Raise a TypeError for settings that only the estimates of groups have."""
    changed = [
        one.name
        for one in fields(recipe)
        if one.name not in _OF_COLUMNS and getattr(recipe, one.name) != getattr(Recipe(), one.name)
    ]
    if changed:
        raise TypeError(
            f"{', '.join(changed)}: only the estimates of groups= have this setting. Critics of single columns are "
            "trained by a recipe of their own."
        )


def _square(numbers: Floats, size: int) -> Floats:
    square = np.full((size, size), np.nan)
    upper = np.triu_indices(size, 1)
    square[upper] = numbers
    square.T[upper] = numbers
    return square
