"""The candidates of the default estimate: critics on ranked and standardized columns, and on encoded images."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from mibounds._random import seeded
from mibounds.bounds import InfoNCE
from mibounds.choices import build_bound, build_critic
from mibounds.critics import (
    ClassCritic,
    CopulaDensityCritic,
    CountsCritic,
    Critic,
    Encoded,
    ForestCritic,
    GaussianCritic,
    LocalLinearCritic,
    NormalClassesCritic,
    ResidualCritic,
    StudentCopulaCritic,
    Transposed,
    WithOffset,
)
from mibounds.data import (
    FirstColumns,
    Gaussianize,
    Preprocessing,
    PrincipalAxes,
    RankGaussianize,
    Sample,
    Standardize,
    StandardizeChannels,
    Variable,
)
from mibounds.estimation.wide import is_wide, wide_candidates
from mibounds.estimators import MIEstimator
from mibounds.learners import SupervisedFeatures
from mibounds.networks import MLP, ConvEncoder, SequenceEncoder, WithRadius
from mibounds.training.candidates import Candidate
from mibounds.training.diagnostics import kurtosis
from mibounds.training.recipe import Recipe
from mibounds.training.supervision import Supervision

__all__ = ["default_candidates", "local_candidates", "local_regressions", "ranked_candidate", "supervision_of"]

_CODE = 128  # columns that an image or a sequence becomes
_MOST_FOR_COMPONENTS = 100  # columns, beyond which independent components cost more time than they gain
_MANY, _AXES = 32, 16  # columns, from where their leading principal axes are a candidate of their own; axes
_MOST_FOR_STUDENT = 20  # columns of x and y together
_MOST_FOR_NORMALS = 60  # columns, or codes of a label
_JOINT_NEGATIVES = 8
_HEAVY = 20.0  # kurtosis of a column, from where squared errors of its values say little


def supervision_of(sample: Sample, recipe: Recipe) -> Supervision | None:
    """The supervised features of both variables; None without learners, and where a variable is no table."""
    x, y = sample.x, sample.y
    if not recipe.learners or x.table is None or y.table is None or is_wide(sample):
        return None
    return Supervision(_supervised(x, y, recipe), _supervised(y, x, recipe))


def _supervised(variable: Variable, target: Variable, recipe: Recipe) -> SupervisedFeatures | None:
    """The features of a variable: of few columns, what they predict of as many or fewer; many columns that are
    predicted from few cost much time, and say little that the other direction does not."""
    assert target.table is not None
    if target.width > variable.width and not target.is_label:
        return None
    classes = torch.unique(target.table, dim=0) if target.is_label else None
    values = target.width == 1 and kurtosis(target.table) < _HEAVY
    return SupervisedFeatures(variable.width, target.width, classes=classes, values=values, seed=recipe.seed)


def default_candidates(sample: Sample, recipe: Recipe, supervision: Supervision | None = None) -> list[Candidate]:
    """The candidates that validation samples weight, for the variables x and y of a sample.

    Arguments:
        sample: of x and y.
        recipe: how they are trained.
        supervision: the features that are appended to the columns of tables.
    """
    x, y = sample.x, sample.y
    if is_wide(sample):
        estimator = partial(_estimator, recipe=recipe)
        return [*wide_candidates(sample, recipe, estimator), principal_axes(x, y, recipe)]
    kind = build_critic(recipe.critic, 1, 1)
    if x.table is None or y.table is None:
        (encoder_x, width_x), (encoder_y, width_y) = (_code(v, recipe, recipe.seed + i) for i, v in enumerate((x, y)))
        # Codes need no further layers, which would only overfit, unless the critic scores concatenated codes.
        hidden = recipe.hidden if kind.network_per_pair else ()
        network = build_critic(recipe.critic, width_x, width_y, recipe.seed, hidden=hidden)
        encoded = Encoded(network, encoder_x, encoder_y)
        return [Candidate("encoded", _estimator(encoded, recipe), (_preprocessing(x), _preprocessing(y)))]
    given = _network(x.width, y.width, recipe)
    added_x, added_y = _added(supervision, "x"), _added(supervision, "y")
    augmented = _network(x.width + added_x, y.width + added_y, recipe)
    offset = WithOffset(given, GaussianCritic(radial=True))
    candidates = [
        Candidate("ranks with Gaussian offset", _estimator(offset, recipe), _first(x, y, RankGaussianize())),
        Candidate("ranks", _estimator(augmented, recipe), RankGaussianize()),
        Candidate("standardized", _estimator(augmented, recipe), Standardize(limit=5.0)),
    ]
    if 1 < max(x.width, y.width) <= _MOST_FOR_COMPONENTS:
        components = _estimator(WithOffset(given, GaussianCritic()), recipe)
        candidates.append(
            Candidate(
                "independent components", components, _first(x, y, Gaussianize()),
                instead_of="ranks with Gaussian offset",
            )
        )  # fmt: skip
    if max(x.width, y.width) > _MANY:
        candidates.append(principal_axes(x, y, recipe))
    if supervision is not None:
        candidates += closed_form_candidates(x, y, supervision, recipe)
    return candidates


def principal_axes(x: Variable, y: Variable, recipe: Recipe) -> Candidate:
    """A Gaussian offset and a network on the leading principal axes of a variable of many columns."""
    sides: list[tuple[int, Preprocessing]] = []
    for one in (x, y):
        many = one.width > _MANY and not one.is_label
        inner = PrincipalAxes(_AXES, RankGaussianize()) if many else RankGaussianize()
        sides.append((_AXES if many else one.width, FirstColumns(one.width, inner)))
    (width_x, map_x), (width_y, map_y) = sides
    critic = WithOffset(_network(width_x, width_y, recipe), GaussianCritic())
    return Candidate("principal axes", _estimator(critic, recipe), (map_x, map_y))


def _network(width_x: int, width_y: int, recipe: Recipe) -> Critic:
    """The critic that is trained, of columns and their radius."""
    network = build_critic(recipe.critic, width_x + 1, width_y + 1, recipe.seed, hidden=recipe.hidden)
    return Encoded(network, WithRadius(), WithRadius())


def _first(x: Variable, y: Variable, inner: Preprocessing) -> tuple[Preprocessing, Preprocessing]:
    """The columns that were given, without features."""
    return FirstColumns(x.width, inner), FirstColumns(y.width, copy.deepcopy(inner))


def _added(supervision: Supervision | None, name: str) -> int:
    features = None if supervision is None else supervision.x if name == "x" else supervision.y
    return 0 if features is None else len(features.names)


def closed_form_candidates(x: Variable, y: Variable, supervision: Supervision, recipe: Recipe) -> list[Candidate]:
    """Critics without weights to train, on supervised features in both directions, and on a single pair of columns."""
    found: dict[str, Critic] = {}
    for name, critic in _predicting(x, y, supervision.x, recipe).items():
        found[f"{name} of y"] = critic
    for name, critic in _predicting(y, x, supervision.y, recipe).items():
        found[f"{name} of x"] = Transposed(critic)
    candidates = [Candidate(name, MIEstimator(critic, InfoNCE())) for name, critic in found.items()]
    candidates += [*_copula_density(x, y), *local_regressions(x, y)]
    candidates += _normal_classes(x, y)
    return [*candidates, *_student_copula(x, y)]


def local_candidates(x: Variable, y: Variable) -> list[Candidate]:
    """The critics of two labels, or of two single columns, that need neither weights to train nor features."""
    if x.is_label and y.is_label:
        return [Candidate("counts", MIEstimator(CountsCritic(), InfoNCE()))]
    return [*_copula_density(x, y), *_student_copula(x, y)]


def _copula_density(x: Variable, y: Variable) -> list[Candidate]:
    if not x.width == y.width == 1:
        return []
    return [Candidate("copula density", MIEstimator(CopulaDensityCritic(0, 0), InfoNCE()))]


def local_regressions(x: Variable, y: Variable) -> list[Candidate]:
    """Regressions of a single column on the other, in both directions."""
    if not x.width == y.width == 1 or x.is_label or y.is_label:
        return []
    directions = {"y": LocalLinearCritic(), "x": Transposed(LocalLinearCritic())}
    return [
        Candidate(f"local regression of {name}", MIEstimator(critic, InfoNCE())) for name, critic in directions.items()
    ]


def _student_copula(x: Variable, y: Variable) -> list[Candidate]:
    if x.width + y.width > _MOST_FOR_STUDENT or x.is_label or y.is_label:
        return []
    ranks = _first(x, y, RankGaussianize())
    return [Candidate("Student copula", MIEstimator(StudentCopulaCritic(), InfoNCE()), ranks)]


def _normal_classes(x: Variable, y: Variable) -> list[Candidate]:
    """Discriminant analysis of a label, of columns as they are and of their ranks."""
    if x.is_label == y.is_label or max(x.width, y.width) > _MOST_FOR_NORMALS:
        return []
    critic: Critic = Transposed(NormalClassesCritic()) if x.is_label else NormalClassesCritic()
    return [
        Candidate(name, MIEstimator(critic, InfoNCE()), _first(x, y, inner))
        for name, inner in (("normal classes", Standardize()), ("normal classes of ranks", RankGaussianize()))
    ]


def _predicting(x: Variable, y: Variable, features: SupervisedFeatures | None, recipe: Recipe) -> dict[str, Critic]:
    """Critics that rest on a prediction of y from x."""
    if features is None or not features.names or (y.width > 1 and not y.is_label):
        return {}
    if y.is_label:
        return {
            "classes": ClassCritic(x.width),
            "linear classes": ClassCritic(0),
            "forest": ForestCritic(label=True, seed=recipe.seed),
        }
    place = {name: x.width + i for i, name in enumerate(features.names)}
    found: dict[str, Critic] = {
        "prediction": CopulaDensityCritic(place["score 0"]),
        "regression on scores": LocalLinearCritic(place["score 0"]),
    }
    if "value 0" in place:
        found["residuals"] = ResidualCritic(place["value 0"])
        found["regression on values"] = LocalLinearCritic(place["value 0"])
    if "scale 0" in place:
        found["scaled residuals"] = ResidualCritic(place["score 0"], place["scale 0"], ranked=True)
        found["forest"] = ForestCritic(seed=recipe.seed)
    return found


def ranked_candidate(x: Tensor, y: Tensor, recipe: Recipe) -> Candidate:
    """The first of the default candidates alone: ranked columns with a Gaussian offset."""
    critic = WithOffset(_network(x.shape[1], y.shape[1], recipe), GaussianCritic(radial=True))
    return Candidate("ranks with Gaussian offset", _estimator(critic, recipe), RankGaussianize())


def _estimator(critic: Critic, recipe: Recipe) -> MIEstimator:
    """A critic that runs a network on every pair is trained with few of them, the others with all of a batch."""
    few = critic.network_per_pair
    bound = build_bound(recipe.bound)
    return MIEstimator(critic, bound, negatives=_JOINT_NEGATIVES if few else "all", symmetric=not few)


def _code(variable: Variable, recipe: Recipe, seed: int) -> tuple[nn.Module, int]:
    """A module that maps a variable to a code, and the width of the code."""
    if variable.encoder is not None:
        return variable.encoder, variable.width
    if variable.is_label:
        return nn.Identity(), variable.width
    if variable.table is not None:
        with seeded(seed):
            return MLP(variable.width, recipe.hidden, _CODE), _CODE
    assert isinstance(variable.values, Tensor)
    shape: Sequence[int] = variable.values.shape[1:]
    with seeded(recipe.seed):
        if variable.kind == "image":
            return ConvEncoder((shape[0], shape[1], shape[2]), _CODE), _CODE
        return SequenceEncoder(shape[1], _CODE), _CODE


def _preprocessing(variable: Variable) -> Preprocessing | None:
    if variable.table is not None:
        return RankGaussianize()
    if variable.encoder is not None:
        return None
    return StandardizeChannels(1 if variable.kind == "image" else -1)
