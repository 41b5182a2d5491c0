import math

import pytest
import torch

from mibounds.tasks import CategoryShift, CorrelatedGaussian, GroupSlopes, HiddenColumn, LowRank, Missing


def test_far_means_tell_the_level():
    assert GroupSlopes(12, 1e-3).mutual_information == pytest.approx(math.log(12), abs=2e-3)


def test_one_slope_is_a_gaussian():
    task = GroupSlopes(2, 0.5, spread=0.0, slope=2.0)  # slopes -1 and 1
    assert task.mutual_information == pytest.approx(0.5 * math.log(5), abs=1e-4)
    assert task.integer_columns == ((0,), ())


def test_the_order_of_levels_says_nothing(generator):
    x, y = GroupSlopes(12, 0.3, idle=2).sample(5000, generator)
    assert x.shape == (5000, 4)
    means = torch.stack([y[x[:, 0] == level].mean() for level in range(12)])
    assert float(means.std()) == pytest.approx(1, abs=0.15)
    assert means.argsort().tolist() != list(range(12))


def test_a_category_and_a_sign():
    assert CategoryShift(4, 0.0).mutual_information == pytest.approx(math.log(4))
    task = CategoryShift(4, 0.0, idle=3)
    x, y = task.sample(200)
    assert x.shape == (200, 5)
    assert task.integer_columns == ((0, 2, 4), ())
    assert torch.equal(y[:, 0], (x[:, 0].long() + (x[:, 1] > 0)) % 4)


def test_missing_rows(generator):
    task = Missing(CorrelatedGaussian(2, 0.8), 0.25)
    assert task.mutual_information == pytest.approx(-0.75 * math.log(0.36))
    x, y = task.sample(4000, generator)
    missing = x[:, 2] == 1
    assert float(missing.float().mean()) == pytest.approx(0.25, abs=0.03)
    assert not x[missing, :2].any()
    assert not task.log_ratio(x, y)[missing].any()
    assert task.integer_columns == ((2,), ())
    assert task.standard_error == 0


def test_a_hidden_column(generator):
    task = HiddenColumn(1.0, 0.0, 0.5, idle=1)
    assert task.mutual_information == pytest.approx(0.25 * math.log(1.25 / 0.25))
    x, y = HiddenColumn(1.0, 0.7, 1e-3).sample(4000, generator)
    missing = x[:, 2] == 1
    assert float(missing.float().mean()) == pytest.approx(0.5, abs=0.03)
    assert float(x[missing, 1].mean()) > 0.3
    assert torch.allclose(y[~missing, 0], (x[:, 0] + 0.7 * x[:, 1])[~missing], atol=0.01)


def test_low_rank_by_hand(generator):
    task = LowRank(3, 50, 1.0)
    rho = math.sqrt(1 - math.exp(-2 / 3))
    x, y = task.sample(5000, generator)
    assert float((x[:, :3] * y[:, :3]).mean()) == pytest.approx(rho, abs=0.03)
    assert len({tuple(column.tolist()) for column in x.T}) == 3 + 23  # the others are copies


def test_arguments_out_of_range():
    wrong = [
        lambda: GroupSlopes(1, 1.0),
        lambda: GroupSlopes(2, 0.0),
        lambda: CategoryShift(1, 0.1),
        lambda: CategoryShift(3, -0.1),
        lambda: Missing(CorrelatedGaussian(1, 0.5), 1.0),
        lambda: HiddenColumn(1.0, 1.0, 0.0),
        lambda: LowRank(3, 2, 1.0),
        lambda: LowRank(0, 2, 1.0),
        lambda: LowRank(1, 2, -1.0),
    ]
    for make in wrong:
        with pytest.raises(ValueError, match=r"levels|noise|symbols|flip|probability|rank|dim|information"):
            make()
