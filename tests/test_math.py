import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mibounds._math import (
    canonical_correlations,
    full_precision,
    infonce_loss,
    logaddmeanexp,
    logmeanexp,
    logmeanexp_off_diagonal,
    off_diagonal,
    single_precision,
)

floats = st.floats(-50, 50)


@given(st.lists(floats, min_size=1, max_size=20))
def test_logmeanexp_is_the_log_of_the_mean(scores):
    direct = math.log(sum(math.exp(s) for s in scores) / len(scores))
    assert float(logmeanexp(torch.tensor(scores, dtype=torch.float64))) == pytest.approx(direct, abs=1e-9)


@given(st.lists(floats, min_size=1, max_size=20), st.floats(-1e4, 1e4))
def test_logmeanexp_moves_with_a_constant(scores, constant):
    scores = torch.tensor(scores, dtype=torch.float64)
    assert float(logmeanexp(scores + constant)) == pytest.approx(float(logmeanexp(scores)) + constant, abs=1e-7)


def test_logmeanexp_neither_overflows_nor_works_in_half_precision():
    assert float(logmeanexp(torch.tensor([500.0, 500.0]))) == 500
    half = torch.full((4096,), 9.0, dtype=torch.bfloat16)
    assert logmeanexp(half).dtype == torch.float32
    assert float(logmeanexp(half)) == pytest.approx(9, abs=1e-5)
    assert single_precision(torch.zeros(1, dtype=torch.float64)).dtype == torch.float64


def test_logaddmeanexp_counts_the_matched_score():
    joint, product = torch.tensor([1.0]), torch.tensor([[2.0, 3.0]])
    assert torch.allclose(logaddmeanexp(joint, product), logmeanexp(torch.tensor([[1.0, 2.0, 3.0]])))
    assert logaddmeanexp(joint.half(), product.half()).dtype == torch.float32


