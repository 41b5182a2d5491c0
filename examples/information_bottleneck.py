"""An information bottleneck: a code that retains information about the label and little else about the image.

A stochastic encoder z = m(x) + s(x) * noise of scikit-learn's digits is trained to maximize I(Z;Y) (cross-entropy) and
to minimize an upper bound of I(X;Z) (leave-one-out with the encoder's own density, which is exact here). With beta 0
the scale of the noise decreases without limit: the code becomes deterministic and its information infinite.

Example: python3 information_bottleneck.py --out plots/bottleneck.png
"""

import math
from argparse import ArgumentParser
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import mibounds as mi
from mibounds.critics import FunctionCritic, score

DIM = 8


class Encoder(nn.Module):
    """Images to the mean and the log-scale of a Gaussian code."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 2 * DIM))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 64) -> (N, 2 DIM)."""
        return self.network(x)


def log_density(parameters: Tensor, z: Tensor) -> Tensor:
    """Density log q(z|x) of the encoder itself: (..., 2 DIM), (..., DIM) -> (...)."""
    mean, log_scale = parameters.chunk(2, -1)
    return (-((z - mean) * torch.exp(-log_scale)).square() / 2 - log_scale).sum(-1) - DIM / 2 * math.log(2 * math.pi)


def run(beta: float, seed: int = 0, steps: int = 1500) -> tuple[float, float, float]:
    """I(X;Z) in nats (leave-one-out, training images), a lower bound of I(Z;Y) and the accuracy on held-out images."""
    torch.manual_seed(seed)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32)[order], torch.tensor(digits.target)[order]
    train, test = slice(0, 1300), slice(1300, None)
    encoder, decoder = Encoder(), nn.Linear(DIM, 10)
    critic, bound = FunctionCritic(log_density), mi.bounds.LeaveOneOut()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)

    def information(parameters: Tensor, z: Tensor) -> Tensor:
        scores = score(critic, parameters, z)
        return bound(scores.joint, scores.product)

    for _ in range(steps):
        batch = torch.randint(0, 1300, (128,))
        parameters = encoder(x[batch])
        mean, log_scale = parameters.chunk(2, -1)
        z = mean + log_scale.exp() * torch.randn_like(mean)
        loss = cross_entropy(decoder(z), y[batch]) + beta * information(parameters, z)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        parameters = encoder(x)
        mean, log_scale = parameters.chunk(2, -1)
        z = mean + log_scale.exp() * torch.randn_like(mean)
        kept = float(information(parameters[train], z[train]))
        logits = decoder(z[test])
        label = math.log(10) - float(cross_entropy(logits, y[test]))
        return kept, label, float((logits.argmax(1) == y[test]).float().mean())


def draw(runs: dict[float, tuple[float, float, float]], path: Path) -> None:
    """The information about the image and about the label by the weight of the penalty."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axis = figure.subplots()
    at = range(len(runs))
    kept, label, accuracy = zip(*runs.values(), strict=True)
    # Without a penalty the noise vanishes, and only the number format limits the information: an arrow at the edge.
    top = 3 * max(kept[1:], default=kept[0])
    axis.plot(
        at, [min(value, top) for value in kept], "s--", color="#8b939b", label="I(X;Z), about the image (upper bound)"
    )
    axis.plot(at, label, "o-", color="#1a66a8", label="I(Z;Y), about the label (lower bound)")
    for place, value in enumerate(kept):
        if value > top:
            axis.plot(place, top, "^", color="#8b939b", ms=9)
            axis.annotate(f"{value:,.0f}", (place, top), (9, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_xticks(at, [f"{beta:g}\n{share:.0%} right" for beta, share in zip(runs, accuracy, strict=True)])
    axis.set(xlabel="beta, and the accuracy on held-out images", ylabel="nats (logarithmic)", yscale="log")
    axis.axhline(math.log(10), color="#222222", lw=1, ls=":", label="ln 10, the entropy of the label")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    options = ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--out", type=Path, help="file of a figure")
    out = options.parse_args().out
    print(f"beta    I(X;Z) nats   I(Z;Y) nats of {math.log(10):.2f}   accuracy")
    runs = {}
    for beta in (0.0, 0.01, 0.1, 0.3):
        kept, label, accuracy = runs[beta] = run(beta)
        print(f"{beta:4.2f}   {kept:10.2f}   {label:17.2f}   {accuracy:8.1%}")
    if out:
        draw(runs, out)
