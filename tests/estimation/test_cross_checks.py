"""Classical estimates of the same samples: which suit which data."""

import math

import pytest
import torch

from mibounds.estimation.cross_checks import cross_checks
from mibounds.tasks import CorrelatedGaussian


def names(x, y):
    return {check.name for check in cross_checks(x, y, 0)}


def test_each_kind_of_data_gets_the_methods_that_suit_it():
    x, y = CorrelatedGaussian(2, 0.7).sample(600, torch.Generator().manual_seed(0))
    assert names(x, y) == {"GaussianCopula", "KSG"}
    assert names(x, (y[:, :1] > 0).float()) == {"GaussianCopula", "MixedKSG"}
    coins = (x[:, :1] > 0).float(), (y[:, :1] > 0).float()
    assert names(*coins) == {"GaussianCopula", "MixedKSG", "Contingency"}
    wide = torch.randn(600, 9, generator=torch.Generator().manual_seed(0))
    assert names(wide, y) == {"GaussianCopula"}


def test_many_rows_are_thinned_and_repeatable():
    x, y = CorrelatedGaussian(1, 0.7).sample(12_000, torch.Generator().manual_seed(0))
    first = cross_checks(x, y, 1)
    assert first == cross_checks(x, y, 1)
    assert first != cross_checks(x, y, 2)
    (ksg,) = (check for check in first if check.name == "KSG")
    assert abs(ksg.value - 0.337) < 0.05
    assert ksg.stderr == pytest.approx(1 / math.sqrt(12_000))


def test_columns_counts_and_ties_decide_the_methods():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(600, 7, generator=generator), torch.randn(600, 1, generator=generator)
    assert "KSG" in names(x, y), "eight columns together"
    wide = torch.randn(60, 500, generator=generator)
    assert "GaussianCopula" in names(wide[:, :-1], y[:60])
    assert "GaussianCopula" not in names(wide, y[:60]), "501 columns"
    tied = y.clone()
    tied[:29] = tied[0]
    assert "KSG" in names(tied, x[:, :1]), "under five per cent repeat others"
    tied[:33] = tied[0]
    assert "MixedKSG" in names(tied, x[:, :1])
    label, many = (torch.arange(600) % 6)[:, None].float(), (torch.arange(600) // 6 % 20)[:, None].float()
    assert "Contingency" in names(label, many), "five rows for each of 120 cells"
    assert "Contingency" not in names(label[:599], many[:599])


def test_each_method_says_what_it_is():
    x, y = CorrelatedGaussian(1, 0.7).sample(600, torch.Generator().manual_seed(0))
    copula, ksg = cross_checks(x, y, 0)
    assert copula.is_lower_bound and not ksg.is_lower_bound
    assert copula.stderr == 0
    assert ksg.low_from == 3
    exact = -0.5 * math.log(1 - 0.7**2)
    assert [copula.value, ksg.value] == pytest.approx([exact, exact], abs=0.1)
    bent = cross_checks(x.exp(), y**3, 0)
    assert [one.value for one in bent] == pytest.approx([copula.value, ksg.value], abs=0.02), "columns are ranked"
