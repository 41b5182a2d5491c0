"""The regularizer in a distributed job of two ranks: equal weights on both, and the step of one process."""

from pathlib import Path

import pytest
import torch

LOOPS = """
import copy, sys, warnings
import torch
import torch.distributed as dist
from torch import nn
import mibounds as mi
from mibounds._distributed import average_gradients, rank, ranks
from mibounds.warnings import SingleSampleWarning

KINDS = [
    ("mine", "joint", None), ("infonce", "separable", None), ("nwj", "joint", 3), ("jensenshannon", "separable", None),
    ("leaveoneout", "diagonalgaussian", None), ("club", "fullgaussian", None),
]

class Model(nn.Module):
    def __init__(self, **options):
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.head = nn.Linear(4, 2), nn.Linear(2, 3)
        self.reg = mi.MIRegularizer(4, 2, hidden=(8,), lr=1e-2, bound="infonce", critic="separable", **options)

    def forward(self, x):
        z = self.encoder(x)
        return z, self.head(z)

def batches(n, steps=6):
    g = torch.Generator().manual_seed(5)
    for _ in range(steps):
        x, y = torch.randn(2 * n, 4, generator=g), torch.randint(3, (2 * n,), generator=g)
        yield x.chunk(ranks())[rank()], y.chunk(ranks())[rank()]

def gap(module):
    tensors = torch.cat([p.detach().flatten() for p in module.parameters()])
    least, most = tensors.clone(), tensors.clone()
    dist.all_reduce(least, dist.ReduceOp.MIN), dist.all_reduce(most, dist.ReduceOp.MAX)
    return (most - least).max()

def train(model, inner, clipped):
    optimizer = torch.optim.Adam([*inner.encoder.parameters(), *inner.head.parameters()], 1e-2)
    scales = []
    for x, y in batches(16):
        z, logits = model(x)
        loss, penalty = nn.functional.cross_entropy(logits, y), inner.reg(x, z)
        optimizer.zero_grad()
        if clipped:
            scales.append(mi.clipped_backward(loss, penalty, inner.encoder.parameters(), 0.5))
        else:
            scales.append(mi.gradient_scale(loss, penalty, inner.encoder.parameters()))
            (loss - 0.5 * scales[-1] * penalty).backward()
        optimizer.step()
        inner.reg.update(x, z)
    # Not the critic's: where InfoNCE identifies nothing gradients are rounding errors, of which Adam makes steps.
    trained = [*inner.encoder.parameters(), *inner.head.parameters()]
    return torch.stack(scales), torch.cat([p.detach().flatten() for p in trained])

def shared_steps():
    for bound, critic, negatives in KINDS:
        torch.manual_seed(1)
        encoder = nn.Linear(4, 2)
        reg = mi.MIRegularizer(
            4, 2, bound=bound, critic=critic, negatives=negatives, hidden=(8,), lr=1e-9, shared=True, seed=rank()
        )
        # A critic that knows something, and steps that are too small for Adam to amplify rounding errors.
        for parameter in reg.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
        values = []
        for x, _ in batches(16):
            z = encoder(x) + 0.5 * x[:, :2].cos()
            encoder.zero_grad()
            penalty = reg(x, z)
            penalty.backward()
            reg.update(x, z)
            average_gradients(encoder.parameters())
            values.append(torch.cat([penalty.detach()[None], encoder.weight.grad.flatten()]))
        yield bound, (torch.stack(values), torch.tensor(reg.value()))
"""

