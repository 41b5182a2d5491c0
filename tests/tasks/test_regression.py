import math

import pytest
import torch

from mibounds.tasks import AdditiveUniformNoise, Regression
from mibounds.tasks.functions import LINEAR, PRODUCT, SAW, SINE, SPREAD, STEPS, ZERO
from mibounds.tasks.noises import Gumbel, Laplace, Normal, Uniform


def test_a_line_with_normal_noise_by_hand():
    task = Regression(LINEAR, Normal(0.5), 2)
    assert task.mutual_information == pytest.approx(0.5 * math.log(1 + 1 / 0.25), abs=1e-5)
    x, y = torch.tensor([[1.0, 9.0, 9.0]]), torch.tensor([[1.5]])
    expected = -0.5 + 1.5**2 / 2.5 + 0.5 * math.log(1.25 / 0.25)
    assert float(task.log_ratio(x, y)) == pytest.approx(expected, abs=1e-4)


def test_a_saw_tooth_is_nearly_uniform():
    assert Regression(SAW, Uniform(0.2)).mutual_information == pytest.approx(
        AdditiveUniformNoise(0.2).mutual_information, abs=1e-4
    )


def test_little_noise_leaves_the_entropy_of_the_steps():
    edges = torch.special.ndtr(torch.arange(-16, 17, dtype=torch.float64) / 2)
    entropy = float(torch.special.entr(edges.diff()).sum())
    assert Regression(STEPS, Uniform(0.1)).mutual_information == pytest.approx(entropy, abs=2e-3)


def test_idle_columns_change_nothing_but_the_shape():
    few, many = Regression(PRODUCT, Laplace(0.3)), Regression(PRODUCT, Laplace(0.3), 15)
    assert few.mutual_information == many.mutual_information
    assert [part.shape[1] for part in many.sample(3)] == [17, 1]


def test_a_scale_alone_informs():
    """Y is normal of scale s(x), whose entropy given x is known: p(y) is checked by its moments."""
    task = Regression(ZERO, Normal(1.0), scale=SPREAD)
    x, y = task.sample(20_000, torch.Generator().manual_seed(0))
    assert float(torch.corrcoef(torch.cat([x, y], 1).T)[0, 1]) == pytest.approx(0, abs=0.03)
    assert 0.1 < task.mutual_information < 0.2
    wide = Regression(LINEAR, Normal(0.5), scale=SPREAD)
    constant = Regression(LINEAR, Normal(0.5), scale=ONE)
    assert constant.mutual_information == pytest.approx(Regression(LINEAR, Normal(0.5)).mutual_information, abs=1e-4)
    assert wide.mutual_information != pytest.approx(constant.mutual_information, abs=0.1)


ONE = type(SPREAD)("one", 1, lambda x: torch.ones_like(x[..., 0]))


def test_names():
    assert repr(Regression(SINE, Normal(0.3), 2)) == "Regression(sine + Normal(0.3), idle=2)"
    named = repr(Regression(SINE, Gumbel(0.3), 0, "uniform", SPREAD))
    assert named == "Regression(sine + Gumbel(0.3) x spread, idle=0, uniform)"


@pytest.mark.parametrize("arguments", [{"idle": -1}, {"inputs": "gamma"}, {"function": PRODUCT, "scale": SPREAD}])
def test_arguments_that_do_not_fit(arguments):
    with pytest.raises(ValueError, match="idle|inputs|scale"):
        Regression(**{"function": SINE, "noise": Normal(1.0), **arguments})
