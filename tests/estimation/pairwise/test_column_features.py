"""Features of columns: cells, cosines, and the start at the Gaussian copula."""

import pytest
import torch

from mibounds.estimation.pairwise.column_features import CELLS, ColumnFeatures


def scores(*columns):
    return torch.stack(columns, 1).double()


def gaussian(n=2000):
    return torch.special.ndtri((torch.arange(n).double() + 0.5) / n)


def test_features_are_orthonormal_over_the_cells():
    made = ColumnFeatures(scores(gaussian(), gaussian().flip(0)), 6)
    assert made.weights.sum(1) == pytest.approx([1, 1])
    gram = torch.einsum("dc,dce,dcf->def", made.weights, made.cells, made.cells)
    assert (gram - torch.eye(9)).abs().max() < 1e-3
    assert made.order.tolist() == [0, 1, 2, 1, 2, 3, 4, 5, 6]


def test_a_column_of_two_values_has_two_cells_and_two_features():
    low, high = torch.special.ndtri(torch.tensor([0.2, 0.7])).double()
    made = ColumnFeatures(scores(torch.where(torch.arange(1000) < 400, low, high)), 6)
    used = made.weights[0] > 0
    assert made.weights[0][used].tolist() == pytest.approx([0.4, 0.6])
    assert not made.cells[0][~used].any()
    second_moments = (made.weights[0, :, None] * made.cells[0].square()).sum(0)
    assert (second_moments > 0.5).tolist() == [True, True] + [False] * 7


def test_places_rise_with_the_scores_and_stay_inside():
    z = scores(torch.linspace(-9, 9, 400))
    made = ColumnFeatures(scores(gaussian()), 4)
    cell, inside = made.place(z)
    whole = cell[0] + inside[0]
    assert (whole.diff() >= 0).all()
    assert 0 <= whole[0] < 0.1
    assert CELLS - 0.1 < whole[-1] <= CELLS


def test_the_start_is_the_log_ratio_of_the_gaussian_copula():
    z = scores(gaussian(), gaussian())
    made = ColumnFeatures(z, 5)
    rho = torch.tensor([0.8], dtype=torch.float64)
    (weights,) = made.gaussian(torch.tensor([0]), torch.tensor([1]), rho)
    x, y = 4 * torch.rand(2, 300, generator=torch.Generator().manual_seed(0)).double() - 2
    features = made(scores(x, y))
    found = ((features[0] @ weights) * features[1]).sum(-1)
    truth = (0.8 * x * y - 0.64 * (x.square() + y.square()) / 2) / (1 - 0.64)
    constant = found - truth.float()
    assert constant.std() < 5e-3  # rows between cells count as lying in them


def test_rows_in_a_gap_count_as_their_neighbors():
    """Half of the values are one: between it and the next there is nothing."""
    z = gaussian()
    z[:1000] = torch.special.ndtri(torch.tensor(0.25))
    made = ColumnFeatures(scores(z), 10)
    rows = made(scores(torch.linspace(-4, 4, 200)))
    assert rows.abs().max() <= made(scores(z)).abs().max()
    pile, beside = made(scores(torch.tensor([float(z[0]), float(z[0]) + 0.1])))[0]
    assert torch.allclose(pile, beside, atol=1e-3)
