"""An information bottleneck: keep what the code says of the label, forget the rest of the image.

A stochastic encoder z = m(x) + s(x) * noise of scikit-learn's digits is trained to keep I(Z;Y) (cross-entropy) while an
upper bound (leave-one-out with the encoder's own density, which is exact here) makes I(X;Z) small. With beta 0 nothing
keeps the noise up, the code becomes deterministic and its information infinite.

Example: python3 information_bottleneck.py
"""

import math

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


if __name__ == "__main__":
    print(f"beta    I(X;Z) nats   I(Z;Y) nats of {math.log(10):.2f}   accuracy")
    for beta in (0.0, 0.01, 0.1, 0.3):
        kept, label, accuracy = run(beta)
        print(f"{beta:4.2f}   {kept:10.2f}   {label:17.2f}   {accuracy:8.1%}")
