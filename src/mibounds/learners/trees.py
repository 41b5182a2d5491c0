"""Ensembles of decision trees: fitted by scikit-learn, kept as tensors."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds.learners.bins import FineBins
from mibounds.learners.learner import Learner, in_parts, inner_folds, one_thread

__all__ = ["BoostedClasses", "BoostedTrees", "TreeEnsemble"]

_ROWS = 256  # that go down the trees at a time: the nodes of all of them stay in the cache
_FITTED_ROWS = 50_000  # more cost time and hardly change the trees
_BOOSTING: dict[str, Any] = {
    "learning_rate": 0.2, "max_iter": 300, "max_leaf_nodes": 8, "min_samples_leaf": 10, "early_stopping": True,
    "validation_fraction": 0.15, "n_iter_no_change": 12,
}  # fmt: skip
_CLASSES: dict[str, Any] = {**_BOOSTING, "l2_regularization": 1.0}  # steps of rare classes diverge without it
_LEAST_TREES = 3
_SHORT: dict[str, Any] = {"max_iter": 8, "early_stopping": False}  # of few samples
_UNVALIDATED: dict[str, Any] = {**_CLASSES, **_SHORT}
_VALIDATED = 7  # parts of the clusters, of which one validates the number of trees
_IMPROBABLE = 1e-12
Floats = NDArray[np.float64]
Losses = Callable[[Any, Floats, Floats], list[float]]


class Tree(NamedTuple):
    """A tree: for every node the column and the threshold of its split, its children (itself at a leaf) and its
    value (K,)."""

    column: np.ndarray[Any, Any]
    threshold: np.ndarray[Any, Any]
    left: np.ndarray[Any, Any]
    right: np.ndarray[Any, Any]
    value: np.ndarray[Any, Any]


class TreeEnsemble(FittedBuffers):
    """A sum of decision trees plus a constant: (N, D) -> (N, K).

    Arguments:
        trees: without any, the sum is the constant.
        constant: (K,).

    Example:
        >>> own, nothing = np.array([0, 1, 2]), np.zeros(3)
        >>> tree = Tree(nothing, nothing + 0.5, np.array([1, 1, 2]), np.array([2, 1, 2]), np.array([[0], [-1], [1]]))
        >>> TreeEnsemble([tree], torch.tensor([10.0]))(torch.tensor([[0.0], [0.5], [0.6]])).squeeze()
        tensor([ 9.,  9., 11.])
    """

    column: Tensor
    threshold: Tensor
    branches: Tensor
    value: Tensor
    roots: Tensor
    constant: Tensor
    depth: Tensor

    def __init__(self, trees: Sequence[Tree], constant: Tensor):
        super().__init__()
        trees = trees or [_leaf(len(constant))]
        starts = np.cumsum([0, *(len(tree.column) for tree in trees)])
        joined = [np.concatenate(parts) for parts in zip(*trees, strict=True)]
        shift = np.repeat(starts[:-1], np.diff(starts))
        self.register_buffer("depth", torch.tensor(max(_depth(tree) for tree in trees)))
        self.register_buffer("column", torch.from_numpy(joined[0].astype(np.int32)))
        self.register_buffer("threshold", torch.from_numpy(joined[1].astype(np.float64)))
        children = np.stack([joined[2] + shift, joined[3] + shift], 1)
        self.register_buffer("branches", torch.from_numpy(children.astype(np.int32)))
        self.register_buffer("value", torch.from_numpy(joined[4].astype(np.float32)))
        self.register_buffer("roots", torch.from_numpy(starts[:-1].astype(np.int32)))
        self.register_buffer("constant", constant)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of the values of the leaves."""
        return torch.cat([self._sum(part) for part in torch.split(x.double(), _ROWS)])

    def _sum(self, x: Tensor) -> Tensor:
        values, branches, trees = x.reshape(-1), self.branches.reshape(-1), len(self.roots)
        first = torch.arange(len(x), dtype=torch.int32, device=x.device)[:, None] * x.shape[1]  # value of each row
        node = self.roots.repeat(len(x))
        for _ in range(int(self.depth)):
            place = (self.column.index_select(0, node).view(-1, trees) + first).view(-1)
            right = values.index_select(0, place) > self.threshold.index_select(0, node)
            node = branches.index_select(0, 2 * node + right)
        total = torch.nn.functional.embedding_bag(node.view(-1, trees), self.value, mode="sum")
        return total + self.constant


def _leaf(outputs: int) -> Tree:
    """A tree without splits and of value 0."""
    root = np.zeros(1, dtype=int)
    return Tree(root, np.zeros(1), root, root, np.zeros((1, outputs)))


