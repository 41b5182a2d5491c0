"""The state of a regularizer: tensors only, and all of them from the start."""

import copy
import pickle

import pytest
import safetensors.torch
import torch
from torch import nn

from mibounds import MIRegularizer
from mibounds.critics import SeparableCritic
from mibounds.representation.optimizer_state import OptimizerState
from mibounds.tasks import CorrelatedGaussian


def pair(seed=0):
    return CorrelatedGaussian(2, 0.8).sample(32, torch.Generator().manual_seed(seed))


def build(seed=0, **options):
    return MIRegularizer(2, 2, hidden=(8,), lr=1e-2, seed=seed, **options)


def steps(reg, seeds):
    for seed in seeds:
        reg.update(*pair(seed))
    return reg


def same(one, other):
    return all(torch.equal(a, b) or (a.isnan() & b.isnan()).any() for a, b in zip(
        one.state_dict().values(), other.state_dict().values(), strict=True))  # fmt: skip


def test_a_state_is_tensors_for_safetensors_averages_and_counts(tmp_path):
    model = nn.ModuleDict({"encoder": nn.Linear(2, 2), "reg": build()})
    average = {name: value.clone() for name, value in model.state_dict().items()}
    steps(model["reg"], range(4))
    state = model.state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    assert sum(value.numel() for value in state.values()) > 100
    assert average.keys() == state.keys(), "an average that begins before the first step has all of them"
    for name, value in state.items():
        if value.is_floating_point():
            average[name].mul_(0.9).add_(value, alpha=0.1)
        else:
            average[name].copy_(value)
    fresh = nn.ModuleDict({"encoder": nn.Linear(2, 2), "reg": build()})
    fresh.load_state_dict(average)
    safetensors.torch.save_file(state, tmp_path / "model.safetensors")
    fresh.load_state_dict(safetensors.torch.load_file(tmp_path / "model.safetensors"))
    assert same(fresh, model)
    steps(fresh["reg"], [9]), steps(model["reg"], [9])
    assert all(torch.equal(a, b) for a, b in zip(fresh.parameters(), model.parameters(), strict=True))


@pytest.mark.parametrize("how", [copy.deepcopy, lambda reg: pickle.loads(pickle.dumps(reg))])
def test_copies_continue_with_the_same_numbers(how):
    reg = steps(build(), range(5))
    other = how(reg)
    steps(reg, [7, 8]), steps(other, [7, 8])
    assert all(torch.equal(a, b) for a, b in zip(reg.parameters(), other.parameters(), strict=True))
    assert reg.value() == other.value()


def test_missing_and_unknown_keys_are_named():
    state = build().state_dict()
    del state["counts"]
    with pytest.raises(RuntimeError, match="Missing key"):
        build().load_state_dict(state)
    result = build().load_state_dict({**build().state_dict(), "more": torch.ones(1)}, strict=False)
    assert result.unexpected_keys == ["more"]


def test_parameters_require_gradients_inside_only():
    layer = nn.Linear(2, 1)
    layer.bias.requires_grad_(False)
    state = OptimizerState(layer, lr=0.1, betas=(0.9, 0.999))
    assert not layer.weight.requires_grad
    with pytest.raises(KeyError), state.trainable() as weights:
        assert [weight is layer.weight for weight in weights] == [True]
        assert layer.weight.requires_grad
        raise KeyError
    assert not layer.weight.requires_grad
    layer.requires_grad_(True)
    state.freeze()
    assert (layer.weight.requires_grad, layer.bias.requires_grad) == (False, True)


def test_a_gradient_that_is_not_finite_is_no_step():
    layer = nn.Linear(2, 1)
    state = OptimizerState(layer, lr=0.1, betas=(0.9, 0.999))
    before = layer.weight.clone()
    with state.trainable():
        (layer(torch.full((1, 2), torch.inf)).sum()).backward()
        assert not state.step(1.0)
    assert torch.equal(layer.weight, before)


def test_the_state_follows_replaced_parameters():
    reg = steps(build(), range(3))
    moments = [tensor.clone() for tensor in reg._state.tensors().values()]
    previous = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        reg.to("cpu", torch.float32)._apply(lambda tensor: tensor.clone())
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(previous)
    assert all(torch.equal(a, b) for a, b in zip(reg._state.tensors().values(), moments, strict=True))
    before = [weight.clone() for weight in reg.parameters()]
    steps(reg, [5])
    assert any(not torch.equal(a, b) for a, b in zip(reg.parameters(), before, strict=True))


def test_an_optimizer_without_state_is_moved():
    reg = build()
    reg.optimizer = torch.optim.SGD(reg.parameters(), lr=0.1)
    steps(reg.to("cpu"), range(2))


def test_groups_of_parameters_stay_as_they_are():
    reg = build()
    first, *others = reg.parameters()
    reg.optimizer = torch.optim.AdamW([{"params": [first], "lr": 1e-2}, {"params": others}])
    reg.double()
    assert [len(group["params"]) for group in reg.optimizer.param_groups] == [1, len(others)]
    previous = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        reg._apply(lambda tensor: tensor.clone())
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(previous)
    assert reg.optimizer.param_groups[0]["params"][0] is next(iter(reg.parameters()))


