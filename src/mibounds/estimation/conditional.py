r"""What x and y share beyond z.

The chain rule makes a difference of it,

.. math:: I(X;Y|Z) = I(X; (Y,Z)) - I(X;Z) ,

two estimates with the same folds, recipe and seed, whose errors partly cancel. The difference of two lower bounds is
neither bound, and its error is that of numbers that may be much larger than itself: their sum over their difference is
the amplification. Where z takes few values, each with many rows, the rows are split by it instead:

.. math:: I(X;Y|Z) = \sum_z p(z)\, I(X;Y|Z=z) .

The critics f of the first part and g of the second can also be read together. With a(x; y, z) = f(x; y, z) - g(x; z)
and x' drawn given z, Donsker and Varadhan's bound is

.. math:: I(X;Y|Z) \ge E\, a(X; Y, Z) - \ln E\, e^{a(X'; Y, Z)} ,

whatever f and g are worth. The x of the ten rows whose z is nearest stand for x': a conditional permutation. With many
columns of z the nearest are far, x' is not drawn given z, and the number is too large.
"""

from __future__ import annotations

import math
import os
import warnings as python_warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from mibounds._checks import check_fraction
from mibounds._files import write_json
from mibounds.bounds import DonskerVaradhan
from mibounds.data import intake_rows, rows_by_weight
from mibounds.estimation.added_scores import held_out, nearest
from mibounds.estimation.estimate import estimate
from mibounds.inference import Reading, interval, pool
from mibounds.results.result import Result
from mibounds.results.units import Unit, nats_in
from mibounds.training.checkpoints import part
from mibounds.training.interrupts import no_partial_results
from mibounds.warnings import AmplifiedWarning, MaybeIndependentWarning, MIWarning

__all__ = ["ConditionalResult", "conditional"]

_AMPLIFIED = 10.0
_ROWS_PER_STRATUM = 200
_MOST_STRATA = 50


