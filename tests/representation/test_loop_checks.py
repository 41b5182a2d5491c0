"""The order of calls, and warnings about the use of a regularizer."""

import copy
import warnings

import pytest
import torch
from torch import nn

from mibounds import MIRegularizer, clipped_backward, gradient_scale
from mibounds.compat import Mi_estimator
from mibounds.critics import SeparableCritic
from mibounds.tasks import CorrelatedGaussian
from mibounds.warnings import SharedParametersWarning, SingleSampleWarning, StaleCriticWarning, WrongSideWarning

SMALL = {"hidden": (16,), "lr": 1e-2}


def pair(n=64, d=2, seed=0):
    return CorrelatedGaussian(d, 0.8).sample(n, torch.Generator().manual_seed(seed))


def trained(**options):
    reg = MIRegularizer(2, 2, **{**SMALL, **options})
    for seed in range(5):
        reg.update(*pair(seed=seed))
    return reg


@pytest.mark.parametrize("bound", ["mine", "infonce", "nwj"])
@pytest.mark.parametrize("critic", ["joint", "separable", "bilinear"])
def test_an_update_between_the_penalty_and_its_backward_pass_is_an_error(bound, critic):
    """A fused step does not raise the versions of the weights, so torch alone gives a wrong gradient."""
    reg = trained(bound=bound, critic=critic)
    x, z = pair()
    penalty = reg(x, z.requires_grad_())
    reg.update(x, z)
    for use in ((-penalty).backward, lambda: torch.autograd.grad(penalty, z)):
        with pytest.raises(RuntimeError, match="The critic was updated between the penalty and its backward pass"):
            use()
    assert z.grad is None
    (-reg(x, z)).backward()
    assert z.grad.abs().sum() > 0


def test_the_version_of_a_changed_weight_is_raised():
    """So torch notices it without checks, too."""
    reg = trained(check=False)
    x, z = pair()
    penalty = reg(x, z.requires_grad_())
    reg.update(x, z)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        penalty.backward()


def test_the_training_step_of_the_original_interface_follows_the_backward_pass():
    estimator = Mi_estimator("mine", 2, 2, batch_size=64, critic_layers=[16], critic_lr=1e-2)
    x, z = pair()
    train_op, quantities = estimator(x, z.requires_grad_())
    train_op()
    with pytest.raises(RuntimeError, match="train_op of Mi_estimator"):
        quantities["mi_for_grads"].backward()


def test_a_gradient_that_is_only_measured_has_no_direction():
    """The published formula by hand, with either sign of the term."""
    encoder = nn.Linear(2, 2)
    for bound, critic in (("infonce", "separable"), ("leaveoneout", "diagonalgaussian")):
        reg = trained(bound=bound, critic=critic)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for sign in (1, -1):
                z = encoder(pair()[0])
                penalty = reg(pair()[0], z)
                torch.autograd.grad(sign * penalty, encoder.parameters(), retain_graph=True)
                gradient_scale(z.square().mean(), penalty, encoder.parameters())
        z = encoder(pair()[0])
        with pytest.warns(WrongSideWarning):
            clipped_backward(
                z.square().mean(), reg(pair()[0], z), encoder.parameters(), -1 if bound == "infonce" else 1
            )


def test_every_regularizer_warns_at_the_same_line():
    regs = [MIRegularizer(2, 2, **SMALL) for _ in range(2)]
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("default")
        for _ in range(102):
            for reg in regs:
                (-reg(*(side.requires_grad_() for side in pair()))).backward()
    assert [type(one.message) for one in record] == [StaleCriticWarning] * 2
    assert {one.filename for one in record} == {__file__}


@pytest.mark.parametrize(
    "bound, critic",
    [("mine", "joint"), ("infonce", "separable"), ("nwj", "bilinear"), ("club", "diagonalgaussian"),
     ("leaveoneout", "fullgaussian"), ("smile", "joint")],
)  # fmt: skip
def test_a_batch_of_one_sample_is_no_term_and_a_warning(bound, critic):
    reg = trained(bound=bound, critic=critic)
    x, z = pair()
    before = {name: value.clone() for name, value in reg.state_dict().items()}
    z = z[:1].requires_grad_()
    with pytest.warns(SingleSampleWarning, match="drop_last=True") as record:
        value = reg(x[:1], z)
        value.backward()
        reg.update(x[:1], z)
    assert len(record) == 1
    assert float(value.detach()) == 0
    assert z.grad.tolist() == [[0, 0]]
    assert all(torch.equal(value, before[name]) for name, value in reg.state_dict().items() if name != "values")


@pytest.mark.parametrize("n", [2, 3, 9])
def test_a_last_batch_with_fewer_samples_than_negatives(n):
    reg = trained(negatives=8, bound="mine")
    x, z = (side[:n] for side in pair())
    (-reg(x, z.requires_grad_())).backward()
    reg.update(x, z)
    assert z.grad.isfinite().all()


def test_copies_of_a_critic_that_was_in_a_regularizer_are_not_watched():
    critic = SeparableCritic(2, 2, hidden=(8,))
    reg = MIRegularizer(2, 2, critic=critic)
    x, z = torch.randn(2, 16, 2, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy.deepcopy(critic)(x, z).sum().backward()
        copy.deepcopy(reg).estimator.critic(x, z).sum().backward()
    with pytest.warns(SharedParametersWarning):
        reg.estimator.critic(x, z).sum().backward()
