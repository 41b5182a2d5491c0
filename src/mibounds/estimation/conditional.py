r"""Conditional mutual information I(X;Y|Z).

The chain rule makes a difference of it,

.. math:: I(X;Y|Z) = I(X; (Y,Z)) - I(X;Z) ,

two estimates with the same folds, recipe and seed, by their critics, whose errors partly cancel. It holds with x and y
exchanged, too: the one of the two that shares less with z by classical estimates is x here. The difference of two lower
bounds is neither bound, and its error is that of numbers that may be much larger than itself: their sum over their
difference is the amplification. Where z takes few values, each with many rows, the rows are split by it instead:

.. math:: I(X;Y|Z) = \sum_z p(z)\, I(X;Y|Z=z) .

Where all variables are labels with at least five rows for each combination of their values, they are counted.

The critics f of the first part and g of the second can also be evaluated together. With
a(x; y, z) = f(x; y, z) - g(x; z) and x' drawn given z, Donsker and Varadhan's bound is

.. math:: I(X;Y|Z) \ge E\, a(X; Y, Z) - \ln E\, e^{a(X'; Y, Z)} ,

for every f and g. The x of the ten rows whose z is nearest stand for x': a conditional permutation. With many
columns of z the nearest are far, x' is not drawn given z, and the number is too large.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Unpack

from mibounds._checks import check_choice, check_fraction
from mibounds._version import versions
from mibounds.bounds import DonskerVaradhan, InfoNCE, PlugIn
from mibounds.classical import discrete
from mibounds.data import MissingPolicy, Sample, VariableType
from mibounds.estimation._estimate import _estimate, entropy_limit
from mibounds.estimation.added_scores import held_out, nearest
from mibounds.estimation.canonical_order import row_order
from mibounds.estimation.cross_checks import cross_checks, well_filled
from mibounds.estimation.local import trains_as_preset
from mibounds.inference import BoundEvaluation, mean_stderr, pool
from mibounds.results import ConditionalResult, Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.evaluation import CLASSIFIER
from mibounds.training.interrupts import no_partial_results
from mibounds.training.recipe import Recipe, Settings, takes_settings
from mibounds.warnings import AmplifiedWarning, MaybeIndependentWarning, MIWarning, issue

__all__ = ["conditional"]

_METHODS = ("auto", "chain", "counts", "neighbors", "strata")
_AMPLIFIED = 10.0
_ROWS_PER_STRATUM = 200
_MOST_STRATA = 50


@takes_settings()
def conditional(
    x: Any,
    y: Any,
    z: Any,
    *,
    method: Literal["auto", "chain", "counts", "neighbors", "strata"] = "auto",
    recipe: Recipe | str | None = None,
    unit: Unit = "nats",
    level: float = 0.95,
    x_type: VariableType = None,
    y_type: VariableType = None,
    z_type: VariableType = None,
    groups: Any = None,
    sample_weight: Any = None,
    nan: MissingPolicy = "raise",
    **settings: Unpack[Settings],
) -> ConditionalResult:
    r"""Conditional mutual information I(X;Y|Z): what x and y share that z does not explain.

    By the chain rule; by counts where all variables are labels with at least five rows for each combination; or by
    strata where z takes at most 50 values, each in at least 200 rows (see the module for the formulas). A common
    cause z makes I(X;Y|Z) small and I(X;Y) large; a common effect z the other way round. It is 0 where z equals x or
    y, and I(X;Y) where z is constant.

    Fails when I(X;Z) is large against the answer: a warning gives the amplification, and `interval` grows with it.
    `method="neighbors"` then has a lower variance, for z of up to some three columns.

    References:
        Mukherjee, Asnani and Kannan, CCMI: classifier based conditional mutual information estimation, 2019,
        arXiv:1906.01824. Runge, Conditional independence testing based on a nearest-neighbor estimator of conditional
        mutual information, 2018, arXiv:1709.01447, for permutations among neighbors.

    Arguments:
        x: (N,) or (N, D_x), tables as `estimate` takes them.
        y: (N,) or (N, D_y), paired with x.
        z: (N,) or (N, D_z), paired with both.
        method: "chain"; "neighbors", which evaluates the chain's critics by Donsker and Varadhan's bound with the x of
            rows whose z is nearest; "counts", less their bias by Miller and Madow; "strata"; or "auto", which takes
            counts or strata where the variables allow it and the chain elsewhere.
        recipe: "quick", "default", "thorough" or a `Recipe`, of each estimate.
        unit: "nats" or "bits".
        level: of the interval.
        x_type: what the columns of x are; see `estimate`.
        y_type: likewise.
        z_type: likewise.
        groups: (N,) which rows are dependent; see `estimate`.
        sample_weight: (N,) how much each row counts; see `estimate`.
        nan: "raise", "drop" or "indicator"; see `estimate`.
        settings: single settings of `Recipe` as keywords.

    Returns:
        A `ConditionalResult`.

    Raises:
        TypeError, ValueError: as `estimate` does; if strata are asked for and z has too many values.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> z, a, b = torch.randn(3, 1000, generator=generator)
        >>> found = conditional(z + a, z + a + b, z, steps=150, folds=2, hidden=(32,))  # truth 0.347
        >>> abs(found.value - 0.347) < 0.1
        True
    """
    nats_in(unit)  # an unknown unit is refused before the work and not after it
    check_fraction("level", level)
    check_choice("method", method, _METHODS)
    chosen = Recipe.of(recipe, settings)
    sample = Sample.of(
        x=x, y=y, z=z, groups=groups, weights=sample_weight, nan=nan,
        types={"x": x_type, "y": y_type, "z": z_type}, seed=chosen.seed, blocked=chosen.split == "blocked",
    )  # fmt: skip
    result = _conditional(sample, chosen, method)
    issue(result.warnings)
    return result.to(unit, level=level)


def _conditional(sample: Sample, recipe: Recipe, method: str, *, exchanged: bool | None = None) -> ConditionalResult:
    """I(X;Y|Z) in nats of the variables x, y and z of a sample; no warning is issued.

    Arguments:
        sample: of the three.
        recipe: of each estimate.
        method: by name.
        exchanged: does the chain rule take y first? None takes the one first that shares less with z: the parts are the
            smaller ones, and so are their errors.
    """
    sample.check_tables("xyz")
    if any(_equal(sample, name) for name in "xy"):
        return _result(sample, recipe, 0.0, 0.0, "z equals x or y", {})
    if any(sample.is_constant(name) for name in "xy"):
        return _result(sample, recipe, 0.0, 0.0, "constant", {})
    _, stratum, counts = torch.unique(sample.variables["z"].table, dim=0, return_inverse=True, return_counts=True)
    fits = len(counts) <= _MOST_STRATA and int(counts.min()) >= _ROWS_PER_STRATUM
    if method == "strata" and not fits:
        raise ValueError(
            f"z takes {len(counts)} values, the rarest in {int(counts.min())} rows: strata need at most {_MOST_STRATA} "
            f'values with {_ROWS_PER_STRATUM} rows each. Use method="chain".'
        )
    ordered = recipe.split == "blocked" or recipe.cv is not None  # folds of all rows, which strata would break up
    labels = all(sample.variables[name].is_label for name in "xyz")
    if method == "counts" and not labels:
        raise ValueError('method is "counts", and not all of x, y and z are labels: use "auto", or give x_type=.')
    counted = method == "auto" and labels and trains_as_preset(recipe)
    tables = [table for name in "xyz" if (table := sample.variables[name].table) is not None]
    if method == "counts" or (counted and well_filled(*tables)):
        return _counts(sample, recipe)
    with no_partial_results():
        if method == "strata" or (method == "auto" and fits and not ordered):
            return _strata(sample, recipe, stratum)
        if exchanged is None:
            exchanged = _shared(sample, "y", recipe) < _shared(sample, "x", recipe)
        if exchanged:
            sample = replace(sample.select(x="y", y="x", z="z"), warnings=sample.warnings)
        chain = _chain(sample, recipe, *("YX" if exchanged else "XY"))
        return _among_neighbors(chain, sample, recipe) if method == "neighbors" else chain


def _shared(sample: Sample, name: str, recipe: Recipe) -> float:
    """What a variable shares with z by classical estimates, in nats."""
    one, z = sample.variables[name].table, sample.variables["z"].table
    assert one is not None and z is not None
    return max((check.value for check in cross_checks(one, z, recipe.seed)), default=0.0)


def _counts(sample: Sample, recipe: Recipe) -> ConditionalResult:
    x, y, z = (sample.variables[name].table for name in "xyz")
    clusters = recipe.clusters(sample.n, sample.groups)
    value = discrete.conditional_contingency(x, y, z, correction="miller-madow")
    stderr = discrete.error(x, y, z, None if clusters is None else clusters.numpy())
    limit = entropy_limit(sample, recipe)
    return _result(sample, recipe, value if limit is None else min(value, limit), stderr, "counts", {})


def _chain(sample: Sample, recipe: Recipe, first: str = "X", second: str = "Y") -> ConditionalResult:
    """By the chain rule, with the parts under the names of the variables that were given."""
    joint = sample.select(x="x", y=("y", "z"))
    order = row_order(joint, recipe)
    both, alone = _by_critics(
        _estimate(joint, recipe.part("y and z"), order, trained=True),
        _estimate(sample.select(x="x", y="z"), recipe.part("z"), order, trained=True),
    )
    value = both.value - alone.value
    # The same rows and the same folds: the errors of the two are those of their differences, row by row and fold by
    # fold.
    difference = (both.pointwise - alone.pointwise)[sample.kept]
    tested = difference.isfinite()
    clusters = recipe.clusters(sample.n, sample.groups)
    clusters = None if clusters is None else clusters[tested]
    stderr = max(mean_stderr(difference[tested], clusters), _between_folds(both, alone))
    if recipe.bootstrap:
        fold = torch.zeros(int(tested.sum()), dtype=torch.long)
        rows = BoundEvaluation(PlugIn(), ((difference[tested],),), fold, math.inf, clusters)
        stderr = rows.bootstrap(recipe.bootstrap, torch.Generator().manual_seed(0))
    return _result(
        sample,
        recipe,
        value,
        stderr,
        "chain",
        {f"I({first};{second}Z)": both, f"I({first};Z)": alone},
        amplification=_amplification(both.value, alone.value, stderr),
        # What one part may lack stretches one end, what the other may lack the other.
        interval_bias=(
            both.interval_bias[0] + alone.interval_bias[1],
            both.interval_bias[1] + alone.interval_bias[0],
        ),
    )


def _by_critics(both: Result, alone: Result) -> tuple[Result, Result]:
    """Both parts by the same evaluation of their critics, whose errors are alike and cancel. What is best of each part
    alone, such as nearest neighbors, may be another method in each, or have errors of its own."""
    extrapolated = [PlugIn.__name__] if both.extrapolated or alone.extrapolated else []
    names = [CLASSIFIER, *extrapolated, InfoNCE.__name__]
    name = next((one for one in names if one in both.estimates and one in alone.estimates), None)
    if name is None:  # no critic was trained, of a constant
        return both, alone
    return _reported(both, name), _reported(alone, name)


def _reported(part: Result, name: str) -> Result:
    """The result with another of its estimates as its value, and an interval that reaches as far as before."""
    value = max(part.estimates[name], 0.0)
    (below, above), shift = part.interval_bias, part.value - value
    return replace(part, value=value, method=name, interval_bias=(max(below - shift, 0.0), max(above + shift, 0.0)))


def _amplification(both: float, alone: float, stderr: float) -> float:
    """The sum of two parts relative to their difference, or to its standard error where that is larger: a difference
    of 0 has no relative error. 1 where both parts are 0."""
    total, least = abs(both) + abs(alone), max(abs(both - alone), stderr)
    return total / least if least else 1.0


def _between_folds(both: Result, alone: Result) -> float:
    """The standard error of the difference by the spread of the folds."""
    if len(both.fold_values) != len(alone.fold_values) or len(both.fold_values) < 2:
        return 0.0  # one of the two is exactly 0, or was interrupted
    folds = torch.tensor(both.fold_values) - torch.tensor(alone.fold_values)
    return float(folds.std()) / math.sqrt(len(folds))


def _among_neighbors(chain: ConditionalResult, sample: Sample, recipe: Recipe) -> ConditionalResult:
    """The chain's critics, evaluated with the x of rows whose z is nearest."""
    bound, generator = DonskerVaradhan(), torch.Generator().manual_seed(recipe.seed)
    both, alone = chain.parts.values()
    if both.fitted is None or alone.fitted is None:  # a constant was left of one of them
        return chain
    statistics, fold, rows = [], [], []
    for i, block in enumerate(held_out(both, alone, sample)):
        added = block.added(nearest(block.z, generator))
        statistics.append((bound.reduce(added[:, 0], added[:, 1:]),))
        fold.append(torch.full((len(added),), i))
        rows.append(block.rows)
    clusters = recipe.clusters(sample.n, sample.groups)
    cluster = None if clusters is None else clusters[torch.cat(rows)]
    evaluation = BoundEvaluation(bound, pool(statistics), torch.cat(fold), math.inf, cluster)
    stderr = evaluation.bootstrap(recipe.bootstrap, generator) if recipe.bootstrap else evaluation.stderr()
    parts, bias = dict(chain.parts), chain.interval_bias
    return _result(sample, recipe, evaluation.value(), stderr, "neighbors", parts, interval_bias=bias)


