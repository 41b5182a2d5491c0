import os
import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from mibounds import MIRegularizer
from mibounds._distributed import average, average_gradients


def test_alone_nothing_happens():
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    average_gradients([weight, torch.nn.Parameter(torch.ones(1))])
    average([weight.data])
    assert weight.grad.tolist() == [1, 2]
    assert weight.tolist() == [1, 1]


def rank(i, port, folder):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=i, world_size=2)
    reg = MIRegularizer(2, 2, hidden=(8,), lr=1e-2, critic="separable")
    generator = torch.Generator().manual_seed(i)  # each rank has its own rows
    for _ in range(3):
        x = torch.randn(32, 2, generator=generator)
        reg.update(x, x + torch.randn(32, 2, generator=generator))
    torch.save([*reg.estimator.state_dict().values()], f"{folder}/{i}.pt")
    dist.destroy_process_group()


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
def test_two_ranks_keep_the_same_critic(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mp.spawn(rank, args=(port, str(tmp_path)), nprocs=2)
    one, other = (torch.load(tmp_path / f"{i}.pt") for i in range(2))
    assert all(torch.allclose(a, b) for a, b in zip(one, other, strict=True))
