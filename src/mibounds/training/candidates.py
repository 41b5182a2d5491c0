"""The candidates of a fit: estimators with their preprocessing."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from mibounds.bounds import NWJ, SMILE, Bound, DonskerVaradhan, InfoNCE, PlugIn
from mibounds.data import Preprocessing
from mibounds.estimators import Estimator
from mibounds.training.recipe import Recipe

__all__ = [
    "Candidate",
    "check_candidate",
    "evaluated_bounds",
    "evaluated_name",
    "evaluates_both_directions",
    "on_device",
]


@dataclass(frozen=True)
class Candidate:
    """An estimator with its name and its preprocessing: the same for x and y, or a pair, one for each (None: none).

    With `instead_of` it is an alternative to the candidate of that name, and takes its place where the validation rows
    say so, clearly and before any training: for maps that suit a closed form in the critic or do not.
    """

    name: str
    estimator: Estimator
    preprocessing: Preprocessing | tuple[Preprocessing | None, Preprocessing | None] | None = None
    instead_of: str | None = None

    @property
    def maps(self) -> tuple[Preprocessing | None, Preprocessing | None]:
        """What x and what y pass through."""
        both = self.preprocessing
        return both if isinstance(both, tuple) else (both, both)


def on_device(device: torch.device, estimator: Estimator) -> Estimator:
    """The estimator there; a copy, unless that is the CPU."""
    return estimator if device.type == "cpu" else copy.deepcopy(estimator).to(device)


def check_candidate(candidate: Candidate, recipe: Recipe) -> None:
    """Raise a ValueError if the candidate cannot be trained by a recipe that is filled in."""
    estimator, bound = candidate.estimator, candidate.estimator.bound
    if bound.takes_raw_scores and candidate.preprocessing is not None:
        raise ValueError(
            f"{type(bound).__name__} counts in the units of y, which preprocessing changes: "
            "pass preprocessing=None, with an entropy in the units of your y."
        )
    if recipe.precision == "bf16" and not estimator.half_precision:
        raise ValueError(
            f"precision is 'bf16', and {candidate.name} sums over scores inside its networks, which half precision "
            "would spoil: leave precision at 'float32'."
        )
    if estimator.negatives != "all" and estimator.negatives >= (recipe.batch_size or 0):
        raise ValueError(
            f"negatives is {estimator.negatives}, and a batch of {recipe.batch_size} samples has "
            f"{(recipe.batch_size or 0) - 1} others: ask for fewer negatives or a larger batch_size."
        )


def evaluated_bounds(estimator: Estimator) -> dict[str, Bound]:
    """The standard bounds by name, and the estimator's own, which takes the place of one of its class."""
    standard: tuple[Bound, ...] = (InfoNCE(), DonskerVaradhan(), NWJ(), SMILE(), PlugIn())
    if estimator.bound.takes_raw_scores:  # of log densities these two do not depend on a constant
        standard = (InfoNCE(), DonskerVaradhan())
    bounds = {type(bound).__name__: bound for bound in standard}
    return bounds | {evaluated_name(estimator.bound): estimator.bound}


def evaluated_name(bound: Bound) -> str:
    """What a bound's estimate is called: the name of its class, with the module's where that is a standard bound's."""
    kind = type(bound)
    taken = any(
        one.__name__ == kind.__name__ and one is not kind for one in (InfoNCE, DonskerVaradhan, NWJ, SMILE, PlugIn)
    )
    return f"{kind.__module__}.{kind.__qualname__}" if taken else kind.__name__


def evaluates_both_directions(candidates: Sequence[Candidate]) -> bool:
    """Are both directions evaluated? A density q(y|x) is normalized in y only; nor is a critic evaluated both ways
    whose objective does not identify a function of y."""
    return all(
        not c.estimator.critic.is_conditional_density and c.estimator.unidentified != "function of y"
        for c in candidates
    )
