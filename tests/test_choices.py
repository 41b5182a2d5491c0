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
    "kind, call",
    [(critics.DiagonalGaussianCritic, "DiagonalGaussianCritic(...)"), (critics.CosineCritic, "CosineCritic()")],
)
def test_a_class_of_critics_is_called(kind, call):
    with pytest.raises(TypeError) as caught:
        build_critic(kind, 1, 1)
    expected = "expected a mi.critics object or a name, so call it:"
    assert str(caught.value) == f"critic is the class {kind.__name__}: {expected} {call}."
    with pytest.raises(TypeError, match=f"critic is the class {kind.__name__}, and this function builds"):
        check_critic(kind)


@pytest.mark.parametrize(
    "kind, call", [(bounds.InfoNCE, r"InfoNCE\(\)"), (bounds.BarberAgakov, r"BarberAgakov\(\.\.\.\)")]
)
def test_a_class_of_bounds_is_called(kind, call):
    expected = "expected a mi.bounds object or a name, so call it:"
    with pytest.raises(TypeError, match=rf"^bound is the class {kind.__name__}: {expected} {call}\.$"):
        build_bound(kind)


@pytest.mark.parametrize(
    "function, said", [(lambda x, z: (x * z).sum(-1), "a function"), (torch.nn.Linear(2, 1), "a Linear object")]
)
def test_a_function_in_place_of_a_critic_is_wrapped(function, said):
    with pytest.raises(
        TypeError, match=rf"^critic is {said}: .*, so wrap a function in mi\.critics\.FunctionCritic\.$"
    ):
        build_critic(function, 1, 1)
    with pytest.raises(TypeError, match=f"critic is {said}, and this function builds"):
        check_critic(function)


@pytest.mark.parametrize("choice", [None, 3, bounds.InfoNCE(), critics.Critic, torch.nn.Linear])
def test_what_is_no_critic_is_said_in_one_line(choice):
    with pytest.raises(
        ValueError, match=r"^critic is .*: expected a mi.critics object or a name, such as 'bilinear'\.$"
    ):
        build_critic(choice, 1, 1)


@pytest.mark.parametrize("choice", [None, 3, critics.JointCritic(1, 1), bounds.Bound, len])
def test_what_is_no_bound_is_said_in_one_line(choice):
    with pytest.raises(ValueError, match=r"^bound is .*: expected a mi.bounds object or a name, such as 'mine'\.$"):
        build_bound(choice)


@pytest.mark.parametrize("critic", ["categorical", critics.CategoricalCritic(2, 12, hidden=(4,))])
def test_labels_have_a_number_of_classes_and_no_shape(critic):
    with pytest.raises(
        ValueError, match=r"given as \(4, 3\): expected the number of classes, for example z_shape=3\.$"
    ):
        build_critic(critic, 2, (4, 3), hidden=(4,))
    build_critic(critic, 2, (12,), hidden=(4,))


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
