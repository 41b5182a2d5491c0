import numpy as np
import pytest
import torch

from mibounds.estimation.distance_covariance import distance_covariances


def test_it_is_the_sum_over_pairs_of_centered_distances():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 40, 2, generator=generator)
    order = torch.randperm(40, generator=generator)
    found = distance_covariances(x, y, [torch.arange(40), order])

    def centered(rows):
        from mibounds.data import RankGaussianize

        scores = RankGaussianize().fit(rows)(rows).double().numpy()
        d = np.linalg.norm(scores[:, None] - scores[None], axis=-1)
        h = np.eye(40) - 1 / 40
        return h @ d @ h

    for permuted, value in zip((y, y[order]), found, strict=True):
        assert float(value) == pytest.approx((centered(x) * centered(permuted)).mean(), rel=1e-6)


def test_labels_and_squares_stand_out_among_permutations():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(200, 1, generator=generator)
    orders = [torch.arange(200), *(torch.randperm(200, generator=generator) for _ in range(99))]
    for y in (x.square(), (x > 0).float()):
        found = distance_covariances(x, y, orders)
        assert found[0] > found[1:].max()
