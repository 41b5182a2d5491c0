import torch

from mibounds.estimation.cross_checks import cross_checks
from mibounds.tasks import CorrelatedGaussian


def test_each_kind_of_data_gets_the_methods_that_suit_it():
    x, y = CorrelatedGaussian(2, 0.7).sample(600, torch.Generator().manual_seed(0))
    assert set(cross_checks(x, y, 0)) == {"GaussianCopula", "KSG"}
    assert set(cross_checks(x, (y[:, :1] > 0).float(), 0)) == {"GaussianCopula", "MixedKSG"}
    coins = (x[:, :1] > 0).float(), (y[:, :1] > 0).float()
    assert set(cross_checks(*coins, 0)) == {"GaussianCopula", "MixedKSG", "Contingency"}
    wide = torch.randn(600, 9, generator=torch.Generator().manual_seed(0))
    assert set(cross_checks(wide, y, 0)) == {"GaussianCopula"}


def test_many_rows_are_thinned_and_repeatable():
    x, y = CorrelatedGaussian(1, 0.7).sample(12_000, torch.Generator().manual_seed(0))
    first = cross_checks(x, y, 1)
    assert first == cross_checks(x, y, 1)
    assert abs(first["KSG"] - 0.337) < 0.05
