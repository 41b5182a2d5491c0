import math

import pytest
import torch

from mibounds.tasks import AdditiveUniformNoise, UniformDiscrete


def test_both_branches_by_hand():
    assert AdditiveUniformNoise(0.1).mutual_information == pytest.approx(0.1 + math.log(5))
    assert AdditiveUniformNoise(0.75).mutual_information == pytest.approx(1 / 3)
    assert AdditiveUniformNoise(0.5).mutual_information == pytest.approx(0.5)  # where they meet


@pytest.mark.parametrize(
    "x, y, ratio",
    [
        (0.5, 0.55, math.log(5)),  # p(y) = 1 and p(y | x) = 5
        (0.05, -0.02, -math.log(0.08)),  # only x below 0.08 can give this y
        (0.5, 0.61, -math.inf),
        (0.5, 3.0, -math.inf),
    ],
)
def test_the_band(x, y, ratio):
    assert float(AdditiveUniformNoise(0.1).log_ratio(torch.tensor([x]), torch.tensor([y]))) == pytest.approx(ratio)


@pytest.mark.parametrize("task", [AdditiveUniformNoise(0.3), AdditiveUniformNoise(2.0), UniformDiscrete(4)], ids=repr)
def test_the_log_ratio_integrates_to_one(task, generator):
    x, y = task.sample(1500, generator)
    assert float(task.log_ratio(x[:, None], y[None]).exp().mean()) == pytest.approx(1, abs=0.02)


def test_discrete_against_continuous_by_hand():
    task = UniformDiscrete(5)
    assert task.mutual_information == pytest.approx(math.log(5) - 0.8 * math.log(2))
    x = torch.tensor([[0.0], [0.0], [4.0], [4.0], [4.0]])
    y = torch.tensor([[0.5], [1.5], [5.5], [3.5], [4.5]])
    expected = [math.log(5), math.log(2.5), math.log(5), -math.inf, math.log(2.5)]
    assert task.log_ratio(x, y).tolist() == pytest.approx(expected)


def test_supports(generator):
    x, y = UniformDiscrete(3).sample(5_000, generator)
    assert set(x.flatten().tolist()) == {0, 1, 2}
    assert float((y - x).min()) >= 0
    assert float((y - x).max()) <= 2
    assert float((y - x).mean()) == pytest.approx(1, abs=0.05)
    x, y = AdditiveUniformNoise(0.3).sample(5_000, generator)
    assert float((y - x).abs().max()) == pytest.approx(0.3, abs=0.001)


def test_bad_parameters():
    with pytest.raises(ValueError, match="symbols"):
        UniformDiscrete(0)
    for noise in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="noise"):
            AdditiveUniformNoise(noise)