def _strata(sample: Sample, recipe: Recipe, stratum: Tensor) -> ConditionalResult:
    parts: dict[str, Result] = {}
    fractions: list[float] = []
    row_values = torch.zeros(sample.n)
    for k in range(int(stratum.max()) + 1):
        rows = stratum == k
        name = f"z = {_value_of(sample, rows)}"
        parts[name] = _estimate(sample[rows].select(x="x", y="y"), recipe.part(name))
        fractions.append(float(rows.float().mean()))
        row_values[rows] = parts[name].value
    weighted = list(zip(fractions, parts.values(), strict=True))
    value = sum(fraction * part.value for fraction, part in weighted)
    within = sum((fraction * part.stderr) ** 2 for fraction, part in weighted)
    between = mean_stderr(row_values, recipe.clusters(sample.n, sample.groups))  # which strata the rows fall into
    below, above = (sum(fraction * part.interval_bias[end] for fraction, part in weighted) for end in (0, 1))
    stderr = math.sqrt(within + between**2)
    return _result(sample, recipe, value, stderr, "strata", parts, interval_bias=(below, above))


def _result(
    sample: Sample,
    recipe: Recipe,
    value: float,
    stderr: float,
    method: str,
    parts: dict[str, Result],
    *,
    amplification: float = 1.0,
    interval_bias: tuple[float, float] = (0.0, 0.0),
) -> ConditionalResult:
    warnings: list[MIWarning] = [*sample.warnings]
    if amplification > _AMPLIFIED:
        warnings.append(
            AmplifiedWarning(
                f"The sum of two estimates is {amplification:.0f} times as large as their difference or its standard "
                "error, which magnifies their errors: more samples, or fewer columns of z, reduce them."
            )
        )
    for part in parts.values():  # a part may well be 0
        warnings += [one for one in part.warnings if not isinstance(one, MaybeIndependentWarning)]
    return ConditionalResult(
        value=value,
        stderr=stderr,
        method=method,
        parts=parts,
        amplification=amplification,
        interval_bias=interval_bias,
        n=sample.n,
        entropy_limit=entropy_limit(sample, recipe),
        warnings=tuple(warnings),
        seed=recipe.seed,
        versions=versions(),
    )


def _equal(sample: Sample, name: str) -> bool:
    """Is z a copy of that variable?"""
    one, z = sample.variables[name].table, sample.variables["z"].table
    return one is not None and z is not None and one.shape == z.shape and torch.equal(one, z)


def _value_of(sample: Sample, rows: Tensor) -> str:
    """The value of z in a stratum, in words."""
    z = sample.variables["z"]
    assert z.table is not None
    first = dict(zip(z.columns, z.table[rows][0].numpy(), strict=True))
    zero = np.float32(0)  # of a category that no row has: its column was dropped
    return ", ".join(one.shown(np.array([first.get(name, zero) for name in one.names])) for one in z.encodings)
