"""Rows in blocks against the same rows from all scores at once."""

import copy

import pytest
import torch
from torch import nn

from mibounds import MIEstimator, MIRegularizer, gradient_scale
from mibounds.bounds import (
    CLUB,
    MINE,
    NWJ,
    SMILE,
    DonskerVaradhan,
    InfoNCE,
    InfoNCEAnchor,
    JensenShannon,
    LeaveOneOut,
)
from mibounds.critics import (
    DiagonalGaussianCritic,
    FlowCritic,
    FunctionCritic,
    JointCritic,
    SeparableCritic,
    WithOffset,
    blocks,
    score,
)
from mibounds.estimators import mi_estimator

BOUNDS = [InfoNCE(), DonskerVaradhan(), MINE(), NWJ(), JensenShannon(), SMILE(), InfoNCEAnchor()]


def critics():
    torch.manual_seed(0)
    separable = SeparableCritic(3, 2, hidden=(16,), embedding=8)
    joint = JointCritic(3, 2, hidden=(16, 16))
    nested = WithOffset(SeparableCritic(3, 2, hidden=(8,)), DiagonalGaussianCritic(3, 2, hidden=(8,)))
    for critic in (separable, joint, nested):
        for parameter in critic.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)  # away from the zero start
    return {"separable": separable, "joint": joint, "nested": nested}


def rows(n, dtype=torch.float64):
    g = torch.Generator().manual_seed(1)
    x = torch.randn(n, 3, generator=g)
    y = x[:, :2] + torch.randn(n, 2, generator=g)
    return x.to(dtype).requires_grad_(), y.to(dtype).requires_grad_()


@pytest.fixture
def small(monkeypatch):
    """Everything is scored in blocks, and encodings are made again; how few bytes a block may have is given."""

    def set_to(size):
        monkeypatch.setattr(mi_estimator, "FEW_PAIRS", 0)
        monkeypatch.setattr(blocks, "_BYTES", size)
        monkeypatch.setattr(blocks, "_ROWS", 10)

    return set_to


def test_no_piece_is_empty(small):
    """A flow cannot score one, and every square is between two pieces of which the outer ones are empty."""
    small(1 << 30)
    critic = FlowCritic(3, 2, hidden=(8,))
    x, y = rows(20, torch.float32)
    expected = LeaveOneOut()(*score(critic, x, y)[:2])
    assert torch.allclose(MIEstimator(critic, LeaveOneOut()).value(x, y), expected, atol=1e-5)


def step(made, x, y, method="loss"):
    """The number and all gradients of a step."""
    made.zero_grad()
    x.grad = y.grad = None
    number = getattr(made, method)(x, y, torch.Generator().manual_seed(3))
    number.backward()
    parameters = torch.cat([p.grad.flatten() for p in made.parameters() if p.grad is not None])
    return [number.detach().reshape(1), parameters, x.grad, y.grad]


def difference(one, other):
    return max(float((a - b).norm() / b.norm().clamp_min(1e-3)) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "critic, negatives, symmetric, size",  # of some eight blocks
    [
        ("separable", "all", False, 1 << 11),
        ("separable", "all", True, 1 << 11),
        ("separable", 4, True, 1 << 10),
        ("joint", "all", True, 1 << 15),
        ("joint", 4, False, 1 << 13),
        ("nested", "all", False, 1 << 13),
    ],
)
@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: type(bound).__name__)
def test_exact(bound, critic, negatives, symmetric, size, small):
    x, y = rows(23)
    plain = MIEstimator(critics()[critic], bound, negatives=negatives, symmetric=symmetric).double()
    blocked = copy.deepcopy(plain)
    expected = step(plain, x, y)
    small(size)
    assert difference(step(blocked, x, y), expected) < 1e-10
    assert difference(step(blocked, x, y, "value"), step(plain, x, y, "value")) < 1e-10


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: type(bound).__name__)
def test_a_thousand_rows_in_single_precision(bound, symmetric, small, monkeypatch):
    x, y = rows(1024, torch.float32)
    made = MIEstimator(critics()["separable"], bound, symmetric=symmetric)
    monkeypatch.setattr(mi_estimator, "FEW_PAIRS", 1 << 20)
    expected = step(copy.deepcopy(made), x, y)
    small(1 << 20)
    assert difference(step(made, x, y), expected) < 1e-5


