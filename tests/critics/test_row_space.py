"""Matrices of rows give what matrices of columns give, at a cost that is linear in the columns."""

import time

import pytest
import torch

from mibounds._math import infonce_loss
from mibounds.critics import GaussianCritic
from mibounds.critics import row_space as module
from mibounds.critics.canonical import held_out_pairs
from mibounds.critics.row_space import wide_pairs


def sparse(n, dim_x, dim_y, generator, pairs=3):
    """Columns of which the first ones are correlated by 0.89."""
    x, y = torch.randn(n, dim_x, generator=generator), torch.randn(n, dim_y, generator=generator)
    k = min(pairs, dim_x, dim_y)
    y[:, :k] = x[:, :k] + 0.5 * y[:, :k]
    return x, y


def low_rank(n, dim_x, dim_y, generator, strength=1.0):
    """Three factors in all columns."""
    weights = torch.Generator().manual_seed(5)
    z = torch.randn(n, 3, generator=generator)
    first, second = (
        strength * z @ torch.randn(3, dim, generator=weights) + torch.randn(n, dim, generator=generator)
        for dim in (dim_x, dim_y)
    )
    return first, second


# More rows than columns; fewer than of x; fewer than of y.
@pytest.mark.parametrize("shape", [(200, 20, 10), (100, 300, 1), (100, 5, 200), (150, 400, 30)])
@pytest.mark.parametrize("draw", [sparse, low_rank])
def test_the_pairs_are_those_of_the_matrices_of_columns(shape, draw, generator):
    x, y = draw(*shape, generator)
    x[:, 0] *= 1e3
    by_columns, by_rows = held_out_pairs(x, y), wide_pairs(x, y)
    assert len(by_columns.correlation) > 0
    assert torch.allclose(by_rows.correlation, by_columns.correlation, atol=1e-4)
    for side, mean, axes in ((x, "mean_x", "to_u"), (y, "mean_y", "to_v")):
        new = side.double() - getattr(by_columns, mean)
        assert torch.allclose(getattr(by_rows, mean), getattr(by_columns, mean))
        first, second = (new @ getattr(pairs, axes) for pairs in (by_rows, by_columns))
        assert torch.allclose(first.abs(), second.abs(), atol=1e-4)  # up to a sign


def test_scores_are_those_of_the_matrices_of_columns(generator, monkeypatch):
    x, y = sparse(140, 200, 4, generator)
    by_rows, by_columns = GaussianCritic(), GaussianCritic()
    by_rows.prepare(x[:100], y[:100])
    monkeypatch.setattr("mibounds.critics.gaussian.wide_pairs", held_out_pairs)
    by_columns.prepare(x[:100], y[:100])
    assert by_rows.correlation.max() > 0.5
    assert torch.allclose(by_rows.pairwise(x, y), by_columns.pairwise(x, y), atol=1e-4)


@pytest.mark.parametrize("dims", [(3_000, 2), (700, 700)])
def test_no_matrix_of_columns_is_decomposed(dims, generator, monkeypatch):
    shapes = []
    for name in ("eigh", "svd", "qr"):
        plain = getattr(torch.linalg, name)

        def counted(matrix, *rest, plain=plain, **options):
            shapes.append(tuple(matrix.shape[-2:]))  # of each of a batch
            return plain(matrix, *rest, **options)

        monkeypatch.setattr(torch.linalg, name, counted)
    critic, n = GaussianCritic(), 60
    critic.prepare(*low_rank(n, *dims, generator))
    assert shapes
    assert all(min(shape) <= n or shape[1] <= module._LEADING + module._OVERSAMPLED for shape in shapes)
    assert max(min(shape) for shape in shapes) <= max(n, module._LEADING + module._OVERSAMPLED)


def test_time_is_not_cubic_in_the_columns(generator):
    seconds = []
    for dim in (1_000, 8_000):  # 512 times as long if it were
        x, y = low_rank(60, dim, 1, generator)
        start = time.process_time()
        wide_pairs(x, y)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 40 * seconds[0]


@pytest.mark.parametrize("dims", [(200, 300), pytest.param((400, 400), marks=pytest.mark.slow)])
def test_more_columns_than_rows_on_both_sides(dims, generator):
    """All directions together would fit any rows perfectly: scores of new rows were then beyond 1e12."""
    for draw, least in ((sparse, 0.8), (low_rank, 3.0)):
        x, y = draw(350, *dims, generator)
        critic = GaussianCritic()
        critic.prepare(x[:150], y[:150])
        assert -float(infonce_loss(critic.pairwise(x[150:], y[150:]))) > least
    x, y = torch.randn(350, dims[0], generator=generator), torch.randn(350, dims[1], generator=generator)
    critic = GaussianCritic()
    critic.prepare(x[:150], y[:150])
    assert -float(infonce_loss(critic.pairwise(x[150:], y[150:]))) > -0.1


def test_a_screened_matrix_keeps_the_strongest_of_each_column(generator, monkeypatch):
    monkeypatch.setattr(module, "_STRONGEST", 2)
    monkeypatch.setattr(module, "_BLOCK", 20)
    x, y = low_rank(50, 9, 7, generator)
    full, few = module._cross(x.double(), y.double(), 3.0), module._sparse_cross(x.double(), y.double(), 3.0).to_dense()
    strongest = full.abs().topk(2, dim=1).values[:, 1:]
    assert torch.equal(few, torch.where(full.abs() >= strongest, full, 0))


def test_leading_singular_vectors(generator):
    matrix = torch.randn(300, 20, generator=generator).double() @ torch.randn(20, 400, generator=generator).double()
    left, strength, right = module._leading(matrix, matrix.T, 30)
    assert torch.allclose(strength[:20], torch.linalg.svdvals(matrix)[:20])
    assert torch.allclose(left * strength @ right, matrix, atol=1e-8)
    few, _, _ = module._leading(matrix, matrix.T, 5)
    assert few.shape == (300, 5)
    assert float((few[:, 0] @ left[:, 0]).abs()) > 0.999
    state = torch.get_rng_state()
    module._leading(matrix, matrix.T, 30)
    assert torch.equal(torch.get_rng_state(), state)


def test_copies_and_constant_columns_stay_finite(generator):
    x = torch.randn(60, 100, generator=generator)
    x[:, 50:] = x[:, :50]
    x[:, 3] = 1.0
    critic = GaussianCritic()
    critic.prepare(x, x[:, :2])
    assert critic.pairwise(x, x[:, :2]).isfinite().all()
