"""The Student copula: exact of Student data whatever the margins, and Gaussian with many degrees of freedom."""

import numpy as np
import pytest
import torch
from scipy import stats

from mibounds.critics import GaussianCritic, StudentCopulaCritic
from mibounds.data import RankGaussianize
from mibounds.tasks import Student


def ranked(x, y):
    return tuple(RankGaussianize().fit(side)(side) for side in (x, y))


def fitted(x, y):
    critic = StudentCopulaCritic()
    critic.prepare(x, y)
    return critic


@pytest.mark.parametrize(("dim", "degrees"), [(1, 1.0), (2, 2.0), (3, 3.0)])
def test_of_student_samples_the_log_ratio_is_the_exact_one(dim, degrees):
    task = Student.identity(dim, df=degrees)
    x, y = task.sample(5000, torch.Generator().manual_seed(0))
    u, v = ranked(x, y)
    found, exact = fitted(u, v)(u, v), task.log_ratio(x, y)
    assert torch.corrcoef(torch.stack([found, exact.float()]))[0, 1] > 0.98
    assert abs(float(found.mean()) - task.mutual_information) < 0.04


def test_the_degrees_of_freedom_are_those_of_the_samples():
    for degrees in (1.0, 3.0, 10.0):
        x, y = Student.identity(2, df=degrees).sample(5000, torch.Generator().manual_seed(1))
        assert degrees / 1.7 < float(fitted(*ranked(x, y)).degrees) < degrees * 1.7


def test_of_a_correlated_student_copula_scale_and_correlation_count():
    """Against the density of SciPy, in three columns with margins of another kind."""
    scatter = np.array([[1, 0.6, 0.3], [0.6, 1, 0], [0.3, 0, 1]])
    rows = stats.multivariate_t(shape=scatter, df=3, seed=0).rvs(6000)
    u, v = ranked(*torch.from_numpy(np.sign(rows) * np.abs(rows) ** 0.3).float().split([2, 1], 1))
    joint = stats.multivariate_t(shape=scatter, df=3).logpdf(rows)
    first = stats.multivariate_t(shape=scatter[:2, :2], df=3).logpdf(rows[:, :2])
    exact = joint - first - stats.t(3).logpdf(rows[:, 2])
    found = fitted(u, v)(u, v)
    assert np.abs(found.numpy() - exact).mean() < 0.05


def test_of_gaussian_samples_it_is_the_gaussian_copula():
    draw = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, 4000, 2, generator=draw)
    u, v = ranked(x, x + noise)
    gaussian = GaussianCritic()
    gaussian.prepare(u, v)
    critic = fitted(u, v)
    assert float(critic.degrees) >= 20
    assert (critic(u, v) - gaussian(u, v)).abs().mean() < 0.03


def test_correlations_that_chance_makes_are_left_out():
    u, v = torch.randn(2, 300, 4, generator=torch.Generator().manual_seed(0))
    critic = fitted(u, v)
    assert abs(float(critic(u, v).mean())) < 0.03


def test_all_pairs_are_scored_as_matched_ones_are():
    u, v = ranked(*Student.identity(2, df=2.0).sample(200, torch.Generator().manual_seed(0)))
    critic = fitted(u, v)
    torch.testing.assert_close(critic.pairwise(u, v).diagonal(), critic(u, v), rtol=1e-4, atol=1e-4)


def test_it_is_saved_and_loaded(tmp_path):
    u, v = ranked(*Student.identity(2, df=2.0).sample(200, torch.Generator().manual_seed(0)))
    critic, fresh = fitted(u, v), StudentCopulaCritic()
    torch.save(critic.state_dict(), tmp_path / "critic.pt")
    fresh.load_state_dict(torch.load(tmp_path / "critic.pt"))
    assert torch.equal(fresh(u, v), critic(u, v))


def test_far_and_tied_values_are_finite():
    u, v = torch.randn(2, 300, 1, generator=torch.Generator().manual_seed(0))
    critic = fitted(u, (v > 0).float())
    assert critic(torch.tensor([[30.0], [-30.0]]), torch.tensor([[1.0], [0.0]])).isfinite().all()


def test_copies_of_columns_and_constants_are_no_error():
    u, v = torch.randn(2, 300, 2, generator=torch.Generator().manual_seed(0))
    for x, y in [(torch.cat([u, u], 1), u), (u, u), (torch.cat([u, torch.zeros(300, 1)], 1), v), (u[:, [0, 0]], -u)]:
        found = fitted(x, y)(x, y)
        assert found.isfinite().all()
        assert found.mean() > -0.1
    assert float(fitted(u, u)(u, u).mean()) > 5