@pytest.mark.parametrize("rate", [1e-3, 0.1 / 3, 1.234567890123e-5])
def test_a_learning_rate_is_restored_to_the_last_digit(rate):
    reg, other = build(), build()
    reg.optimizer.param_groups[0]["lr"] = rate
    state = reg.state_dict()
    other.load_state_dict(state)
    assert other.optimizer.param_groups[0]["lr"] == rate
    state["optimizer/lr"] = state["optimizer/lr"].float()  # of an earlier version
    other.load_state_dict(state)
    assert other.optimizer.param_groups[0]["lr"] == pytest.approx(rate, rel=1e-6)


def test_a_state_has_the_learning_rate_and_the_momentum():
    reg = build()
    reg.optimizer = torch.optim.SGD(reg.parameters(), lr=0.1, momentum=0.9)
    steps(reg, range(3))
    reg.optimizer.param_groups[0]["lr"] = 0.003
    other = build()
    other.optimizer = torch.optim.SGD(other.parameters(), lr=0.1, momentum=0.9)
    other.load_state_dict(reg.state_dict())
    assert other.optimizer.param_groups[0]["lr"] == 0.003
    steps(reg, [7]), steps(other, [7])
    assert all(torch.equal(a, b) for a, b in zip(reg.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("bound, critic", [("infonce", "separable"), ("leaveoneout", "diagonalgaussian")])
def test_a_state_may_replace_the_parameters(device, bound, critic):
    reg = steps(build(bound=bound, critic=critic), range(5))
    with torch.device(device):
        other = build(bound=bound, critic=critic)
    other.load_state_dict(copy.deepcopy(reg.state_dict()), assign=True)
    steps(reg, [7, 8]), steps(other, [7, 8])
    assert all(torch.equal(a, b) for a, b in zip(reg.parameters(), other.parameters(), strict=True))
    assert reg.value() == other.value()


def test_a_state_of_another_width_is_refused_with_the_names():
    with pytest.raises(RuntimeError, match="size mismatch for optimizer.critic") as caught:
        build().load_state_dict(MIRegularizer(2, 3, hidden=(8,)).state_dict())
    assert "size mismatch for estimator.critic.critic" in str(caught.value)


def test_the_distributed_checkpoint_of_torch():
    from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict

    model = nn.ModuleDict({"encoder": nn.Linear(2, 2), "reg": build()})
    steps(model["reg"], range(3))
    fresh = nn.ModuleDict({"encoder": nn.Linear(2, 2), "reg": build()})
    set_model_state_dict(fresh, get_model_state_dict(model))
    assert same(fresh, model)
    with pytest.raises(AttributeError, match="no attribute 'vaules'"):
        _ = model["reg"].vaules


@pytest.mark.parametrize(
    "optimizer, error, sentence",
    [
        (lambda reg: "adam", TypeError, r"optimizer is a str: expected a torch optimizer of the critic's parameters"),
        (lambda reg: None, TypeError, "optimizer is a NoneType"),
        (lambda reg: torch.optim.Adam, TypeError, "optimizer is a type"),
        (lambda reg: torch.optim.LBFGS(reg.parameters()), TypeError, "optimizer is LBFGS, whose step needs a function"),
        (lambda reg: torch.optim.Adam(build().parameters()), ValueError, "lacks 5 of the 5 parameters of this critic"),
        (lambda reg: torch.optim.SGD([*reg.parameters()][1:]), ValueError, "lacks 1 of the 5 parameters"),
        (
            lambda reg: torch.optim.AdamW([*reg.parameters(), *nn.Linear(2, 2).parameters()]),
            ValueError,
            r"also holds parameters that are not the critic's, .*torch.optim.AdamW\(reg.parameters\(\)\)",
        ),
    ],
)
def test_an_optimizer_that_would_not_train_the_critic_is_refused(optimizer, error, sentence):
    reg = build()
    with pytest.raises(error, match=sentence):
        reg.optimizer = optimizer(reg)
    steps(reg, range(2))  # by the optimizer that it had


def test_another_optimizer():
    reg = build()
    reg.optimizer = torch.optim.SGD(reg.parameters(), lr=0.1, momentum=0.9)
    steps(reg, range(3))
    assert any("momentum_buffer" in name for name in reg.state_dict())


@pytest.mark.parametrize("copied", [False, True])
def test_a_critic_that_was_in_another_regularizer_is_trained_again(copied):
    x, z = torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(0))
    critic = SeparableCritic(2, 2, hidden=(8,))
    constant, *others = critic.parameters()
    constant.requires_grad_(False)
    first = MIRegularizer(2, 2, critic=critic)
    first.update(x, z)
    again = copy.deepcopy(critic) if copied else critic
    second = MIRegularizer(2, 2, critic=again)
    before = [parameter.clone() for parameter in again.parameters()]
    second.update(x, z)
    changed = [not torch.equal(*pair) for pair in zip(before, again.parameters(), strict=True)]
    assert changed == [False] + [True] * len(others), "what the user had frozen stays as it is"
