"""Gaussian process regression with a length scale for each column."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mibounds.data import Standardize
from mibounds.learners.learner import Learner

__all__ = ["GaussianProcess"]

_LEAST_NOISE = 1e-3  # variance, of standardized targets
_JITTER = 1e-8  # of the prior variance, which keeps the factor of the prior finite
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

    The mean is that of the kernel's functions at some of the samples, the inducing inputs, fitted to all samples (the
    subset of regressors): as accurate as the full process where functions are smooth, and linear in their number.
    Predictions of the samples that it is fitted to are those of five-fold cross-validation.

    References:
        Rasmussen and Williams, Gaussian processes for machine learning, 2006, sections 5.1 and 8.3.1.
        Quiñonero-Candela and Rasmussen, A unifying view of sparse approximate Gaussian process regression, 2005.

    Arguments:
        inducing: inputs that the functions are centered at, at most; time grows with their square.
        fitted_rows: samples that are fitted, at most.
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

    def __init__(
        self,
        *,
        inducing: int = 500,
        fitted_rows: int = 20_000,
        likelihood_rows: int = 384,
        steps: int = 40,
        seed: int = 0,
    ):
        super().__init__()
        self.inducing, self.fitted_rows, self.likelihood_rows = inducing, fitted_rows, likelihood_rows
        self.steps, self.seed = steps, seed
        self.standardize = Standardize(limit=_LIMIT)
        for name in ("inputs", "weights", "logs", "center", "spread"):
            self.register_buffer(name, torch.empty(0))

    def fit_transform(self, x: Tensor, y: Tensor) -> Tensor:
        x = self.standardize.fit(x)(x).double()
        self.center, spread = y.mean(0).double(), y.std(0).double()
        self.spread = torch.where(spread > 0, spread, 1.0)
        y = (y.double() - self.center) / self.spread
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed))
        some, fitted = order[: self.likelihood_rows], order[: self.fitted_rows]
        noise = self._maximize_likelihood(x[some].float(), y[some].float()) + _LEAST_NOISE
        self.inputs = x[order[: self.inducing]]
        prior = self._kernel(self.inputs, self.inputs)
        prior.diagonal().add_(_JITTER * prior.diagonal().mean())
        root = torch.linalg.cholesky(prior)
        blocks = fitted.tensor_split(min(_BLOCKS, len(fitted)))
        # Functions of unit variance under the prior, so that what remains is a ridge regression on them.
        functions = [torch.linalg.solve_triangular(root, self._kernel(self.inputs, x[b]), upper=False) for b in blocks]
        products = [part @ part.T for part in functions]
        sums = [part @ y[block] for part, block in zip(functions, blocks, strict=True)]
        product, total = torch.stack(products).sum(0), torch.stack(sums).sum(0)
        self.weights = torch.linalg.solve_triangular(root.T, _ridge(product, total, noise), upper=True)
        predictions = torch.empty_like(y)
        predictions[order[self.fitted_rows :]] = self._predicted(x[order[self.fitted_rows :]])
        # Blocks are left out, and not single samples, which would tell a critic their y: a prediction of noise that
        # leaves out one sample differs from the mean by a multiple of it.
        for block, part, own, of_y in zip(blocks, functions, products, sums, strict=True):
            predictions[block] = part.T @ _ridge(product - own, total - of_y, noise)
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
            noise = (2 * self.logs[-1]).exp() + _LEAST_NOISE
            covariance = _kernel(self.x, self.x, self.logs[:-1]) + noise * identity
            penalty = 1e-3 * self.logs.square().mean()
            with torch.no_grad():  # the gradient in closed form takes less time than that of the factor
                factor, failed = torch.linalg.cholesky_ex(covariance)
                if failed:
                    return
                inverse = torch.cholesky_inverse(factor)
                solved = inverse @ self.y
                loss = float((self.y * solved).sum() / (2 * n * targets) + factor.diagonal().log().sum() / n + penalty)
                gradient = (inverse - solved @ solved.T / targets) / (2 * n)
            if loss < self.best:
                self.best, self.found = loss, self.logs.detach().clone()
            ((covariance * gradient).sum() + penalty).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()


def _ridge(product: Tensor, total: Tensor, noise: float) -> Tensor:
    """Coefficients (m, T) of functions from the sums of their products (m, m), and with the targets (m, T)."""
    product = product.clone()
    product.diagonal().add_(noise)
    return torch.cholesky_solve(total, torch.linalg.cholesky(product))


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
