"""Mode collapse of a GAN on 25 Gaussians, without and with a mutual information term I(C; G(C, E)).

The generator maps a code c and noise e to the plane. With `beta` above 0 its loss rewards the information between c and
G(c, e), estimated by a separate critic; the gradient of this term is clipped to the length of the GAN's. A generator
that maps many codes to one place has little information about them, so collapse is penalized. Without noise (`noise=0`,
as in the original) the true information is infinite for any injective generator, and the term only spreads the samples
out.
"""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from mibounds._files import write_text
from mibounds._random import seeded
from mibounds.bounds import MINE, NWJ, Bound, InfoNCE
from mibounds.choices import build_critic
from mibounds.plots import plot_samples, save_figure
from mibounds.representation.gradients import clipped_backward
from mibounds.representation.regularizer import MIRegularizer
from mibounds.training.workers import fast_arithmetic

__all__ = [
    "PAPER",
    "Metrics",
    "Outcome",
    "Recipe",
    "Target",
    "compare",
    "draw",
    "gaussians",
    "measure",
    "spirals",
    "table",
    "train",
]

Schedule = Literal["constant", "half", "cosine"]
CHECKS = 10
_EVALUATED = 2500


@dataclass(frozen=True)
class Target:
    """A data set with known modes: rows (N, 2), centers of the modes (M, 2), and the standard deviation around them."""

    rows: Tensor
    centers: Tensor
    noise: float


def gaussians(size: int = 100_000, noise: float = 0.05, seed: int = 0) -> Target:
    """25 Gaussians on the grid {-4, -2, 0, 2, 4}^2."""
    axis = torch.tensor([-4.0, -2.0, 0.0, 2.0, 4.0])
    return _around(torch.cartesian_prod(axis, axis), size, noise, seed)


def spirals(size: int = 100_000, noise: float = 0.05, seed: int = 0) -> Target:
    """Two spiral arms of one and a half turns with 250 centers."""
    angle = 3 * math.pi * torch.linspace(0.05, 1, 125).sqrt()
    arm = torch.stack([angle.cos(), angle.sin()], 1) * (4 * angle / (3 * math.pi))[:, None]
    return _around(torch.cat([arm, -arm]), size, noise, seed)


def _around(centers: Tensor, size: int, noise: float, seed: int) -> Target:
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(centers), (size,), generator=generator)
    return Target(centers[chosen] + noise * torch.randn(size, 2, generator=generator), centers, noise)


@dataclass(frozen=True)
class Metrics:
    """Modes with at least one high-quality sample (within 3 sd of a mode), the fraction of such samples, the reverse
    KL.

    The reverse KL is sum q ln(M q) over the fractions q of high-quality samples at the M modes: 0 if they are equal, ln
    M if all are at one mode.
    """

    modes: int
    high_quality: float
    reverse_kl: float


def measure(samples: Tensor, target: Target) -> Metrics:
    """The three metrics of samples (N, 2)."""
    distance, nearest = torch.cdist(samples, target.centers, compute_mode="donot_use_mm_for_euclid_dist").min(1)
    good = distance <= 3 * target.noise
    count = torch.bincount(nearest[good], minlength=len(target.centers)).double()
    q = count / count.sum().clamp_min(1)
    divergence = float(torch.special.xlogy(q, len(q) * q).sum()) if count.sum() else math.log(len(q))
    return Metrics(int((count > 0).sum()), float(good.double().mean()), divergence)


@dataclass(frozen=True)
class Recipe:
    """Settings of a GAN; the names are those of the original project where it has the setting.

    Attributes:
        regularizer: bound of the information term: "mine", "nwj" or "nce".
        beta: weight of the term; 0 is the plain GAN.
        scheduling: "constant", "half" (off after half of the steps, as in the original) or "cosine" (to 0 at the end).
        critic_type: "joint" or "separable".
        critic_layers: widths of the critic's hidden layers.
        critic_activation: a torch name.
        critic_lr: learning rate of the critic.
        negative_samples: mismatched pairs per row, for "mine" and "nwj".
        ema_decay: decay of MINE's moving average.
        unroll_critic: critic steps for each generator step.
        gen_lr: learning rate of the generator.
        disc_lr: learning rate of the discriminator.
        decay: keep both rates constant for half of the steps, then decrease them to 0 along a cosine.
        gradient_penalty: weight of the squared gradient of the discriminator at real rows (R1).
        batch_norm: batch normalization in the generator.
        generator: widths of the generator's hidden layers.
        discriminator: widths of the discriminator's hidden layers.
        code: columns of the code, uniform in [-1, 1].
        noise: further columns of the generator's input, uniform in [-1, 1].
        steps: generator steps.
        batch_size: rows of a step.
    """

    regularizer: str = "mine"
    beta: float = 1.0
    scheduling: Schedule = "cosine"
    critic_type: str = "joint"
    critic_layers: Sequence[int] = (64, 64, 64)
    critic_activation: str = "silu"
    critic_lr: float = 1e-3
    negative_samples: int = 1
    ema_decay: float = 0.99
    unroll_critic: int = 1
    gen_lr: float = 1e-3
    disc_lr: float = 1e-3
    decay: bool = True
    gradient_penalty: float = 0.1
    batch_norm: bool = False
    generator: Sequence[int] = (128, 128, 128)
    discriminator: Sequence[int] = (128, 128, 128)
    code: int = 2
    noise: int = 14
    steps: int = 10_000
    batch_size: int = 256


