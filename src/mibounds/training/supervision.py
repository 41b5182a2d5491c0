"""The supervision of a fold: learners that are fitted to its training samples append features to both variables."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mibounds._variables import Tensors
from mibounds.learners import SupervisedFeatures
from mibounds.training.folds import Fold

__all__ = ["Supervision"]


@dataclass(frozen=True)
class Supervision:
    """Unfitted supervised features for x and for y; None for a variable that gets none."""

    x: SupervisedFeatures | None = None
    y: SupervisedFeatures | None = None

    def augment(
        self, x: Tensors, y: Tensors, fold: Fold, clusters: Tensor | None = None
    ) -> tuple[tuple[nn.Module, nn.Module], Tensor, Tensor]:
        """The fitted maps of x and y, and all samples with their features: out-of-sample ones for training samples, and
        for the others those of all models together. Samples of one of the `clusters` (N,) are dependent on each other.
        """
        assert isinstance(x, Tensor) and isinstance(y, Tensor)
        map_x, more_x = _augmented(self.x, x, y, fold, clusters)
        map_y, more_y = _augmented(self.y, y, x, fold, clusters)
        return (map_x, map_y), more_x, more_y


def _augmented(
    features: SupervisedFeatures | None, x: Tensor, y: Tensor, fold: Fold, clusters: Tensor | None
) -> tuple[nn.Module, Tensor]:
    if features is None or not features.names:
        return nn.Identity(), x
    fitted = copy.deepcopy(features)
    train, rest = fold.train.cpu(), torch.cat([fold.valid, fold.test]).cpu()
    own, target = x.cpu(), y.cpu()  # scikit-learn computes there
    more = own.new_zeros(len(own), own.shape[1] + len(fitted.names))
    dependent = None if clusters is None else clusters.cpu()[train]
    more[train] = fitted.fit_transform(own[train], target[train], dependent)
    more[rest] = fitted(own[rest])
    return fitted.to(x.device), more.to(x.device)
