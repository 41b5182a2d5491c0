import math

import pytest
import torch

from mibounds._math import canonical_pairs, off_diagonal
from mibounds.bounds import DonskerVaradhan
from mibounds.critics import GaussianCritic
from mibounds.critics.gaussian import _noise_edge, _population_correlation
from mibounds.tasks import CorrelatedGaussian


def test_it_is_the_log_ratio_of_a_gaussian(generator):
    task = CorrelatedGaussian(3, 0.7)
    critic = GaussianCritic()
    critic.prepare(*task.sample(100_000, generator))
    x, y = task.sample(500, generator)
    assert (critic(x, y) - task.log_ratio(x, y)).abs().mean() < 0.03
    assert critic.pairwise(x, y)[3, 5] == pytest.approx(float(task.log_ratio(x[3], y[5])), abs=0.3)


def test_it_does_not_depend_on_scales_shifts_or_row_order(generator):
    x, y = CorrelatedGaussian(2, 0.6).sample(2000, generator)
    plain, moved, shuffled = GaussianCritic(), GaussianCritic(), GaussianCritic()
    plain.prepare(x, y)
    moved.prepare(100 * x + 7, y * torch.tensor([0.01, -3.0]))
    order = torch.randperm(2000, generator=generator)
    shuffled.prepare(x[order], y[order])
    assert torch.allclose(plain(x, y), moved(100 * x + 7, y * torch.tensor([0.01, -3.0])), atol=1e-3)
    assert torch.allclose(plain(x, y), shuffled(x, y), atol=1e-3)


def test_noise_under_the_edge_is_set_to_zero():
    """Independent 40 + 40 columns, 1,000 rows: sample canonical correlations reach .39, and all of it is noise."""
    generator = torch.Generator().manual_seed(7)  # .396, between the asymptotic edge and the quantile
    x, y = torch.randn(1000, 40, generator=generator), torch.randn(1000, 40, generator=generator)
    assert 2 * math.sqrt(0.04 * 0.96) < canonical_pairs(x, y).correlation.max() < _noise_edge(1000, 40, 40)
    critic = GaussianCritic()
    critic.prepare(x, y)
    assert (critic.pairwise(x, y) == 0).all()


@pytest.mark.parametrize("dim_x, dim_y, n", [(1, 1, 400), (3, 8, 300), (10, 10, 200)])
def test_independent_data_pass_the_edge_in_one_case_of_twenty(dim_x, dim_y, n, generator):
    above = 0
    for _ in range(200):
        pairs = canonical_pairs(*(torch.randn(n, dim, generator=generator) for dim in (dim_x, dim_y)))
        above += float(pairs.correlation[0]) > _noise_edge(n, dim_x, dim_y)
    assert 1 <= above <= 22


def test_sample_correlations_are_shrunk_to_the_population():
    """Equal ratios: the edge is 2 sqrt(c (1 - c)), and the bias formula is inverted above it."""
    c, rho = 0.1, torch.tensor([0.5, 0.9])
    square = rho.square()
    sample = ((square * (1 - c) + c) ** 2 / square).sqrt()
    assert torch.allclose(_population_correlation(sample, c, c), rho, atol=1e-6)
    edge = torch.tensor([2 * (c * (1 - c)) ** 0.5])
    assert float(_population_correlation(edge - 1e-3, c, c)) == 0
    assert float(_population_correlation(edge + 1e-2, c, c)) > 0


def test_dense_fifty_dimensional_data_at_eight_thousand_rows(generator):
    """All 99 off-diagonal correlations .5, truth 1.624 nats; unshrunk, the same fit reads 1.46 on new rows."""
    z = torch.randn(10_000, 1, generator=generator)
    x, y = (0.5**0.5 * (z + torch.randn(10_000, 50, generator=generator)) for _ in range(2))
    critic = GaussianCritic()
    critic.prepare(x[:8000], y[:8000])
    grid = critic.pairwise(x[8000:], y[8000:])
    assert float(DonskerVaradhan()(grid.diagonal(), off_diagonal(grid.mT))) == pytest.approx(1.624, abs=0.08)


def test_copies_stay_finite(generator):
    x = torch.randn(500, 2, generator=generator)
    critic = GaussianCritic()
    critic.prepare(x, x)
    assert critic.pairwise(x, x).isfinite().all()


def test_more_columns_than_rows(generator):
    x, y = torch.randn(60, 100, generator=generator), torch.randn(60, 3, generator=generator)
    critic = GaussianCritic()
    critic.prepare(x, y)
    assert critic.pairwise(x, y).isfinite().all()


def test_it_asks_to_be_prepared():
    with pytest.raises(RuntimeError, match="call prepare"):
        GaussianCritic()(torch.zeros(2, 1), torch.zeros(2, 1))
