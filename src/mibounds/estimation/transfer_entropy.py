r"""What the past of one series tells of another beyond that one's own past.

.. math:: T_{X \to Y} = I(X_{past}; Y_t | Y_{past})

with :math:`X_{past} = (X_{t-\ell}, \dots, X_{t-\ell-k+1})` and :math:`Y_{past} = (Y_{t-1}, \dots, Y_{t-m})`,
by the chain rule of `conditional` on contiguous folds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mibounds._checks import check_at_least
from mibounds._files import write_json
from mibounds.data import MissingPolicy, intake_rows
from mibounds.estimation.conditional import ConditionalResult, conditional
from mibounds.estimation.lagged import blocked, check_reach, series
from mibounds.estimation.surrogates import surrogate_pvalue
from mibounds.results.units import Unit
from mibounds.training.trainer import automatic_folds
from mibounds.warnings import MIWarning

__all__ = ["TransferEntropyResult", "transfer_entropy"]


@dataclass(frozen=True, repr=False)
class TransferEntropyResult:
    """An estimate of the transfer entropy from x to y.

    Attributes:
        conditional: the estimate of I(X_past; Y[t] | Y_past) with its two parts.
        lag: rows from the latest past of x to y.
        history: rows of the past of x.
        own_history: rows of the past of y.
        pvalue: the chance of so much if x adds nothing; None if it was not asked for.
        permutations: how many surrogates of each kind it was compared with.
    """

    conditional: ConditionalResult
    lag: int
    history: int
    own_history: int
    pvalue: float | None = None
    permutations: int = 0

    @property
    def value(self) -> float:
        """The estimate in `unit`; never clipped."""
        return self.conditional.value

    @property
    def stderr(self) -> float:
        """Its standard error in `unit`."""
        return self.conditional.stderr

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high) at `level`, in `unit`; the upper end is never below 0."""
        return self.conditional.interval

    @property
    def amplification(self) -> float:
        """The size of the two parts together over that of their difference."""
        return self.conditional.amplification

    @property
    def level(self) -> float:
        """Of `interval`."""
        return self.conditional.level

    @property
    def unit(self) -> Unit:
        """Nats or bits."""
        return self.conditional.unit

    @property
    def warnings(self) -> tuple[MIWarning, ...]:
        """Reasons to doubt it."""
        return self.conditional.warnings

    def __float__(self) -> float:
        return float(self.value)

    def to(self, unit: Unit | None = None, *, level: float | None = None) -> TransferEntropyResult:
        """The same in another unit, or at another level."""
        return replace(self, conditional=self.conditional.to(unit, level=level))

    def to_dict(self) -> dict[str, Any]:
        """Numbers, text and the parts, for JSON."""
        own = {name: getattr(self, name) for name in ("lag", "history", "own_history", "pvalue", "permutations")}
        return {**self.conditional.to_dict(), **own}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_dict` as JSON; the file is complete or not there at all."""
        write_json(path, self.to_dict())

    def __repr__(self) -> str:
        low, high = self.interval
        parts = "  ".join(f"{name} {part.value:.4g}" for name, part in self.conditional.parts.items())
        tested = "" if self.pvalue is None else f"   p = {self.pvalue:.3g} ({self.permutations:,} surrogates)"
        lines = [
            f"transfer entropy {self.value:.4g} {self.unit}   "
            f"{self.level:.0%} interval [{low:.4g}, {high:.4g}]{tested}",
            f"  lag {self.lag}, history {self.history}, own history {self.own_history}, "
            f"{self.conditional.rows:,} rows: {parts}",
        ]
        lines += [f"  warning {warning.code}: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def transfer_entropy(
    x: Any,
    y: Any,
    *,
    history: int = 1,
    own_history: int | None = None,
    lag: int = 1,
    gap: int | None = None,
    permutations: int = 0,
    nan: MissingPolicy = "raise",
    seed: int = 0,
    **options: Any,
) -> TransferEntropyResult:
    r"""Transfer entropy from x to y: what the past of x tells of y that y's own past does not. Swap them for the other
    direction.

    .. math:: T_{X \to Y} = I\big(X_{t-\ell}, \dots, X_{t-\ell-k+1};\, Y_t \,\big|\, Y_{t-1}, \dots, Y_{t-m}\big)

    It is zero in the direction in which nothing flows, where `lagged` is not. It is no proof of cause: a third series
    that drives both, first x and then y, looks the same; and an own history shorter than y's memory leaves to x what
    y would have told itself.

    Fails when y's past already tells most of it (the amplification warns), and for long histories of many columns.

    References:
        Schreiber, Measuring information transfer, 2000, arXiv:nlin/0001042.
        Runge, Conditional independence testing based on a nearest-neighbor estimator of conditional mutual
        information, 2018, arXiv:1709.01447, for surrogates among neighbors.

    Arguments:
        x: (N,) or (N, D_x), as `estimate` takes it, a row for each time.
        y: (N,) or (N, D_y), likewise.
        history: k, rows of x's past.
        own_history: m, rows of y's own past; by default k. Longer is safer.
        lag: rows from the latest past of x to y.
        gap: the rows after which the series forget; by default 1 % of them. What a row reaches back is added.
        permutations: surrogates for a p-value, for example 199; the smallest p is 1/(1 + them). Two kinds are drawn
            (see `mibounds.estimation.surrogates`), and neither costs a training.
        nan: "raise"; or "drop" the times that miss a value of x or of y, with no other time moved.
        seed: of the estimates and of the surrogates.
        options: further arguments of `estimate`.

    Returns:
        A `TransferEntropyResult`.

    Raises:
        TypeError, ValueError: as `estimate` does; for a history or lag below 1, or too long for the series.

    Example:
        >>> from mibounds.tasks import VectorAutoregression
        >>> process = VectorAutoregression.one_way(memory=0.5, coupling=1.0)
        >>> x, y = process.sample(1000, torch.Generator().manual_seed(0))
        >>> found = transfer_entropy(x, y, permutations=19, steps=100, folds=2, hidden=(32,))
        >>> abs(found.value - process.transfer_entropy()) < 0.1, found.pvalue  # truth .383
        (True, 0.05)
    """
    own_history = history if own_history is None else own_history
    for name, number in (("history", history), ("own_history", own_history), ("lag", lag)):
        check_at_least(name, number, 1)
    check_at_least("permutations", permutations, 0)
    x, y = series(x, y, nan)
    if x.shape == y.shape and torch.equal(x, y):
        raise ValueError("x equals y: a series tells itself nothing beyond its own past. Give two series.")
    reach = max(lag + history - 1, own_history)
    check_reach(f"the pasts reach {reach} rows back", len(x), len(x) - reach)
    times = torch.arange(reach, len(x))
    now, past_x, past_y = y[times], _past(x, times, lag, history), _past(y, times, 1, own_history)
    options = {**blocked(options, len(x), gap, reach), "nan": nan}
    block = len(times) // (options.get("folds") or automatic_folds(len(times), "blocked"))
    if permutations and block <= 2 * options["gap"]:
        raise ValueError(
            f"gap is {options['gap']} with what a row reaches back, and blocks of {block} rows hold no shift beyond "
            "it: give a smaller gap, fewer folds, longer series, or no permutations."
        )
    found = conditional(past_x, now, past_y, method="chain", seed=seed, **options)
    pvalue = None
    if permutations:
        # The rows as `conditional` took them.
        (one, two, three), _ = intake_rows({"x": past_x, "y": now, "z": past_y}, nan)
        pvalue = surrogate_pvalue(
            found.parts.values(), one.values, two.values, three.values, options["gap"], permutations, seed
        )
    return TransferEntropyResult(found, lag, history, own_history, pvalue, permutations)


def _past(values: Tensor, times: Tensor, delay: int, depth: int) -> Tensor:
    return torch.cat([values[times - delay - k] for k in range(depth)], 1)
