"""Training of the GAN demonstration; the table of five seeds is in benchmarks/gan."""

import csv
from dataclasses import replace

import pytest
import torch

from mibounds.demos.gan import PAPER, Recipe, _discriminator, compare, draw, table, train
from mibounds.demos.targets import gaussians

TINY = Recipe(steps=20, batch_size=32, generator=(16,), discriminator=(16,), critic_layers=(16,))


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


@pytest.mark.parametrize("options", [{"batch_norm": True, "bits": False}, {"features": 0, "instance_noise": 0.0}])
def test_every_network_trains(options):
    recipe = replace(TINY, generator_activation="leakyrelu", **options)
    assert train(recipe, gaussians(500)).samples.isfinite().all()


def test_the_discriminator_gets_fourier_features_of_the_frequencies_asked_for():
    (features, perceptron) = _discriminator(Recipe(features=500, frequency=3.0))
    rows = torch.randn(7, 2)
    shown = features(rows)
    assert torch.equal(shown[:, :2], rows)
    torch.testing.assert_close(shown[:, 2:502].square() + shown[:, 502:].square(), torch.ones(7, 500))
    speed = features.directions.square().sum(0).sqrt()  # each a scale times the norm of two normal numbers
    assert speed[:50].median() == pytest.approx(0.3 * 1.18, rel=0.35)
    assert speed[-50:].median() == pytest.approx(3.0 * 1.18, rel=0.35)
    assert perceptron(shown).shape == (7, 1)
    (alone,) = _discriminator(Recipe(features=0))
    assert alone(rows).shape == (7, 1)


def test_a_code_of_signs_gives_as_many_points_as_codes():
    recipe = replace(TINY, code=3, noise=0)
    assert len(train(recipe, gaussians(500)).samples.unique(dim=0)) <= 8


def test_the_papers_recipe_is_the_papers():
    assert (PAPER.generator, PAPER.discriminator, PAPER.critic_layers) == ((500, 500), (400,) * 3, (400,) * 3)
    assert PAPER.steps * PAPER.batch_size == 400 * 100_000
    assert train(replace(PAPER, steps=2), gaussians(500)).samples.shape == (2500, 2)


@pytest.mark.slow
def test_the_regularized_gan_keeps_its_modes():
    metrics = train(Recipe(), gaussians()).metrics
    assert metrics.modes == 25
    assert metrics.high_quality >= 0.9
    assert metrics.reverse_kl <= 0.05
