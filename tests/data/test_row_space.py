import torch

from mibounds.data import RankGaussianize, Standardize
from mibounds.data.row_space import RowSpace


def test_training_rows_keep_their_inner_products(generator):
    """With as many coordinates as rows, the map is a rotation of the space that the training rows span."""
    x = torch.randn(30, 500, generator=generator)
    columns = RankGaussianize().fit(x)(x)
    fitted = RowSpace(RankGaussianize(), width=30).fit(x)
    coordinates = fitted(x)[:, :30]
    assert torch.allclose(coordinates @ coordinates.T, columns @ columns.T * 30 / 500, atol=1e-3)
    assert abs(float(coordinates.square().mean()) - 1) < 0.1


def test_few_coordinates_are_the_leading_principal_axes(generator):
    z = torch.randn(100, 2, generator=generator)
    x = 3 * z @ torch.randn(2, 300, generator=generator) + 0.01 * torch.randn(100, 300, generator=generator)
    coordinates = RowSpace(Standardize(), width=2).fit(x)(x)[:, :2]
    left = torch.linalg.qr(torch.cat([z - z.mean(0)], 1)).Q
    rest = coordinates - left @ (left.T @ coordinates)
    assert rest.norm() < 0.1 * coordinates.norm()


def test_beyond_the_number_of_rows_coordinates_are_zero(generator):
    x = torch.randn(20, 100, generator=generator)
    z = RowSpace(Standardize(), width=25).fit(x)(torch.randn(7, 100, generator=generator))
    assert z.shape == (7, 26)
    assert (z[:, 20:25] == 0).all()
    assert (z[:, :20] != 0).all()


def test_the_radius_and_the_columns_follow(generator):
    x, new = torch.randn(20, 100, generator=generator), torch.randn(7, 100, generator=generator)
    z = RowSpace(Standardize(), width=20, keep=True).fit(x)(new)
    columns = Standardize().fit(x)(new)
    assert torch.equal(z[:, 21:], columns)
    assert torch.allclose(z[:, 20], (columns.square().sum(1) - 100) / 200**0.5, atol=1e-5)


def test_copies_of_a_row_stay_finite(generator):
    x = torch.randn(5, 100, generator=generator).repeat(4, 1)
    assert RowSpace(Standardize(), width=20).fit(x)(x).isfinite().all()
