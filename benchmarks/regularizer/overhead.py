"""What a regularized step costs against a hand-written loop that does the same work; writes overhead.csv.

All loops train an encoder and a classifier with a penalty, then the critic, with fused Adam, clipped gradients of the
critic and a logged value. They take turns in one process, and the processor time of a few steps is compared: medians of
the ratios. There are two hand-written loops: one standardizes x and z by running statistics, as the library does (two
batch normalizations without parameters), and is what `ratio` compares with; the bare one standardizes nothing. Neither
checks anything.

python benchmarks/regularizer/overhead.py
"""

import csv
import math
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import mibounds as mi

ROUNDS, STEPS, BATCH, CODE = 40, 8, 128, 16
KINDS = "bare", "standardized", "library"
CRITICS = {"mine": "joint", "infonce": "separable", "nwj": "separable"}


def network(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """A perceptron."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.SiLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class Written:
    """The critics and bounds as one writes them for one loop."""

    def __init__(self, bound: str, hidden: Sequence[int], standardized: bool):
        self.bound, self.average = bound, torch.ones(())
        norms = (nn.BatchNorm1d(columns, momentum=0.05, affine=False) for columns in (64, CODE))
        self.norms = [*norms] if standardized else []
        parts = {"mine": ((64 + CODE, 1),), "infonce": ((64, 64), (CODE, 64)), "nwj": ((64, 64), (CODE, 64))}
        self.nets = [network(a, hidden, b) for a, b in parts.get(bound, ((64, 2 * CODE),))]
        self.parameters = [parameter for net in self.nets for parameter in net.parameters()]

    def value(self, x: Tensor, z: Tensor, train: bool) -> Tensor:
        """The penalty, or what the critic maximizes."""
        if self.norms:
            x, z = (norm.train(train)(side) for norm, side in zip(self.norms, (x, z), strict=True))
        if self.bound == "mine":
            return self.mine(x, z, train)
        if self.bound in ("infonce", "nwj"):
            scores = self.nets[0](x) @ self.nets[1](z).T / 8
            joint = scores.diagonal()
            if self.bound == "infonce":
                return (joint - scores.logsumexp(0)).mean() + math.log(BATCH)
            return 1 + joint.mean() - (scores.exp().sum() - joint.exp().sum()) / (BATCH * (BATCH - 1))
        mean, log_scale = self.nets[0](x).chunk(2, 1)
        log_scale = log_scale.clamp(-7, 7)
        if train:
            return (-(((z - mean) * torch.exp(-log_scale)) ** 2) / 2 - log_scale - 0.919).sum(1).mean()
        scores = (-(((z[:, None] - mean) * torch.exp(-log_scale)) ** 2) / 2 - log_scale - 0.919).sum(-1)
        joint = scores.diagonal()
        if self.bound == "club":
            return joint.mean() - (scores.sum() - joint.sum()) / (BATCH * (BATCH - 1))
        others = scores.masked_fill(torch.eye(BATCH, dtype=torch.bool), -torch.inf)
        return (joint - others.logsumexp(1) + math.log(BATCH - 1)).mean()

    def mine(self, x: Tensor, z: Tensor, train: bool) -> Tensor:
        """With one shuffle and a moving average."""
        order = torch.roll(torch.arange(BATCH), int(torch.randint(1, BATCH, ())))
        joint = self.nets[0](torch.cat([x, z], 1))
        partition = self.nets[0](torch.cat([x[order], z], 1)).exp().mean()
        if train:
            self.average = 0.99 * self.average + 0.01 * partition.detach()
        return joint.mean() - (partition.log().detach() + (partition - partition.detach()) / self.average)


def loop(bound: str, hidden: Sequence[int], kind: str) -> Callable[[], None]:
    """A step of a training loop, of one of the `KINDS`."""
    torch.manual_seed(0)
    encoder, head = network(64, (256, 256), CODE), nn.Linear(CODE, 10)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], 1e-4, fused=True)
    x, y = torch.randn(BATCH, 64), torch.randint(10, (BATCH,))
    weight = 0.1 if bound in ("club", "leaveoneout") else -0.1
    logged: list[float] = []
    if kind == "library":
        reg = mi.MIRegularizer(
            64, CODE, bound=bound, critic=CRITICS.get(bound, "diagonalgaussian"), hidden=hidden,
            negatives=1 if bound == "mine" else "all",
        )  # fmt: skip
    else:
        written = Written(bound, hidden, kind == "standardized")
        critic = torch.optim.Adam(written.parameters, 1e-3, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        z = encoder(x)
        loss = cross_entropy(head(z), y)
        if kind == "library":
            (loss + weight * reg(x, z)).backward()
            optimizer.step()
            reg.update(x, z)
            return
        for parameter in written.parameters:
            parameter.requires_grad_(False)
        penalty = written.value(x, z, False)
        for parameter in written.parameters:
            parameter.requires_grad_(True)
        (loss + weight * penalty).backward()
        optimizer.step()
        critic.zero_grad()
        (-written.value(x, z.detach(), True)).backward()
        nn.utils.clip_grad_norm_(written.parameters, 1.0)
        critic.step()
        logged.append(float(penalty.detach()))

    return step


def main() -> None:
    """Time both loops in turn, and print the median ratio of every setting."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with (Path(__file__).parent / "overhead.csv").open("w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["hidden", "bound", *(f"{kind}_ms" for kind in KINDS), "ratio_to_bare", "ratio"])
        for hidden in ((64,), (256, 256, 256)):
            for bound in ("mine", "infonce", "nwj", "club", "leaveoneout"):
                steps = [loop(bound, hidden, kind) for kind in KINDS]
                times = []
                for round_ in range(ROUNDS + 4):
                    one = []
                    for step in steps:
                        began = time.process_time()
                        for _ in range(STEPS):
                            step()
                        one.append((time.process_time() - began) / STEPS * 1e3)
                    if round_ >= 4:  # the first rounds warm up
                        times.append(one)
                ratios = [statistics.median(one[2] / one[other] for one in times) for other in (0, 1)]
                medians = [statistics.median(column) for column in zip(*times, strict=True)]
                writer.writerow(["x".join(map(str, hidden)), bound, *(round(one, 3) for one in [*medians, *ratios])])
                print(f"{hidden} {bound}: {ratios[0]:.3f} of the bare loop, {ratios[1]:.3f}", flush=True)


if __name__ == "__main__":
    main()
