"""Adaptive clipping: the published formula, its edge cases, and the one-pass form that equals it."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from mibounds import clipped_backward, gradient_scale
from mibounds.representation.gradients import applies_gradient


@pytest.fixture
def setting(generator):
    """A small encoder with two terms on its output, and one parameter that neither uses."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    unused = nn.Parameter(torch.ones(3))
    x = torch.randn(16, 3, generator=generator)

    def terms(loss_factor=1.0, penalty_factor=1.0):
        z = encoder(x)
        return loss_factor * (z[:, 0] - 1).square().mean(), penalty_factor * (z.sum(1).sin() * z[:, 1]).mean()

    return [*encoder.parameters(), unused], terms


def flat(parameters):
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters])


def gradients(parameters, term):
    found = torch.autograd.grad(term, parameters, allow_unused=True, retain_graph=True)
    return torch.cat(
        [(torch.zeros_like(p) if g is None else g).flatten() for p, g in zip(parameters, found, strict=True)]
    )


@pytest.mark.parametrize("penalty_factor", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("beta", [0.3, 1.0, -1.0])
def test_both_forms_are_the_published_formula(setting, penalty_factor, beta):
    parameters, terms = setting
    loss, penalty = terms(penalty_factor=penalty_factor)
    g, m = gradients(parameters, loss), gradients(parameters, penalty)
    clipped = torch.minimum(g.norm(), m.norm()) * m / m.norm()
    scale = gradient_scale(loss, penalty, parameters)
    assert not scale.requires_grad
    (loss - beta * scale * penalty).backward()
    assert torch.allclose(flat(parameters), g - beta * clipped, atol=1e-6)
    for parameter in parameters:
        parameter.grad = None
    assert clipped_backward(*terms(penalty_factor=penalty_factor), parameters, beta) == pytest.approx(float(scale))
    assert torch.allclose(flat(parameters), g - beta * clipped, atol=1e-6)


def test_the_applied_part_keeps_its_direction_and_is_never_longer_than_the_loss_gradient(setting):
    parameters, terms = setting
    loss, penalty = terms(penalty_factor=50)
    g, m = gradients(parameters, loss), gradients(parameters, penalty)
    clipped_backward(loss, penalty, parameters)
    applied = g - flat(parameters)
    assert float(applied.norm()) == pytest.approx(float(g.norm()), rel=1e-4)
    assert float(torch.cosine_similarity(applied, m, dim=0)) == pytest.approx(1, abs=1e-5)
    small = terms(penalty_factor=1e-3)
    assert float(gradient_scale(*small, parameters)) == 1  # already shorter: left as it is


def test_beta_zero_is_the_plain_loss_bit_by_bit(setting):
    parameters, terms = setting
    terms()[0].backward()
    plain = [None if p.grad is None else p.grad.clone() for p in parameters]
    for parameter in parameters:
        parameter.grad = None
    assert float(clipped_backward(*terms(), parameters, beta=0)) == 0
    for parameter, expected in zip(parameters, plain, strict=True):
        assert (parameter.grad is None) == (expected is None)
        assert expected is None or torch.equal(parameter.grad, expected)


def test_gradients_accumulate_and_unused_parameters_keep_none(setting):
    parameters, terms = setting
    clipped_backward(*terms(), parameters)
    once = flat(parameters)
    clipped_backward(*terms(), parameters)
    assert torch.allclose(flat(parameters), 2 * once)
    assert parameters[-1].grad is None


def test_zero_gradients():
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    assert float(gradient_scale(weight.sum(), weight.sum() * 0, [weight])) == 0
    assert float(gradient_scale(weight.sum() * 0, weight.sum(), [weight])) == 0


def test_an_infinite_penalty_leaves_the_loss_gradient():
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    assert float(clipped_backward(weight.sum(), (weight * 1e38).exp().sum(), [weight])) == 0
    assert weight.grad.tolist() == [1, 1]


def test_the_scale_is_zero_if_both_gradients_are_infinite():
    """As with a loss scaled for half precision, whose infinite gradients the gradient scaler looks for."""
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    infinite = (weight * 1e38).exp().sum()
    assert float(gradient_scale(infinite, infinite * 2, [weight])) == 0
    assert float(gradient_scale(infinite, weight.sum(), [weight])) == 1
    assert float(clipped_backward(infinite, infinite * 2, [weight])) == 0
    assert weight.grad.isinf().all()


def test_the_norm_is_that_of_all_gradients_together():
    """Norms 5 and 13, of (3, 4) and (5, 12) in two parameters."""
    first, second = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor([1.0]))
    loss, penalty = 3 * first + 4 * second.sum(), 5 * first + 12 * second.sum()
    assert float(gradient_scale(loss, penalty, [first, second])) == pytest.approx(5 / 13)
    clipped_backward(loss, penalty, [first, second], beta=-0.5)
    assert float(first.grad) == pytest.approx(3 + 0.5 * 5 * 5 / 13)
    assert float(second.grad) == pytest.approx(4 + 0.5 * 12 * 5 / 13)


