"""The one inner estimate that every function of this package calls, on a sample or a part of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds._version import versions
from mibounds.data import Sample
from mibounds.estimation.candidates import default_candidates, supervision_of
from mibounds.estimation.canonical_order import exchanged, given_rows, is_exchanged, order_of, turned
from mibounds.estimation.cross_checks import cross_checks, regression_check
from mibounds.estimation.detection_limit import detection_limit
from mibounds.estimation.diagnostics import CHECKS
from mibounds.estimation.local import local_evaluation
from mibounds.estimation.prediction_check import prediction_check
from mibounds.estimation.selected_columns import selected_columns
from mibounds.estimation.wide import wide_recipe
from mibounds.inference import entropy_margin
from mibounds.results import Result
from mibounds.training.cross_fitting import cross_fit
from mibounds.training.diagnostics import Evidence, run_checks
from mibounds.training.policy import CrossCheck, choose, make_result
from mibounds.training.recipe import Recipe
from mibounds.warnings import MIWarning

__all__ = ["_estimate", "entropy_limit"]


def _estimate(sample: Sample, recipe: Recipe, order: Tensor | None = None, *, trained: bool = False) -> Result:
    """I(X;Y) in nats of the variables x and y of a sample. No warning is issued: the function that the user called
    issues those of its result.

    Arguments:
        sample: or a part of one; columns that are constant in the part are left out.
        recipe: how it is trained and run.
        order: (N,) in which rows are divided into folds; that of their values, unless two estimates are to share it.
        trained: train the candidates also where nearest neighbors and kernels are enough for the value.
    """
    sample = sample.varying()
    if sample.is_constant("x") or sample.is_constant("y"):
        return _zero(sample, recipe)
    exchange = is_exchanged(sample)
    taken = turned(sample) if exchange else sample
    order = order_of(taken, recipe) if order is None else order
    result = given_rows(_in_order(taken[order], recipe, sample, trained), order)
    return exchanged(result) if exchange else result


def _in_order(sample: Sample, recipe: Recipe, given: Sample, trained: bool) -> Result:
    """The same of a sample whose rows and variables are in their order; diagnostics are of the one that was given."""
    x, y, recipe = sample.x, sample.y, wide_recipe(sample, recipe)
    # Nearest neighbors and the copula take all samples as independent; the trees of a fold are evaluated on its own.
    independent = recipe.split == "random" and recipe.cv is None and sample.groups is None
    checks: list[CrossCheck] = []
    if x.table is not None and y.table is not None:
        checks = cross_checks(x.table, y.table, recipe.seed)
    evaluation = local_evaluation(sample, recipe, checks) if independent and not trained else None
    if evaluation is None:
        supervision = supervision_of(sample, recipe)
        evaluation = cross_fit(
            default_candidates(sample, recipe, supervision), x.values, y.values, recipe,
            calibrate=True, groups=sample.groups, supervision=supervision,
        )  # fmt: skip
    entropy, label = label_entropy(sample)
    limit = entropy_limit(sample, recipe)
    if entropy is not None:
        evaluation = evaluation.with_classifier(x.values, y.values, "x" if label == "x" else "y")
    trees, undetectable = None, 0.0
    capped: list[MIWarning] = []
    if x.table is not None and y.table is not None:
        trees = regression_check(evaluation, sample)
        others = [trees, selected_columns(sample, recipe.seed)]
        if independent:  # else the number of the fold, which predictions depend on, tells something of y
            others.append(prediction_check(evaluation, sample, recipe.seed))
        checks += [check for check in others if check is not None]
    valid = [check for check in checks if independent or check is trees]
    choice = choose(evaluation, limit, valid, x.width + y.width)
    evidence = Evidence(
        evaluation, choice.method, given.x.table, given.y.table, cross_checks=checks, local=choice.local,
        extrapolated=choice.extrapolated, blocked=recipe.split == "blocked", grouped=sample.groups is not None,
        variables=(given.x, given.y), entropy=entropy,
    )  # fmt: skip
    if x.table is not None and y.table is not None:
        undetectable, capped = detection_limit(
            x.table, y.table, evaluation.train_n, evidence.value, extrapolated=choice.extrapolated
        )
        capped = capped if limit is None else []  # that of a label is its entropy
    return make_result(
        evaluation,
        choice,
        sample,
        recipe,
        cross_checks=checks,
        detection_limit=recipe.tolerance + undetectable,
        warnings=[*given.warnings, *run_checks(evidence, CHECKS), *capped],
    )


def label_entropy(sample: Sample) -> tuple[float | None, str]:
    """The entropy in nats of the label among x and y, of two labels the smaller one, and which it is; None without."""
    found = [
        (entropy, name)
        for name, one in sample.variables.items()
        if name in "xy" and (entropy := one.label_entropy) is not None
    ]
    return min(found) if found else (None, "")


def entropy_limit(sample: Sample, recipe: Recipe) -> float | None:
    """The upper confidence limit of that entropy, in nats, which the information cannot exceed."""
    cluster = recipe.clusters(sample.n, sample.groups)
    limits = []
    for one in (sample.x, sample.y):
        entropy = one.label_entropy
        if entropy is not None and one.table is not None:
            label = torch.unique(one.table, dim=0, return_inverse=True)[1]
            merged = getattr(one.encodings[0], "distinct", 0)  # of more categories than are told apart
            classes = max(int(label.max()) + 1, merged)
            limits.append(min(entropy + entropy_margin(label, cluster), math.log(classes)))
    return min(limits, default=None)


def _zero(sample: Sample, recipe: Recipe) -> Result:
    """A constant shares no information with anything."""
    pointwise = torch.full((sample.given,), math.nan).index_fill(0, sample.kept, 0.0)
    return Result(
        value=0.0,
        stderr=0.0,
        estimates={"constant": 0.0},
        method="constant",
        n=sample.n,
        warnings=sample.warnings,
        columns=(sample.x.columns, sample.y.columns),
        kinds=(sample.x.kinds, sample.y.kinds),
        seed=recipe.seed,
        versions=versions(),
        pointwise=pointwise,
    )
