"""A representation invariant to a protected attribute: classify wines by a code that is independent of their alcohol.

An encoder and a classifier are trained on the cultivars of scikit-learn's wines while an upper bound (leave-one-out) of
I(Z; alcohol) is minimized. A regression that is then trained on the code predicts the alcohol of held-out wines.

Example: python3 fair_representation.py --out plots/fair.png
"""

from argparse import ArgumentParser
from pathlib import Path

import torch
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.functional import cross_entropy

import mibounds as mi


def run(beta: float, seed: int = 0, steps: int = 600) -> tuple[float, float]:
    """Held-out accuracy, and the fraction of the alcohol's variance that a forest predicts from the code."""
    torch.manual_seed(seed)
    wine = load_wine()
    x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
    secret, label = x[:, :1], torch.tensor(wine.target)
    train, test = (torch.tensor(part) for part in train_test_split(range(len(x)), test_size=0.4, random_state=seed))
    encoder = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 2))
    classifier = nn.Linear(2, 3)
    reg = mi.MIRegularizer(
        2, 1, bound="leaveoneout", critic="diagonalgaussian", hidden=(32,), lr=5e-3, steps=5, seed=seed
    )
    optimizer = torch.optim.Adam([*encoder.parameters(), *classifier.parameters()], lr=1e-2)
    noise = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        # With noise I(Z; S) is finite, and can be minimized.
        z = encoder(x[train])
        z = (z - z.mean(0)) / z.std(0) + 0.1 * torch.randn(z.shape, generator=noise)
        loss = cross_entropy(classifier(z), label[train])
        optimizer.zero_grad()
        (loss + beta * reg(z, secret[train])).backward()
        optimizer.step()
        reg.update(z, secret[train])
    with torch.no_grad():
        z = encoder(x)
        z = (z - z[train].mean(0)) / z[train].std(0)
        accuracy = (classifier(z[test]).argmax(1) == label[test]).float().mean()
    reader = RandomForestRegressor(random_state=0).fit(z[train].numpy(), secret[train, 0].numpy())
    return float(accuracy), max(0.0, reader.score(z[test].numpy(), secret[test, 0].numpy()))


def draw(runs: dict[float, tuple[float, float]], path: Path) -> None:
    """Accuracy and predicted variance by the weight of the penalty."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axis = figure.subplots()
    accuracy, secret = zip(*runs.values(), strict=True)
    for shift, values, color, label in (
        (-0.2, accuracy, "#1a66a8", "cultivar: accuracy of a classifier"),
        (0.2, secret, "#d55e00", "alcohol: R² of a forest"),
    ):
        at = [i + shift for i in range(len(runs))]
        axis.bar(at, values, 0.36, color=color, label=label, hatch="//" if shift > 0 else None, edgecolor="white")
        for place, value in zip(at, values, strict=True):
            axis.annotate(f"{value:.2f}", (place, value), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    axis.set_xticks(range(len(runs)), [f"{beta:g}" for beta in runs])
    axis.set(
        xlabel="beta, the weight of I(Z; alcohol)",
        ylabel="prediction from the code, held-out wines",
        ylim=(0, 1.3),
        yticks=[0, 0.5, 1],
    )
    axis.legend(frameon=False, loc="upper right")
    axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    options = ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--out", type=Path, help="file of a figure")
    out = options.parse_args().out
    print("beta   accuracy   alcohol predicted from the code (R2)")
    runs = {}
    for beta in (0.0, 0.3, 1.0):
        accuracy, secret = runs[beta] = tuple(torch.tensor([run(beta, seed) for seed in range(3)]).mean(0).tolist())
        print(f"{beta:4.1f}   {accuracy:8.1%}   {secret:8.2f}")
    if out:
        draw(runs, out)