def test_the_norm_of_half_precision_gradients_does_not_overflow():
    weight = nn.Parameter(torch.full((4,), 1.0, dtype=torch.float16))
    loss, penalty = (factor * weight.float().sum() for factor in (3e4, 6e4))  # norms 6e4 and 1.2e5 > 65504
    assert float(gradient_scale(loss, penalty, [weight])) == pytest.approx(0.5, rel=1e-3)


def test_gradients_in_double_precision():
    weight, head = (nn.Parameter(torch.ones(2, dtype=dtype)) for dtype in (torch.float64, torch.float32))
    loss, penalty = 3 * weight[0] + 4 * head[1], 6 * weight[1] + 8 * head[0]
    assert float(gradient_scale(loss, penalty, [weight, head])) == pytest.approx(0.5)
    clipped_backward(loss, penalty, [weight, head], -1.0)
    assert weight.grad.tolist() == [3, 3]
    assert (weight.grad.dtype, head.grad.dtype) == (torch.float64, torch.float32)


def test_the_graph_is_retained_by_the_scale_and_freed_by_the_backward_pass():
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    loss, penalty = weight.square().sum(), weight.exp().sum()
    gradient_scale(loss, penalty, [weight])
    clipped_backward(loss, penalty, [weight])
    with pytest.raises(RuntimeError, match="second time"):
        penalty.backward()


def test_a_parameter_of_one_term_gets_the_gradient_of_that_term():
    of_loss, of_penalty = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(1.0))
    clipped_backward(3 * of_loss, 6 * of_penalty, [of_loss, of_penalty], beta=-1.0)
    assert (float(of_loss.grad), float(of_penalty.grad)) == (3, 3)


def test_only_a_clipped_backward_pass_applies_the_gradient():
    weight, during = nn.Parameter(torch.tensor(1.0)), []
    penalty = weight.exp()
    penalty.register_hook(lambda gradient: during.append(applies_gradient()))
    gradient_scale(weight.square(), penalty, [weight])
    clipped_backward(weight.square(), penalty, [weight])
    with pytest.raises(ValueError, match="penalty depends on none"):
        clipped_backward(weight.square(), nn.Parameter(torch.ones(())) * 2, [weight])
    assert not applies_gradient()
    assert during == [False, True]


@pytest.mark.parametrize("beta", [1e-6, 0.3, -1.0])
def test_parameters_outside_the_list_get_the_gradient_of_the_loss(beta):
    """A classifier on top of the regularized encoder is trained by the loss alone, whatever the weight of the term."""
    torch.manual_seed(0)
    encoder, head = nn.Linear(3, 2), nn.Linear(2, 2)
    x = torch.randn(8, 3)

    def terms():
        z = encoder(x)
        return head(z).square().mean(), z.sin().mean()

    terms()[0].backward()
    plain = [p.grad.clone() for p in (*encoder.parameters(), *head.parameters())]
    for module in (encoder, head):
        module.zero_grad()
    clipped_backward(*terms(), encoder.parameters(), beta)
    for parameter, expected in zip(head.parameters(), plain[2:], strict=True):
        assert torch.equal(parameter.grad, expected)
    if beta == 1e-6:
        for parameter, expected in zip(encoder.parameters(), plain, strict=False):
            assert torch.allclose(parameter.grad, expected, atol=1e-5)


