import pytest
import torch

from mibounds._math import canonical_correlations, infonce_loss, off_diagonal
from mibounds.bounds import DonskerVaradhan
from mibounds.critics import GaussianCritic
from mibounds.tasks import CorrelatedGaussian, MultivariateGaussian, Transformed
from mibounds.tasks.maps import spiral


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
    shuffled.prepare(x[order], y[order])  # the parts that are held out differ, no more
    assert torch.allclose(plain(x, y), moved(100 * x + 7, y * torch.tensor([0.01, -3.0])), atol=1e-3)
    assert (plain(x, y) - shuffled(x, y)).abs().mean() < 0.03


def test_what_no_held_out_row_confirms_is_zero(generator):
    """Independent 40 + 40 columns, 1,000 rows: sample canonical correlations reach 0.4, and all of it is noise."""
    for _ in range(2):
        x, y = torch.randn(1000, 40, generator=generator), torch.randn(1000, 40, generator=generator)
        assert canonical_correlations(x, y).max() > 0.33
        critic = GaussianCritic(radial=True)
        critic.prepare(x, y)
        assert (critic.correlation < 0.2).all()
        assert len(critic.correlation) <= 2


def test_correlations_are_those_of_new_rows(generator):
    """500 rows of 20 + 20 columns: the sample says 0.87 for a pair that is worth 0.8, and more for noise."""
    x, y = MultivariateGaussian.two_pairs(20, 0.8).sample(500, generator)
    critic = GaussianCritic()
    critic.prepare(x, y)
    assert canonical_correlations(x, y)[2] > 0.3
    assert critic.correlation.tolist() == pytest.approx([0.8, 0.8], abs=0.05)


def test_few_rows_of_many_columns_with_a_sparse_dependence():
    """Two pairs of 0.8 in 25 + 25 columns, 680 rows. Without ridge and threshold the mean of these draws is -0.097."""
    task, short = MultivariateGaussian.two_pairs(25, 0.8), 0.0
    for seed in range(3):
        x, y = task.sample(2680, torch.Generator().manual_seed(seed))
        critic = GaussianCritic()
        critic.prepare(x[:680], y[:680])
        short += (task.mutual_information + float(infonce_loss(critic.pairwise(x[680:], y[680:])))) / 3
    assert -0.02 < short < 0.075


def test_radial_products_see_a_spiral_and_leave_gaussians_alone(generator):
    spiral_map = Transformed(
        MultivariateGaussian.two_pairs(25, 0.8), spiral(25, (0, 1), 1 / 25), spiral(25, (1, 2), 1 / 25)
    )
    for task, gain in ((spiral_map, 0.1), (MultivariateGaussian.two_pairs(5, 0.8), 0.0)):
        x, y = task.sample(6000, generator)
        plain, radial = GaussianCritic(), GaussianCritic(radial=True)
        losses = []
        for critic in (plain, radial):
            critic.prepare(x[:5000], y[:5000])
            losses.append(float(infonce_loss(critic.pairwise(x[5000:], y[5000:]))))
        assert (radial.center_x.numel() > 0) == (gain > 0)
        assert losses[0] - losses[1] >= gain


def test_dense_fifty_dimensional_data_at_eight_thousand_rows(generator):
    """All 99 off-diagonal correlations 0.5, truth 1.624 nats; unshrunk, the same fit reads 1.46 on new rows."""
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
