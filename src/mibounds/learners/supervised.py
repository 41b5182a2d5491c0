"""Supervised features: predictions of one variable from the other as further columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mibounds._buffers import FittedBuffers
from mibounds.data import RankGaussianize
from mibounds.learners.gaussian_process import GaussianProcess
from mibounds.learners.learner import Learner
from mibounds.learners.ridge import RidgeRegression
from mibounds.learners.trees import BoostedClasses, BoostedTrees

__all__ = ["SupervisedFeatures"]

_COLUMNS_FOR_PROCESS = 40  # of x, beyond which length scales cannot be told apart
_COLUMNS_FOR_LINEAR = 1_000  # of x; a regression takes their third power in time
_COLUMNS_FOR_TREES = 300  # of x
_TARGETS_FOR_TREES = 4  # columns of y; each costs a fit
_TARGETS = 32
_CLASSES = 20
_SMALLEST = 1e-3  # of the spread of residuals, whose logarithm is predicted


class SupervisedFeatures(FittedBuffers):
    r"""Appends to x what learners predict of y from it, :math:`x \mapsto (x, g_1(x), \dots, g_K(x))`.

    A critic then finds a dependence of y on many columns of x as one of a column on a column. Because the features are
    functions of x alone, they add no information; because `fit_transform` returns out-of-sample predictions, a critic
    that is trained on them can rely on them.

    The learners are a Gaussian process of at most 40 columns, a linear regression, boosted trees, and boosted trees
    that see the predictions of the first two, too, which learn steps of a smooth function or of a weighted sum. Of
    continuous columns y the features are the predicted normal scores (of a single column also the predicted values and
    the log size of its residuals), by a nonnegative combination of the learners. Of a label they are the predicted
    class indicators of the first learner and the scores of the classes, the mean of both ensembles of trees, of which
    the second sees the regression.

    References:
        Wolpert, Stacked generalization, 1992.

    Arguments:
        columns: D, of x.
        targets: T, columns of y.
        classes: (C, T) the codes of a label y; None for columns.
        values: of a single column y, predict its values, too, and not only its normal scores.
        seed: of the learners.

    Attributes:
        names: of the features, in their order, such as "score 0", "value 0" and "scale 0" for column 0 of y.

    Example:
        >>> x = torch.rand(300, 3, generator=torch.Generator().manual_seed(0))
        >>> features = SupervisedFeatures(3, 1)
        >>> features.names
        ('score 0', 'value 0', 'scale 0')
        >>> features.fit_transform(x, (6 * x[:, :1]).sin()).shape
        torch.Size([300, 6])
    """

    weights: Tensor
    intercept: Tensor
    classes: Tensor

    def __init__(
        self, columns: int, targets: int, *, classes: Tensor | None = None, values: bool = True, seed: int = 0
    ):
        super().__init__()
        self.columns, self.targets, self.seed = columns, targets, seed
        self.is_label, self.values = classes is not None, values and targets == 1
        self.learners: Any = nn.ModuleDict()
        self.sizes: Any = nn.ModuleList()
        self.register_buffer("classes", torch.empty(0) if classes is None else classes)
        self.register_buffer("weights", torch.empty(0))
        self.register_buffer("intercept", torch.empty(0))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features; none where there are too many columns or classes."""
        if self.is_label:
            kinds = [name for name, used in (("indicator", self._smooth), ("class", self._trees)) if used]
            return tuple(f"{kind} {c}" for kind in kinds for c in range(len(self.classes)))
        if not self._roles:
            return ()
        columns = range(self.targets)
        return (
            *(f"score {j}" for j in columns),
            *(["value 0"] if self.values else []),
            *(f"scale {j}" for j in columns if self._trees),
        )

    @property
    def trees(self) -> Learner | None:
        """The fitted boosted trees that see the columns of x alone."""
        return next((one for role, one in self.learners.items() if role == "trees"), None)

    @property
    def _roles(self) -> tuple[str, ...]:
        """The learners in the order in which they are fitted."""
        smooth = self._smooth
        return (*smooth, *(["trees"] if self._trees else []), *(["informed"] if self._trees and smooth else []))

    @property
    def _smooth(self) -> tuple[str, ...]:
        """The learners of smooth functions, of which trees see predictions. None where there are too many columns or
        classes."""
        few = len(self.classes) <= _CLASSES if self.is_label else self.targets <= _TARGETS
        if not few or self.columns > _COLUMNS_FOR_LINEAR:
            return ()
        return ("linear",) if self.columns > _COLUMNS_FOR_PROCESS else ("process", "linear")

    @property
    def _trees(self) -> bool:
        few = len(self.classes) <= _CLASSES if self.is_label else self.targets <= _TARGETS_FOR_TREES
        return few and self.columns <= _COLUMNS_FOR_TREES

    def fit_transform(self, x: Tensor, y: Tensor, clusters: Tensor | None = None) -> Tensor:
        """Fit to x (N, D) and y (N, T) and return x with out-of-sample features, (N, D + K).

        Arguments:
            x: samples.
            y: targets.
            clusters: (N,) which samples are dependent on each other: no model predicts a sample of a cluster that it
                was trained on.
        """
        features = self._of_label(x, y, clusters) if self.is_label else self._of_columns(x, y, clusters)
        return torch.cat([x, *features], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Samples x with their features, (N, D) -> (N, D + K)."""
        if not self.learners:
            return x
        predictions = self._predictions(x, lambda role, rows: self.learners[role](rows))
        if self.is_label:
            return torch.cat([x, *self._of_classes(predictions)], 1)
        combined = self._combined(list(predictions.values()))
        return torch.cat([x, combined, *(size(torch.cat([x, combined], 1)) for size in self.sizes)], 1)

    def _of_label(self, x: Tensor, y: Tensor, clusters: Tensor | None) -> list[Tensor]:
        place = torch.cdist(y, self.classes).argmin(1)
        indicators = torch.nn.functional.one_hot(place, len(self.classes)).float()
        return self._of_classes(self._fitted(x, indicators, clusters))

    def _of_classes(self, predictions: dict[str, Tensor]) -> list[Tensor]:
        """Class indicators, and the scores of classes."""
        trees = [predictions[role] for role in ("trees", "informed") if role in predictions]
        indicators = [predictions[role] for role in self._smooth[:1]]
        return [*indicators, *([torch.stack(trees).mean(0)] if trees else [])]

    def _of_columns(self, x: Tensor, y: Tensor, clusters: Tensor | None) -> list[Tensor]:
        wanted = RankGaussianize().fit(y)(y)
        if self.values:
            wanted = torch.cat([wanted, y], 1)
        predictions = list(self._fitted(x, wanted, clusters).values())
        if not predictions:
            return []
        self._stack(predictions, wanted)
        combined = self._combined(predictions)
        if not self._trees:
            return [combined]
        residuals = wanted[:, : self.targets] - combined[:, : self.targets]
        floor = _SMALLEST * residuals.std(0).clamp_min(1e-9)
        size = BoostedTrees(seed=self.seed)
        self.sizes.append(size)
        return [combined, size.fit_transform(torch.cat([x, combined], 1), (residuals.abs() + floor).log(), clusters)]

    def _fitted(self, x: Tensor, y: Tensor, clusters: Tensor | None) -> dict[str, Tensor]:
        """Out-of-sample predictions of y by each learner, fitted to x and y."""
        trees = BoostedClasses if self.is_label else BoostedTrees
        kinds = {"process": GaussianProcess, "linear": RidgeRegression, "trees": trees, "informed": trees}
        for role in self._roles:
            self.learners[role] = kinds[role](seed=self.seed)
        return self._predictions(x, lambda role, rows: self.learners[role].fit_transform(rows, y, clusters))

    def _predictions(self, x: Tensor, predict: Callable[[str, Tensor], Tensor]) -> dict[str, Tensor]:
        """What each learner predicts; the last trees see what the smooth learners say, of a label the regression."""
        found: dict[str, Tensor] = {}
        seen = self._smooth[-1:] if self.is_label else self._smooth
        for role in self._roles:
            found[role] = predict(role, torch.cat([x, *(found[one] for one in seen)], 1) if role == "informed" else x)
        return found

    def _stack(self, predictions: list[Tensor], wanted: Tensor) -> None:
        """Nonnegative weights (L, T) of the learners and an intercept (T,), by least squares."""
        from scipy.optimize import nnls

        weights, intercepts = [], []
        for j in range(wanted.shape[1]):
            columns = np.stack([one[:, j].double().numpy() for one in predictions], 1)
            target = wanted[:, j].double().numpy()
            means = columns.mean(0)
            found, _ = nnls(columns - means, target - target.mean())
            weights.append(found)
            intercepts.append(target.mean() - means @ found)
        self.weights = torch.from_numpy(np.stack(weights, 1)).float()
        self.intercept = torch.tensor(intercepts, dtype=torch.float32)

    def _combined(self, predictions: list[Tensor]) -> Tensor:
        return torch.einsum("lt,lnt->nt", self.weights, torch.stack(predictions)) + self.intercept
