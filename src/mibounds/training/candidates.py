"""What is trained, and how: the candidates of a fit, and the plan that all of them follow."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mibounds.bounds import NWJ, SMILE, Bound, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.data import Preprocessing
from mibounds.estimators.mi_estimator import MIEstimator
from mibounds.estimators.telescope import Telescope

__all__ = ["Candidate", "Plan", "bounds_read", "check_candidate", "on_device", "read_both_ways"]


@dataclass(frozen=True)
class Candidate:
    """One way to estimate: a name, an estimator, and what x and y pass through first: both the same, or a pair, one for
    each (None: nothing).

    With `instead_of` it is an alternative to the candidate of that name, and takes its place where the validation rows
    say so, clearly and before any training: for maps that suit a closed form in the critic or do not.
    """

    name: str
    estimator: MIEstimator | Telescope
    preprocessing: Preprocessing | tuple[Preprocessing | None, Preprocessing | None] | None = None
    instead_of: str | None = None

    @property
    def maps(self) -> tuple[Preprocessing | None, Preprocessing | None]:
        """What x and what y pass through."""
        both = self.preprocessing
        return both if isinstance(both, tuple) else (both, both)


@dataclass(frozen=True)
class Plan:
    """How a fold is trained; see `Trainer` for what each number means."""

    steps: int
    batch_size: int
    lr: float
    weight_decay: float
    clip: float
    check_every: int
    patience: int
    tolerance: float
    calibrate: bool
    precision: str = "float32"


def on_device(device: torch.device, estimator: MIEstimator | Telescope) -> MIEstimator | Telescope:
    """The estimator there; a copy, unless that is the CPU."""
    return estimator if device.type == "cpu" else copy.deepcopy(estimator).to(device)


def check_candidate(candidate: Candidate, plan: Plan) -> None:
    """Raise a ValueError if the candidate cannot be trained so."""
    negatives, bound = candidate.estimator.negatives, candidate.estimator.bound
    if bound.takes_raw_scores and candidate.preprocessing is not None:
        raise ValueError(
            f"{type(bound).__name__} counts in the units of y, which preprocessing changes: "
            "pass preprocessing=None, with an entropy in the units of your y."
        )
    if plan.precision == "bf16" and (isinstance(candidate.estimator, Telescope) or bound.needs_conditional_density):
        raise ValueError(
            f"precision is 'bf16', and {candidate.name} sums over scores inside of its networks, which half precision "
            "would spoil: leave precision at 'float32'."
        )
    if negatives != "all" and negatives >= plan.batch_size:
        raise ValueError(
            f"negatives is {negatives}, and a batch of {plan.batch_size} rows has {plan.batch_size - 1} "
            "others: ask for fewer negatives or a larger batch_size."
        )


def bounds_read(estimator: MIEstimator | Telescope) -> dict[str, Bound]:
    """The standard bounds and the estimator's own, by name."""
    standard: tuple[Bound, ...] = (InfoNCE(), DonskerVaradhan(), NWJ(), SMILE(), PlugIn())
    if estimator.bound.takes_raw_scores:  # the scores stay log-densities, of which these two do not see the constant
        standard = (InfoNCE(), DonskerVaradhan())
    return {type(bound).__name__: bound for bound in (*standard, estimator.bound)}


def read_both_ways(candidates: Sequence[Candidate]) -> bool:
    """Are both directions read? A density q(y|x) compares its x for one y; read the other way leave-one-out is no
    bound. Nor is a critic read both ways that left a function of y free."""
    return all(
        not c.estimator.critic.is_conditional_density and c.estimator.unidentified != "function of y"
        for c in candidates
    )