PAPER = Recipe(
    scheduling="half",
    critic_layers=(400, 400, 400),
    critic_activation="leakyrelu",
    critic_lr=1e-4,
    gen_lr=1e-4,
    disc_lr=1e-4,
    decay=False,
    gradient_penalty=0.0,
    noise=0,
    batch_norm=True,
    generator=(500, 500),
    discriminator=(400, 400, 400),
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
    """Train a GAN on the target.

    Arguments:
        recipe: the settings; `beta=0` is the plain GAN.
        target: the data set.
        seed: seed of initial weights, batches and codes.
        done: called with the step and the metrics, ten times.
    """
    with fast_arithmetic(torch.device("cpu")):
        return _train(recipe, target, seed, done)


def _train(recipe: Recipe, target: Target, seed: int, done: Callable[[int, Metrics], None]) -> Outcome:
    began = time.perf_counter()
    with seeded(seed):
        generator = _network(recipe.code + recipe.noise, recipe.generator, 2, recipe.batch_norm)
        discriminator = _network(2, recipe.discriminator, 1, False)
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=lr, betas=(0.5, 0.999), fused=True)
        for network, lr in ((generator, recipe.gen_lr), (discriminator, recipe.disc_lr))
    ]
    regularizer = _regularizer(recipe, seed)
    draws = torch.Generator().manual_seed(seed)

    def inputs(n: int) -> Tensor:
        return 2 * torch.rand(n, recipe.code + recipe.noise, generator=draws) - 1

    checks = {round(recipe.steps * (i + 1) / CHECKS) for i in range(CHECKS)}
    history = []
    samples = torch.empty(0, 2)
    for step in range(recipe.steps):
        progress = step / recipe.steps
        for optimizer, lr in zip(optimizers, (recipe.gen_lr, recipe.disc_lr), strict=True):
            optimizer.param_groups[0]["lr"] = lr * (_constant_then_cosine(progress) if recipe.decay else 1)
        z = inputs(recipe.batch_size)
        fake = generator(z)
        real = target.rows[torch.randint(len(target.rows), (recipe.batch_size,), generator=draws)]
        _discriminator_step(discriminator, optimizers[1], real, fake.detach(), recipe.gradient_penalty)
        beta = recipe.beta * _weight(recipe.scheduling, progress)
        optimizers[0].zero_grad(set_to_none=True)
        if regularizer is None or not beta:
            _generator_loss(discriminator, fake).backward()  # type: ignore[no-untyped-call]
        else:
            code = z[:, : recipe.code]
            regularizer.update(fake.detach(), code)
            clipped_backward(
                _generator_loss(discriminator, fake), regularizer(fake, code), generator.parameters(), beta
            )
        optimizers[0].step()
        if step + 1 in checks:
            generator.eval()
            with torch.no_grad():
                samples = generator(inputs(_EVALUATED))
            generator.train()
            history.append((step + 1, measure(samples, target)))
            done(*history[-1])
    return Outcome(samples, tuple(history), time.perf_counter() - began)


def _network(inputs: int, hidden: Sequence[int], outputs: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), *([nn.BatchNorm1d(width)] if batch_norm else [])]
        layers.append(nn.LeakyReLU(0.2))
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def _regularizer(recipe: Recipe, seed: int) -> MIRegularizer | None:
    if not recipe.beta:
        return None
    bounds: dict[str, Callable[[], Bound]] = {"mine": lambda: MINE(decay=recipe.ema_decay), "nwj": NWJ, "nce": InfoNCE}
    if recipe.regularizer not in bounds:
        raise ValueError(f"regularizer is {recipe.regularizer!r}, and must be 'mine', 'nwj' or 'nce'.")
    critic = build_critic(
        recipe.critic_type,
        2,
        recipe.code,
        seed,
        hidden=tuple(recipe.critic_layers),
        activation=recipe.critic_activation,
    )
    return MIRegularizer(
        2,
        recipe.code,
        bound=bounds[recipe.regularizer](),
        critic=critic,
        lr=recipe.critic_lr,
        negatives="all" if recipe.regularizer == "nce" else recipe.negative_samples,
        steps=recipe.unroll_critic,
        betas=(0.5, 0.999),
        clip=math.inf,
        seed=seed,
    )


def _discriminator_step(
    discriminator: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, fake: Tensor, penalty: float
) -> None:
    real = real.requires_grad_(penalty > 0)
    real_scores, fake_scores = discriminator(torch.cat([real, fake])).split([len(real), len(fake)])
    loss = softplus(-real_scores).mean() + softplus(fake_scores).mean()
    if penalty:
        (gradient,) = torch.autograd.grad(real_scores.sum(), real, create_graph=True)
        loss = loss + penalty / 2 * gradient.square().sum(1).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _generator_loss(discriminator: nn.Module, fake: Tensor) -> Tensor:
    """The non-saturating loss; its gradients of the discriminator are cleared before the next discriminator step."""
    return softplus(-discriminator(fake)).mean()


def _constant_then_cosine(progress: float) -> float:
    return 1.0 if progress < 0.5 else 0.5 + 0.5 * math.cos(math.pi * (2 * progress - 1))


def _weight(schedule: Schedule, progress: float) -> float:
    if schedule == "half":
        return float(progress < 0.5)
    return 1.0 if schedule == "constant" else 0.5 + 0.5 * math.cos(math.pi * progress)


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
