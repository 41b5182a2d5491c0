import pytest
import torch

from mibounds.classical import gaussian_copula
from mibounds.tasks import CorrelatedGaussian


def sample(task, n=2000, seed=0):
    return task.sample(n, torch.Generator().manual_seed(seed))


def test_monotone_maps_of_gaussians_are_read_right():
    task = CorrelatedGaussian(3, 0.7)
    values = []
    for seed in range(5):
        x, y = sample(task, seed=seed)
        values.append(gaussian_copula(x.exp(), y**3))
    assert sum(values) / 5 == pytest.approx(task.mutual_information, abs=0.05)


def test_it_is_a_lower_bound_where_the_copula_is_not_gaussian():
    x = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0))
    y = x.square() + 0.1 * torch.randn(2000, 1, generator=torch.Generator().manual_seed(1))
    assert gaussian_copula(x, y) < 0.1


def test_independent_columns_read_nothing_even_when_there_are_many():
    x, y = torch.randn(2, 300, 40, generator=torch.Generator().manual_seed(0))
    assert -0.15 < gaussian_copula(x, y) < 0.1


def test_the_split_is_the_generators():
    x, y = sample(CorrelatedGaussian(1, 0.5), 200)
    one, two = (gaussian_copula(x, y, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    assert one != two
    assert gaussian_copula(x, y) == gaussian_copula(x, y)
    with pytest.raises(ValueError, match="at least 8"):
        gaussian_copula(x[:7], y[:7])
