import socket
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist

from mibounds._distributed import average, average_gradients


def test_alone_nothing_happens():
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    average_gradients([weight, torch.nn.Parameter(torch.ones(1))])
    average([weight.data])
    assert weight.grad.tolist() == [1, 2]
    assert weight.tolist() == [1, 1]


RANK = """
import sys, torch, torch.distributed as dist
from mibounds import MIRegularizer

rank, port, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
reg = MIRegularizer(2, 2, hidden=(8,), lr=1e-2, critic="separable")
generator = torch.Generator().manual_seed(rank)  # each rank has its own rows
for _ in range(3):
    x = torch.randn(32, 2, generator=generator)
    reg.update(x, x + torch.randn(32, 2, generator=generator))
torch.save([*reg.estimator.state_dict().values()], f"{folder}/{rank}.pt")
dist.destroy_process_group()
"""


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
def test_two_ranks_keep_the_same_critic(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ranks = [subprocess.Popen([sys.executable, "-c", RANK, str(i), str(port), str(tmp_path)]) for i in range(2)]
    assert [process.wait(timeout=120) for process in ranks] == [0, 0]
    one, other = (torch.load(tmp_path / f"{i}.pt") for i in range(2))
    assert len(one) > 3
    assert all(torch.allclose(a, b) for a, b in zip(one, other, strict=True))
