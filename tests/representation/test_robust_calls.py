"""Loops of all kinds: line searches, scaled losses, compiled steps, evaluation in between, infinite values."""

import copy

import pytest
import torch
from torch import nn

from mibounds import MIRegularizer, clipped_backward, gradient_scale
from mibounds.critics import Critic, FlowCritic
from mibounds.tasks import CorrelatedGaussian
from mibounds.warnings import NonFiniteStepWarning

SMALL = {"hidden": (16,), "lr": 1e-2}
KINDS = [
    ("mine", "joint", 3), ("infonce", "separable", None), ("nwj", "bilinear", None),
    ("leaveoneout", "diagonalgaussian", None), ("club", "fullgaussian", None), ("smile", "joint", 1),
]  # fmt: skip


def pair(n=64, seed=0):
    return CorrelatedGaussian(2, 0.8).sample(n, torch.Generator().manual_seed(seed))


def trained(bound="mine", critic="joint", negatives=None, **options):
    reg = MIRegularizer(2, 2, bound=bound, critic=critic, negatives=negatives, **{**SMALL, **options})
    for seed in range(4):
        reg.update(*pair(seed=seed))
    return reg


@pytest.mark.parametrize("kind", KINDS)
def test_the_value_at_a_point_is_the_same_until_the_next_update(kind):
    """As a line search needs it: LBFGS evaluates its closure many times in a step."""
    reg = trained(*kind)
    x, z = pair()
    first = reg(x, z.requires_grad_())
    assert torch.equal(reg(x, z), first)
    weight = nn.Parameter(torch.eye(2))
    optimizer = torch.optim.LBFGS([weight], max_iter=4, line_search_fn="strong_wolfe")
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = (weight - torch.eye(2) / 2).square().sum() + 0.01 * reg(x, x @ weight)
        loss.backward()
        losses.append(float(loss.detach()))
        return loss

    if kind[0] in ("club", "leaveoneout", "smile"):  # minimized
        optimizer.step(closure)
        assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_does_not_change_the_training(kind):
    plain, evaluated = trained(*kind), trained(*kind)
    for seed in range(4):
        x, z = pair(seed=10 + seed)
        plain.update(x, z)
        with torch.no_grad():
            evaluated.eval()
            evaluated(*(2 * side for side in pair(n=50, seed=99)))
            evaluated.train()
        evaluated.update(x, z)
    assert plain.value() == evaluated.value()
    for a, b in zip(plain.state_dict().values(), evaluated.state_dict().values(), strict=True):
        assert torch.equal(a.nan_to_num(), b.nan_to_num())


