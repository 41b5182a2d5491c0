import math

import pytest
import torch

from mibounds.estimation.detection_limit import detection_limit, effective_dimension
from mibounds.tasks import MultivariateGaussian


def test_the_effective_dimension_of_independent_columns_is_their_number(generator):
    assert effective_dimension(torch.randn(4000, 20, generator=generator)) == pytest.approx(20, abs=1)
    assert effective_dimension(torch.randn(200, 1000, generator=generator)) > 500
    assert effective_dimension(torch.randn(200, 1, generator=generator)) == 1


def test_the_effective_dimension_of_equal_correlations(generator):
    """Eigenvalues 1 + (D - 1) / 2 and, D - 1 times, 1/2."""
    z, noise = torch.randn(20_000, 1, generator=generator), torch.randn(20_000, 9, generator=generator)
    assert effective_dimension(z + noise) == pytest.approx(9**2 / (5**2 + 8 / 4), rel=0.05)


def test_few_columns_have_the_limit_of_all_of_them(generator):
    x, y = torch.randn(2, 5000, 8, generator=generator)
    limit, warnings = detection_limit(x, y, 3000, 0.0)
    assert limit == pytest.approx(2 * 64 / 3000, rel=0.1)
    assert not warnings


def test_correlated_columns_count_less(generator):
    z, noise = torch.randn(2000, 2, generator=generator), torch.randn(2000, 100, generator=generator)
    x = z @ torch.randn(2, 100, generator=generator) + 0.1 * noise
    assert detection_limit(x, x.flip(0), 1200, 0.0)[0] < 0.02


def test_the_gaussian_copula_lowers_the_limit(generator):
    """Two pairs in 25 + 25 columns, 200 rows: 2 x 25 x 25 / 150 is 8.3 nats."""
    task = MultivariateGaussian.two_pairs(25, 0.8)
    x, y = task.sample(200, generator)
    limit, warnings = detection_limit(x, y, 150, 0.7)
    assert task.mutual_information - 0.7 < limit < 1.2
    assert not warnings
    assert detection_limit(x, y, 150, 3.0)[0] == pytest.approx(0.4, abs=0.15)  # two standard errors


def test_the_copula_does_not_lower_the_limit_below_a_quarter_of_a_nat(generator):
    """It measures linear dependence alone, and data need not be Gaussian: 2 x 20 x 20 / 1500 is 0.53 nats."""
    x, y = torch.randn(2, 2000, 20, generator=generator)
    assert detection_limit(x, y, 1500, 0.5)[0] == 0.25


def test_the_limit_does_not_exceed_what_rows_certify(generator):
    x, y = torch.randn(2, 200, 300, generator=generator)
    limit, (warning,) = detection_limit(x, y, 150, 1.0)
    assert limit == pytest.approx(math.log(150) - 1.0)
    assert warning.code == "interval-capped"
    assert "300 and 300 columns" in str(warning)
    assert detection_limit(x, y, 150, 6.0)[0] == 0
    assert detection_limit(x, y, 150, 6.0, extrapolated=True)[0] == pytest.approx(math.log(150))
