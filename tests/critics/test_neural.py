import pytest
import torch
from torch import nn

from mibounds.critics import BilinearCritic, JointCritic, SeparableCritic


def test_a_joint_critic_is_a_network_on_the_concatenated_pair(generator):
    torch.manual_seed(1)
    critic = JointCritic(2, 3, hidden=(8, 8))
    nn.init.normal_(critic.network.output.weight)
    x, y = torch.randn(5, 2, generator=generator), torch.randn(5, 3, generator=generator)
    weight = torch.cat([critic.from_x.weight, critic.from_y.weight], 1)
    first = nn.functional.silu(torch.cat([x, y], 1) @ weight.T + critic.from_y.bias)
    assert torch.allclose(critic(x, y), critic.network(first).squeeze(-1), atol=1e-6)


def test_the_first_layer_is_computed_once_per_row():
    critic = JointCritic(2, 3, hidden=(8,))
    seen = []
    for layer in (critic.from_x, critic.from_y):
        layer.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    critic.pairwise(torch.zeros(40, 2), torch.zeros(50, 3))
    assert seen == [40, 50]


@pytest.mark.parametrize("kind", [JointCritic, SeparableCritic, BilinearCritic])
def test_the_first_score_says_independent(kind):
    assert (kind(2, 3).pairwise(torch.randn(4, 2), torch.randn(4, 3)) == 0).all()


def test_the_first_score_still_has_a_gradient():
    for critic in (JointCritic(2, 3, hidden=(8,)), SeparableCritic(2, 3, hidden=(8,)), BilinearCritic(2, 3)):
        critic(torch.randn(4, 2), torch.randn(4, 3)).sum().backward()
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in critic.parameters())


def test_a_joint_critic_needs_a_hidden_layer():
    with pytest.raises(ValueError, match="hidden is empty"):
        JointCritic(2, 3, hidden=())
