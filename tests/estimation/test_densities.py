import math

import pytest
import torch

from mibounds.estimation.densities import DensityRows, density_rows
from mibounds.tasks import CorrelatedGaussian


def gaussian(n=800, dim=1, rho=0.8, seed=0):
    return CorrelatedGaussian(dim, rho).sample(n, torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def rows():
    return density_rows(*gaussian(), steps=100)


def by_hand(**changes):
    zero = torch.zeros(4)
    parts = dict.fromkeys(("outside", "mean", "mean_log", "halves", "marginal"), zero)
    parts |= {
        "half": torch.tensor([0, 0, 1, 1]),
        "inside": torch.zeros(3, 2),
        "residuals": torch.tensor([[1.0], [-1.0], [1.0], [-1.0]]),
    }
    return DensityRows(**{**parts, **changes})


def test_every_row_is_scored_once_by_a_flow_that_never_saw_it(rows):
    assert rows.outside.shape == rows.mean.shape == rows.marginal.shape == (800,)
    assert rows.half.bincount().tolist() == [400, 400]
    assert rows.inside.shape == (680, 2)  # 15 % of a half validate
    for part in (rows.outside, rows.mean, rows.mean_log, rows.halves, rows.marginal, rows.inside, rows.residuals):
        assert part.isfinite().all()


def test_gaussian_rows_read_their_information(rows):
    truth = -0.5 * math.log(1 - 0.8**2)
    upper, stderr = rows.upper()
    assert upper == pytest.approx(truth, abs=4 * stderr)
    assert rows.readings()["DifferenceOfEntropies"] == pytest.approx(truth, abs=0.12)
    assert rows.readings()["CLUB"] > 1.3
    assert abs(rows.marginal_misfit()[0]) < 0.05
    assert abs(rows.residual_misfit()) < 0.03


def test_the_upper_side_adds_what_the_training_rows_score_better():
    scores = {"outside": torch.tensor([1.0, 2.0, 3.0, 4.0]), "mean": torch.ones(4)}
    inside = torch.tensor([[1.5, 1.0], [2.5, 2.0], [3.5, 3.0]])
    rows = by_hand(**scores, inside=inside)
    assert rows.upper()[0] == pytest.approx(1.5 + 0.5)
    assert rows.shortfall() == (0.5, 0.0)
    assert by_hand(**scores, inside=inside.flip(1)).upper()[0] == pytest.approx(1.5)


def test_misfits_by_hand():
    assert by_hand().residual_misfit() == pytest.approx((4 / 3 - 1 - math.log(4 / 3)) / 2 - 1 / 4)
    rows = by_hand(marginal=torch.full((4,), -1.0), mean=torch.full((4,), -1.5), halves=torch.full((4,), -1.7))
    assert rows.marginal_misfit() == (pytest.approx(0.3), 0.0)


def test_the_seed_decides():
    x, y = gaussian(200, dim=2)
    one, same = (density_rows(x, y, steps=10, seed=3) for _ in range(2))
    assert torch.equal(one.outside, same.outside)
    assert not torch.equal(one.outside, density_rows(x, y, steps=10, seed=4).outside)
