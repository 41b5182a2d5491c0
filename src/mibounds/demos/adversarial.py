"""The training of a GAN whose generator is rewarded for the information between a code and its samples.

The generator maps a code c and noise e to a sample. With `beta` above 0 its loss is the non-saturating one minus
beta I(c; G(c, e)), estimated by a separate critic; the gradient of this term is clipped to the length of the GAN's. A
generator that maps many codes to one place has little information about them, so collapse is penalized.

References:
    Belghazi et al., Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section 5.1.
    Mescheder et al., Which Training Methods for GANs do actually Converge?, 2018, arXiv:1801.04406 (gradient penalty).
    Sønderby et al., Amortised MAP Inference for Image Super-resolution, 2016, arXiv:1610.04490 (instance noise).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from mibounds.bounds import MINE, NWJ, Bound, DonskerVaradhan, InfoNCE
from mibounds.choices import build_critic
from mibounds.representation.gradients import clipped_backward
from mibounds.representation.regularizer import MIRegularizer
from mibounds.training.workers import fast_arithmetic

__all__ = ["Schedule", "Training", "draw_latent", "fit"]

_CONTRASTED = 8  # mismatched pairs per row of InfoNCE, where a network scores each pair

Schedule = Literal["constant", "half", "cosine", "late"]


@dataclass(frozen=True)
class Training:
    """Settings of the training of a GAN; the names are those of the original project where it has the setting.

    Attributes:
        regularizer: bound of the information term: "mine", "nwj", "dv" or "nce".
        beta: weight of the term; 0 is the plain GAN.
        scheduling: of beta: "constant", "half" (off after half of the steps, as in the original), "cosine" (to 0 at the
            end) or "late" (constant for half of the steps, then along a cosine to 0).
        critic_type: "joint" or "separable".
        critic_layers: widths of the critic's hidden layers.
        critic_activation: a torch name.
        critic_lr: learning rate of the critic.
        negative_samples: mismatched pairs per row; by default 1, for "nce" 8 with a joint critic and all with another.
        ema_decay: decay of MINE's moving average.
        unroll_critic: critic steps for each generator step.
        gen_lr: learning rate of the generator.
        disc_lr: learning rate of the discriminator.
        decay: keep both rates constant for half of the steps, then decrease them to 0 along a cosine.
        gradient_penalty: weight of the squared gradient of the discriminator at real rows (R1) at the first step.
        penalty_end: its weight at the last step; it changes geometrically between the two.
        penalty_every: steps from one gradient penalty to the next, whose weight is multiplied by it.
        instance_noise: standard deviation of Gaussian noise on real and generated rows that enter the discriminator; it
            falls linearly to 0.
        noise_until: fraction of the steps at which it is 0.
        code: columns of the code.
        bits: the code is of fair signs, -1 and 1, with ln 2 nats a column; otherwise it is uniform in [-1, 1].
        noise: further columns of the generator's input, uniform in [-1, 1].
        steps: generator steps.
        batch_size: rows of a step.
    """

    regularizer: str = "mine"
    beta: float = 1.0
    scheduling: Schedule = "late"
    critic_type: str = "joint"
    critic_layers: Sequence[int] = (64, 64, 64)
    critic_activation: str = "silu"
    critic_lr: float = 1e-3
    negative_samples: int | None = None
    ema_decay: float = 0.99
    unroll_critic: int = 1
    gen_lr: float = 1e-3
    disc_lr: float = 1e-3
    decay: bool = True
    gradient_penalty: float = 0.1
    penalty_end: float = 0.003
    penalty_every: int = 4
    instance_noise: float = 1.0
    noise_until: float = 0.7
    code: int = 10
    bits: bool = True
    noise: int = 2
    steps: int = 2_500
    batch_size: int = 256


def draw_latent(training: Training, n: int, draws: torch.Generator) -> Tensor:
    """Inputs of the generator (n, code + noise); the code comes first."""
    z = 2 * torch.rand(n, training.code + training.noise, generator=draws) - 1
    if training.bits:
        z[:, : training.code] = torch.where(z[:, : training.code] < 0, -1.0, 1.0)
    return z


def fit(
    generator: nn.Module,
    discriminator: nn.Module,
    draw_real: Callable[[int, torch.Generator], Tensor],
    training: Training,
    seed: int,
    after: Callable[[int, torch.Generator], None],
) -> None:
    """Train both networks in place, on one thread.

    Arguments:
        generator: from (N, code + noise) to samples (N, ...).
        discriminator: from samples to scores (N, 1).
        draw_real: real samples, from their number and a generator of random numbers.
        training: the settings.
        seed: of batches and codes, and of the critic's first weights.
        after: called after each step with the number of steps so far.
    """
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=lr, betas=(0.5, 0.999), fused=True)
        for network, lr in ((generator, training.gen_lr), (discriminator, training.disc_lr))
    ]
    draws = torch.Generator().manual_seed(seed)
    size = draw_real(1, torch.Generator().manual_seed(seed)).numel()
    regularizer = _regularizer(training, size, seed)
    with fast_arithmetic(torch.device("cpu")):
        for step in range(training.steps):
            progress = step / training.steps
            for optimizer, lr in zip(optimizers, (training.gen_lr, training.disc_lr), strict=True):
                optimizer.param_groups[0]["lr"] = lr * (_weight("late", progress) if training.decay else 1)
            z = draw_latent(training, training.batch_size, draws)
            fake, real = generator(z), draw_real(training.batch_size, draws)
            blur = _Blur(training.instance_noise * max(0.0, 1 - progress / training.noise_until), draws)
            penalty = _penalty(training, step)
            _discriminator_step(discriminator, optimizers[1], blur(real), blur(fake.detach()), penalty)
            optimizers[0].zero_grad(set_to_none=True)
            discriminator.requires_grad_(False)  # its gradients are not needed here
            loss = softplus(-discriminator(blur(fake))).mean()
            beta = training.beta * _weight(training.scheduling, progress)
            if regularizer is None or beta < 1e-9:
                loss.backward()  # type: ignore[no-untyped-call]
            else:
                code, sample = z[:, : training.code], fake.flatten(1)
                regularizer.update(sample.detach(), code)
                clipped_backward(loss, regularizer(sample, code), generator.parameters(), beta)
            discriminator.requires_grad_(True)
            optimizers[0].step()
            after(step + 1, draws)


class _Blur:
    """Adds instance noise."""

    def __init__(self, deviation: float, draws: torch.Generator):
        self.deviation, self.draws = deviation, draws

    def __call__(self, rows: Tensor) -> Tensor:
        return rows + self.deviation * torch.randn(rows.shape, generator=self.draws) if self.deviation else rows


def _penalty(training: Training, step: int) -> float:
    """Weight of the gradient penalty in this step."""
    if not training.gradient_penalty or step % training.penalty_every:
        return 0.0
    fall: float = (training.penalty_end / training.gradient_penalty) ** (step / training.steps)
    return training.penalty_every * training.gradient_penalty * fall


def _discriminator_step(
    discriminator: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, fake: Tensor, penalty: float
) -> None:
    real = real.detach().requires_grad_(penalty > 0)
    real_scores, fake_scores = discriminator(torch.cat([real, fake])).split([len(real), len(fake)])
    loss = softplus(-real_scores).mean() + softplus(fake_scores).mean()
    if penalty:
        (gradient,) = torch.autograd.grad(real_scores.sum(), real, create_graph=True)
        loss = loss + penalty / 2 * gradient.square().flatten(1).sum(1).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _regularizer(training: Training, size: int, seed: int) -> MIRegularizer | None:
    if not training.beta:
        return None
    bounds: dict[str, Callable[[], Bound]] = {
        "mine": lambda: MINE(decay=training.ema_decay),
        "nwj": NWJ,
        "dv": DonskerVaradhan,
        "nce": InfoNCE,
    }
    if training.regularizer not in bounds:
        raise ValueError(f"regularizer is {training.regularizer!r}, and must be 'mine', 'nwj', 'dv' or 'nce'.")
    critic = build_critic(
        training.critic_type,
        size,
        training.code,
        seed,
        hidden=tuple(training.critic_layers),
        activation=training.critic_activation,
    )
    return MIRegularizer(
        size,
        training.code,
        bound=bounds[training.regularizer](),
        critic=critic,
        lr=training.critic_lr,
        negatives=_negatives(training),
        steps=training.unroll_critic,
        betas=(0.5, 0.999),
        clip=math.inf,
        seed=seed,
    )


def _negatives(training: Training) -> int | Literal["all"]:
    """Mismatched pairs per row: one is little for InfoNCE, and all are quick for a critic of two codes only."""
    if training.negative_samples is not None:
        return training.negative_samples
    if training.regularizer != "nce":
        return 1
    return _CONTRASTED if training.critic_type == "joint" else "all"


def _weight(schedule: Schedule, progress: float) -> float:
    if schedule == "half":
        return float(progress < 0.5)
    if schedule == "late":
        return 1.0 if progress < 0.5 else 0.5 + 0.5 * math.cos(math.pi * (2 * progress - 1))
    return 1.0 if schedule == "constant" else 0.5 + 0.5 * math.cos(math.pi * progress)
