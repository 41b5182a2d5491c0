import pytest
import torch

from mibounds._distributed import (
    all_gather,
    all_gather_objects,
    average,
    average_gradients,
    broadcast_object,
    broadcast_tensors,
    check_even_shares,
    check_same,
    on_rank_zero,
    rank,
    rank_slice,
    ranks,
)
from mibounds.critics import blocks


def test_without_a_job_gradients_and_tensors_stay_as_they_are():
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    average_gradients([weight, torch.nn.Parameter(torch.ones(1))])
    average([weight.data])
    assert weight.grad.tolist() == [1, 2]
    assert weight.tolist() == [1, 1]


# Of 16 samples each of two ranks has a half; one process has all of them.
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
    yield "InfoNCE", mi.MIEstimator(separable, bounds.InfoNCE(), shared=True)
    yield "symmetric MINE", mi.MIEstimator(separable, bounds.MINE(), symmetric=True, shared=True)
    yield "some negatives", mi.MIEstimator(joint, bounds.SMILE(), negatives=5, symmetric=True, shared=True)
    yield "JensenShannon", mi.MIEstimator(joint, bounds.JensenShannon(), shared=True)
    yield "likelihood", mi.MIEstimator(density, bounds.PlugIn(), shared=True)
    yield "telescope", mi.Telescope(3, 3, bridges=3, hidden=(8,), features=4, shared=True)

def steps():
    g = torch.Generator().manual_seed(1)
    whole = torch.randn(16, 6, generator=g, dtype=torch.float64)
    share = whole.chunk(ranks())[rank()]
    found = {}
    for size in (1 << 26, 1 << 10):  # of a block: all at once, and a few rows at a time
        blocks._BYTES, blocks.FEW_PAIRS = size, size >> 8
        for name, estimator in cases():
            estimator = estimator.double()
            x, y = (side.clone().requires_grad_() for side in share.chunk(2, 1))
            loss = estimator.loss(x, y, torch.Generator().manual_seed(2))
            loss.backward()
            average_gradients(estimator.parameters())
            parameters = torch.cat([p.grad.flatten() for p in estimator.parameters()])
            value = estimator.value(x, y, torch.Generator().manual_seed(2)).detach()
            # As a network below would have it, whose gradients are averaged too.
            found[name, size] = loss.detach(), value, parameters, x.grad / ranks(), y.grad / ranks()
            loss = estimator.validation_loss(*whole.chunk(2, 1))  # all ranks have these samples
            found["validation loss", name, size] = torch.tensor(loss, dtype=torch.float64)
    return found
"""

RANK = """
import sys, torch, torch.distributed as dist
from mibounds._distributed import (
    all_gather_objects, average, broadcast_object, broadcast_tensors, check_same, on_rank_zero, rank_slice
)

number, port, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=number, world_size=2)

found = steps()
try:
    rows = torch.zeros(4 + number, 3, dtype=torch.float64)
    mi.MIEstimator(critics.BilinearCritic(3, 3).double(), bounds.NWJ(), shared=True).loss(rows, rows)
except ValueError as error:
    found["uneven"] = str(error)

reg = mi.MIRegularizer(2, 2, hidden=(8,), lr=1e-2, critic="separable")
generator = torch.Generator().manual_seed(number)  # each rank has its own samples
for _ in range(3):
    x = torch.randn(32, 2, generator=generator)
    reg.update(x, x + torch.randn(32, 2, generator=generator))
found["regularizer"] = [*reg.estimator.state_dict().values()]

means, counts = torch.full((2, 3), 1.0 + number, dtype=torch.float64), torch.tensor([number, 7])
average([means, torch.zeros(2)])
mine = [torch.tensor(number == 1), torch.arange(3) + number, torch.full((2,), 0.5 + number)]
broadcast_tensors(mine)

def refuse():
    raise ValueError("no")

sentences = []
for attempt in (lambda: on_rank_zero(refuse), lambda: check_same({"x": "same", "y": str(number)})):
    try:
        attempt()
    except ValueError as error:
        sentences.append(str(error))
with mi.local_ranks():
    inside = (rank(), ranks(), broadcast_object(number))
own = rank_slice(5)
found["messages"] = (
    means, mine, broadcast_object(number), on_rank_zero(rank), all_gather_objects(number), (own.start, own.stop),
    sentences, inside,
)
torch.save(found, f"{folder}/{number}.pt")
dist.destroy_process_group()
"""


@pytest.fixture(scope="module")
def two_ranks(run_ranks, tmp_path_factory):
    """What each of two ranks found."""
    return run_ranks(SHARES + RANK, tmp_path_factory.mktemp("ranks"))


def test_two_ranks_keep_the_same_critic(two_ranks):
    one, other = (found["regularizer"] for found in two_ranks)
    assert len(one) > 3
    assert all(torch.allclose(a, b) for a, b in zip(one, other, strict=True))


def test_two_ranks_that_share_a_batch_take_the_step_of_one(two_ranks, monkeypatch):
    one, other = two_ranks
    for number, found in enumerate((one, other)):
        assert found["uneven"].startswith(f"This rank has {4 + number} rows of the batch, and the ranks have 4 to 5")
    scope = {}
    monkeypatch.setattr(blocks, "_BYTES", 0)  # what they were comes back
    monkeypatch.setattr(blocks, "FEW_PAIRS", 0)
    exec(SHARES, scope)  # the same code, alone
    alone = scope["steps"]()
    losses = {case: alone.pop(case) for case in [*alone] if case[0] == "validation loss"}
    assert len(alone) == len(losses) == 12
    for case, loss in losses.items():
        for found in (one[case], other[case]):
            assert torch.allclose(found, loss, rtol=1e-10, atol=1e-12), case
    for case, (loss, value, parameters, x, y) in alone.items():
        for ours in (one[case], other[case]):
            assert torch.allclose(torch.stack(ours[:2]), torch.stack([loss, value]), rtol=1e-10), case
            assert torch.allclose(ours[2], parameters, rtol=1e-8, atol=1e-12), case
        for whole, shares in ((x, (one[case][3], other[case][3])), (y, (one[case][4], other[case][4]))):
            assert torch.allclose(torch.cat(shares), whole, rtol=1e-8, atol=1e-12), case


def test_messages_between_two_ranks(two_ranks):
    for number, found in enumerate(two_ranks):
        means, (flag, counts, halves), same, first, every, own, sentences, inside = found["messages"]
        assert means.tolist() == [[1.5] * 3] * 2
        assert (bool(flag), counts.tolist(), halves.tolist()) == (False, [0, 1, 2], [0.5, 0.5])
        assert (same, first, every, own) == (0, 0, [0, 1], [(0, 2), (2, 5)][number])
        assert sentences[0] == "no"
        assert sentences[1].startswith("Rank 1 has another fit than rank 0, with y 1 (rank 0: 0): call this on every")
        assert inside == (0, 1, number), "in local_ranks a rank sends and receives nothing"


def test_without_a_job_a_slice_is_the_batch():
    rows = torch.ones(3, 2)
    assert all_gather(rows) is rows
    assert (rank(), ranks()) == (0, 1)
    check_even_shares(3, rows.device)
    broadcast_tensors([rows])
    check_same({"a": "b"})
    assert (broadcast_object(5), on_rank_zero(lambda: 6), all_gather_objects(7), rank_slice(8)) == (
        5,
        6,
        [7],
        slice(0, 8),
    )
