import pytest
import torch

from mibounds.tasks import CorrelatedGaussian, GaussianMixture, Transformed
from mibounds.tasks.maps import CUBIC, IDENTITY, NORMAL_CDF, Map

GAUSSIAN = CorrelatedGaussian(2, 0.6)


def test_only_the_shape_changes():
    task = Transformed(GAUSSIAN, IDENTITY, CUBIC)
    x, y = task.sample(100, torch.Generator().manual_seed(3))
    plain_x, plain_y = GAUSSIAN.sample(100, torch.Generator().manual_seed(3))
    assert torch.equal(x, plain_x)
    assert torch.allclose(y, plain_y**3)
    assert torch.allclose(task.log_ratio(x, y), GAUSSIAN.log_ratio(plain_x, plain_y), atol=1e-4)
    assert task.mutual_information == GAUSSIAN.mutual_information


def test_nested_maps_compose():
    task = Transformed(Transformed(GAUSSIAN, NORMAL_CDF, NORMAL_CDF), CUBIC, CUBIC)
    x, y = task.sample(100, torch.Generator().manual_seed(3))
    plain_x, plain_y = GAUSSIAN.sample(100, torch.Generator().manual_seed(3))
    assert torch.allclose(x, torch.special.ndtr(plain_x) ** 3)
    assert torch.allclose(task.log_ratio(x, y), GAUSSIAN.log_ratio(plain_x, plain_y), atol=1e-2)


def test_without_an_inverse_there_is_no_log_ratio(generator):
    task = Transformed(GAUSSIAN, Map("two_copies", lambda x: torch.cat([x, x], -1)))
    x, y = task.sample(10, generator)
    assert x.shape == (10, 4)
    with pytest.raises(NotImplementedError, match="two_copies"):
        task.log_ratio(x, y)


def test_the_error_of_the_truth_goes_along():
    mixture = GaussianMixture.cross(0.5)
    assert Transformed(mixture, CUBIC, CUBIC).standard_error == mixture.standard_error > 0
