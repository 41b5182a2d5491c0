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
_LIMIT = 4.0  # standard deviations of a column


class GaussianProcess(Learner):
    r"""Gaussian process regression with the kernel

    .. math:: k(x, x') = a^2 \exp\Big(-\frac12 \sum_d (x_d - x'_d)^2 / l_d^2\Big) + b^2 x^\top x' / D + s^2\, 1_{x = x'}.

    The length scales :math:`l_d` and the other parameters maximize the marginal likelihood of some of the samples; a
    column that does not matter gets a long one. Learns smooth functions of few columns, products and waves among them,
    from far fewer samples than trees or networks, and does not learn steps. All targets share the kernel.

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
    scales: Tensor
    variances: Tensor
    center: Tensor
    spread: Tensor

    def __init__(self, *, kept: int = 1000, likelihood_rows: int = 320, steps: int = 40, seed: int = 0):
        super().__init__()
        self.kept, self.likelihood_rows, self.steps, self.seed = kept, likelihood_rows, steps, seed
        self.standardize = Standardize(limit=_LIMIT)
        for name in ("inputs", "weights", "scales", "variances", "center", "spread"):
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
        predictions = self._kernel(x, self.inputs) @ self.weights
        # Left-out blocks in closed form. Leaving out single samples would tell a critic their y: a prediction of noise
        # that leaves out one sample differs from the mean by a multiple of it.
        for block in torch.arange(len(kept)).tensor_split(min(_BLOCKS, len(kept))):
            errors = torch.linalg.solve(inverse[block[:, None], block], self.weights[block])
            predictions[kept[block]] = y[kept[block]] - errors
        return (predictions * self.spread + self.center).float()

    def forward(self, x: Tensor) -> Tensor:
        x = self.standardize(x).double()
        return (self._kernel(x, self.inputs) @ self.weights * self.spread + self.center).float()

    def _kernel(self, a: Tensor, b: Tensor) -> Tensor:
        return _kernel(a, b, self.scales.to(a), *self.variances.to(a))

    def _maximize_likelihood(self, x: Tensor, y: Tensor) -> float:
        """Set the length scales and variances, and return the variance of the noise."""
        n, columns = x.shape
        log_scales = torch.full((columns,), math.log(columns) / 4, requires_grad=True)
        logs = torch.tensor([0.0, -1.0, -1.0], requires_grad=True)  # of a, b and s
        optimizer = torch.optim.Adam([log_scales, logs], lr=0.1)
        best, found = math.inf, (log_scales.detach().clone(), logs.detach().clone())
        identity = torch.eye(n)
        for _ in range(self.steps):
            optimizer.zero_grad()
            variances = (2 * logs).exp()
            covariance = _kernel(x, x, log_scales.exp(), variances[0], variances[1])
            factor, failed = torch.linalg.cholesky_ex(covariance + (variances[2] + _LEAST_NOISE) * identity)
            if failed:
                break
            solved = torch.cholesky_solve(y, factor)
            loss = (y * solved).sum() / (2 * n * y.shape[1]) + factor.diagonal().log().sum() / n
            loss = loss + 1e-3 * log_scales.square().mean()
            value = float(loss.detach())
            if value < best:
                best, found = value, (log_scales.detach().clone(), logs.detach().clone())
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        self.scales = found[0].exp().double()
        variances = (2 * found[1]).exp().double()
        self.variances = variances[:2]
        return float(variances[2])


def _kernel(a: Tensor, b: Tensor, scales: Tensor, smooth: Tensor, linear: Tensor) -> Tensor:
    """The covariances (N, M) of the function values at a (N, D) and b (M, D)."""
    u, v = a / scales, b / scales
    square = u.square().sum(1)[:, None] + v.square().sum(1) - 2 * u @ v.T
    return smooth * torch.exp(-square.clamp_min(0) / 2) + linear * (a @ b.T) / a.shape[1]
