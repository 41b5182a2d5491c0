"""Gaussian process regression with a length scale for each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mibounds.data import Standardize
from mibounds.learners.kernel import LEAST_NOISE, MarginalLikelihood, kernel, start
from mibounds.learners.learner import Learner
from mibounds.learners.ridge import BlockFits, blocks_of

__all__ = ["GaussianProcess"]

_JITTER = 1e-8  # of the prior variance, which keeps the factor of the prior finite
_STARTS = (0.0, -1.2)  # of the log length scales
_RANGE = (-6.0, 6.0)  # of the logs
_ROWS = 4096  # that are predicted at a time: the kernel of all would fill the memory
_LIMIT = 4.0  # standard deviations of a column
_MORE_NOISE = tuple(4.0**k for k in range(10))  # times what the likelihood finds


class GaussianProcess(Learner):
    r"""Gaussian process regression with the kernel

    .. math:: k(x, x') = a_1^2 e^{-r^2/2} + a_2^2 (1 + t + \tfrac13 t^2)\, e^{-t}
              + \sum_d c_d^2 \exp\Big(-\frac{(x_d - x'_d)^2}{2 m_d^2}\Big)
              + b^2 \frac{x^\top x'}{D} + s^2\, 1_{x = x'},

    with :math:`r^2 = \sum_d (x_d - x'_d)^2 / l_d^2` and :math:`t^2 = \frac52 r^2`: a smooth function, one with kinks
    (the Matérn kernel of smoothness 5/2), functions of single columns, a linear function, and noise.

    The length scales and variances maximize the marginal likelihood of some of the samples, from the better of two
    starts; a column that does not matter gets a long scale. Learns smooth functions of few columns, products and waves
    among them, from far fewer samples than trees or networks, and does not learn steps. All targets share the kernel.
    The sum over single columns, which finds fast waves of one column, is left out above twenty columns.

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
        steps: evaluations of the likelihood, at most; half as many from each start, on a quarter of its samples.
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
        likelihood_rows: int = 512,
        steps: int = 20,
        seed: int = 0,
    ):
        super().__init__()
        self.inducing, self.fitted_rows, self.likelihood_rows = inducing, fitted_rows, likelihood_rows
        self.steps, self.seed = steps, seed
        self.standardize = Standardize(limit=_LIMIT)
        for name in ("inputs", "weights", "logs", "center", "spread"):
            self.register_buffer(name, torch.empty(0))

    def fit_transform(self, x: Tensor, y: Tensor, clusters: Tensor | None = None) -> Tensor:
        x = self.standardize.fit(x)(x).double()
        self.center, spread = y.mean(0).double(), y.std(0).double()
        self.spread = torch.where(spread > 0, spread, 1.0)
        y = (y.double() - self.center) / self.spread
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed))
        order = order if clusters is None else _in_turn(order, clusters)
        some, fitted = order[: self.likelihood_rows], order[: self.fitted_rows]
        noise = self._maximize_likelihood(x[some], y[some]) + LEAST_NOISE
        self.inputs = x[order[: self.inducing]]
        prior = kernel(self.inputs, self.inputs, self.logs)
        prior.diagonal().add_(_JITTER * prior.diagonal().mean())
        root = torch.linalg.cholesky(prior)
        blocks = blocks_of(fitted, clusters)
        # Functions of unit variance under the prior, so that what remains is a ridge regression on them.
        functions = [
            torch.linalg.solve_triangular(root, kernel(self.inputs, x[b], self.logs), upper=False).T for b in blocks
        ]
        fits = BlockFits.of(functions, [y[block] for block in blocks])
        if clusters is not None:
            noise = _least_error(fits, [y[block] for block in blocks], noise)
        self.weights = torch.linalg.solve_triangular(root.T, fits.coefficients(noise), upper=True)
        # Blocks are left out, and not single samples, which would tell a critic their y: a prediction of noise that
        # leaves out one sample differs from the mean by a multiple of it.
        predictions = torch.empty_like(y)
        beyond = order[self.fitted_rows :]
        predictions[torch.cat([*blocks, beyond])] = torch.cat([*fits.left_out(noise), self._predicted(x[beyond])])
        return (predictions * self.spread + self.center).float()

    def forward(self, x: Tensor) -> Tensor:
        x = self.standardize(x).double()
        return (self._predicted(x) * self.spread + self.center).float()

    def _predicted(self, x: Tensor) -> Tensor:
        return torch.cat([kernel(part, self.inputs, self.logs) @ self.weights for part in torch.split(x, _ROWS)])

    def _maximize_likelihood(self, x: Tensor, y: Tensor) -> float:
        """Set the parameters of the kernel, and return the variance of the noise."""
        few = len(x) // 4  # enough to choose a start by
        starts = [_searched(x[:few], y[:few], start(x.shape[1], shift), self.steps // 2) for shift in _STARTS]
        _, logs = _searched(x, y, min(starts, key=lambda found: found[0])[1], self.steps)
        self.logs = logs[:-1].double()
        return float((2 * logs[-1]).exp())


def _in_turn(order: Tensor, clusters: Tensor) -> Tensor:
    """The rows in this order, but one of each cluster (N,) first, then a second one of each, and so on: the likelihood
    takes samples as independent."""
    number = torch.unique(clusters[order], return_inverse=True)[1]
    by_cluster = number.argsort(stable=True)
    sizes = torch.bincount(number)
    turn = torch.empty_like(number)
    turn[by_cluster] = torch.arange(len(number)) - (sizes.cumsum(0) - sizes)[number[by_cluster]]
    return order[turn.argsort(stable=True)]


def _least_error(fits: BlockFits, targets: Sequence[Tensor], noise: float) -> float:
    """The noise, or a multiple of it, that predicts the blocks best that are left out: of repeated rows the likelihood
    finds none, since their residuals are equal."""

    def error(factor: float) -> float:
        found = zip(fits.left_out(factor * noise), targets, strict=True)
        return float(sum((one - target).square().sum() for one, target in found))

    return noise * min(_MORE_NOISE, key=error)


def _searched(x: Tensor, y: Tensor, logs: Tensor, steps: int) -> tuple[float, Tensor]:
    """The least negative log likelihood that so many steps find, and where."""
    from scipy.optimize import minimize

    likelihood = MarginalLikelihood(x, y)

    def loss(values: Any) -> tuple[float, Any]:
        value, gradient = likelihood.negative_log(torch.from_numpy(values).to(x))
        return value, gradient.double().numpy()

    bounds = [_RANGE] * len(logs)
    found = minimize(loss, logs.numpy(), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxfun": steps})
    return float(found.fun), torch.from_numpy(found.x).to(x)