def _depth(tree: Tree) -> int:
    """The length of the longest way from the root to a leaf."""
    level, deepest = np.zeros(1, dtype=int), 0
    while True:
        split = level[tree.left[level] != level]
        if not len(split):
            return deepest
        level, deepest = np.concatenate([tree.left[split], tree.right[split]]), deepest + 1


def boosted_tree(nodes: Any, place: int, outputs: int, weight: float) -> Tree:
    """A tree of histogram gradient boosting, whose value is added to one of the outputs."""
    leaf, own = nodes["is_leaf"].astype(bool), np.arange(len(nodes))
    value = np.zeros((len(nodes), outputs))
    value[leaf, place] = nodes["value"][leaf] * weight
    left, right = (np.where(leaf, own, nodes[name]) for name in ("left", "right"))
    return Tree(np.where(leaf, 0, nodes["feature_idx"]), nodes["num_threshold"], left, right, value)


def _on_columns(tree: Tree, bins: FineBins) -> Tree:
    """A tree on codes as a tree on the columns that they are of."""
    split, threshold = tree.left != np.arange(len(tree.left)), tree.threshold.copy()
    threshold[split] = bins.thresholds(tree.column[split], threshold[split])
    return tree._replace(column=bins.columns[tree.column], threshold=threshold)


def forest_tree(tree: Any, weight: float) -> Tree:
    """A tree of a forest, whose leaves have the mean targets."""
    leaf, own = tree.children_left < 0, np.arange(tree.node_count)
    left, right = (np.where(leaf, own, side) for side in (tree.children_left, tree.children_right))
    value = tree.value.reshape(tree.node_count, -1) * weight
    return Tree(np.where(leaf, 0, tree.feature), tree.threshold, left, right, value)


