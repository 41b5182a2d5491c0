import pytest
import torch

from mibounds.learners import GaussianProcess
from mibounds.learners.gaussian_process import _in_turn
from mibounds.learners.kernel import MarginalLikelihood, kernel, start
from mibounds.training.modules import describe, rebuild


def wave(n, idle=3, seed=0, noise=0.0):
    """A sine of the first column, beside idle columns."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 1 + idle, generator=generator)
    return x, (8 * x[:, :1]).sin() + noise * torch.randn(n, 1, generator=generator)


def noise_of(process, monkeypatch):
    """The variances of the noise that its fits find."""
    found = []
    plain = process._maximize_likelihood
    monkeypatch.setattr(process, "_maximize_likelihood", lambda *sides: found.append(plain(*sides)) or found[-1])
    return found


def test_a_sine_is_found_among_idle_columns():
    x, y = wave(300, noise=0.1)
    process = GaussianProcess()
    held_out = process.fit_transform(x, y)
    assert float((held_out - (8 * x[:, :1]).sin()).square().mean().sqrt()) < 0.06
    new, truth = wave(200, seed=1)
    assert float((process(new) - truth).square().mean().sqrt()) < 0.06
    scales = process.logs[:4]
    assert float(scales[1:].min()) > float(scales[0]) + 0.5, "the scale of an idle column is longer"


@pytest.mark.parametrize("columns", [3, 21])
def test_predictions_of_training_samples_are_those_of_a_fit_to_the_other_blocks(columns, monkeypatch):
    """By brute force, with the same kernel; above twenty columns without the sum over single columns."""
    x, y = wave(90, idle=columns - 1, noise=0.3)
    y = torch.cat([y, x[:, 1:2]], 1)
    process = GaussianProcess(inducing=73, fitted_rows=73, likelihood_rows=40)
    noise = noise_of(process, monkeypatch)
    predictions = process.fit_transform(x, y)
    assert len(process.logs) == (3 * columns + 3 if columns <= 20 else columns + 3)
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0))
    kept, left = order[:73], order[73:]
    rows = process.standardize(x).double()
    targets = (y.double() - y.mean(0)) / y.std(0)

    def refit(train, test):
        covariance = kernel(rows[train], rows[train], process.logs)
        covariance = covariance + (noise[0] + 1e-3) * torch.eye(len(train), dtype=torch.float64)
        found = kernel(rows[test], rows[train], process.logs) @ torch.linalg.solve(covariance, targets[train])
        return found.float() * y.std(0) + y.mean(0)

    for block in torch.arange(73).tensor_split(5):
        others = torch.ones(73, dtype=torch.bool).index_fill(0, block, False)
        assert torch.allclose(predictions[kept[block]], refit(kept[others], kept[block]), atol=1e-5)
    assert torch.allclose(predictions[left], refit(kept, left), atol=1e-5)
    assert torch.allclose(process(x), refit(kept, torch.arange(90)), atol=1e-5)


def test_few_inducing_inputs_are_fitted_to_all_samples(monkeypatch):
    """Equation 8.14 of Rasmussen and Williams, without the blocks and without one of them."""
    x, y = wave(200, idle=1, noise=0.3)
    process = GaussianProcess(inducing=20, likelihood_rows=60)
    noise = noise_of(process, monkeypatch)
    predictions = process.fit_transform(x, y)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    rows, targets = process.standardize(x).double(), (y.double() - y.mean(0)) / y.std(0)
    centers = rows[order[:20]]

    def refit(train, test):
        across = kernel(centers, rows[train], process.logs)
        square = across @ across.T + (noise[0] + 1e-3) * kernel(centers, centers, process.logs)
        found = kernel(rows[test], centers, process.logs) @ torch.linalg.solve(square, across @ targets[train])
        return found.float() * y.std(0) + y.mean(0)

    assert torch.allclose(process(x), refit(order, torch.arange(200)), atol=1e-5)
    for i, block in enumerate(order.tensor_split(5)):
        others = torch.cat([one for j, one in enumerate(order.tensor_split(5)) if j != i])
        assert torch.allclose(predictions[block], refit(others, block), atol=1e-5)
    few = GaussianProcess(inducing=20, fitted_rows=40, likelihood_rows=60)
    few.fit_transform(x, y)
    truth = (8 * x[:, :1]).sin()
    assert float((process(x) - truth).square().mean()) < float((few(x) - truth).square().mean())


def test_noise_is_predicted_by_its_mean():
    """A prediction that left out single samples would tell their y: it is the higher, the lower the sample."""
    correlations = []
    for seed in range(4):
        x, y = torch.randn(2, 200, 2, generator=torch.Generator().manual_seed(seed)).unbind(0)
        predictions = GaussianProcess(seed=seed).fit_transform(x, y)
        assert float(predictions.std()) < 0.5
        correlations += [
            float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in zip(predictions.T, y.T, strict=True)
        ]
    assert abs(sum(correlations) / len(correlations)) < 0.15


def test_the_search_climbs_to_the_largest_likelihood(monkeypatch):
    """From the better of two starts, to parameters that no small change makes more likely."""
    x, y = wave(150, idle=1, noise=0.3)
    process = GaussianProcess(steps=400)
    noise = noise_of(process, monkeypatch)
    process.fit_transform(x, y)
    rows, targets = process.standardize(x).double(), (y.double() - y.mean()) / y.std()
    found = torch.cat([process.logs, torch.tensor(noise).double().log() / 2])
    best, gradient = MarginalLikelihood(rows, targets).negative_log(found)
    inside = found.abs() < 5.9  # the bounds of the search
    assert float(gradient[inside].abs().max()) < 0.003
    for shift in (0.0, -1.2):
        assert best < MarginalLikelihood(rows, targets).negative_log(start(2, shift).double())[0] - 0.1


def test_a_constant_target_is_predicted():
    x, y = wave(50)
    process = GaussianProcess()
    for predictions in (process.fit_transform(x, torch.cat([y * 0 + 7, y], 1)), process(x)):
        assert torch.allclose(predictions[:, 0], torch.tensor(7.0), atol=1e-5)
        assert torch.allclose(predictions[:, 1:], y, atol=0.2)
    assert torch.allclose(GaussianProcess().fit_transform(torch.ones(50, 2), y), y.mean(), atol=0.3), "constant columns"


@pytest.mark.parametrize("n", [2, 4])
def test_there_may_be_fewer_samples_than_blocks(n):
    x, y = wave(n)
    process = GaussianProcess()
    assert process.fit_transform(x, y).shape == (n, 1)
    assert process.fit_transform(x, y).isfinite().all()
    assert process(wave(5)[0]).isfinite().all()


def test_it_is_deterministic_and_the_seed_chooses_the_samples():
    x, y = wave(120, noise=0.2)
    first, same, other = (GaussianProcess(inducing=60, seed=seed).fit_transform(x, y) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_search_that_fails_keeps_the_best_parameters(monkeypatch):
    """Where the covariance of some step is not positive, what was found before is used."""
    plain, calls = torch.linalg.cholesky_ex, []

    def fails(matrix):
        calls.append(matrix)
        factor, failed = plain(matrix)
        return factor, failed if len(calls) < 4 else torch.ones_like(failed)

    monkeypatch.setattr(torch.linalg, "cholesky_ex", fails)
    x, y = wave(60)
    assert GaussianProcess().fit_transform(x, y).isfinite().all()
    assert len(calls) < 10


def test_it_is_saved_and_loaded():
    x, y = wave(80)
    process = GaussianProcess()
    process.fit_transform(x, y)
    new = wave(20, seed=1)[0]
    assert torch.equal(rebuild(*describe(process))(new), process(new))
    fresh = GaussianProcess()
    fresh.load_state_dict(process.state_dict())
    assert torch.equal(fresh(new), process(new))
    assert all(buffer.is_meta for buffer in process.to("meta").buffers())


def test_the_likelihood_takes_one_sample_of_each_cluster_first():
    clusters = torch.tensor([5, 5, 5, 7, 2, 2])
    found = _in_turn(torch.tensor([1, 0, 4, 3, 2, 5]), clusters)
    assert found.tolist() == [1, 4, 3, 0, 5, 2]
