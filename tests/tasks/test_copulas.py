import math

import pytest
import torch

from mibounds.tasks import ClaytonCopula, FrankCopula, GumbelCopula, JoeCopula

COPULAS = [ClaytonCopula(3.0), FrankCopula(8.0), GumbelCopula(2.5), JoeCopula(3.0)]
Z = torch.linspace(-6, 6, 1201, dtype=torch.float64)


def test_the_quadrature_finds_claytons_closed_form():
    for theta in (0.5, 3.0):
        task = ClaytonCopula(theta)
        found = FrankCopula.mutual_information.func(task)
        assert found == pytest.approx(task.mutual_information, abs=5e-4)
        assert task.mutual_information == pytest.approx(math.log(1 + theta) - theta / (1 + theta))


@pytest.mark.parametrize("task", COPULAS, ids=repr)
def test_the_density_is_the_derivative_of_the_conditional_distribution(task):
    at = torch.tensor([-1.5, 0.0, 1.0], dtype=torch.float64)[:, None]
    normal = torch.exp(-(Z**2) / 2) / math.sqrt(2 * math.pi)
    density = task._log_density(at, Z).exp() * normal
    below = torch.cumulative_trapezoid(density, Z, dim=1)
    assert torch.allclose(below, task._conditional(at, Z[1:]), atol=1e-3)


@pytest.mark.parametrize("task", COPULAS, ids=repr)
def test_densities_are_symmetric(task):
    assert torch.allclose(task._log_density(Z[:, None], Z), task._log_density(Z, Z[:, None]))


def test_a_density_by_hand():
    u = torch.tensor([[0.3]])
    v = torch.tensor([[0.6]])
    expected = math.log(3 * (0.3 * 0.6) ** -3 * (0.3**-2 + 0.6**-2 - 1) ** -2.5)
    assert float(ClaytonCopula(2.0).log_ratio(u, v)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("margin", ["normal", "uniform", "exponential", "cubed"])
def test_margins(margin, generator):
    x, y = GumbelCopula(2.0, margin, margin).sample(20_000, generator)
    median = {"normal": 0.0, "uniform": 0.5, "exponential": math.log(2), "cubed": 0.0}[margin]
    for column in (x, y):
        assert float((column < median).float().mean()) == pytest.approx(0.5, abs=0.02)
        assert column.isfinite().all()


def test_margins_leave_the_log_ratios(generator):
    plain, other = JoeCopula(3.0, "normal", "normal"), JoeCopula(3.0, "exponential", "cubed")
    pairs = [task.sample(1000, torch.Generator().manual_seed(0)) for task in (plain, other)]
    ratios = [task.log_ratio(*pair) for task, pair in zip((plain, other), pairs, strict=True)]
    assert torch.allclose(*ratios, atol=1e-3)
    assert plain.mutual_information == other.mutual_information


def test_arguments_out_of_range():
    for kind, theta in ((ClaytonCopula, 0.0), (FrankCopula, -1.0), (GumbelCopula, 0.9), (JoeCopula, 0.9)):
        with pytest.raises(ValueError, match="theta"):
            kind(theta)
    with pytest.raises(ValueError, match="margin_y"):
        JoeCopula(2.0, "normal", "gamma")