RANK = """
from torch.nn.parallel import DistributedDataParallel as DDP

number, port, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.set_num_threads(1)
warnings.simplefilter("ignore")
dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=number, world_size=2)
found = {}
for clipped in (False, True):
    for unused in (False, True):
        inner = Model(shared=True)
        scales, weights = train(DDP(inner, find_unused_parameters=unused), inner, clipped)
        found["ddp", clipped, unused] = gap(inner), scales, weights
inner = Model(seed=number)
train(DDP(inner), inner, True)
found["seeds"] = gap(inner), gap(inner.reg)

class Own(mi.critics.Critic):
    def __init__(self):
        super().__init__()
        torch.manual_seed(rank())
        self.layer = nn.Linear(4, 2)

    def combine(self, hx, hy):
        return (self.layer(hx) * hy).sum(-1)

reg = mi.MIRegularizer(4, 2, critic=Own(), lr=1e-2)
x = next(batches(8))[0]
reg.update(x, x[:, :2])
found["own"] = gap(reg)
found["shared"] = dict(shared_steps())

reg = mi.MIRegularizer(4, 2, critic="separable", hidden=(8,))
for size in (8, 4 if number else 1, 8):  # the last batch of one rank has one sample
    reg.update(x[:size], x[:size, :2])
found["uneven"] = gap(reg), torch.tensor(reg.updates)

from torch.distributed.fsdp import fully_shard
model = Model()
fully_shard(model)
try:
    model.reg(x, x[:, :2].requires_grad_())
except RuntimeError as error:
    found["fsdp"] = str(error)
model = Model()
sharded = fully_shard(model, ignored_params=set(model.reg.parameters()))
optimizer = torch.optim.Adam([*model.encoder.parameters(), *model.head.parameters()], 1e-2)
for x, y in batches(16):
    z, logits = model(x)
    optimizer.zero_grad()
    (nn.functional.cross_entropy(logits, y) - 0.1 * model.reg(x, z)).backward()
    optimizer.step()
    model.reg.update(x, z)
found["ignored"] = gap(model.reg)
for clipped in (False, True):
    inner = Model()
    try:
        train(DDP(inner, static_graph=True), inner, clipped)
    except ValueError as error:
        found["static", clipped] = str(error)

root = nn.Sequential(nn.Linear(4, 2, bias=False))
fully_shard(root)
z = root(torch.ones(4, 4))
try:
    mi.clipped_backward(z.sum(), 2 * z.sum(), root.parameters(), 0.5)
except ValueError as error:
    found["root"] = str(error)

reg = mi.MIRegularizer(4, 2, bound="leaveoneout", critic="diagonalgaussian", hidden=(8,))
if number == 0:
    with mi.local_ranks():
        reg.update(x, x[:, :2])
try:
    reg.update(x, x[:, :2])
except ValueError as error:
    found["loaded"] = str(error)

reg = mi.MIRegularizer(4, 2, bound="leaveoneout", critic="flow", hidden=(8,), shared=True)
for x, _ in batches(16, steps=3):
    z = x[:, :2].clone().requires_grad_()
    reg(x, z).backward()
    reg.update(x, z)
tensors = torch.cat([buffer.flatten() for buffer in reg.buffers() if buffer.is_floating_point()])
others = [torch.empty_like(tensors) for _ in range(2)]
dist.all_gather(others, tensors)
found["flow"] = gap(reg), (others[0] - others[1]).abs().max()

sys.path.insert(0, EXAMPLES)
import distributed_loop
found["example"] = distributed_loop.run(epochs=4)
torch.save(found, f"{folder}/{number}.pt")
dist.destroy_process_group()
"""


EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def two_ranks(run_ranks, tmp_path_factory):
    """What each of two ranks found."""
    return run_ranks(f"EXAMPLES = {str(EXAMPLES)!r}\n{LOOPS}{RANK}", tmp_path_factory.mktemp("ranks"))


@pytest.fixture(scope="module")
def alone():
    scope = {}
    exec(LOOPS, scope)
    return scope


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("unused", [False, True])
@pytest.mark.parametrize("clipped", [False, True])
def test_data_parallel_training_takes_the_steps_of_one_process(two_ranks, alone, clipped, unused):
    """With and without a search for unused parameters, by `gradient_scale` and by `clipped_backward`."""
    model = alone["Model"](shared=True)
    scales, weights = alone["train"](model, model, clipped)
    for found in two_ranks:
        gap, ours, after = found["ddp", clipped, unused]
        assert float(gap) == 0
        assert torch.allclose(ours, scales, rtol=1e-4)
        assert (after - weights).abs().max() < 2e-5


def test_ranks_start_from_the_critic_of_the_first(two_ranks):
    for found in two_ranks:
        assert [float(gap) for gap in found["seeds"]] == [0, 0]
        assert float(found["own"]) == 0


@pytest.mark.filterwarnings("ignore")
def test_mismatched_pairs_of_all_ranks_give_the_values_and_gradients_of_one_process(two_ranks, alone):
    for bound, (values, running) in alone["shared_steps"]():
        for found in two_ranks:
            ours = found["shared"][bound]
            assert torch.allclose(ours[0], values, rtol=1e-5, atol=1e-6), bound
            assert float(ours[1]) == pytest.approx(float(running), rel=1e-5, abs=1e-6), bound


def test_a_rank_whose_last_batch_has_one_sample_does_not_stop_the_others(two_ranks):
    for found in two_ranks:
        gap, updates = found["uneven"]
        assert (float(gap), int(updates)) == (0, 3)


def test_fully_sharded_parameters_are_refused_and_a_regularizer_outside_works(two_ranks):
    for found in two_ranks:
        assert "keep the MIRegularizer outside" in found["fsdp"]
        assert float(found["ignored"]) == 0


def test_a_network_that_is_sharded_as_a_whole_is_refused_where_gradients_would_be_those_of_the_last_step(two_ranks):
    for found in two_ranks:
        assert "The network is sharded (fully_shard), and its gradients are reduced in" in found["root"]


def test_a_state_of_one_rank_only_is_refused(two_ranks):
    for found in two_ranks:
        expected = "Rank 1 has 0 updates of the regularizer and rank 0 has 1: load its state on every rank."
        assert found["loaded"] == expected


@pytest.mark.parametrize("clipped", [False, True])
def test_a_static_graph_is_refused(two_ranks, clipped):
    for found in two_ranks:
        assert "DistributedDataParallel(static_graph=True), which would not average" in found["static", clipped]


def test_the_example_of_a_job_trains_one_network(two_ranks):
    for found in two_ranks:
        assert found["example"]["difference"] == 0
        assert found["example"]["information"] > 0.5


def test_a_flow_and_its_running_regression_are_the_same_on_all_ranks(two_ranks):
    for found in two_ranks:
        assert [float(gap) for gap in found["flow"]] == [0, 0]
