import math

import numpy as np
import pytest
import torch
from scipy.stats import nbinom, poisson

from mibounds.tasks import Counts
from mibounds.tasks.functions import LINEAR, PRODUCT, ZERO

COUNTS = np.arange(2000)


def truth(probability):
    """The information of a table of P(y | node) by 100 Gauss-Hermite nodes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    given, weights = probability(nodes[:, None]), weights / weights.sum()
    marginal = weights @ given
    logs = np.log(np.maximum(given, 1e-300)) - np.log(np.maximum(marginal, 1e-300))
    return float(weights @ (given * logs).sum(1))


def test_poisson_counts_against_other_nodes():
    expected = truth(lambda x: poisson.pmf(COUNTS, np.exp(0.5 + 0.7 * x)))
    assert Counts(LINEAR, 0.5, 0.7).mutual_information == pytest.approx(expected, abs=1e-3)


def test_zero_inflated_negative_binomial_counts_against_other_nodes():
    expected = truth(lambda x: 0.3 * (COUNTS == 0) + 0.7 * nbinom.pmf(COUNTS, 2, 2 / (2 + np.exp(1 + 0.7 * x))))
    task = Counts(LINEAR, 1.0, 0.7, dispersion=2.0, zeros=0.3)
    assert task.mutual_information == pytest.approx(expected, abs=1e-3)


def test_moments(generator):
    _, y = Counts(ZERO, math.log(4), dispersion=2.0, zeros=0.25).sample(40_000, generator)
    assert y.dtype == torch.int64
    counts = y.double()
    assert float(counts.mean()) == pytest.approx(3, abs=0.1)
    assert float(counts.square().mean()) == pytest.approx(0.75 * (4 + 4**2 / 2 + 4**2), abs=1)


def test_a_log_ratio_by_hand():
    task = Counts(LINEAR, 0.0, 1.0, zeros=0.5)
    x, y = torch.tensor([[0.0]]), torch.tensor([[0], [2]])
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    for count, ratio in zip((0, 2), task.log_ratio(x, y).tolist(), strict=True):
        given = poisson.pmf(count, np.append(np.exp(nodes), 1.0)) / 2 + (count == 0) / 2
        expected = math.log(given[-1]) - math.log(weights @ given[:-1] / weights.sum())
        assert ratio == pytest.approx(expected, abs=1e-3)


def test_names_and_arguments():
    assert repr(Counts(PRODUCT, idle=3)) == "Counts(exp(1.0 + 1.0 product), Poisson, idle=3)"
    assert "zeros=0.3" in repr(Counts(PRODUCT, zeros=0.3))
    with pytest.raises(ValueError, match="zeros is 1"):
        Counts(LINEAR, zeros=1.0)
    with pytest.raises(ValueError, match="dispersion is 0"):
        Counts(LINEAR, dispersion=0.0)
    with pytest.raises(ValueError, match="idle"):
        Counts(LINEAR, idle=-1)