class Exploding(Critic):
    """f = w (x . z): e^f of NWJ overflows for a large weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1e4))

    def combine(self, hx, hy):
        return self.weight * (hx * hy).sum(-1)


@pytest.mark.parametrize("clipped", [False, True])
def test_a_penalty_that_is_not_finite_leaves_the_gradient_of_the_loss(clipped):
    torch.manual_seed(0)
    encoder = nn.Linear(2, 2)
    reg = MIRegularizer(2, 2, bound="nwj", critic=Exploding())
    x, _ = pair()
    encoder(x).square().mean().backward()
    expected = encoder.weight.grad.clone()
    encoder.zero_grad()
    z = encoder(x)
    loss = z.square().mean()
    with pytest.warns(NonFiniteStepWarning, match="value of NWJ is not finite"):
        penalty = reg(x, z)
    if clipped:
        clipped_backward(loss, penalty, encoder.parameters())
    else:
        scale = gradient_scale(loss, penalty, encoder.parameters())
        (loss - 0.5 * scale * penalty).backward()
    assert torch.equal(encoder.weight.grad, expected)


def test_a_gradient_that_is_not_finite_is_left_out():
    class Root(Critic):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def combine(self, hx, hy):
            return self.weight * ((hx - hy).abs().sum(-1)).sqrt()  # infinite slope where x = z

    x, _ = pair()
    z = x.clone().requires_grad_()
    loss = z.square().mean()
    penalty = MIRegularizer(2, 2, bound="infonce", critic=Root())(x, z)
    (loss - 0.0 * penalty).backward()
    assert torch.allclose(z.grad, 2 * z.detach() / z.numel())


def test_both_terms_are_scaled_for_half_precision():
    torch.manual_seed(0)
    encoder = nn.Linear(2, 2)
    reg, (x, _) = trained("infonce", "separable"), pair()
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    def terms():
        z = encoder(x)
        return z.square().mean(), reg(x, z)

    clipped_backward(*terms(), encoder.parameters(), 0.5)
    expected = encoder.weight.grad.clone()
    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.1)
    for use in ("clipped", "scale"):
        optimizer.zero_grad()
        loss, penalty = terms()
        if use == "clipped":
            clipped_backward(scaler.scale(loss), scaler.scale(penalty), encoder.parameters(), 0.5)
        else:
            scale = gradient_scale(loss, penalty, encoder.parameters())
            scaler.scale(loss - 0.5 * scale * penalty).backward()
        scaler.unscale_(optimizer)
        assert torch.allclose(encoder.weight.grad, expected, atol=1e-6)
        scaler.step(optimizer)
        scaler.update()
        encoder.load_state_dict(encoder.state_dict())
        with torch.no_grad():
            encoder.weight.add_(0.1 * expected)
            encoder.bias.add_(0.1 * encoder.bias.grad)


@pytest.mark.parametrize("kind", KINDS)
def test_a_regularized_loss_is_compiled_without_graph_breaks(kind):
    torch.manual_seed(0)
    encoder = nn.Linear(2, 2)
    reg = trained(*kind, check=False)

    def loss(x):
        z = encoder(x)
        return z.square().mean() - 0.1 * reg(x, z)

    x, _ = pair()
    expected = torch.autograd.grad(loss(x), encoder.weight)[0]
    torch._dynamo.reset()
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    assert torch.allclose(torch.autograd.grad(compiled(x), encoder.weight)[0], expected, atol=1e-6)
    reg.update(x, encoder(x))
    assert torch.allclose(compiled(x), loss(x), atol=1e-6)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("scale, offset", [(1e-2, 1.0), (1e3, 0.0), (1.0, 100.0), (1e3, 1e5)])
@pytest.mark.parametrize(
    "bound, critic",
    [("mine", "joint"), ("infonce", "separable"), ("leaveoneout", "diagonalgaussian"), ("nwj", "bilinear")],
)
def test_units_do_not_matter(bound, critic, scale, offset):
    """The value after some updates is that of standardized columns."""
    plain, other = (MIRegularizer(2, 2, bound=bound, critic=critic, **SMALL) for _ in range(2))
    for seed in range(30):
        x, z = pair(seed=seed)
        plain.update(x, z)
        other.update(scale * x + offset, scale * z - offset)
    assert other.value() == pytest.approx(plain.value(), rel=0.02, abs=5e-3)


@pytest.mark.parametrize("by_name", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_flow_is_prepared_by_the_first_batch(by_name):
    reg = MIRegularizer(
        2,
        2,
        bound="leaveoneout",
        critic="flow" if by_name else FlowCritic(2, 2, hidden=(32, 32)),
        hidden=(32, 32),
        lr=3e-3,
    )
    generator = torch.Generator().manual_seed(0)
    task = CorrelatedGaussian(2, 0.8)  # 1.02 nats
    for _ in range(30):
        x, z = task.sample(64, generator)
        reg.update(x, 20 * z + 10)
    with torch.no_grad():
        values = [float(reg(x, 20 * z + 10)) for x, z in (task.sample(200, generator) for _ in range(4))]
    assert sum(values) / 4 == pytest.approx(1.02, rel=0.12)


@pytest.mark.filterwarnings("ignore::mibounds.warnings.WrongSideWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_accumulated_gradients_are_those_of_the_mean_of_both_batches(kind):
    reg = trained(*kind)
    weight = nn.Parameter(torch.eye(2))
    for seed in (20, 21):
        (reg(pair(seed=seed)[0], pair(seed=seed)[1] @ weight) / 2).backward()
    found, weight.grad = weight.grad, None
    penalties = [reg(pair(seed=seed)[0], pair(seed=seed)[1] @ weight) for seed in (20, 21)]
    ((penalties[0] + penalties[1]) / 2).backward()
    assert torch.allclose(weight.grad, found, atol=1e-6)


def test_the_value_of_an_update_is_that_of_its_own_batch():
    """A call on held-out rows comes between the penalty and the update; their information is that of independence."""
    draw = torch.Generator().manual_seed(0)
    reg = MIRegularizer(2, 2, bound="leaveoneout", critic="diagonalgaussian", hidden=(8,), lr=1e-2)
    x = torch.randn(128, 2, generator=draw)
    z = (x + 0.5 * torch.randn(128, 2, generator=draw)).requires_grad_()
    other_x, other_z = torch.randn(128, 2, generator=draw), torch.randn(128, 2, generator=draw, requires_grad=True)
    for _ in range(60):
        reg(x, z)
        reg.update(x, z.detach())
    alone, calls = reg.value(), []
    own = reg.estimator.value
    reg.estimator.value = lambda *given, **options: calls.append(0) or own(*given, **options)
    for _ in range(3):
        reg(x, z), reg.update(x, z.detach())
    assert len(calls) == 3, "the value of the call is used again"
    for _ in range(100):
        reg(x, z), reg(other_x, other_z)
        reg.update(x, z)
    assert reg.value() > 0.5 * alone > 0


def test_copies_that_get_the_buffers_get_the_statistics():
    model = nn.ModuleDict({"reg": MIRegularizer(3, 2, bound="infonce", critic="separable", hidden=(8,))})
    average = copy.deepcopy(model)
    draw = torch.Generator().manual_seed(0)
    for _ in range(10):
        x = 100 * torch.randn(64, 3, generator=draw)
        model["reg"].update(x, x[:, :2])
    for one, other in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        one.copy_(other)
    for one, other in zip(average.buffers(), model.buffers(), strict=True):
        one.copy_(other)
    x = torch.randn(64, 3, generator=draw)
    with torch.no_grad():
        assert float(average["reg"](x, x[:, :2])) == pytest.approx(float(model["reg"](x, x[:, :2])), abs=1e-6)


@pytest.mark.parametrize("critic", ["diagonalgaussian", "fullgaussian", "flow"])
def test_averages_of_models_follow_units_that_die(critic):
    reg = MIRegularizer(3, 2, bound="leaveoneout", critic=critic, hidden=(8,))
    model = nn.ModuleDict({"encoder": nn.Linear(3, 2), "reg": reg})
    average = torch.optim.swa_utils.AveragedModel(model)
    x, z = torch.randn(64, 3), torch.randn(64, 2)
    for dead in (False, True, False):
        reg.update(x, torch.cat([z[:, :1], 0 * z[:, 1:]], 1) if dead else z)
        average.update_parameters(model)
    assert len([*average.module.buffers()]) == len([*model.buffers()])
