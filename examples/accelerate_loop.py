"""MIRegularizer inside a Hugging Face Accelerate loop: the same lines, whatever the number of processes.

Example: python3 accelerate_loop.py      (needs: pip install accelerate scikit-learn)
"""

import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import mibounds as mi


def run(epochs: int = 5, beta: float = 0.1) -> dict[str, float]:
    """Train on the digits and return the last loss and the running information in nats."""
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True)
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
    encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8))
    model = nn.ModuleDict({"encoder": encoder, "head": nn.Linear(8, 10)})
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(data, batch_size=128, shuffle=True)
    encoder, head, optimizer, loader = accelerator.prepare(model["encoder"], model["head"], optimizer, loader)
    # Not prepared: it has its own optimizer, and averages its gradients over the processes.
    reg = mi.MIRegularizer(64, 8, bound="infonce", critic="separable", hidden=(64,), lr=1e-3, device=accelerator.device)
    loss = torch.zeros(())
    for _ in range(epochs):
        for x, y in loader:
            z = encoder(x)
            loss = cross_entropy(head(z), y)
            penalty = reg(x, z)
            scale = mi.gradient_scale(loss, penalty, encoder.parameters())
            optimizer.zero_grad()
            accelerator.backward(loss - beta * scale * penalty)
            optimizer.step()
            reg.update(x, z)
    return {"loss": float(loss.detach()), "information": reg.value()}


if __name__ == "__main__":
    print(run())
