import math

import numpy as np
import pytest
import torch

from mibounds.classical import entropy
from mibounds.estimation import cross_checks as module
from mibounds.estimation.cross_checks import cross_checks
from mibounds.tasks import CorrelatedGaussian


def names(x, y):
    return {check.name for check in cross_checks(x, y, 0)}


def values(x, y, seed=0):
    return {check.name: check.value for check in cross_checks(x, y, seed)}


def test_each_kind_of_data_gets_the_methods_that_suit_it():
    x, y = CorrelatedGaussian(2, 0.7).sample(600, torch.Generator().manual_seed(0))
    assert set(values(x, y)) == {"GaussianCopula", "KSG"}
    assert set(values(x, (y[:, :1] > 0).float())) == {"GaussianCopula", "MixedKSG"}
    coins = (x[:, :1] > 0).float(), (y[:, :1] > 0).float()
    assert set(values(*coins)) == {"GaussianCopula", "MixedKSG", "Contingency"}
    wide = torch.randn(600, 9, generator=torch.Generator().manual_seed(0))
    assert set(values(wide, y)) == {"GaussianCopula"}


def test_many_rows_are_thinned_and_repeatable():
    x, y = CorrelatedGaussian(1, 0.7).sample(12_000, torch.Generator().manual_seed(0))
    first = values(x, y, 1)
    assert first == values(x, y, 1)
    assert abs(first["KSG"] - 0.337) < 0.05


def test_rounded_columns_are_near_the_truth():
    found = []
    for seed in range(1, 4):
        x, y = CorrelatedGaussian(1, 0.7).sample(1000, torch.Generator().manual_seed(seed))
        found.append(values(x.round(decimals=1), y.round(decimals=1))["MixedKSG"])
    assert np.mean(found) == pytest.approx(0.337, abs=0.05)
    x, y = torch.randint(0, 100, (2, 3000, 1), generator=torch.Generator().manual_seed(0)).float()
    assert abs(values(x, y)["MixedKSG"]) < 0.03


def test_counts_are_corrected_and_at_most_an_entropy():
    x = (torch.arange(400) % 5).float()[:, None]
    assert values(x, x)["Contingency"] == pytest.approx(entropy(x), abs=1e-12)
    draws = torch.randint(0, 4, (40, 2, 100, 1), generator=torch.Generator().manual_seed(0)).float()
    assert np.mean([values(*pair)["Contingency"] for pair in draws]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("rows", [8, 400])
def test_a_rare_event_in_both_columns_raises_nothing(rows):
    x = torch.zeros(rows, 1)
    x[rows // 2] = 1
    found = values(x, 3 * x)
    assert found
    assert all(math.isfinite(value) for value in found.values())


def test_a_method_that_fails_is_left_out(monkeypatch):
    def fail(*_, **__):
        raise np.linalg.LinAlgError("Singular matrix")

    x, y = CorrelatedGaussian(1, 0.7).sample(100, torch.Generator().manual_seed(0))
    monkeypatch.setattr(module, "gaussian_copula", fail)
    assert set(values(x, y)) == {"KSG"}
    monkeypatch.setattr(module, "ksg", lambda *_: math.nan)
    assert values(x, y) == {}
    assert values(x[:2], y[:2]) == {}


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
