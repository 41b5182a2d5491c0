"""The kernel of the Gaussian process, and the gradient of the marginal likelihood in closed form."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["COLUMNS_ALONE", "LEAST_NOISE", "MarginalLikelihood", "kernel", "start"]

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
    u, v = a / p.together, b / p.together
    square = (u.square().sum(1)[:, None] + v.square().sum(1) - 2 * u @ v.T).clamp_min_(0)
    smooth, kinked, _ = _together(square, p)
    total = smooth.add_(kinked).add_((a @ b.T).mul_(p.terms[2] / a.shape[1]))
    for d, (scale, size) in enumerate(zip(p.single, p.sizes, strict=True)):
        total += _alone((a[:, d, None] - b[:, d]).square_(), scale, size)
    return total


class MarginalLikelihood:
    r"""The marginal likelihood of samples and targets as a function of the parameters of the kernel.

    With the covariance K of n samples, noise included, :math:`\alpha_t = K^{-1} y_t` of T targets,

    .. math:: L = \frac1{2nT}\sum_t y_t^\top \alpha_t + \frac{\ln |K|}{2n}, \qquad
              \frac{\partial L}{\partial \theta} = \Big\langle G, \frac{\partial K}{\partial \theta} \Big\rangle, \qquad
              G = \frac1{2n}\Big(K^{-1} - \frac1T \sum_t \alpha_t \alpha_t^\top\Big).

    Each pair of different samples is computed once, and what does not depend on the parameters before the first call.

    Arguments:
        x: (n, D).
        y: (n, T).
    """

    def __init__(self, x: Tensor, y: Tensor):
        n, columns = x.shape
        first, second = torch.tril_indices(n, n, -1, device=x.device)
        self.y, self.columns, self.pairs = y, columns, (first, second)
        self.place = first * n + second  # of the P pairs in the rows of a matrix (n, n)
        self.squares = torch.stack([(column[first] - column[second]).square_() for column in x.T])  # (D, P)
        products = x @ x.T / columns
        self.products, self.norms = products.flatten()[self.place], products.diagonal()

    def negative_log(self, logs: Tensor) -> tuple[float, Tensor]:
        """L, with a small penalty on the parameters, and its gradient; infinite where the covariance has no factor.

        Arguments:
            logs: of the parameters of the kernel and of the standard deviation of the noise.
        """
        n, targets = self.y.shape
        p, own = _Parameters.of(logs[:-1], self.columns), (2 * logs[-1]).exp()
        smooth, kinked, slope = _together(p.together.pow(-2) @ self.squares, p)
        linear = self.products * p.terms[2]
        alone = [
            _alone(square, scale, size) for square, scale, size in zip(self.squares, p.single, p.sizes, strict=False)
        ]
        covariance = smooth.new_zeros(n, n)
        covariance.view(-1)[self.place] = sum(alone, smooth + kinked + linear)
        covariance.diagonal().copy_(p.terms[0] + p.terms[1] + p.sizes.sum() + p.terms[2] * self.norms)
        covariance.diagonal().add_(own + LEAST_NOISE)
        factor, failed = torch.linalg.cholesky_ex(covariance)
        if failed:
            return math.inf, torch.zeros_like(logs)
        inverse = torch.cholesky_inverse(factor)
        solved = inverse @ self.y
        loss = (self.y * solved).sum() / (2 * n * targets) + factor.diagonal().log().sum() / n
        first, second = (solved[rows] for rows in self.pairs)
        g = (inverse.T.reshape(-1)[self.place] - (first * second).mean(1)) / n  # of each pair, twice in the matrix
        own_g = (inverse.diagonal() - solved.square().mean(1)) / (2 * n)
        trace = own_g.sum()
        together = self.squares @ (g * (smooth + 2 * slope)) / p.together.square()
        weights = [g @ term for term in (*alone, smooth, kinked, linear)]
        single = [
            (term.mul_(g) @ square) / scale.square()
            for term, square, scale in zip(alone, self.squares, p.single, strict=False)
        ]
        diagonal = [*(p.sizes * trace), *(p.terms[:2] * trace), p.terms[2] * (own_g @ self.norms)]
        sizes = [2 * (one + at) for one, at in zip(weights, diagonal, strict=True)]
        gradient = torch.cat([together, torch.stack([*single, *sizes, 2 * own * trace])])
        return float(loss + _PENALTY * logs.square().mean()), gradient + 2 * _PENALTY * logs / len(logs)


def _together(square: Tensor, p: _Parameters) -> tuple[Tensor, Tensor, Tensor]:
    """The smooth term of the kernel at squared distances, the one with kinks, and minus the derivative of the latter by
    the squared distance."""
    smooth, kinked, _ = p.terms
    t = (_KINKED * square).sqrt_()
    decay = torch.exp(-t).mul_(kinked)
    matern = (1 + t + t.square() / 3).mul_(decay)
    slope = decay.mul_(t.add_(1)).mul_(_KINKED / 6)
    return square.mul_(-0.5).exp_().mul_(smooth), matern, slope


def _alone(square: Tensor, scale: Tensor, size: Tensor) -> Tensor:
    """The term of a single column at its squared differences."""
    return (square * (-0.5 / scale.square())).exp_().mul_(size)
