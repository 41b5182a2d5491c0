import numpy as np
import pytest
import torch

from mibounds.estimation.distance_correlation import distance_correlations


def test_it_is_the_sum_over_pairs_of_centered_distances():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 40, 2, generator=generator)
    order = torch.randperm(40, generator=generator)
    found = distance_correlations(x, y, [torch.arange(40), order])

    def centered(rows):
        from mibounds.data import RankGaussianize

        scores = RankGaussianize().fit(rows)(rows).double().numpy()
        d = np.linalg.norm(scores[:, None] - scores[None], axis=-1)
        h = np.eye(40) - 1 / 40
        return h @ d @ h

    scale = np.sqrt(np.square(centered(x)).sum() * np.square(centered(y)).sum())
    for permuted, value in zip((y, y[order]), found, strict=True):
        assert float(value) == pytest.approx((centered(x) * centered(permuted)).sum() / scale, abs=1e-6)


def test_it_is_one_of_copies_and_zero_of_a_constant():
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    every = [torch.arange(60)]
    assert distance_correlations(x, x.exp(), every).tolist() == [1.0], "of ranks"
    assert distance_correlations(x, torch.ones(60, 1), every).tolist() == [0.0]
    pairs = torch.arange(60).reshape(2, 30).flip(0).flatten()
    repeated = x[:30].repeat(2, 1)
    same, moved = distance_correlations(repeated, repeated, [torch.arange(60), pairs])
    assert same == moved, "equal matchings are equal in spite of rounding"


def test_labels_and_squares_stand_out_among_permutations():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(200, 1, generator=generator)
    orders = [torch.arange(200), *(torch.randperm(200, generator=generator) for _ in range(99))]
    for y in (x.square(), (x > 0).float()):
        found = distance_correlations(x, y, orders)
        assert found[0] > found[1:].max()