def _as_long_as(model: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of the models after the first: its number of trees, a tenth more for the samples that it held out,
    and all samples to fit."""
    if not settings["early_stopping"]:
        return settings
    found = model.n_iter_ - settings["n_iter_no_change"]
    return {**settings, "max_iter": max(round(1.1 * found), _LEAST_TREES), "early_stopping": False}


def _length_by_clusters(
    model: Any, rows: Floats, targets: Floats, clusters: Tensor | None, losses: Losses
) -> dict[str, Any]:
    """The settings of models of samples in clusters (N,): no early stopping, and the number of trees by which a model
    of some clusters predicts the others best. The samples that scikit-learn holds out by itself would divide them."""
    if clusters is None:
        return {}
    *fitted, held_out = (part.numpy() for part in in_parts(clusters, _VALIDATED))
    if not fitted or len(np.unique(targets[np.concatenate(fitted)])) < 2:
        return _SHORT
    train = np.concatenate(fitted)
    model = model.set_params(early_stopping=False).fit(rows[train], targets[train])
    found = 1 + int(np.argmin(losses(model, rows[held_out], targets[held_out])))
    return {"max_iter": max(found, _LEAST_TREES), "early_stopping": False}


def _square_errors(model: Any, rows: Floats, targets: Floats) -> list[float]:
    """Of a regression, after each tree."""
    return [float(np.square(found - targets).mean()) for found in model.staged_predict(rows)]


def _log_losses(model: Any, rows: Floats, labels: Floats) -> list[float]:
    """Of a classification, after each step; a class that it was not fitted to counts as improbable throughout."""
    is_class = labels[:, None] == model.classes_
    found = (np.where(is_class, one, 0).sum(1) for one in model.staged_predict_proba(rows))
    return [-float(np.log(one + _IMPROBABLE).mean()) for one in found]


class _Boosting(Learner, ABC):
    """What learners by gradient boosting have in common: a sum of trees that predicts."""

    def __init__(self, *, seed: int = 0):
        super().__init__()
        self.seed = seed
        self.ensemble = TreeEnsemble((), torch.zeros(0))

    def forward(self, x: Tensor) -> Tensor:
        predictions: Tensor = self.ensemble(x)
        return predictions


class BoostedTrees(_Boosting):
    """Histogram gradient boosting of each target column, by scikit-learn, cross-fitted on four folds.

    The first fold's model stops early, by a part of its samples; the others have as many trees and all samples.

    Learns steps, thresholds and interactions of columns of any scale; steps closely, because a column has up to 1,016
    thresholds in place of 255 (`FineBins`). Functions that are smooth, and products, are learned coarsely, as a
    staircase.

    References:
        Friedman, Greedy function approximation: a gradient boosting machine, 2001.

    Arguments:
        seed: makes the folds.

    Example:
        >>> x = torch.rand(400, 1, generator=torch.Generator().manual_seed(0))
        >>> trees = BoostedTrees()
        >>> predicted = trees.fit_transform(x, (x > 0.5).float())
        >>> bool((trees(torch.tensor([[0.2], [0.9]])).squeeze() - torch.tensor([0.0, 1.0])).abs().max() < 0.1)
        True
    """

    def fit_transform(self, x: Tensor, y: Tensor, clusters: Tensor | None = None) -> Tensor:
        from sklearn.ensemble import HistGradientBoostingRegressor

        folds, outputs = inner_folds(len(x), self.seed, clusters), y.shape[1]
        given, targets = x.double().numpy(), y.double().numpy()
        bins = FineBins(given)
        rows = bins.codes(given)
        predictions, trees, constant = np.zeros(y.shape), [], np.zeros(outputs)
        with one_thread():
            settings = [
                _BOOSTING
                | _length_by_clusters(
                    HistGradientBoostingRegressor(**_BOOSTING, random_state=self.seed), rows, column, clusters,
                    _square_errors,
                )
                for column in targets.T
            ]  # fmt: skip
            for train, test in folds:
                some = train[:_FITTED_ROWS].numpy()
                for j in range(outputs):
                    model = HistGradientBoostingRegressor(**settings[j], random_state=self.seed)
                    model.fit(rows[some], targets[some, j])
                    settings[j] = _as_long_as(model, settings[j])
                    predictions[test.numpy(), j] = model.predict(rows[test.numpy()])
                    constant[j] += float(np.squeeze(model._baseline_prediction)) / len(folds)
                    found = [boosted_tree(one[0].nodes, j, outputs, 1 / len(folds)) for one in model._predictors]
                    trees += [_on_columns(tree, bins) for tree in found]
        self.ensemble = TreeEnsemble(trees, torch.from_numpy(constant).float())
        return torch.from_numpy(predictions).float()


class BoostedClasses(_Boosting):
    """Histogram gradient boosting of the classes of a label, by scikit-learn, cross-fitted on four folds: one column
    of scores a class, whose softmax estimates the probabilities.

    Arguments:
        seed: makes the folds.

    Example:
        >>> x = torch.rand(400, 1, generator=torch.Generator().manual_seed(0))
        >>> label = (x > 0.5).float()
        >>> scores = BoostedClasses().fit_transform(x, torch.cat([1 - label, label], 1))
        >>> bool((scores.argmax(1) == label.squeeze()).float().mean() > 0.95)
        True
    """

    def fit_transform(self, x: Tensor, y: Tensor, clusters: Tensor | None = None) -> Tensor:
        """Fit to x (N, D) and the indicators y (N, C) of classes, and return out-of-sample scores (N, C)."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        folds, classes = inner_folds(len(x), self.seed, clusters), y.shape[1]
        rows, labels = x.double().numpy(), y.argmax(1).numpy()
        scores, trees, constant = np.zeros(y.shape), [], np.zeros(classes)
        with one_thread():
            model = HistGradientBoostingClassifier(**_CLASSES, random_state=self.seed)
            settings = _CLASSES | _length_by_clusters(model, rows, labels, clusters, _log_losses)
            for train, test in folds:
                some = train[:_FITTED_ROWS].numpy()
                # scikit-learn divides each class between training and validation: one sample of it is too few.
                present = np.flatnonzero(np.bincount(labels[some]) > 1)
                if len(present) < 2:
                    continue
                some = some[np.isin(labels[some], present)]
                if settings["early_stopping"] and len(some) * settings["validation_fraction"] < len(present):
                    settings = _UNVALIDATED
                model = HistGradientBoostingClassifier(**settings, random_state=self.seed)
                model.fit(rows[some], labels[some])
                settings = _as_long_as(model, settings)
                places = present if len(present) > 2 else present[1:]  # two classes have one score
                raw = np.full((len(test), classes), -10.0)  # a class that hardly occurred
                raw[:, present] = 0
                found = model.decision_function(rows[test.numpy()])
                raw[:, places] = found if found.ndim == 2 else found[:, None]
                scores[test.numpy()] = raw
                absent = np.setdiff1d(np.arange(classes), present)
                constant[places] += np.ravel(model._baseline_prediction) / len(folds)
                constant[absent] -= 10 / len(folds)
                trees += [
                    boosted_tree(one.nodes, int(place), classes, 1 / len(folds))
                    for step in model._predictors
                    for one, place in zip(step, places, strict=True)
                ]
        self.ensemble = TreeEnsemble(trees, torch.from_numpy(constant).float())
        return torch.from_numpy(scores).float()
