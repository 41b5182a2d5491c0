import pytest
import torch

from mibounds.critics import BridgedCritic


@pytest.fixture
def critic():
    torch.manual_seed(0)
    built = BridgedCritic(2, 3, bridges=4, hidden=(8,), features=5)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return built


def test_the_score_is_the_sum_of_the_bridges(critic, generator):
    x, y = torch.randn(7, 2, generator=generator), torch.randn(7, 3, generator=generator)
    assert torch.allclose(critic(x, y), critic.bridges(x, y).sum(-1), atol=1e-5)


def test_bridges_broadcast_over_leading_dimensions(critic, generator):
    x, y = torch.randn(7, 2, generator=generator), torch.randn(6, 7, 3, generator=generator)
    together = critic.bridges(x, y)
    assert together.shape == (6, 7, 4)
    for i in range(6):
        assert torch.allclose(together[i], critic.bridges(x, y[i]), atol=1e-5)


def test_the_first_score_is_zero():
    critic = BridgedCritic(2, 2)
    assert critic.bridges(torch.randn(5, 2), torch.randn(5, 2)).abs().max() == 0
    assert critic.pairwise(torch.randn(5, 2), torch.randn(4, 2)).abs().max() == 0


@pytest.mark.parametrize("wrong", [{"bridges": 0}, {"features": 0}])
def test_misuse(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BridgedCritic(2, 2, **wrong)
