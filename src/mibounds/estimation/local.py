"""Two single columns, or two labels: where neighbors, kernels and counts see what there is, nothing is trained."""

from __future__ import annotations

from mibounds.data import Sample
from mibounds.estimation.candidates import local_candidates, local_regressions
from mibounds.training.cross_fitting import cross_fit
from mibounds.training.evaluation import Evaluation
from mibounds.training.policy import CrossCheck
from mibounds.training.recipe import ESTIMATOR_SETTINGS, Recipe

__all__ = ["local_evaluation", "trains_as_preset"]

_TRAINING = (
    *ESTIMATOR_SETTINGS, "steps", "batch_size", "lr", "weight_decay", "clip", "check_every", "patience", "tolerance",
    "precision",
)  # fmt: skip
_MISSING, _MISSING_SHARE = 0.1, 0.05  # nats, and of the value: by so much critics and neighbors may differ
_SHARP = 2.5  # nats, from where densities by kernels are too smooth


def local_evaluation(sample: Sample, recipe: Recipe, checks: list[CrossCheck]) -> Evaluation | None:
    """The evaluation of critics without weights to train, which takes about a tenth of the time; None where that is not
    enough.

    Of two labels with at least five rows for each combination counts are enough. For one continuous column a side a
    kernel estimate of the copula density and a Student copula are, beyond 2.5 nats together with local linear
    regressions in both directions, if their held-out InfoNCE is within 0.1 nats and 5 % of nearest neighbors, which of
    two columns have little bias: then training would certify little more. Relations that oscillate, of which critics
    may certify more than neighbors see, and samples that are few for theirs, need the networks and the learners.

    Arguments:
        sample: of x and y, whose rows are independent.
        recipe: training settings that are not those by default ask for training.
        checks: classical estimates of the same samples.
    """
    x, y = sample.x, sample.y
    named = {check.name: check for check in checks if check.unbiased}
    if not trains_as_preset(recipe) or x.table is None or y.table is None:
        return None
    reference = None
    if x.is_label and y.is_label:
        reference = named.get("Contingency")
    elif x.width == y.width == 1 and not x.is_label and not y.is_label:
        reference = named.get("KSG", named.get("MixedKSG"))
    if reference is None:
        return None
    stages = [local_candidates(x, y)]
    if reference.value > _SHARP:
        stages.append([*stages[0], *local_regressions(x, y)])
    for candidates in stages:
        evaluation = cross_fit(candidates, x.values, y.values, recipe.part("closed forms"), calibrate=True)
        if x.is_label:
            return evaluation
        certified = evaluation.required("contrastive", "lower").value()
        if abs(reference.value - certified) <= _MISSING + _MISSING_SHARE * reference.value:
            return evaluation
    return None


def trains_as_preset(recipe: Recipe) -> bool:
    """Are the settings of the training those of the preset "default", or those of "quick"? Others ask for training."""
    presets = (Recipe.preset(name) for name in ("default", "quick"))
    return any(all(getattr(recipe, name) == getattr(one, name) for name in _TRAINING) for one in presets)
