"""MIRegularizer in a distributed job: the lines of one process, with mismatched pairs from all ranks.

Example: torchrun --nproc-per-node 2 distributed_loop.py      (needs: pip install scikit-learn)
"""

import torch
import torch.distributed as dist
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

import mibounds as mi


class Model(nn.Module):
    """A classifier, its code and the regularizer of the code."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 8))
        self.head = nn.Linear(8, 10)
        self.reg = mi.MIRegularizer(64, 8, bound="infonce", critic="separable", hidden=(64,), shared=True)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The code and the logits."""
        z = self.encoder(x)
        return z, self.head(z)


def run(epochs: int = 5, beta: float = 0.1) -> dict[str, float]:
    """Train on this rank's part of the digits, and compare the weights of all ranks."""
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
    loader = DataLoader(data, batch_size=64, sampler=DistributedSampler(data), drop_last=True)
    model = Model()
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.Adam([*model.encoder.parameters(), *model.head.parameters()], lr=1e-3)
    loss = torch.zeros(())
    for _ in range(epochs):
        for x, y in loader:
            z, logits = parallel(x)
            loss = cross_entropy(logits, y)
            optimizer.zero_grad()
            mi.clipped_backward(loss, model.reg(x, z), model.encoder.parameters(), beta)
            optimizer.step()
            model.reg.update(x, z)
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    ends = torch.stack([weights, -weights])
    dist.all_reduce(ends, dist.ReduceOp.MAX)
    return {
        "loss": float(loss.detach()),
        "information": model.reg.value(),
        "difference": float((ends[0] + ends[1]).max()),
    }


if __name__ == "__main__":
    dist.init_process_group("gloo")
    found = run()
    if dist.get_rank() == 0:
        print(found)
    dist.destroy_process_group()