def test_full_precision_disables_autocast():
    x = torch.ones(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with full_precision(x):
            assert (x @ x).dtype == torch.float32
        assert (x @ x).dtype == torch.bfloat16
    with full_precision(x):
        assert (x @ x).dtype == torch.float32


@given(st.integers(2, 9), st.integers(1, 3))
def test_off_diagonal_leaves_out_the_diagonal_and_nothing_else(n, stacks):
    matrix = torch.arange(stacks * n * n).reshape(stacks, n, n)
    naive = [[[int(matrix[s, i, j]) for j in range(n) if j != i] for i in range(n)] for s in range(stacks)]
    assert off_diagonal(matrix).tolist() == naive


@given(st.integers(2, 9), st.data())
def test_off_diagonal_of_some_lines_is_those_lines_of_the_whole(n, data):
    matrix = torch.arange(2 * n * n).reshape(2, n, n)
    first = data.draw(st.integers(0, n - 1))
    stop = data.draw(st.integers(first + 1, n))
    assert torch.equal(off_diagonal(matrix[:, first:stop], first), off_diagonal(matrix)[:, first:stop])


def test_an_infinite_diagonal_does_not_reach_the_off_diagonal():
    matrix = torch.zeros(3, 3)
    matrix.fill_diagonal_(math.inf)
    assert off_diagonal(matrix).isfinite().all()


def test_canonical_correlations_are_roots_of_eigenvalues(generator):
    x = torch.randn(500, 3, generator=generator) @ torch.randn(3, 3, generator=generator) + 7
    y = x[:, :2] @ torch.randn(2, 4, generator=generator) + torch.randn(500, 4, generator=generator)
    both = torch.cat([x, y], 1).double().T.cov()
    within_x, within_y, across = both[:3, :3], both[3:, 3:], both[:3, 3:]
    product = torch.linalg.solve(within_x, across) @ torch.linalg.solve(within_y, across.T)
    expected = torch.linalg.eigvals(product).real.sqrt().sort(descending=True).values
    assert canonical_correlations(x, y).tolist() == pytest.approx(expected.tolist(), abs=1e-3)


def test_canonical_correlations_of_collinear_and_constant_columns_are_finite(generator):
    x, y = torch.randn(2, 200, 2, generator=generator)
    degenerate = torch.cat([x, x[:, :1], torch.ones(200, 1)], 1)
    assert torch.allclose(canonical_correlations(degenerate, y), canonical_correlations(x, y), atol=1e-4)


def test_the_ridge_shrinks_canonical_correlations(generator):
    x = torch.randn(200, 1, generator=generator)
    found = canonical_correlations(1e6 * x, -1e-6 * x, ridge=0.25)  # relative to columns of variance 1
    assert float(found) == pytest.approx(1 / 1.25, abs=1e-5)
    assert canonical_correlations(x, x).dtype == torch.float32


def test_canonical_correlations_are_at_most_one(generator):
    x = torch.randn(200, 3, generator=generator, dtype=torch.float64)
    correlation = canonical_correlations(x, x @ torch.randn(3, 3, generator=generator).double(), ridge=0)
    assert correlation.max() <= 1
    assert correlation.tolist() == pytest.approx([1, 1, 1])


def test_the_infonce_loss_of_grids_is_the_mean_over_both_directions_and_all_grids(generator):
    grids = torch.randn(3, 4, 4, generator=generator)
    naive = 0.0
    for grid in grids.double():
        for i in range(4):
            rows, columns = (line.exp().mean().log() for line in (grid[i], grid[:, i]))
            naive += float((rows + columns) / 2 - grid[i, i]) / 12
    assert float(infonce_loss(grids)) == pytest.approx(naive, abs=1e-5)
    assert float(infonce_loss(grids.clone().requires_grad_()).detach()) == pytest.approx(naive, abs=1e-5)
    assert float(infonce_loss(grids + 7)) == pytest.approx(naive, abs=1e-5)
    assert infonce_loss(grids.half()).dtype == torch.float32


def test_the_gradient_of_the_infonce_loss_is_the_exact_one_and_has_a_gradient(generator):
    grids = torch.randn(3, 4, 4, generator=generator, dtype=torch.float64) * 3
    assert torch.autograd.gradcheck(infonce_loss, grids.requires_grad_())
    assert torch.autograd.gradgradcheck(infonce_loss, grids)
    (plain,), (differentiable,) = (
        torch.autograd.grad(infonce_loss(grids), grids, create_graph=create_graph) for create_graph in (False, True)
    )
    assert torch.allclose(differentiable, plain)


@pytest.mark.parametrize("diagonal", [0.0, math.inf, -math.inf, math.nan])
def test_the_log_mean_exp_off_the_diagonal_equals_that_of_the_entries(generator, diagonal):
    grids = torch.randn(3, 5, 5, generator=generator, dtype=torch.float64) * 30
    grids.diagonal(dim1=-2, dim2=-1).fill_(diagonal)
    values, slopes = [], []
    for reduce in (logmeanexp_off_diagonal, lambda grid: logmeanexp(off_diagonal(grid))):
        leaf = grids.mT.clone().requires_grad_()
        value = reduce(leaf)
        (value * torch.arange(15.0).reshape(3, 5)).sum().backward()
        values.append(value.detach())
        slopes.append(leaf.grad)
    assert torch.allclose(*values, atol=1e-12)
    assert torch.allclose(*slopes, atol=1e-12)
    assert logmeanexp_off_diagonal(torch.full((3, 3), -math.inf, requires_grad=True)).tolist() == [-math.inf] * 3
    assert logmeanexp_off_diagonal(torch.full((3, 3), 1e4, requires_grad=True)).tolist() == [1e4] * 3


def test_the_gradient_of_the_log_mean_exp_off_the_diagonal_has_a_gradient(generator):
    grids = torch.randn(2, 4, 4, generator=generator, dtype=torch.float64).mul(3).requires_grad_()
    assert torch.autograd.gradcheck(logmeanexp_off_diagonal, grids)
    assert torch.autograd.gradgradcheck(logmeanexp_off_diagonal, grids)


def test_the_infonce_loss_of_far_apart_scores_has_a_finite_gradient():
    grid = torch.tensor([[1e4, 0.0], [-1e4, 50.0]], requires_grad=True)
    value = infonce_loss(grid)
    (gradient,) = torch.autograd.grad(value, grid)
    assert float(value.detach()) == pytest.approx(-math.log(2), abs=2e-3)  # 1e4 less 1e4 in single precision
    assert torch.allclose(gradient, torch.zeros(2, 2), atol=1e-6)