def test_hooks_of_accumulated_gradients_run_once():
    weight, head = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))
    counts = []
    for parameter in (weight, head):
        parameter.register_post_accumulate_grad_hook(lambda p: counts.append(float(p.grad)))
    clipped_backward(3 * weight + 5 * head, 2 * weight, [weight], beta=-1)
    assert sorted(counts) == [5, 5]


@pytest.mark.parametrize("way", ["scale", "clipped"])
def test_hooks_of_gradients_run_once_on_their_sum(way):
    """A hook that scales the gradient of a layer would otherwise scale it in each pass: 0.01 for 0.1."""
    weight, head = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))
    counts = []
    for parameter in (weight, head):
        parameter.register_hook(lambda gradient: counts.append(float(gradient)) or 0.1 * gradient)
    loss, penalty = 3 * weight + 5 * head, 2 * weight
    if way == "scale":
        assert float(gradient_scale(loss, penalty, [weight])) == 1
        (loss + penalty).backward()
    else:
        clipped_backward(loss, penalty, [weight], beta=-1)
    assert sorted(counts) == [5, 5]
    assert float(weight.grad) == float(head.grad) == pytest.approx(0.5)


def test_a_head_that_is_frozen_after_the_forward_pass_gets_no_gradient():
    """As Lightning's `toggle_optimizer` does, and as in a plain backward pass."""
    encoder, head = nn.Linear(3, 2), nn.Linear(2, 1)
    z = encoder(torch.randn(8, 3))
    loss, penalty = head(z).square().mean(), z.sin().mean()
    head.requires_grad_(False)
    clipped_backward(loss, penalty, encoder.parameters())
    assert encoder.weight.grad is not None
    assert head.weight.grad is None


def test_a_single_parameter(setting):
    parameters, terms = setting
    weight = parameters[0]
    assert float(gradient_scale(*terms(), weight)) == float(gradient_scale(*terms(), [weight])) > 0
    clipped_backward(*terms(), weight)
    assert all(p.grad is not None for p in parameters[:-1])


def test_a_parameter_that_is_listed_twice_counts_once(setting):
    parameters, terms = setting
    assert gradient_scale(*terms(), [*parameters, *parameters]) == gradient_scale(*terms(), parameters)


def test_parameters_may_be_a_generator(setting):
    parameters, terms = setting
    assert 0 < float(gradient_scale(*terms(), (p for p in parameters))) <= 1


def test_misuse(setting):
    parameters, terms = setting
    loss, penalty = terms()
    with pytest.raises(ValueError, match="parameters is empty: a generator gives its items once"):
        gradient_scale(loss, penalty, [])
    with pytest.raises(ValueError, match="parameters has none that requires a gradient"):
        gradient_scale(loss, penalty, [torch.ones(1)])
    other = nn.Parameter(torch.ones(1))
    for use in (gradient_scale, clipped_backward):
        with pytest.raises(ValueError, match="penalty depends on none of the parameters"):
            use(loss, other.sum(), parameters)
        with pytest.raises(ValueError, match="loss depends on none of the parameters"):
            use(other.sum(), penalty, parameters)
    with pytest.raises(TypeError, match="parameters contains a dict: pass tensors"):
        gradient_scale(loss, penalty, torch.optim.SGD(parameters, lr=1.0).param_groups)
    with pytest.raises(ValueError, match="the result of a computation"):
        gradient_scale(loss, penalty, parameters[0] * 1)
    with pytest.raises(ValueError, match=r"penalty has shape \(\) and no graph: expected a scalar"):
        gradient_scale(loss, penalty.detach(), parameters)
    with pytest.raises(ValueError, match=r"loss has shape \(2,\)"):
        gradient_scale(loss.repeat(2), penalty, parameters)
    for use in (gradient_scale, clipped_backward):
        with pytest.raises(TypeError, match=r"parameters is a Linear: pass tensors, for example encoder\."):
            use(loss, penalty, nn.Linear(1, 1))
        with pytest.raises(TypeError, match="loss is a float: expected a scalar tensor"):
            use(1.0, penalty, parameters)
        with pytest.raises(TypeError, match="penalty is a int: expected a scalar tensor"):
            use(loss, 0, parameters)


