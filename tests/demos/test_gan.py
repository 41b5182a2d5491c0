"""Data, metrics and training of the GAN demonstration; the table of five seeds is in benchmarks/gan."""

import csv
import math
from dataclasses import replace

import pytest
import torch

from mibounds.demos.gan import PAPER, Metrics, Recipe, compare, draw, gaussians, measure, spirals, table, train

TINY = Recipe(steps=20, batch_size=32, generator=(16,), discriminator=(16,), critic_layers=(16,))


def test_the_targets():
    target = gaussians(5000)
    assert target.rows.shape == (5000, 2)
    assert len(target.centers) == 25
    assert {tuple(c) for c in target.centers.tolist()} == {(a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)}
    result = measure(target.rows, target)
    assert result.modes == 25
    assert result.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.005)  # a plane Gaussian within 3 sd
    assert result.reverse_kl < 0.01
    arms = spirals(5000)
    assert measure(arms.rows, arms).modes == 250
    assert float(arms.rows.abs().max()) < 4.4


def test_the_metrics_by_hand():
    target = gaussians(100)
    at = torch.tensor([[-4.0, -4.0]] * 6 + [[2.0, 0.14]] * 2 + [[2.0, 0.16]] + [[1.0, 1.0]])
    result = measure(at, target)
    assert result.modes == 2
    assert result.high_quality == pytest.approx(0.8)
    share = (0.75, 0.25)
    assert result.reverse_kl == pytest.approx(sum(q * math.log(25 * q) for q in share))
    assert measure(torch.full((10, 2), 9.0), target) == Metrics(0, 0.0, math.log(25))


def test_training_is_repeatable_and_reports_its_metrics(tmp_path):
    target = gaussians(2000)
    heard = []
    one = train(TINY, target, seed=3, done=lambda *arguments: heard.append(arguments))
    two = train(TINY, target, seed=3)
    assert torch.equal(one.samples, two.samples)
    assert not torch.equal(one.samples, train(TINY, target, seed=4).samples)
    assert [step for step, _ in heard] == list(range(2, 21, 2))
    assert one.metrics == heard[-1][1]


def test_the_plain_gan_is_the_same_but_for_the_term(tmp_path):
    target = gaussians(2000)
    outcomes = compare(TINY, target)
    assert torch.equal(outcomes["plain"].samples, train(replace(TINY, beta=0.0), target).samples)
    assert not torch.equal(outcomes["plain"].samples, outcomes["regularized"].samples)
    draw(outcomes, target, tmp_path / "plots" / "gan.png")
    assert (tmp_path / "plots" / "gan.png").stat().st_size > 10_000
    with (tmp_path / "plots" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    assert rows[0].keys() == {"run", "step", "modes", "high_quality", "reverse_kl"}
    assert "regularized" in table(outcomes, target)


@pytest.mark.parametrize("regularizer", ["mine", "nwj", "nce"])
@pytest.mark.parametrize("scheduling", ["constant", "half", "cosine"])
def test_every_recipe_trains(regularizer, scheduling):
    recipe = replace(TINY, regularizer=regularizer, scheduling=scheduling, critic_type="separable", batch_norm=True)
    assert train(recipe, gaussians(500)).samples.isfinite().all()


def test_the_papers_recipe_is_the_papers():
    assert (PAPER.generator, PAPER.discriminator, PAPER.critic_layers) == ((500, 500), (400,) * 3, (400,) * 3)
    assert PAPER.steps * PAPER.batch_size == 400 * 100_000
    assert train(replace(PAPER, steps=2), gaussians(500)).samples.shape == (2500, 2)


def test_an_unknown_regularizer():
    with pytest.raises(ValueError, match="regularizer is 'mime', and must be 'mine', 'nwj' or 'nce'"):
        train(replace(TINY, regularizer="mime"), gaussians(500))


@pytest.mark.slow
def test_the_regularized_gan_keeps_its_modes():
    assert train(Recipe(), gaussians()).metrics.modes >= 24
