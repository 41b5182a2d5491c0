import pytest
import torch
from torch import nn

from mibounds.critics.recompute import recomputed, repeatable, trained


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.SiLU(), nn.Linear(8, 2)).double()


def in_pieces(function, x, width):
    pieces = [lambda x, i=i: function(x[i : i + width]) for i in range(0, len(x), width)]
    leaf = x.detach().requires_grad_()
    plain = function(leaf)
    return recomputed([part.detach() for part in plain], pieces, [x], trained(plain, [leaf]))


def test_gradients_are_those_of_the_plain_computation(network):
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)

    def function(x):
        return network(x).sum(-1), x.square().sum(-1)

    one, other = function(x)
    (one.exp() * other).sum().backward()
    expected = [x.grad.clone(), *(p.grad.clone() for p in network.parameters())]
    x.grad = None
    network.zero_grad()
    one, other = in_pieces(function, x, 3)
    assert torch.equal(one, network(x).sum(-1))
    (one.exp() * other).sum().backward()
    for found, wanted in zip([x.grad, *(p.grad for p in network.parameters())], expected, strict=True):
        assert torch.allclose(found, wanted, rtol=1e-12)


def test_what_was_frozen_stays_frozen(network):
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    network.requires_grad_(False)
    (rows,) = in_pieces(lambda x: (network(x).sum(-1),), x, 3)
    network.requires_grad_(True)
    rows.sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(p.grad is None for p in network.parameters())


def test_what_is_frozen_after_the_forward_pass_gets_no_gradient(network):
    """As in a plain backward pass."""
    x = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    (rows,) = in_pieces(lambda x: (network(x).sum(-1),), x, 3)
    network.requires_grad_(False)
    rows.sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(p.grad is None for p in network.parameters())


def test_results_without_gradients_and_inputs_without_use(network):
    x = torch.randn(4, 3, dtype=torch.float64)
    unused = torch.ones(2, dtype=torch.float64, requires_grad=True)
    pieces = [lambda x, _: (network(x).sum(-1), x[:, 0])]
    results = [part.detach() for part in pieces[0](x, unused)]
    one, other = recomputed(results, pieces, [x, unused], list(network.parameters()))
    (one.sum() + other.sum()).backward()
    assert unused.grad is None
    assert network[0].weight.grad.abs().sum() > 0


def test_dropped_units_are_the_same_again():
    torch.manual_seed(0)
    dropping = nn.Sequential(nn.Linear(3, 64), nn.Dropout(0.5), nn.Linear(64, 1))
    x = torch.randn(5, 3)
    again = repeatable(dropping, x.device, dropping)
    state = torch.get_rng_state()
    first = again(x)
    assert torch.equal(again(x), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(repeatable(dropping, x.device, dropping)(x), first)


def test_autocast_is_the_same_again():
    layer = nn.Linear(3, 3)
    with torch.autocast("cpu", torch.bfloat16):
        again = repeatable(layer, torch.device("cpu"), layer)
    assert again(torch.ones(1, 3)).dtype == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16, enabled=False):
        again = repeatable(layer, torch.device("cpu"), layer)
    with torch.autocast("cpu", torch.bfloat16):
        assert again(torch.ones(1, 3)).dtype == torch.float32


def test_twice_with_a_kept_graph_but_no_second_gradient(network):
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    (rows,) = in_pieces(lambda x: (network(x).square().sum(-1),), x, 3)
    (first,) = torch.autograd.grad(rows.sum(), x, retain_graph=True)
    (second,) = torch.autograd.grad(rows.sum(), x, retain_graph=True)
    assert torch.equal(first, second)
    with pytest.raises(RuntimeError, match="second gradient"):
        torch.autograd.grad(rows.sum(), x, create_graph=True)


def test_a_step_between_the_passes_is_refused(network):
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    (rows,) = in_pieces(lambda x: (network(x).sum(-1),), x, 3)
    with torch.no_grad():
        network[0].weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        rows.sum().backward()


def test_hooks_of_gradients_run_once(network):
    """Not in each piece and then again on their sum."""
    x = torch.randn(6, 3, dtype=torch.float64)
    parameters = [*network.parameters()]
    plain = torch.autograd.grad(network(x).sum(), parameters)
    pieces = [lambda t, rows=slice(i, i + 3): (network(t[rows]),) for i in (0, 3)]
    for parameter in parameters:
        parameter.register_hook(lambda gradient: 0.1 * gradient)
    recomputed([network(x).detach()], pieces, [x], parameters)[0].sum().backward()
    for parameter, expected in zip(parameters, plain, strict=True):
        assert torch.allclose(parameter.grad, 0.1 * expected, atol=1e-6)
