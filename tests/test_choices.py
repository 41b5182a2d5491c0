import numpy as np
import pytest
import torch

from mibounds import bounds, critics
from mibounds.choices import bound_names, build_bound, build_critic, check_critic, critic_names, shape_sizes


def test_names_follow_the_modules():
    assert set(bound_names()) == {name.lower() for name in bounds.__all__ if name not in ("Bound", "BarberAgakov")}
    assert set(critic_names()) == {
        "joint",
        "separable",
        "bilinear",
        "bridged",
        "categorical",
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
    with pytest.raises(ValueError, match="bound is 'infonse': expected a mi.bounds .* Did you mean 'infonce'"):
        build_bound("infonse")
    with pytest.raises(ValueError, match="critic is 'seperable': expected a mi.critics .* Did you mean 'separable'"):
        build_critic("seperable", 1, 1)


def test_what_has_no_name_is_an_object():
    with pytest.raises(ValueError, match=r"critic is 'cosine', which has no name: pass .* mi.critics.CosineCritic\("):
        build_critic("cosine", 1, 1)
    with pytest.raises(ValueError, match=r"bound is 'barberagakov', .* mi.bounds.BarberAgakov\("):
        build_bound("barberagakov")
    with pytest.raises(ValueError, match="Known: .*'leaveoneout'"):
        build_bound("vtuba")


@pytest.mark.parametrize(
    "name, kind", [("dv", bounds.DonskerVaradhan), ("JSD", bounds.JensenShannon), ("cpc", bounds.InfoNCE)]
)
def test_abbreviations_of_bounds_are_known(name, kind):
    assert type(build_bound(name)) is kind


@pytest.mark.parametrize("choice", ["separable", "JointCritic", "bilinear", "bridged"])
def test_critics_of_log_density_ratios_may_be_chosen_by_name(choice):
    check_critic(choice)


@pytest.mark.parametrize("choice", ["diagonalgaussian", "FlowCritic", "separate", 3, None])
def test_other_critics_may_not_be_chosen_by_name(choice):
    with pytest.raises(ValueError) as caught:
        check_critic(choice)
    assert str(caught.value) == (f"critic is {choice!r}: expected one of 'bilinear', 'joint', 'separable', 'bridged'.")


def test_a_critic_object_is_for_a_trainer():
    with pytest.raises(TypeError, match="critic is a BilinearCritic object, .* Fit your own by mi.Trainer"):
        check_critic(critics.BilinearCritic(1, 1))


def test_shapes_get_an_encoder():
    images = build_critic("separable", (3, 8, 8), 2, hidden=(4,))
    assert images(torch.zeros(5, 3, 8, 8), torch.zeros(5, 2)).shape == (5,)
    others = build_critic("separable", 2, (4, 5), hidden=(4,))
    assert others(torch.zeros(6, 2), torch.zeros(6, 4, 5)).shape == (6,)
    with pytest.raises(ValueError, match=r"the shape of x is \(\): expected a number of columns or a shape like"):
        build_critic("separable", (), 2)


@pytest.mark.parametrize("shape", [torch.tensor(3), torch.tensor([3]), np.array(3), np.array([3]), np.int64(3), (3,)])
def test_shapes_may_be_integers_of_arrays_and_tensors(shape):
    assert shape_sizes("x", shape) == (3,)


@pytest.mark.parametrize("shape", [torch.tensor(3.0), torch.tensor(True), np.array([[3]]), torch.empty(0)])
def test_other_tensors_are_no_shapes(shape):
    with pytest.raises(ValueError, match="the shape of x is"):
        shape_sizes("x", shape)


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (48, 64, 3)])
def test_images_with_the_channel_last_are_refused(shape):
    height, width, channels = shape
    with pytest.raises(ValueError, match=rf"looks like .* Give \({channels}, {height}, {width}\), and images.movedim"):
        build_critic("separable", shape, 2, hidden=(4,))


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 9, 9), (16, 4, 3), (64, 8, 1), (4, 4, 1)])
def test_feature_maps_may_be_low(shape):
    build_critic("separable", shape, 2, hidden=(4,))
