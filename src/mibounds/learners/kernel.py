"""The kernel of the Gaussian process, and the gradient of the marginal likelihood in closed form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["COLUMNS_ALONE", "LEAST_NOISE", "kernel", "negative_log_likelihood", "start"]

LEAST_NOISE = 1e-3  # variance, of standardized targets
COLUMNS_ALONE = 20
_KINKED = 2.5  # the square of t relative to that of r: the length scales of functions with kinks are √2 times as long
_TERMS = 3  # beside those of single columns
_SINGLE_SCALE, _SINGLE_SIZE = -1.2, -1.0  # logs
_PENALTY = 1e-3  # on the mean square of the logs


class _Parameters(NamedTuple):
    """Length scales (D,) of all columns together, those of single columns (D,) and the variances of their terms (D,),
    both empty where there are many columns, and the variances of the smooth term, the one with kinks and the linear
    one (3,)."""

    together: Tensor
    single: Tensor
    sizes: Tensor
    terms: Tensor

    @classmethod
    def of(cls, logs: Tensor, columns: int) -> _Parameters:
        """From the logarithms of the scales and of the standard deviations, in this order."""
        alone = (len(logs) - columns - _TERMS) // 2
        together, single, sizes, terms = torch.split(logs, [columns, alone, alone, _TERMS])
        return cls(together.exp(), single.exp(), (2 * sizes).exp(), (2 * terms).exp())


def start(columns: int, shift: float) -> Tensor:
    """Logarithms of the parameters of the kernel, and of the standard deviation of the noise, from which a search
    starts; `shift` is added to those of the length scales."""
    together = torch.full((columns,), math.log(columns) / 4 + shift)
    single = [torch.full((columns,), value) for value in (_SINGLE_SCALE, _SINGLE_SIZE - math.log(columns) / 2)]
    return torch.cat(
        [together, *(single if columns <= COLUMNS_ALONE else []), torch.tensor([-0.65, -0.65, -1.0, -1.0])]
    )


def kernel(a: Tensor, b: Tensor, logs: Tensor) -> Tensor:
    """The covariances (N, M) of the function values at a (N, D) and b (M, D)."""
    p = _Parameters.of(logs, a.shape[1])
    smooth, _, kinked, linear, alone = _terms(a, b, p)
    total = smooth.add_(kinked).add_(linear)
    for term in alone:
        total += term
    return total


def negative_log_likelihood(x: Tensor, y: Tensor, logs: Tensor) -> tuple[float, Tensor]:
    r"""The negative logarithm of the marginal likelihood, a sample and a target, and its gradient; infinite where the
    covariance cannot be factored.

    With the covariance K of n samples, noise included, :math:`\alpha_t = K^{-1} y_t` of T targets,

    .. math:: L = \frac1{2nT}\sum_t y_t^\top \alpha_t + \frac{\ln |K|}{2n}, \qquad
              \frac{\partial L}{\partial \theta} = \Big\langle G, \frac{\partial K}{\partial \theta} \Big\rangle, \qquad
              G = \frac1{2n}\Big(K^{-1} - \frac1T \sum_t \alpha_t \alpha_t^\top\Big).

    Arguments:
        x: (n, D).
        y: (n, T).
        logs: of the parameters of the kernel and of the standard deviation of the noise.
    """
    (n, columns), targets = x.shape, y.shape[1]
    p, own = _Parameters.of(logs[:-1], columns), (2 * logs[-1]).exp()
    smooth, decay, kinked, linear, each = _terms(x, x, p)
    alone = list(each)
    covariance = sum(alone, smooth + kinked + linear)
    covariance.diagonal().add_(own + LEAST_NOISE)
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        return math.inf, torch.zeros_like(logs)
    inverse = torch.cholesky_inverse(factor)
    solved = inverse @ y
    loss = (y * solved).sum() / (2 * n * targets) + factor.diagonal().log().sum() / n
    g = (inverse - solved @ solved.T / targets) / (2 * n)
    of_smooth = smooth.mul_(g)
    of_square = of_smooth / -2 - decay.mul_(g)
    single = [_weighted_squares(term.mul_(g), x[:, d, None] / p.single[d])[0] for d, term in enumerate(alone)]
    sizes = [2 * term.sum() for term in (*alone, of_smooth, kinked.mul_(g), linear.mul_(g))]
    together = -2 * _weighted_squares(of_square, x / p.together)
    gradient = torch.cat([together, torch.stack([*single, *sizes, 2 * own * g.trace()])])
    return float(loss + _PENALTY * logs.square().mean()), gradient + 2 * _PENALTY * logs / len(logs)


def _terms(a: Tensor, b: Tensor, p: _Parameters) -> tuple[Tensor, Tensor, Tensor, Tensor, Iterator[Tensor]]:
    """The smooth term of the kernel (N, M); minus the derivative of the one with kinks by the squared distance, that
    term, the linear one, and those of single columns."""
    smooth, kinked, linear = p.terms
    u, v = a / p.together, b / p.together
    square = (u.square().sum(1)[:, None] + v.square().sum(1) - 2 * u @ v.T).clamp_min_(0)
    t = (_KINKED * square).sqrt_()
    decay = torch.exp(-t).mul_(kinked)
    matern = (1 + t + t.square() / 3).mul_(decay)
    alone = (
        (a[:, d, None] / scale - b[:, d] / scale).square_().mul_(-0.5).exp_().mul_(p.sizes[d])
        for d, scale in enumerate(p.single)
    )
    slope = decay.mul_(t.add_(1)).mul_(_KINKED / 6)
    return square.mul_(-0.5).exp_().mul_(smooth), slope, matern, (a @ b.T).mul_(linear / a.shape[1]), alone


def _weighted_squares(weights: Tensor, u: Tensor) -> Tensor:
    """The sum over i and j of weights (n, n), symmetric, times (u_id - u_jd)², by column d: (D,)."""
    return 2 * (weights.sum(1) @ u.square() - (u * (weights @ u)).sum(0))
