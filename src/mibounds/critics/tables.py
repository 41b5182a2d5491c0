r"""Critics in closed form on tables: conditional distributions by a forest, and of a label by a logistic regression."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mibounds._buffers import FittedBuffers
from mibounds._math import indicators, interval_of
from mibounds.critics.critic import Critic, inner_product
from mibounds.data import RankGaussianize, Standardize
from mibounds.learners.learner import one_thread
from mibounds.learners.trees import TreeEnsemble, forest_tree

__all__ = ["ClassCritic", "ForestCritic", "Transposed"]

_BINS, _VALUES = 24, 64  # of a continuous column; of one with few values, which are categories then
_TREES = 60
_LEAF, _LEAVES = 10, 250  # samples of a leaf, at least; leaves of a tree, at most about
_FITTED_ROWS = 20_000
_CONTAMINATION = 0.02


class ForestCritic(FittedBuffers, Critic):
    r"""The log-ratio of a conditional histogram by a forest of extremely randomized trees,

    .. math:: f(x,y) = \sum_k b_k(y) \log \frac{p_k(x)}{p_k},

    where the :math:`b_k` are hat functions of the normal scores of a column y, or the indicators of the classes of a
    label, and the forest predicts their means given x. Sees whatever of the distribution of y depends on x, its scale
    and its modes too; coarse, so too low from some 1.5 nats on.

    References:
        Geurts, Ernst and Wehenkel, Extremely randomized trees, 2006. Meinshausen, Quantile regression forests, 2006.

    Arguments:
        target: the column of y.
        label: y is a label, all columns of it.
        seed: of the forest.

    Example:
        >>> x, noise = torch.randn(2, 1000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = ForestCritic()
        >>> critic.prepare(x, x + 0.5 * noise)
        >>> critic(torch.ones(2, 1), torch.tensor([[1.0], [-1.0]])).sign()
        tensor([ 1., -1.])
    """

    knots: Tensor
    classes: Tensor
    mean: Tensor

    def __init__(self, target: int = 0, *, label: bool = False, seed: int = 0):
        super().__init__()
        self.target, self.label, self.seed = target, label, seed
        self.ranks = RankGaussianize()
        self.forest = TreeEnsemble((), torch.zeros(0))
        for name in ("knots", "classes", "mean"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        from sklearn.ensemble import ExtraTreesRegressor

        x, y = x[:_FITTED_ROWS], y[:_FITTED_ROWS]
        if self.label:
            self.classes = torch.unique(y, dim=0)
        else:
            scores = self.ranks.fit(y[:, [self.target]])(y[:, [self.target]]).squeeze(1)
            values = torch.unique(scores)
            quantiles = torch.quantile(scores, (torch.arange(_BINS).to(scores) + 0.5) / _BINS)
            self.knots = values if len(values) <= _VALUES else torch.unique(quantiles)
        basis = self.encode_y(y)
        leaf = max(_LEAF, len(x) // _LEAVES)
        forest = ExtraTreesRegressor(_TREES, min_samples_leaf=leaf, random_state=self.seed)
        with one_thread():
            forest.fit(x.double().cpu().numpy(), basis.squeeze(1).double().cpu().numpy())
        self.mean = basis.mean(0)
        trees = [forest_tree(one.tree_, 1 / _TREES) for one in forest.estimators_]
        self.forest = TreeEnsemble(trees, torch.zeros(basis.shape[1])).to(x.device)

    def encode_x(self, x: Tensor) -> Tensor:
        probability = (1 - _CONTAMINATION) * self.forest(x) + _CONTAMINATION * self.mean
        ratio: Tensor = probability / self.mean.clamp_min(1e-9)
        return ratio.clamp_min(1e-6).log()

    def encode_y(self, y: Tensor) -> Tensor:
        if self.label:
            return indicators(y, self.classes)
        scores: Tensor = self.ranks(y[..., [self.target]]).squeeze(-1)
        if len(self.knots) < 2:
            return torch.ones_like(scores)[..., None]
        place, share = interval_of(self.knots, scores)
        basis = scores.new_zeros(len(scores), len(self.knots))
        basis.scatter_(1, place[:, None], share[:, None])
        return basis.scatter(1, place[:, None] - 1, 1 - share[:, None])

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return inner_product(hx, hy)


class ClassCritic(FittedBuffers, Critic):
    r"""The log-ratio of a logistic regression of a label, :math:`f(x,c) = \log q(c|x) - \log p_c`.

    On supervised features it combines what several classifiers say, and calibrates them.

    References:
        Wolpert, Stacked generalization, 1992.

    Arguments:
        start: the first column of x that it uses.

    Example:
        >>> x = torch.randn(1000, 1, generator=torch.Generator().manual_seed(0))
        >>> critic = ClassCritic()
        >>> critic.prepare(x, (x > 0).float())
        >>> critic(torch.ones(2, 1), torch.tensor([[1.0], [0.0]])).sign()
        tensor([ 1., -1.])
    """

    classes: Tensor
    weight: Tensor
    bias: Tensor
    log_frequency: Tensor

    def __init__(self, start: int = 0):
        super().__init__()
        self.start = start
        self.standardize = Standardize(limit=5.0)
        for name in ("classes", "weight", "bias", "log_frequency"):
            self.register_buffer(name, torch.empty(0))

    def prepare(self, x: Tensor, y: Tensor) -> None:
        import warnings

        from sklearn.linear_model import LogisticRegression

        x, y = x[:_FITTED_ROWS, self.start :], y[:_FITTED_ROWS]
        self.classes, place, counts = torch.unique(y, dim=0, return_inverse=True, return_counts=True)
        self.log_frequency = (counts / counts.sum()).log()
        rows = self.standardize.fit(x)(x).double().cpu().numpy()
        if len(self.classes) == 1:  # of the training samples of a fold
            self.weight, self.bias = x.new_zeros(1, x.shape[1]), x.new_zeros(1)
            return
        model = LogisticRegression(C=1.0, max_iter=200)
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that has not converged is judged by its validation loss, too
            model.fit(rows, place.cpu().numpy())
        weight, bias = model.coef_, model.intercept_
        if len(self.classes) == 2:  # one score
            weight, bias = ([[*(-weight[0] / 2)], [*(weight[0] / 2)]]), [-bias[0] / 2, bias[0] / 2]
        self.weight, self.bias = torch.tensor(weight).to(x), torch.tensor(bias).to(x)

    def encode_x(self, x: Tensor) -> Tensor:
        logits = self.standardize(x[..., self.start :]) @ self.weight.T + self.bias
        return torch.log_softmax(logits, -1) - self.log_frequency

    def encode_y(self, y: Tensor) -> Tensor:
        return indicators(y, self.classes)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return inner_product(hx, hy)


class Transposed(Critic):
    """A critic with x and y exchanged, f(y, x).

    Arguments:
        critic: takes y first.

    Example:
        >>> from mibounds.critics import FunctionCritic
        >>> difference = FunctionCritic(lambda x, y: (x - y).sum(-1))
        >>> Transposed(difference)(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
        tensor([2.])
    """

    def __init__(self, critic: Critic):
        super().__init__()
        self.critic = critic
        self.network_per_pair = critic.network_per_pair

    def prepare(self, x: Any, y: Any) -> None:
        self.critic.prepare(y, x)

    def encode_x(self, x: Any) -> Any:
        return self.critic.encode_y(x)

    def encode_y(self, y: Any) -> Any:
        return self.critic.encode_x(y)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.critic.combine(hy, hx)
