"""Gaussian process regression with a length scale for each column."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds.data import Standardize
from mibounds.learners.learner import Learner

__all__ = ["GaussianProcess"]

_LEAST_NOISE = 1e-3  # variance, of standardized targets
_BLOCKS = 5
_STARTS = (0.0, -1.2)  # of the log length scales
_SINGLE_SCALE, _SINGLE_SIZE = -1.2, -1.0  # logs
_COLUMNS_ALONE = 12
_ROWS = 4096  # that are predicted at a time: the kernel of all would fill the memory
_LIMIT = 4.0  # standard deviations of a column


class GaussianProcess(Learner):
    r"""Gaussian process regression with the kernel

    .. math:: k(x, x') = a^2 \exp\Big(-\frac12 \sum_d \frac{(x_d - x'_d)^2}{l_d^2}\Big)
              + \sum_d c_d^2 \exp\Big(-\frac{(x_d - x'_d)^2}{2 m_d^2}\Big)
              + b^2 \frac{x^\top x'}{D} + s^2\, 1_{x = x'}.

    The length scales and variances maximize the marginal likelihood of some of the samples, from the better of two
    starts; a column that does not matter gets a long scale. Learns smooth functions of few columns, products and waves
    among them, from far fewer samples than trees or networks, and does not learn steps. All targets share the kernel.
    The sum over single columns, which finds fast waves of one column, is left out above twelve columns.

    Predictions of the samples that are kept are those of five-fold cross-validation, in closed form; those of other
    samples are out-of-sample anyway.

    References:
        Rasmussen and Williams, Gaussian processes for machine learning, 2006, sections 5.1 and 5.4.2.

    Arguments:
        kept: samples that the predictions rest on, at most; time grows with their cube.
        likelihood_rows: samples of the marginal likelihood, at most.
        steps: gradient steps on the parameters.
        seed: chooses the samples.

    Example:
        >>> x = torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
        >>> y = (6 * x[:, :1]).sin()
        >>> error = GaussianProcess().fit_transform(x, y) - y
        >>> bool(error.abs().mean() < 0.05)
        True
    """

    inputs: Tensor
    weights: Tensor
    logs: Tensor
    center: Tensor
    spread: Tensor

    def __init__(self, *, kept: int = 1000, likelihood_rows: int = 256, steps: int = 40, seed: int = 0):
        super().__init__()
        self.kept, self.likelihood_rows, self.steps, self.seed = kept, likelihood_rows, steps, seed
        self.standardize = Standardize(limit=_LIMIT)
        for name in ("inputs", "weights", "logs", "center", "spread"):
            self.register_buffer(name, torch.empty(0))

    def fit_transform(self, x: Tensor, y: Tensor) -> Tensor:
        x = self.standardize.fit(x)(x).double()
        self.center, spread = y.mean(0).double(), y.std(0).double()
        self.spread = torch.where(spread > 0, spread, 1.0)
        y = (y.double() - self.center) / self.spread
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed))
        some, kept = order[: self.likelihood_rows], order[: self.kept]
        noise = self._maximize_likelihood(x[some].float(), y[some].float())
        self.inputs = x[kept]
        covariance = self._kernel(self.inputs, self.inputs)
        covariance.diagonal().add_(noise + _LEAST_NOISE)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
        self.weights = inverse @ y[kept]
        predictions = self._predicted(x)
        # Left-out blocks in closed form. Leaving out single samples would tell a critic their y: a prediction of noise
        # that leaves out one sample differs from the mean by a multiple of it.
        for block in torch.arange(len(kept)).tensor_split(min(_BLOCKS, len(kept))):
            errors = torch.linalg.solve(inverse[block[:, None], block], self.weights[block])
            predictions[kept[block]] = y[kept[block]] - errors
        return (predictions * self.spread + self.center).float()

    def forward(self, x: Tensor) -> Tensor:
        x = self.standardize(x).double()
        return (self._predicted(x) * self.spread + self.center).float()

    def _predicted(self, x: Tensor) -> Tensor:
        return torch.cat([self._kernel(part, self.inputs) @ self.weights for part in torch.split(x, _ROWS)])

    def _kernel(self, a: Tensor, b: Tensor) -> Tensor:
        return _kernel(a, b, self.logs.to(a))

    def _maximize_likelihood(self, x: Tensor, y: Tensor) -> float:
        """Set the parameters of the kernel, and return the variance of the noise."""
        few = len(x) // 2  # enough to choose a start by
        starts = [_Search(x[:few], y[:few], _start(x.shape[1], shift)) for shift in _STARTS]
        for search in starts:
            search.run(self.steps // len(_STARTS) // 2)
        best = _Search(x, y, min(starts, key=lambda search: search.best).found)
        best.run(self.steps // 2)
        self.logs = best.found[:-1].double()
        return float((2 * best.found[-1]).exp())


class _Search:
    """A search for the parameters of the largest marginal likelihood of samples x (n, D) and targets y (n, T), from a
    start: logarithms of what the kernel takes, and of the noise."""

    def __init__(self, x: Tensor, y: Tensor, start: Tensor):
        self.x, self.y = x, y
        self.logs = start.clone().requires_grad_()
        self.optimizer = torch.optim.Adam([self.logs], lr=0.1)
        self.best, self.found = math.inf, start

    def run(self, steps: int) -> None:
        """Make so many steps."""
        n, targets = self.y.shape
        identity = torch.eye(n)
        for _ in range(steps):
            self.optimizer.zero_grad()
            covariance = _kernel(self.x, self.x, self.logs[:-1])
            noise = (2 * self.logs[-1]).exp() + _LEAST_NOISE
            factor, failed = torch.linalg.cholesky_ex(covariance + noise * identity)
            if failed:
                return
            solved = torch.cholesky_solve(self.y, factor)
            loss = (self.y * solved).sum() / (2 * n * targets) + factor.diagonal().log().sum() / n
            loss = loss + 1e-3 * self.logs.square().mean()
            if loss.item() < self.best:
                self.best, self.found = loss.item(), self.logs.detach().clone()
            loss.backward()
            self.optimizer.step()


def _start(columns: int, shift: float) -> Tensor:
    """Logarithms of: length scales (D,), those of single columns (D,) and the standard deviations of their terms (D,),
    unless there are many columns; of the other terms, and of the noise."""
    together = torch.full((columns,), math.log(columns) / 4 + shift)
    single = [torch.full((columns,), value) for value in (_SINGLE_SCALE, _SINGLE_SIZE - math.log(columns) / 2)]
    return torch.cat([together, *(single if columns <= _COLUMNS_ALONE else []), torch.tensor([-0.3, -1.0, -1.0])])


def _kernel(a: Tensor, b: Tensor, logs: Tensor) -> Tensor:
    """The covariances (N, M) of the function values at a (N, D) and b (M, D)."""
    columns = a.shape[1]
    u, v = (side / logs[:columns].exp() for side in (a, b))
    square = u.square().sum(1)[:, None] + v.square().sum(1) - 2 * u @ v.T
    size, linear = (2 * logs[-2:]).exp()
    total: Tensor = size * torch.exp(-square.clamp_min(0) / 2) + linear * (a @ b.T) / columns
    if len(logs) > columns + 2:
        scales, sizes = logs[columns : 3 * columns].reshape(2, columns).exp()
        for d in range(columns):
            difference = (a[:, d, None] - b[:, d]) / scales[d]
            total = total + sizes[d].square() * torch.exp(-difference.square() / 2)
    return total
