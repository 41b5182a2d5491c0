"""Data with known modes for the GAN demonstration, and the metrics of samples that imitate them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Metrics", "Target", "gaussians", "measure", "spirals"]


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
    M if all are at one mode. The centers of the spirals are closer to one another than their standard deviation: there
    the modes are bins along the arms, and a sample belongs to the nearest one.
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
