"""One fold of a matrix: the exact critic, edges, and the statistic of all matchings."""

import math

import pytest
import torch

from mibounds.estimation.pairwise import pair_evaluations
from mibounds.estimation.pairwise.pair_evaluations import (
    evaluate_pairs,
    fit_pairs,
    independence_statistics,
    prepare_fold,
)
from mibounds.estimation.pairwise.stacked_critics import StackedCritics
from mibounds.training.folds import split

ONE, TWO = torch.tensor([0]), torch.tensor([1])


def fold_of(x, y, seed=0):
    table = torch.stack([x, y], 1)
    return prepare_fold(table, split(len(x), 2, 0.15, torch.Generator().manual_seed(seed))[0])


def normals(count, n=3000, seed=0):
    return torch.randn(count, n, generator=torch.Generator().manual_seed(seed))


def test_the_evaluation_of_the_exact_critic_is_the_log_ratio():
    x, noise = normals(2)
    fold = fold_of(x, 0.8 * x + 0.6 * noise)
    rho = torch.tensor([0.8], dtype=torch.float64)
    exact = StackedCritics(fold.columns.gaussian(ONE, TWO, rho), torch.zeros(1, dtype=torch.long))
    rows = evaluate_pairs(fold, ONE, TWO, exact)[0]
    u, v = fold.scores[2].T
    truth = (0.8 * u * v - 0.32 * (u.square() + v.square())) / 0.36 - math.log(0.36) / 2
    assert (rows - truth).abs().median() < 0.01
    assert float(rows.mean()) == pytest.approx(float(truth.mean()), abs=0.005)


def test_places_are_uniform_under_the_exact_critic():
    x, noise = normals(2)
    fold = fold_of(x, 0.8 * x + 0.6 * noise)
    weights = fold.columns.gaussian(ONE, TWO, torch.tensor([0.8], dtype=torch.float64))
    _, place = pair_evaluations._conditional(fold, 2, ONE, TWO, weights)
    wanted = torch.linspace(0.05, 0.95, 10)
    assert (torch.quantile(place[0], wanted) - wanted).abs().max() < 0.04


def test_the_second_stack_sharpens_edges_and_is_a_density():
    """y is never below x: the first stack blurs the edge."""
    u, e = torch.rand(2, 3000, generator=torch.Generator().manual_seed(0))
    fold = fold_of(2 * u, 2 * u - 0.3 * e.log())
    critics = fit_pairs(fold, ONE, TWO)
    without = pair_evaluations._conditional(fold, 2, ONE, TWO, critics.weights)[0].mean()
    with_it = pair_evaluations._read(fold, ONE, TWO, critics).mean()
    truth = 1.144  # by numerical integration
    assert without + 0.005 < with_it < truth
    # A label's place jumps: it has no density, and the second stack leaves it alone.
    label = fold_of(u, (u + e > 1).float())
    assert label.continuous.tolist() == [True, False]


def test_the_statistic_is_that_of_all_matchings():
    x, y = normals(2, 60)
    fold = fold_of(x, 0.5 * x + y)
    critics = fit_pairs(fold, ONE, TWO)
    found = float(independence_statistics(fold, ONE, TWO, critics))
    a, b = fold.features[2]
    grid = (a @ critics.weights[0] @ b.T).double()
    drawn = torch.tensor([float(grid[torch.arange(30), torch.randperm(30)].sum()) for _ in range(4000)])
    direct = (float(grid.diagonal().sum()) - float(drawn.mean())) / float(drawn.std())
    assert found == pytest.approx(direct, rel=0.05)
    nothing = StackedCritics(torch.zeros_like(critics.weights), critics.ridge)
    assert float(independence_statistics(fold, ONE, TWO, nothing)) == 0
