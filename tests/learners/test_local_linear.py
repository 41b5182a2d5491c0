import math

import pytest
import torch

from mibounds.learners import LocalLinear


def wave(n, noise, seed=0):
    """x, y and the log size of the noise, which grows with x."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 1, generator=generator)
    size = noise * (0.2 + x)
    return x, (6 * x).sin() + size * torch.randn(n, 1, generator=generator), size.log()


def test_a_function_and_the_size_of_its_noise_are_found():
    learner = LocalLinear()
    learner.fit_transform(*wave(4000, 0.3)[:2])
    x, _, size = wave(2000, 0.3, seed=1)
    location, log_size = learner(x).T
    assert float((location - (6 * x[:, 0]).sin()).abs().mean()) < 0.03
    assert float((log_size - size[:, 0]).abs().mean()) < 0.12
    assert float((log_size - size[:, 0]).mean().abs()) < 0.03


def test_predictions_of_training_samples_leave_them_out():
    """Of five samples all are neighbors of all: lines by least squares through the four others."""
    x, y = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0]]), torch.tensor([[0.0], [1.0], [7.0], [3.0], [4.0]])
    location, log_size = LocalLinear().fit_transform(x, y).T
    assert float(location[2]) == pytest.approx(2.0, abs=1e-6)
    line = torch.cat([x, torch.ones(5, 1)], 1)
    coefficients = torch.linalg.lstsq(line[:4], y[:4]).solution
    assert float(location[4]) == pytest.approx(float(line[4] @ coefficients), abs=1e-5)
    residuals = y[:4] - line[:4] @ coefficients
    assert float(log_size[4].exp()) == pytest.approx(float((residuals.square().sum() / 2).sqrt()), abs=1e-5)


def test_noise_is_predicted_by_its_mean():
    x, y = torch.randn(2, 3000, 1, generator=torch.Generator().manual_seed(0))
    location, log_size = LocalLinear().fit_transform(x, y).T
    assert float(torch.corrcoef(torch.stack([location, y[:, 0]]))[0, 1]) < 0.03
    assert float(location.std()) < 0.1
    assert float(log_size.exp().mean()) == pytest.approx(1, abs=0.03)


def test_neither_the_order_nor_the_units_of_samples_matter():
    x, y, _ = wave(500, 0.3)
    found = LocalLinear().fit_transform(x, y)
    order = torch.randperm(500, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(LocalLinear().fit_transform(x[order], y[order]), found[order], atol=1e-6)
    scaled = LocalLinear().fit_transform(1e3 * x - 7, 1e-3 * y + 2)
    assert torch.allclose((scaled[:, 0] - 2) * 1e3, found[:, 0], atol=1e-3)
    assert torch.allclose(scaled[:, 1] + math.log(1e3), found[:, 1], atol=1e-3)


def test_heavy_tails_do_not_round_the_others_off():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3000, 1, generator=generator) / torch.randn(3000, 1, generator=generator)
    x[0] = -1e12
    y = x + 1e-3 * torch.randn(3000, 1, generator=generator)
    location, log_size = LocalLinear().fit_transform(x, y).T
    inner = x[:, 0].abs() < 2
    assert float((location - x[:, 0])[inner].abs().median()) < 1e-3
    assert float(log_size[inner].median()) == pytest.approx(math.log(1e-3), abs=0.2)


def test_new_samples_take_the_line_of_the_nearest():
    x, y, _ = wave(300, 0.3)
    learner = LocalLinear()
    learner.fit_transform(x, y)
    own = learner(x)
    for shift in (-1e-6, 1e-6):
        assert torch.allclose(learner(x + shift)[:, 1], own[:, 1], atol=1e-6)


def test_copies_constants_and_few_samples_give_numbers():
    x = torch.randn(50, 1, generator=torch.Generator().manual_seed(0))
    for first, second in ((x, x), (x, 0 * x), (0 * x, x), (x[:3], x[:3]), (x[:2], x[:2]), (x[:1], x[:1])):
        learner = LocalLinear()
        assert learner.fit_transform(first, second).isfinite().all()
        assert learner(first).isfinite().all()
    assert torch.allclose(LocalLinear().fit_transform(0 * x, x)[:, 0].mean(), x.mean(), atol=0.1)


def test_it_is_saved_and_loaded():
    x, y, _ = wave(200, 0.3)
    learner, other = LocalLinear(), LocalLinear()
    learner.fit_transform(x, y)
    other.load_state_dict(learner.state_dict())
    assert torch.equal(other(x), learner(x))
