"""Stacked digits: data, the classifier that counts modes, and the training; the table is in benchmarks/gan."""

import math
from dataclasses import replace

import pytest
import torch

from mibounds.demos import stacked_digits
from mibounds.demos.stacked_digits import MODES, Coverage, DigitsRecipe, classifier, digits, train

TINY = DigitsRecipe(steps=2, batch_size=8, generator=4, discriminator=4, critic_layers=(8,))


def test_the_classifier_reads_digits_that_it_was_not_trained_on():
    assert classifier().accuracy >= 0.97
    images, labels = digits()
    assert images.shape == (1797, 8, 8)
    assert (float(images.min()), float(images.max())) == (-1.0, 1.0)
    chosen = torch.randint(1797, (300, 3), generator=torch.Generator().manual_seed(0))
    modes = labels[chosen] @ torch.tensor([100, 10, 1])
    assert (classifier()(images[chosen]) == modes).double().mean() > 0.97


def test_coverage_by_hand():
    even = Coverage.of(torch.arange(MODES).repeat(3))
    assert even.modes == MODES
    assert even.kl == pytest.approx(0.0, abs=1e-12)
    two = Coverage.of(torch.tensor([7, 7, 7, 999]))
    assert two.modes == 2
    assert two.kl == pytest.approx(math.log(1000) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25))


def test_real_stacks_cover_all_modes_nearly_evenly():
    _, labels = digits()
    chosen = torch.randint(1797, (26_000, 3), generator=torch.Generator().manual_seed(0))
    real = Coverage.of(labels[chosen] @ torch.tensor([100, 10, 1]))
    assert real.modes == MODES
    assert 0.01 < real.kl < 0.03  # sampling alone: 999 / 52,000


@pytest.mark.parametrize("options", [{}, {"beta": 0.0}, {"regularizer": "nce"}])
def test_a_training_counts_modes_and_is_repeatable(options, monkeypatch):
    monkeypatch.setattr(stacked_digits, "SAMPLES", 200)
    monkeypatch.setattr(stacked_digits, "_AT_ONCE", 100)
    recipe, counted = replace(TINY, **options), []
    one = train(recipe, seed=3, done=counted.append)
    assert counted == [1, 2]
    assert one.samples.shape == (100, 3, 8, 8)
    assert one.samples.abs().max() <= 1
    assert 1 <= one.coverage.modes <= 200
    assert torch.equal(one.samples, train(recipe, seed=3).samples)
    assert not torch.equal(one.samples, train(recipe, seed=4).samples)
