"""Mode collapse of a GAN on data of the plane, without and with a mutual information term I(C; G(C, E)).

The generator maps a code c and noise e to the plane (`adversarial` has the term and the training). The code is of fair
signs, so it has a finite information, and a generator of saturating units maps different codes to separate places,
without a line between them. The original takes a uniform code without noise: the true information is then infinite for
any injective generator, and the term only spreads the samples out.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from mibounds._files import write_text
from mibounds._random import seeded
from mibounds.demos.adversarial import Training, draw_latent, fit
from mibounds.demos.targets import Metrics, Target, measure
from mibounds.networks import activation_module
from mibounds.plots import plot_samples, save_figure

__all__ = ["PAPER", "Outcome", "Recipe", "compare", "draw", "table", "train"]

CHECKS = 10
_EVALUATED = 2500
_LOWEST = 0.3  # radians per unit of length of the slowest Fourier feature: less than one period over the data


@dataclass(frozen=True)
class Recipe(Training):
    """Settings of a GAN: those of `Training`, and of the networks.

    Attributes:
        batch_norm: batch normalization in the generator.
        generator: widths of the generator's hidden layers.
        generator_activation: a torch name.
        discriminator: widths of the discriminator's hidden layers.
        features: random directions whose cosine and sine the discriminator gets beside the point itself; 0 for none.
        frequency: angular frequency of the fastest of them, in radians per unit of length; the others are spaced
            geometrically down to 0.3.
    """

    batch_norm: bool = False
    generator: Sequence[int] = (64, 64, 64)
    generator_activation: str = "tanh"
    discriminator: Sequence[int] = (64, 64)
    features: int = 32
    frequency: float = 3.0


RECIPES = {"gaussians": Recipe(beta=0.3), "spirals": Recipe()}
"""The recipe of each kind of data: they differ in the weight of the term, the best of a sweep (benchmarks/gan)."""

PAPER = Recipe(
    scheduling="half",
    critic_layers=(400, 400, 400),
    critic_activation="leakyrelu",
    critic_lr=1e-4,
    gen_lr=1e-4,
    disc_lr=1e-4,
    decay=False,
    gradient_penalty=0.0,
    instance_noise=0.0,
    code=2,
    bits=False,
    noise=0,
    batch_norm=True,
    generator=(500, 500),
    generator_activation="leakyrelu",
    discriminator=(400, 400, 400),
    features=0,
    steps=400_000,
    batch_size=100,
)


@dataclass(frozen=True)
class Outcome:
    """The result of a training: samples (2500, 2), the metrics at ten steps, the last of them final, and seconds."""

    samples: Tensor
    history: tuple[tuple[int, Metrics], ...] = field(default=())
    seconds: float = 0.0

    @property
    def metrics(self) -> Metrics:
        """The metrics of the trained generator."""
        return self.history[-1][1]


def train(
    recipe: Recipe, target: Target, seed: int = 0, done: Callable[[int, Metrics], None] = lambda step, metrics: None
) -> Outcome:
    """Train a GAN on the target, in one thread.

    Arguments:
        recipe: the settings; `beta=0` is the plain GAN.
        target: the data set.
        seed: seed of initial weights, batches and codes.
        done: called with the step and the metrics, ten times.
    """
    began = time.perf_counter()
    with seeded(seed):
        generator = _perceptron(
            recipe.code + recipe.noise, recipe.generator, 2, recipe.generator_activation, recipe.batch_norm
        )
        discriminator = _discriminator(recipe)
    checks = {round(recipe.steps * (i + 1) / CHECKS) for i in range(CHECKS)}
    history: list[tuple[int, Metrics]] = []
    samples = torch.empty(0, 2)

    def draw_real(n: int, draws: torch.Generator) -> Tensor:
        return target.rows[torch.randint(len(target.rows), (n,), generator=draws)]

    def after(step: int, draws: torch.Generator) -> None:
        nonlocal samples
        if step not in checks:
            return
        generator.eval()
        with torch.no_grad():
            samples = generator(draw_latent(recipe, _EVALUATED, draws))
        generator.train()
        history.append((step, measure(samples, target)))
        done(*history[-1])

    fit(generator, discriminator, draw_real, recipe, seed, after)
    return Outcome(samples, tuple(history), time.perf_counter() - began)


def _perceptron(
    inputs: int, hidden: Sequence[int], outputs: int, activation: str, batch_norm: bool = False
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), *([nn.BatchNorm1d(width)] if batch_norm else [])]
        layers.append(nn.LeakyReLU(0.2) if activation == "leakyrelu" else activation_module(activation))
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class _FourierFeatures(nn.Module):
    """The point itself, and the cosines and sines of its projections on random directions.

    Without them a network learns structure as small as the modes late (Tancik et al., Fourier Features Let Networks
    Learn High Frequency Functions in Low Dimensional Domains, 2020, arXiv:2006.10739).
    """

    directions: Tensor

    def __init__(self, count: int, frequency: float):
        super().__init__()
        scales = torch.logspace(math.log10(_LOWEST), math.log10(frequency), count)
        self.register_buffer("directions", scales * torch.randn(2, count))

    def forward(self, points: Tensor) -> Tensor:
        angles = points @ self.directions
        return torch.cat([points, angles.cos(), angles.sin()], 1)


def _discriminator(recipe: Recipe) -> nn.Sequential:
    features = [_FourierFeatures(recipe.features, recipe.frequency)] if recipe.features else []
    return nn.Sequential(*features, _perceptron(2 + 2 * recipe.features, recipe.discriminator, 1, "leakyrelu"))


def compare(
    recipe: Recipe, target: Target, seed: int = 0, done: Callable[[str, int, Metrics], None] = lambda *_: None
) -> dict[str, Outcome]:
    """The plain GAN and the regularized one, which differ in `beta` only."""
    return {
        name: train(variant, target, seed, lambda step, metrics, name=name: done(name, step, metrics))  # type: ignore[misc]
        for name, variant in (("plain", replace(recipe, beta=0.0)), ("regularized", recipe))
    }


def draw(outcomes: dict[str, Outcome], target: Target, path: Path) -> None:
    """Write the figure (target and samples side by side) to `path`, and the metrics beside it as metrics.csv."""
    path.parent.mkdir(parents=True, exist_ok=True)
    panels = {"target": target.rows[:_EVALUATED]}
    for name, outcome in outcomes.items():
        panels[f"{name}: {outcome.metrics.modes} of {len(target.centers)} modes"] = outcome.samples
    save_figure(plot_samples({name: rows.tolist() for name, rows in panels.items()}), str(path))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "step", *Metrics.__dataclass_fields__])
    for name, outcome in outcomes.items():
        writer.writerows([name, step, *asdict(metrics).values()] for step, metrics in outcome.history)
    write_text(path.with_name("metrics.csv"), text.getvalue())


def table(outcomes: dict[str, Outcome], target: Target) -> str:
    """The outcomes as a table of text."""
    lines = [f"{'':14s}modes of {len(target.centers):<4d} high quality   reverse KL   seconds"]
    for name, outcome in outcomes.items():
        m = outcome.metrics
        lines.append(f"{name:14s}{m.modes:8d}     {m.high_quality:11.1%} {m.reverse_kl:12.3f} {outcome.seconds:9.0f}")
    return "\n".join(lines)
