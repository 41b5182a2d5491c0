"""How the critic's learning rate and its negatives change the result of four training loops; writes defaults.csv.

bottleneck   digits, a stochastic encoder, leave-one-out minimized: I(X;Z) by the encoder's own density, and accuracy
disentangle  two linear codes of Gaussian columns, leave-one-out minimized: their exact information
infomax      digits, a stochastic encoder, a lower bound maximized: I(X;Z) by the encoder's own density
gan          25 Gaussians, MINE maximized: modes and high-quality samples after 2,000 steps

python benchmarks/regularizer/defaults.py
"""

import csv
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn.functional import cross_entropy

import mibounds as mi
from mibounds.demos import gan
from mibounds.demos.targets import gaussians

RATES = (1e-4, 3e-4, 1e-3, 3e-3)
STEPS = 600
UNIFORM = gan.Recipe(  # a uniform code, a generator without plateaus and a discriminator without Fourier features
    critic_layers=(64, 64),
    scheduling="cosine",
    penalty_end=0.1,
    penalty_every=1,
    instance_noise=0.0,
    code=2,
    bits=False,
    noise=14,
    generator=(128, 128, 128),
    generator_activation="leakyrelu",
    discriminator=(128, 128, 128),
    features=0,
    steps=2000,
)


def digits() -> tuple[Tensor, Tensor]:
    """Images and labels in random order."""
    data = load_digits()
    order = torch.randperm(len(data.target), generator=torch.Generator().manual_seed(0))
    return torch.tensor(data.data / 16, dtype=torch.float32)[order], torch.tensor(data.target)[order]


class Encoder(nn.Module):
    """A Gaussian code of four columns."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8))

    def forward(self, x: Tensor) -> Independent:
        """(N, 64) -> codes of N samples."""
        mean, log_scale = self.network(x).chunk(2, -1)
        return Independent(Normal(mean, log_scale.clamp(-5, 3).exp()), 1)


def encoded(reg: mi.MIRegularizer, weight: float, labels: bool, seed: int) -> tuple[float, float]:
    """I(X;Z) and accuracy on held-out digits of a stochastic encoder; a positive weight minimizes the bound."""
    torch.manual_seed(seed)
    x, y = digits()
    encoder, head = Encoder(), nn.Linear(4, 10)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 1e-3)
    for _ in range(STEPS):
        rows = torch.randint(1300, (128,))
        codes = encoder(x[rows])
        z = codes.rsample()
        loss = cross_entropy(head(z), y[rows]) if labels else 0.05 * z.square().mean() - 0.1 * codes.entropy().mean()
        optimizer.zero_grad()
        (loss + weight * reg(x[rows], z)).backward()
        optimizer.step()
        reg.update(x[rows], z)
    with torch.no_grad():
        accuracy = float((head(encoder(x[1300:]).mean).argmax(1) == y[1300:]).float().mean())
    return mi.encoder_information(encoder, x[:1300], draws=2).upper, accuracy


def disentangled(reg: mi.MIRegularizer, seed: int) -> tuple[float, float]:
    """The exact information of two linear codes of correlated columns, and the error of the reconstruction."""
    g = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    mixing = torch.randn(6, 6, generator=g)
    first, second = nn.Linear(6, 2, bias=False), nn.Linear(6, 2, bias=False)
    decoder = nn.Linear(4, 6)
    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters(), *decoder.parameters()], 5e-3)
    for _ in range(STEPS):
        x = torch.randn(128, 6, generator=g) @ mixing
        a, b = (code(x) + 0.3 * torch.randn(128, 2, generator=g) for code in (first, second))
        error = (decoder(torch.cat([a, b], 1)) - x).square().mean()
        optimizer.zero_grad()
        (error + reg(a, b)).backward()
        optimizer.step()
        reg.update(a, b)
    with torch.no_grad():
        weight = torch.cat([first.weight, second.weight]) @ mixing.T
        covariance = weight @ weight.T + 0.09 * torch.eye(4)
        parts = covariance[:2, :2].logdet() + covariance[2:, 2:].logdet() - covariance.logdet()
    return float(parts / 2), float(error.detach())


def cells() -> Iterator[tuple[str, dict[str, Any], int, tuple[float, float]]]:
    """Loop, settings, seed, and two numbers of each run."""
    for seed in range(2):
        for lr in RATES:
            upper: dict[str, Any] = {"bound": "leaveoneout", "critic": "diagonalgaussian", "lr": lr, "seed": seed}
            shown = {"bound": "leaveoneout", "lr": lr}
            yield "bottleneck", shown, seed, encoded(mi.MIRegularizer(64, 4, **upper), 0.1, True, seed)
            yield "disentangle", shown, seed, disentangled(mi.MIRegularizer(2, 2, **upper), seed)
            lower: dict[str, Any] = {"bound": "infonce", "critic": "separable", "lr": lr, "seed": seed}
            yield "infomax", {"bound": "infonce", "lr": lr}, seed, encoded(
                mi.MIRegularizer(64, 4, **lower), -1.0, False, seed
            )  # fmt: skip
        for negatives in (1, 4, 8):
            mine: dict[str, Any] = {"bound": "mine", "critic": "joint", "hidden": (64, 64), "lr": 1e-3, "seed": seed}
            shown = {"bound": "mine", "lr": 1e-3, "negatives": negatives}
            reg = mi.MIRegularizer(64, 4, negatives=negatives, **mine)
            yield "infomax", shown, seed, encoded(reg, -1.0, False, seed)
        for negatives in (1, 8):
            recipe = replace(UNIFORM, negative_samples=negatives)
            metrics = gan.train(recipe, gaussians(20_000), seed).metrics
            shown = {"bound": "mine", "lr": 1e-3, "negatives": negatives}
            yield "gan", shown, seed, (float(metrics.modes), metrics.high_quality)


def main() -> None:
    """Run all cells and write their results."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with (Path(__file__).parent / "defaults.csv").open("w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["loop", "bound", "lr", "negatives", "seed", "first", "second"])
        for loop, options, seed, (first, second) in cells():
            row = [loop, options["bound"], options["lr"], options.get("negatives", ""), seed]
            writer.writerow([*row, round(first, 4), round(second, 4)])
            file.flush()
            sys.stdout.write(f"{row} {first:.3f} {second:.3f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
