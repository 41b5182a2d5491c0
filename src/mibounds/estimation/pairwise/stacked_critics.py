r"""Critics of many pairs of columns, trained at once: every product of a step is one batched product over the stack.

The critic of a pair is :math:`f = \phi^\top W \psi` (see `column_features`), its objective that of Donsker and Varadhan
over all mismatched pairs of values, with a ridge around the Gaussian copula :math:`W_0` that is the heavier the
rougher a feature is:

.. math:: J(W) = \langle W, M \rangle - \log \sum_{cd} w_c w_d\, e^{\phi_c^\top W \psi_d}
                 - \frac{\lambda}{2} \sum_{kl} \frac{k^2 + l^2}{2} (W - W_0)_{kl}^2 .

All that it needs of the rows is the matrix M of the mean products of their features, so a step costs the same for a
hundred rows and for a million. J is concave and small enough for Newton's method: the Hessian is again two batched
products over the cells,

.. math:: \sum_{cd} p_{cd}\, \phi_{ck} \phi_{cm}\, \psi_{dl} \psi_{dn} .

The ridge is lowered step by step. A pair leaves the stack when its validation rows have not gained for a while; it
keeps its best ridge and is fitted with it once more, to training and validation rows together. The Gaussian copula
alone counts as the step before the first, and to leave it takes a gain of more than a standard error, so independent
and Gaussian pairs stay what they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Moments", "StackedCritics", "fit_stack"]

RIDGES = (0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4)
_NEWTON_STEPS = 4
_PATIENCE = 3  # ridges without a gain; their validation scores move by noise
_GAIN = 1e-3  # nats; ties keep the heavier ridge
_SETTLED = 1e-4  # nats that a further step could gain
_DAMPING = 1e-4
_HALVINGS = 6


@dataclass(frozen=True)
class Moments:
    """Mean products of the two columns' features over training and over validation rows, (P, E, E), and how many rows
    those were."""

    train: Tensor
    valid: Tensor
    train_rows: int
    valid_rows: int

    @property
    def both(self) -> Tensor:
        """Over all of these rows."""
        share = self.valid_rows / (self.train_rows + self.valid_rows)
        return (1 - share) * self.train + share * self.valid


@dataclass(frozen=True)
class StackedCritics:
    """The matrices W (P, E, E), and which ridge each pair kept, (P,): 0 is the start, before any."""

    weights: Tensor
    ridge: Tensor


@dataclass(frozen=True)
class _Cells:
    """The mismatched pairs of a stack: features (P, C, E) of both columns' cells, and the log of the weights (P, C, C)
    of their combinations."""

    x: Tensor
    y: Tensor
    log_weights: Tensor

    def keep(self, pairs: Tensor) -> _Cells:
        return _Cells(self.x[pairs], self.y[pairs], self.log_weights[pairs])

    def tilted(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The log of the mean of e^f over mismatched pairs, (P,), and the cells' shares of it, (P, C, C)."""
        scores = torch.baddbmm(self.log_weights, self.x @ weights, self.y.mT)
        top = scores.amax((1, 2), keepdim=True)
        shares = scores.sub_(top).exp_()
        total = shares.sum((1, 2), keepdim=True)
        return (top + total.log()).flatten(), shares.div_(total)

    def deviation(self, weights: Tensor, shares: Tensor) -> Tensor:
        """The standard deviation of scores among pairs of values drawn by these shares, (P,)."""
        scores = self.x @ weights @ self.y.mT
        mean = (shares * scores).sum((1, 2), keepdim=True)
        return (shares * (scores - mean).square()).sum((1, 2)).sqrt()


