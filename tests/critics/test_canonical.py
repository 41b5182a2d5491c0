import math

import pytest
import torch

from mibounds._math import canonical_correlations
from mibounds.critics.canonical import CLEARLY, best_regularization, held_out_pairs
from mibounds.tasks import CorrelatedGaussian


def test_many_rows_give_the_canonical_correlations(generator):
    x, y = CorrelatedGaussian(3, 0.7).sample(20_000, generator)
    pairs = held_out_pairs(x, y)
    assert pairs.correlation.tolist() == pytest.approx(canonical_correlations(x, y).tolist(), abs=0.015)
    u, v = (x - pairs.mean_x) @ pairs.to_u, (y - pairs.mean_y) @ pairs.to_v
    assert torch.allclose(torch.cov(torch.cat([u, v], 1).T).diagonal(), torch.ones(6).double(), atol=1e-3)


def test_correlations_within_the_noise_are_zero():
    held_out = {"first": torch.tensor([0.5, 3.01 / 10, 2.99 / 10])}
    name, correlation = best_regularization(held_out, 100)
    assert name == "first"
    assert correlation.tolist() == pytest.approx([0.5, 0.301, 0.0])


def test_a_later_regularization_must_be_clearly_better():
    def information(nats):
        return torch.tensor([math.sqrt(1 - math.exp(-2 * nats))])

    first, little, much = information(0.1), information(0.1 + 0.9 * CLEARLY), information(0.1 + 1.1 * CLEARLY)
    assert best_regularization({"first": first, "second": little}, 10_000)[0] == "first"
    assert best_regularization({"first": first, "second": much}, 10_000)[0] == "second"


def test_without_any_dependence_the_plainest_is_taken(generator):
    assert best_regularization({"first": torch.zeros(2), "second": torch.zeros(2)}, 100)[0] == "first"
    x, y = torch.randn(2, 500, 2, generator=generator)
    assert held_out_pairs(x, y).to_u.shape == (2, 0)
