"""The candidates of the default estimate: critics on ranked and standardized columns, and on encoded images."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mibounds._random import seeded
from mibounds.choices import build_bound, build_critic
from mibounds.critics import Critic, Encoded, GaussianCritic, WithOffset
from mibounds.data import (
    Gaussianize,
    Preprocessing,
    RankGaussianize,
    Sample,
    Standardize,
    StandardizeChannels,
    Variable,
)
from mibounds.estimation.wide import is_wide, wide_candidates
from mibounds.estimators import MIEstimator
from mibounds.networks import MLP, ConvEncoder, SequenceEncoder, WithRadius
from mibounds.training import Candidate, Recipe

__all__ = ["default_candidates", "ranked_candidate"]

_CODE = 128  # columns that an image or a sequence becomes
_MOST_FOR_COMPONENTS = 100  # columns, beyond which independent components cost more time than they gain
_JOINT_NEGATIVES = 8


def default_candidates(sample: Sample, recipe: Recipe) -> list[Candidate]:
    """The candidates that validation samples weight, for the variables x and y of a sample."""
    x, y = sample.x, sample.y
    tables = x.table is not None and y.table is not None
    if tables and is_wide(sample):
        return wide_candidates(sample, recipe, lambda critic: _estimator(critic, recipe))
    (encoder_x, width_x), (encoder_y, width_y) = (
        (WithRadius(), side.width + 1) if tables else _code(side, recipe, recipe.seed + i)
        for i, side in enumerate((x, y))
    )
    kind = build_critic(recipe.critic, 1, 1)
    # Codes need no further layers, which would only overfit, unless the critic scores concatenated codes.
    hidden = recipe.hidden if tables or kind.network_per_pair else ()
    network = build_critic(recipe.critic, width_x, width_y, recipe.seed, hidden=hidden)
    network = Encoded(network, encoder_x, encoder_y)
    if not tables:
        return [Candidate("encoded", _estimator(network, recipe), (_preprocessing(x), _preprocessing(y)))]
    offset = WithOffset(network, GaussianCritic(radial=True))
    candidates = [
        Candidate("ranks with Gaussian offset", _estimator(offset, recipe), RankGaussianize()),
        Candidate("ranks", _estimator(network, recipe), RankGaussianize()),
        Candidate("standardized", _estimator(network, recipe), Standardize(limit=5.0)),
    ]
    if 1 < max(x.width, y.width) <= _MOST_FOR_COMPONENTS:
        components = _estimator(WithOffset(network, GaussianCritic()), recipe)
        candidates.append(
            Candidate("independent components", components, Gaussianize(), instead_of="ranks with Gaussian offset")
        )
    return candidates


def ranked_candidate(x: Tensor, y: Tensor, recipe: Recipe) -> Candidate:
    """The first of the default candidates alone: ranked columns with a Gaussian offset."""
    network = build_critic(recipe.critic, x.shape[1] + 1, y.shape[1] + 1, recipe.seed, hidden=recipe.hidden)
    critic = WithOffset(Encoded(network, WithRadius(), WithRadius()), GaussianCritic(radial=True))
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