@dataclass(frozen=True)
class ConditionalResult:
    """An estimate of I(X;Y|Z).

    Attributes:
        value: the estimate in `unit`; never clipped.
        stderr: its standard error.
        method: "chain", "neighbors" or "strata".
        parts: the estimates that it is made of: I(X;(Y,Z)) and I(X;Z), or I(X;Y|Z=z) by the value of z.
        amplification: the sum of the parts' sizes over the size of their difference, by which the chain rule magnifies
            errors; 1 for the others.
        allowance: how far the interval reaches below and above before sampling error, in `unit`.
        rows: N.
        level: of `interval`.
        unit: "nats" or "bits".
        warnings: reasons to doubt it, those of the parts included.
    """

    value: float
    stderr: float
    method: str
    parts: Mapping[str, Result]
    amplification: float
    allowance: tuple[float, float]
    rows: int
    level: float = 0.95
    unit: Unit = "nats"
    warnings: tuple[MIWarning, ...] = ()

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high) for I(X;Y|Z) at `level`, in `unit`; the upper end is never below 0."""
        return interval(self.value, self.stderr, self.level, *self.allowance)

    def __float__(self) -> float:
        return float(self.value)

    def to(self, unit: Unit | None = None, *, level: float | None = None) -> ConditionalResult:
        """The same in another unit, or at another level."""
        unit = unit or self.unit
        if level is not None:
            check_fraction("level", level)
        factor = nats_in(self.unit) / nats_in(unit)
        return replace(
            self,
            unit=unit,
            level=level or self.level,
            value=self.value * factor,
            stderr=self.stderr * factor,
            allowance=(self.allowance[0] * factor, self.allowance[1] * factor),
            parts={name: part.to(unit, level=level) for name, part in self.parts.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Numbers, text and the parts, for JSON."""
        return {
            "value": self.value, "stderr": self.stderr, "interval": list(self.interval), "level": self.level,
            "unit": self.unit, "method": self.method, "amplification": self.amplification, "rows": self.rows,
            "warnings": [warning.to_dict() for warning in self.warnings],
            "parts": {name: part.to_dict() for name, part in self.parts.items()},
        }  # fmt: skip

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as JSON; the file is complete or not there at all."""
        write_json(path, self.to_dict())

    def __repr__(self) -> str:
        low, high = self.interval
        parts = "  ".join(f"{name} {part.value:.4g}" for name, part in list(self.parts.items())[:6])
        lines = [
            f"I(X;Y|Z) = {self.value:.4g} {self.unit}   {self.level:.0%} interval [{low:.4g}, {high:.4g}]",
            f"  by {self.method} on {self.rows:,} rows: {parts}",
        ]
        lines += [f"  warning {warning.code}: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def conditional(
    x: Any,
    y: Any,
    z: Any,
    *,
    method: Literal["auto", "chain", "neighbors", "strata"] = "auto",
    unit: Unit = "nats",
    level: float = 0.95,
    seed: int = 0,
    **options: Any,
) -> ConditionalResult:
    r"""Conditional mutual information I(X;Y|Z): what x and y share that z does not explain.

    By the chain rule, or by strata where z takes at most 50 values, each in at least 200 rows (see the module for both
    formulas). A common cause z makes I(X;Y|Z) small and I(X;Y) large; a common effect z the other way round.

    Fails when I(X;Z) is large against the answer: a warning gives the amplification, and `interval` grows with it.
    `method="neighbors"` is then steadier, for z of up to some three columns.

    References:
        Mukherjee, Asnani and Kannan, CCMI: classifier based conditional mutual information estimation, 2019,
        arXiv:1906.01824. Runge, Conditional independence testing based on a nearest-neighbor estimator of conditional
        mutual information, 2018, arXiv:1709.01447, for permutations among neighbors.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it.
        y: (N,) or (N, D_y), paired with x.
        z: (N,) or (N, D_z), paired with both.
        method: "chain"; "neighbors", which reads the chain's critics by Donsker and Varadhan's bound with the x of rows
            whose z is nearest; "strata"; or "auto", which takes strata where z allows it and the chain elsewhere.
        unit: "nats" or "bits".
        level: of the interval.
        seed: of both estimates.
        options: further arguments of `estimate`.

    Returns:
        A `ConditionalResult`.

    Raises:
        TypeError, ValueError: as `estimate` does; if z equals x or y; if strata are asked for and z has too many
            values.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> z, a, b = torch.randn(3, 1000, generator=generator)
        >>> found = conditional(z + a, z + a + b, z, steps=150, folds=2, hidden=(32,))  # truth .347
        >>> abs(found.value - 0.347) < 0.1
        True
    """
    nats_in(unit)  # an unknown unit is refused before the work and not after it
    if method not in ("auto", "chain", "neighbors", "strata"):
        raise ValueError(f"method is {method!r}, and must be 'auto', 'chain', 'neighbors' or 'strata'.")
    tables, caught = intake_rows({"x": x, "y": y, "z": z}, options.pop("nan", "raise"))
    x, y, z = (table.values for table in tables)
    weights = options.pop("sample_weight", None)
    if weights is not None:
        stay = rows_by_weight(weights, tables[0].given, tables[0].kept, torch.Generator().manual_seed(seed))
        x, y, z = x[stay], y[stay], z[stay]
    for name, side in (("x", x), ("y", y)):
        if side.shape == z.shape and torch.equal(side, z):
            raise ValueError(f"z equals {name}: given itself {name} shares nothing with anything. Leave it out of z.")
    _, stratum, counts = torch.unique(z, dim=0, return_inverse=True, return_counts=True)
    fits = len(counts) <= _MOST_STRATA and int(counts.min()) >= _ROWS_PER_STRATUM
    if method == "strata" and not fits:
        raise ValueError(
            f"z takes {len(counts)} values, the rarest in {int(counts.min())} rows: strata need at most {_MOST_STRATA} "
            f'values with {_ROWS_PER_STRATUM} rows each. Use method="chain".'
        )
    options = {**options, "seed": seed}
    with python_warnings.catch_warnings(), no_partial_results():
        python_warnings.simplefilter("ignore", MaybeIndependentWarning)  # a part may well be nothing
        by_strata = method == "strata" or (method == "auto" and fits)
        result = _strata(x, y, z, stratum, options) if by_strata else _chain(x, y, z, options)
        if method == "neighbors":
            result = _among_neighbors(result, x, y, z, seed)
    doubts = [*caught]
    if result.amplification > _AMPLIFIED:
        doubts.append(
            AmplifiedWarning(
                f"The value is the difference of two estimates that are {result.amplification:.0f} times as large "
                "together, so their errors weigh as much more: more rows, or fewer columns of z, bring them down."
            )
        )
    for warning in doubts:
        python_warnings.warn(warning, stacklevel=2)
    told = [w for part in result.parts.values() for w in part.warnings if not isinstance(w, MaybeIndependentWarning)]
    return replace(result, warnings=(*doubts, *told)).to(unit, level=level)


def _chain(x: Tensor, y: Tensor, z: Tensor, options: dict[str, Any]) -> ConditionalResult:
    both = estimate(x, torch.cat([y, z], 1), **part(options, "y and z"))
    alone = estimate(x, z, **part(options, "z"))
    value = both.value - alone.value
    # The same rows and the same folds: the errors of the two are those of their differences, row by row and fold by
    # fold.
    rows = both.pointwise - alone.pointwise
    sampling = float(rows.std()) / math.sqrt(len(rows))
    folds = torch.tensor(both.fold_values) - torch.tensor(alone.fold_values)
    between = float(folds.std()) / math.sqrt(len(folds))
    return ConditionalResult(
        value=value,
        stderr=max(sampling, between),
        method="chain",
        parts={"I(X;YZ)": both, "I(X;Z)": alone},
        amplification=(abs(both.value) + abs(alone.value)) / max(abs(value), 1e-12),
        # What one part may lack stretches one end, what the other may lack the other.
        allowance=(
            both.allowance[0] + alone.allowance[1],
            both.allowance[1] + alone.allowance[0],
        ),
        rows=len(x),
    )


def _among_neighbors(chain: ConditionalResult, x: Tensor, y: Tensor, z: Tensor, seed: int) -> ConditionalResult:
    """The chain's critics, read with the x of rows whose z is nearest."""
    bound, generator = DonskerVaradhan(), torch.Generator().manual_seed(seed)
    parts, fold = [], []
    both, alone = chain.parts.values()
    for i, block in enumerate(held_out(both, alone, x, y, z)):
        added = block.added(nearest(block.z, generator))
        parts.append((bound.reduce(added[:, 0], added[:, 1:]),))
        fold.append(torch.full((len(added),), i))
    reading = Reading(bound, pool(parts), torch.cat(fold), math.inf)
    return replace(chain, value=reading.value(), stderr=reading.stderr(), method="neighbors", amplification=1.0)


def _strata(x: Tensor, y: Tensor, z: Tensor, stratum: Tensor, options: dict[str, Any]) -> ConditionalResult:
    parts, shares = {}, []
    for k in range(int(stratum.max()) + 1):
        rows = stratum == k
        name = ", ".join(f"{number:g}" for number in z[rows][0].tolist())
        parts[f"z = {name}"] = estimate(x[rows], y[rows], **part(options, f"z = {name}"))
        shares.append(float(rows.float().mean()))
    results = list(parts.values())
    weighted = list(zip(shares, results, strict=True))
    within = sum((share * part.stderr) ** 2 for share, part in weighted)
    value = sum(share * part.value for share, part in weighted)
    between = sum(share * (part.value - value) ** 2 for share, part in weighted) / len(x)
    below, above = (sum(share * part.allowance[end] for share, part in weighted) for end in (0, 1))
    return ConditionalResult(
        value=value,
        stderr=math.sqrt(within + between),
        method="strata",
        parts=parts,
        amplification=1.0,
        allowance=(below, above),
        rows=len(x),
    )
