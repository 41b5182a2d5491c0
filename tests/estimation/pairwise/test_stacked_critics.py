"""Stacks of critics: what validation rows confirm, and the optimum of the objective."""

import torch

from mibounds.estimation.pairwise import stacked_critics
from mibounds.estimation.pairwise.column_features import ColumnFeatures
from mibounds.estimation.pairwise.stacked_critics import RIDGES, Moments, _Cells, _newton, fit_stack

COSINES = 3


def stack(n=1500, seed=0):
    """Three pairs: a Gaussian one, a parabola, an independent one."""
    x, noise = torch.randn(2, n, generator=torch.Generator().manual_seed(seed))
    ys = [0.6 * x + 0.8 * noise, x.square() + 0.5 * noise, noise]
    table = torch.stack([x, *ys], 1)
    ranks = table.argsort(0).argsort(0)
    z = torch.special.ndtri((ranks.double() + 0.5) / n)
    train, valid = z[: n // 2], z[n // 2 :]
    made = ColumnFeatures(train, COSINES)
    first, second = torch.tensor([0, 0, 0]), torch.tensor([1, 2, 3])
    products = [(f[first].mT @ f[second]) / f.shape[1] for f in (made(train), made(valid))]
    sides = [(made.cells[side], made.weights[side]) for side in (first, second)]
    start = made.gaussian(first, second, torch.corrcoef(train.T)[first, second])
    return *sides, Moments(*products, n // 2, n - n // 2), start, made.order


def cells_of(x, y):
    return _Cells(x[0], y[0], (x[1].clamp_min(1e-38).log())[:, :, None] + (y[1].clamp_min(1e-38).log())[:, None])


def test_only_what_validation_confirms_leaves_the_gaussian_copula():
    x, y, moments, start, order = stack()
    found = fit_stack(x, y, moments, start, order)
    assert found.ridge.tolist()[1] > 0
    assert [found.ridge[i].item() for i in (0, 2)] == [0, 0]
    assert torch.equal(found.weights[0], start[0])
    log_mean, _ = cells_of(x, y).tilted(found.weights)
    value = (found.weights * moments.valid).sum((1, 2)) - log_mean
    assert value[1] > 0.5  # truth .80
    assert abs(value[2]) < 0.01


def test_a_pair_is_trained_alike_alone_and_in_a_stack():
    x, y, moments, start, order = stack()
    together = fit_stack(x, y, moments, start, order)
    one = slice(1, 2)
    alone = fit_stack(
        (x[0][one], x[1][one]), (y[0][one], y[1][one]),
        Moments(moments.train[one], moments.valid[one], 750, 750), start[one], order,
    )  # fmt: skip
    assert alone.ridge.tolist() == together.ridge[one].tolist()
    assert (alone.weights - together.weights[one]).abs().max() < 1e-2 * together.weights[one].abs().max()


def test_the_kept_ridge_is_fitted_to_training_and_validation_rows_together():
    """At the maximum the gradient over both kinds of rows is nothing."""
    x, y, moments, start, order = stack()
    found = fit_stack(x, y, moments, start, order)
    _, shares = cells_of(x, y).tilted(found.weights)
    both = (moments.train + moments.valid) / 2
    rough = (order[:, None].square() + order.square()) / 2
    ridge = RIDGES[int(found.ridge[1]) - 1] * rough
    expected = x[0].mT @ shares @ y[0]
    gradient = (both - expected - ridge * (found.weights - start))[1]
    assert gradient.abs().max() < 0.02


def test_newton_divides_by_the_hessian():
    """Against autograd's Hessian of the log-mean-exp, where the constant feature does not count."""
    x, y, moments, start, order = stack(400)
    one = slice(1, 2)
    cells = cells_of((x[0][one], x[1][one]), (y[0][one], y[1][one]))
    weights = 0.1 * torch.randn(start[one].shape, generator=torch.Generator().manual_seed(1))
    log_mean, shares = cells.tilted(weights)
    ridge = 0.1 * (order[:, None].square() + order.square()) / 2
    gradient = moments.train[one] - x[0][one].mT @ shares @ y[0][one] - ridge * weights
    step = _newton(gradient, cells, shares, ridge.expand_as(weights))

    def loss(flat):
        scores = cells.log_weights[0] + cells.x[0] @ flat.view_as(weights[0]) @ cells.y[0].T
        return torch.logsumexp(scores.flatten(), 0) + (ridge * flat.view_as(ridge).square()).sum() / 2

    hessian = torch.autograd.functional.hessian(loss, weights[0].flatten())
    left = (hessian @ step[0].flatten()).view_as(ridge)
    assert (left - gradient[0]).abs().max() < 0.02 * gradient.abs().max()
    assert log_mean.shape == (1,)


def test_a_step_that_does_not_improve_is_halved(monkeypatch):
    x, y, moments, start, order = stack(400)
    monkeypatch.setattr(stacked_critics, "_newton", lambda gradient, *rest: 30 * gradient)
    found = fit_stack(x, y, moments, start, order)
    log_mean, _ = cells_of(x, y).tilted(found.weights)
    before, _ = cells_of(x, y).tilted(start)
    gain = (found.weights - start).mul(moments.valid).sum((1, 2)) - log_mean + before
    assert found.weights.isfinite().all()
    assert (gain > -0.02).all()
    assert gain[1] > 0.1