@pytest.mark.parametrize(
    "beta, error, sentence",
    [
        (nn.Parameter(torch.tensor(0.5)), ValueError, "beta requires a gradient, and clipped_backward has none for it"),
        (float("nan"), ValueError, "beta is nan: expected a finite number"),
        ("0.1", TypeError, "beta is '0.1' "),
        (None, TypeError, "beta is None"),
        (torch.ones(2), TypeError, "beta is tensor"),
    ],
)
def test_a_weight_is_a_finite_number(setting, beta, error, sentence):
    parameters, terms = setting
    with pytest.raises(error, match=sentence):
        clipped_backward(*terms(), parameters, beta)
    assert all(parameter.grad is None for parameter in parameters)


def test_a_weight_may_be_a_tensor_of_one_number(setting):
    parameters, terms = setting
    assert clipped_backward(*terms(), parameters, torch.tensor(0.5)) > 0


@pytest.mark.parametrize("term", ["loss", "penalty"])
def test_reentrant_checkpointing_is_refused_with_one_sentence(term):
    encoder, x = torch.nn.Linear(2, 2), torch.ones(3, 2)
    hidden = checkpoint(encoder, x.clone().requires_grad_(), use_reentrant=True).sum()
    terms = {"loss": encoder(x).sum(), "penalty": encoder(x).square().sum(), term: hidden}
    with pytest.raises(ValueError, match=f"^{term} .*use_reentrant=False"):
        clipped_backward(terms["loss"], terms["penalty"], [*encoder.parameters()])


def test_a_graph_that_was_freed(setting):
    parameters, terms = setting
    loss, penalty = terms()
    clipped_backward(loss, penalty, parameters)
    with pytest.raises(ValueError, match="The graph of loss was freed .* the sum of several terms in one call"):
        clipped_backward(loss, terms()[1], parameters)


def test_sparse_gradients():
    """Those of nn.Embedding(sparse=True) are the same as dense ones."""
    found = []
    for sparse in (False, True):
        torch.manual_seed(0)
        embedding = nn.Embedding(5, 2, sparse=sparse)
        z = embedding(torch.tensor([0, 1, 1]))
        terms = z.square().sum(), z.sin().sum()
        scale = gradient_scale(*terms, embedding.parameters())
        clipped_backward(*terms, embedding.parameters())
        found.append((scale, embedding.weight.grad))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1].to_dense())


def test_sparse_gradients_outside_of_the_parameters_stay_sparse():
    table, weight = nn.Embedding(5, 2, sparse=True), nn.Parameter(torch.ones(2))
    hidden = table(torch.tensor([1, 3])) * weight
    clipped_backward(hidden.sum(), weight.square().sum(), [weight])
    assert table.weight.grad.is_sparse
    torch.optim.SparseAdam(table.parameters()).step()
    hidden = table(torch.tensor([1, 3])) * weight
    table.weight.grad = weight.grad = None
    clipped_backward(hidden.sum(), weight.square().sum() + hidden.square().sum(), [weight, table.weight])
    assert table.weight.grad.shape == (5, 2)


def test_a_compiled_network_that_frees_its_buffers_is_named(monkeypatch):
    weight = nn.Parameter(torch.ones(2))
    message = "This backward function was compiled with non-empty donated buffers which requires create_graph=False"

    class Compiled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, gradient):
            raise RuntimeError(message)

    with pytest.raises(ValueError, match="loss passes through a compiled network, .*donated_buffer = False"):
        gradient_scale(Compiled.apply(weight), weight.sum(), [weight])
