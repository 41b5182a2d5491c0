import pytest
import torch

from mibounds import bounds, critics
from mibounds.choices import bound_names, build_bound, build_critic, critic_names


def test_names_follow_the_modules():
    assert set(bound_names()) == {name.lower() for name in bounds.__all__ if name not in ("Bound", "BarberAgakov")}
    assert set(critic_names()) == {
        "joint",
        "separable",
        "bilinear",
        "bridged",
        "diagonalgaussian",
        "fullgaussian",
        "flow",
    }


@pytest.mark.parametrize("name", ["infonce", "InfoNCE", "INFONCE"])
def test_names_have_no_case(name):
    assert isinstance(build_bound(name), bounds.InfoNCE)


@pytest.mark.parametrize("name", ["joint", "JointCritic", "jointcritic"])
def test_the_suffix_critic_is_optional(name):
    assert isinstance(build_critic(name, 2, 3, hidden=(4,)), critics.JointCritic)


def test_objects_pass_through():
    bound, critic = bounds.NWJ(), critics.BilinearCritic(1, 1)
    assert build_bound(bound) is bound
    assert build_critic(critic, 1, 1) is critic


def test_options_a_class_lacks_are_left_out():
    assert isinstance(build_critic("bilinear", 2, 3, hidden=(4,)), critics.BilinearCritic)


def test_weights_come_from_the_seed_and_no_global_state_moves():
    before = torch.get_rng_state()
    one, same, other = (build_critic("separable", 2, 3, seed=s, hidden=(4,)) for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [critic.tower_y.output.weight for critic in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_near_name_is_suggested():
    with pytest.raises(ValueError, match="bound is 'infonse', which is no bound here. Did you mean 'infonce'"):
        build_bound("infonse")
    with pytest.raises(ValueError, match="critic is 'seperable', which is no critic here. Did you mean 'separable'"):
        build_critic("seperable", 1, 1)
