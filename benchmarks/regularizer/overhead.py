"""What a regularized step costs against the sum of its parts, interleaved in one run; writes overhead.csv.

python benchmarks/regularizer/overhead.py
"""

import csv
import statistics
import time
from pathlib import Path

import torch
from torch import nn

import mibounds as mi

ROUNDS, STEPS, BATCH = 9, 60, 256


def main() -> None:
    """Time whole steps and their parts in turn, and print the median ratio."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 16))
    head = nn.Linear(16, 10)
    parameters = list(encoder.parameters())
    optimizer = torch.optim.Adam([*parameters, *head.parameters()], lr=1e-4)
    reg = mi.MIRegularizer(64, 16, bound="mine", critic="joint")
    x, y = torch.randn(BATCH, 64), torch.randint(0, 10, (BATCH,))
    encoded = encoder(x).detach()

    def user_step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(encoder(x)), y).backward()
        optimizer.step()

    def critic_forward_backward() -> None:
        for parameter in parameters:
            parameter.grad = None
        (-reg(x, encoder(x))).backward()

    def critic_update() -> None:
        reg.update(x, encoded)

    def regularized_step() -> None:
        optimizer.zero_grad()
        z = encoder(x)
        loss = nn.functional.cross_entropy(head(z), y)
        head_gradients = torch.autograd.grad(loss, list(head.parameters()), retain_graph=True)
        mi.clipped_backward(loss, reg(x, z), parameters)
        for parameter, gradient in zip(head.parameters(), head_gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        reg.update(x, z)

    parts = (user_step, critic_forward_backward, critic_update)
    rows = []
    for round_ in range(ROUNDS + 1):
        times = []
        for part in (*parts, regularized_step):
            began = time.perf_counter()
            for _ in range(STEPS):
                part()
            times.append((time.perf_counter() - began) / STEPS * 1e3)
        if round_:  # the first round warms up
            rows.append([*times, times[3] / sum(times[:3])])
    with (Path(__file__).parent / "overhead.csv").open("w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["user_step_ms", "critic_forward_backward_ms", "critic_update_ms", "regularized_step_ms", "ratio"]
        )
        writer.writerows([round(value, 4) for value in row] for row in rows)
    ratio = statistics.median(row[4] for row in rows)
    print(f"torch {torch.__version__}, {ROUNDS} rounds of {STEPS} steps, median ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