def fit_stack(
    x: tuple[Tensor, Tensor],
    y: tuple[Tensor, Tensor],
    moments: Moments,
    start: Tensor,
    order: Tensor,
    caution: float = 1.0,
) -> StackedCritics:
    """Train the critics of P pairs at once.

    Arguments:
        x: features (P, C, E) and weights (P, C) of the cells of each pair's first column.
        y: likewise of its second.
        moments: what the rows say.
        start: W_0, (P, E, E).
        order: the roughness of each feature, (E,).
        caution: standard errors by which validation rows must gain for a pair to leave the start.

    Returns:
        `StackedCritics`.
    """
    tiny = torch.finfo(torch.float32).tiny  # an empty cell
    log_weights = [side[1].clamp_min(tiny).log() for side in (x, y)]
    cells = _Cells(x[0], y[0], log_weights[0][:, :, None] + log_weights[1][:, None])
    rough = (order[:, None].square() + order.square()) / 2
    best, ridge = start.clone(), torch.zeros(len(start), dtype=torch.long, device=start.device)
    best_score = _score(start, cells.tilted(start)[0], moments.valid)
    stale = torch.zeros_like(ridge)
    active = torch.arange(len(start), device=start.device)
    weights, here, around, train, valid = start, cells, start, moments.train, moments.valid
    for step, strength in enumerate(RIDGES):
        weights, log_mean, shares = _maximize(weights, here, train, around, strength * rough.expand_as(weights))
        score = _score(weights, log_mean, valid)
        # In small samples every other independent pair would leave the start by chance.
        error = caution * here.deviation(weights - best[active], shares) / math.sqrt(moments.valid_rows)
        margin = torch.where(ridge[active] == 0, error.clamp_min(_GAIN), _GAIN)
        better = score > best_score[active] + margin
        improved = active[better]
        best[improved], best_score[improved], ridge[improved] = weights[better], score[better], step + 1
        stale[active] = torch.where(better, 0, stale[active] + 1)
        kept = stale[active] < _PATIENCE
        if not kept.all():
            active, weights, here = active[kept], weights[kept], here.keep(kept)
            around, train, valid = around[kept], train[kept], valid[kept]
        if not len(active):
            break
    left = ridge.nonzero().flatten()
    if len(left):
        strengths = torch.tensor(RIDGES, device=start.device)[ridge[left] - 1][:, None, None]
        best[left], _, _ = _maximize(best[left], cells.keep(left), moments.both[left], start[left], strengths * rough)
    return StackedCritics(best, ridge)


def _score(weights: Tensor, log_mean: Tensor, moments: Tensor) -> Tensor:
    """Donsker–Varadhan in nats, (P,)."""
    return (weights * moments).sum((1, 2)) - log_mean


def _maximize(
    weights: Tensor, cells: _Cells, moments: Tensor, around: Tensor, ridge: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A few steps of Newton's method, each shortened for the pairs that it would not serve.

    Returns W, the log of the mean of e^f over mismatched pairs, and the cells' shares of that mean.
    """

    def objective(weights: Tensor, log_mean: Tensor) -> Tensor:
        return _score(weights, log_mean, moments) - (ridge * (weights - around).square()).sum((1, 2)) / 2

    log_mean, shares = cells.tilted(weights)
    value = objective(weights, log_mean)
    for _ in range(_NEWTON_STEPS):
        gradient = moments - cells.x.mT @ shares @ cells.y - ridge * (weights - around)
        direction = _newton(gradient, cells, shares, ridge)
        promised = (gradient * direction).sum((1, 2))
        length = torch.ones_like(promised)
        for _ in range(_HALVINGS):
            tried = weights + length[:, None, None] * direction
            log_mean, shares = cells.tilted(tried)
            new = objective(tried, log_mean)
            worse = ~(new >= value - 1e-5)  # true for what is not a number, too
            if not worse.any():
                break
            length = torch.where(worse, length * 0.3, length)
        else:  # whoever is still worse stays
            tried = torch.where(worse[:, None, None], weights, tried)
            log_mean, shares = cells.tilted(tried)
            new = objective(tried, log_mean)
        weights, value = tried, new
        if float(promised.max()) < _SETTLED:
            break
    return weights, log_mean, shares


def _newton(gradient: Tensor, cells: _Cells, shares: Tensor, ridge: Tensor) -> Tensor:
    """The Hessian's inverse times the gradient, (P, E, E)."""
    count, size = len(gradient), gradient.shape[-1]
    a, b = torch.triu_indices(size, size, device=gradient.device)
    place = torch.zeros(size, size, dtype=torch.long, device=gradient.device)
    place[a, b] = place[b, a] = torch.arange(len(a), device=gradient.device)
    # Products of two features of one column are symmetric: each once, and spread out afterwards.
    products = (cells.x[..., a] * cells.x[..., b]).mT @ shares @ (cells.y[..., a] * cells.y[..., b])
    spread = place[:, None, :, None] * len(a) + place[None, :, None, :]
    hessian = products.flatten(1).index_select(1, spread.flatten()).view(count, size * size, size * size)
    # The feature 1 x 1 is free: eliminating it is what subtracts the means of the others.
    hessian.diagonal(dim1=1, dim2=2).add_(ridge.flatten(1) + _DAMPING)
    factor, failed = torch.linalg.cholesky_ex(hessian)
    if failed.any():
        hessian[failed > 0] += 1e2 * _DAMPING * torch.eye(size * size, device=hessian.device)
        factor, _ = torch.linalg.cholesky_ex(hessian)
    return torch.cholesky_solve(gradient.flatten(1)[..., None], factor).view_as(gradient)
