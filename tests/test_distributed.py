import socket
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist

from mibounds._distributed import average, average_gradients, check_even_shares, gathered, rank, ranks
from mibounds.critics import blocks


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


# Of the rows of 16, each of two ranks has a half; alone, all of them.
SHARES = """
import copy
import torch
import mibounds as mi
from mibounds import bounds, critics
from mibounds._distributed import average_gradients, rank, ranks
from mibounds.critics import blocks

def cases():
    torch.manual_seed(0)
    separable, joint = critics.SeparableCritic(3, 3, hidden=(8,)), critics.JointCritic(3, 3, hidden=(8, 8))
    density = critics.DiagonalGaussianCritic(3, 3, hidden=(8,))
    for critic in (separable, joint, density):
        for parameter in critic.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
    yield "InfoNCE", separable, bounds.InfoNCE(), {}
    yield "symmetric MINE", separable, bounds.MINE(), {"symmetric": True}
    yield "some negatives", joint, bounds.SMILE(), {"negatives": 5, "symmetric": True}
    yield "JensenShannon", joint, bounds.JensenShannon(), {}
    yield "likelihood", density, bounds.PlugIn(), {}

def steps():
    g = torch.Generator().manual_seed(1)
    whole = torch.randn(16, 6, generator=g, dtype=torch.float64)
    share = whole.chunk(ranks())[rank()]
    found = {}
    for size in (1 << 26, 1 << 10):  # of a block: all at once, and a few rows at a time
        blocks._BYTES = size
        for name, critic, bound, options in cases():
            estimator = mi.MIEstimator(critic, bound, shared=True, **options).double()
            x, y = (side.clone().requires_grad_() for side in share.chunk(2, 1))
            loss = estimator.loss(x, y, torch.Generator().manual_seed(2))
            loss.backward()
            average_gradients(estimator.parameters())
            parameters = torch.cat([p.grad.flatten() for p in estimator.parameters()])
            value = estimator.validate(x, y, torch.Generator().manual_seed(2)).detach()
            # As a network below would have it, whose gradients are averaged too.
            found[name, size] = loss.detach(), value, parameters, x.grad / ranks(), y.grad / ranks()
    return found
"""

RANK_WITH_A_SHARE = """
import sys, torch, torch.distributed as dist

number, port, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=number, world_size=2)
found = steps()
try:
    rows = torch.zeros(4 + number, 3, dtype=torch.float64)
    mi.MIEstimator(critics.BilinearCritic(3, 3).double(), bounds.NWJ(), shared=True).loss(rows, rows)
except ValueError as error:
    found["uneven"] = str(error)
torch.save(found, f"{folder}/{number}.pt")
dist.destroy_process_group()
"""


def run_ranks(script, folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ranks = [subprocess.Popen([sys.executable, "-c", script, str(i), str(port), str(folder)]) for i in range(2)]
    assert [process.wait(timeout=120) for process in ranks] == [0, 0]
    return [torch.load(folder / f"{i}.pt", weights_only=True) for i in range(2)]


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
def test_two_ranks_keep_the_same_critic(tmp_path):
    one, other = run_ranks(RANK, tmp_path)
    assert len(one) > 3
    assert all(torch.allclose(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
def test_two_ranks_that_share_a_batch_take_the_step_of_one(tmp_path, monkeypatch):
    one, other = run_ranks(SHARES + RANK_WITH_A_SHARE, tmp_path)
    for number, found in enumerate((one, other)):
        assert found.pop("uneven").startswith(
            f"This rank has {4 + number} rows of the batch, and the ranks have 4 to 5"
        )
    scope = {}
    monkeypatch.setattr(blocks, "_BYTES", 0)  # what it was comes back
    exec(SHARES, scope)  # the same code, alone
    alone = scope["steps"]()
    assert len(alone) == 10
    for case, (loss, value, parameters, x, y) in alone.items():
        for ours in (one[case], other[case]):
            assert torch.allclose(torch.stack(ours[:2]), torch.stack([loss, value]), rtol=1e-10), case
            assert torch.allclose(ours[2], parameters, rtol=1e-8, atol=1e-12), case
        for whole, shares in ((x, (one[case][3], other[case][3])), (y, (one[case][4], other[case][4]))):
            assert torch.allclose(torch.cat(shares), whole, rtol=1e-8, atol=1e-12), case


def test_alone_a_share_is_the_batch():
    rows = torch.ones(3, 2)
    assert gathered(rows) is rows
    assert (rank(), ranks()) == (0, 1)
    check_even_shares(3, rows.device)