@pytest.mark.parametrize("bound", [CLUB(), LeaveOneOut()], ids=lambda b: type(b).__name__)
def test_densities_are_read_in_blocks(bound, small):
    x, y = rows(41)
    made = MIEstimator(DiagonalGaussianCritic(3, 2, hidden=(8,)), bound).double()
    expected = step(made, x, y, "value")
    small(1)  # one row at a time
    assert difference(step(made, x, y, "value"), expected) < 1e-10


def test_no_block_is_larger_than_asked_for(small):
    scored = []

    def function(x, y):
        scores = (x[..., :2] * y).sum(-1)
        scored.append(scores.numel())
        return scores

    x, y = rows(200)
    small(1 << 16)
    MIEstimator(FunctionCritic(function), NWJ()).loss(x, y).backward()
    assert max(scored) < 200 * 200 / 4
    # Each pair forward and again backward, and three rows that were measured.
    assert sum(scored) == 2 * 200 * 200 + 3 * 200


def test_nothing_is_kept_of_the_scores(small):
    x, y = rows(200)
    small(1 << 16)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (kept.append(t.numel()), t)[1], lambda t: t):
        MIEstimator(critics()["joint"].double(), InfoNCE()).loss(x, y).backward()
    assert max(kept) <= 200 * 200 * 16 / 8


def test_parameters_that_are_not_registered_are_trained_too(small):
    x, y = rows(41)
    hidden = nn.Linear(3, 2).double()  # inside a function, where no module sees it
    made = MIEstimator(FunctionCritic(lambda x, y: (hidden(x) * y).sum(-1)), InfoNCE())
    made.loss(x, y).backward()
    expected, hidden.weight.grad = hidden.weight.grad, None
    small(1 << 12)
    made.loss(x, y).backward()
    assert torch.allclose(hidden.weight.grad, expected)


def test_a_regularizer_in_blocks(small):
    """Its critic is frozen while the penalty is made, and trained again when gradients are taken."""
    x, y = (side.detach() for side in rows(41, torch.float32))
    encoder = nn.Linear(3, 2)
    reg = MIRegularizer(3, 2, bound="infonce", critic="joint", hidden=(8, 8), lr=0.1)
    for _ in range(3):
        reg.update(x, y)

    def gradients():
        z = encoder(x)
        loss, penalty = z.square().mean(), reg(x, z)
        scale = gradient_scale(loss, penalty, encoder.parameters())
        return [penalty.detach(), *torch.autograd.grad(loss - scale * penalty, encoder.parameters())]

    expected = gradients()
    small(1 << 12)
    for found, wanted in zip(gradients(), expected, strict=True):
        assert torch.allclose(found, wanted, rtol=1e-4)
    assert all(parameter.grad is None for parameter in reg.estimator.parameters())
    reg.update(x, y)
    assert reg.updates == 4


def test_without_gradients(small):
    x, y = rows(41)
    made = MIEstimator(critics()["joint"], InfoNCE()).double()
    expected = made.value(x, y)
    small(1 << 14)
    with torch.no_grad():
        found = made.value(x, y)
    assert torch.allclose(found, expected)
    assert not found.requires_grad


def test_scores_in_half_precision(small):
    x, y = rows(41, torch.float32)
    made = MIEstimator(critics()["joint"], InfoNCE())
    with torch.autocast("cpu", torch.bfloat16):
        expected = step(made, x, y)
    small(1 << 14)
    with torch.autocast("cpu", torch.bfloat16):
        number = made.loss(x, y)
    made.zero_grad()
    number.backward()  # outside of autocast, as it should be
    found = torch.cat([p.grad.flatten() for p in made.parameters()])
    assert difference([number.detach().reshape(1), found], expected[:2]) < 0.03
