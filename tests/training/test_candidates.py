import pytest
import torch

from mibounds import MIEstimator, Standardize, Telescope, bounds
from mibounds.bounds import NWJ, SMILE, BarberAgakov, InfoNCE, LeaveOneOut
from mibounds.critics import DiagonalGaussianCritic, JointCritic, SeparableCritic
from mibounds.training.candidates import (
    Candidate,
    check_candidate,
    evaluated_bounds,
    evaluated_name,
    evaluates_both_directions,
    on_device,
)
from mibounds.training.recipe import Recipe

RECIPE = Recipe(steps=10, batch_size=16).filled(100, 50)
STANDARD = ["InfoNCE", "DonskerVaradhan", "NWJ", "SMILE", "PlugIn"]


def joint(bound=None, **options):
    return MIEstimator(JointCritic(2, 2, hidden=(8,)), bound or InfoNCE(), **options)


def density(bound):
    return MIEstimator(DiagonalGaussianCritic(2, 2, hidden=(8,)), bound)


def own_bound(name, base=bounds.Bound):
    """A bound of a user's own whose class has that name."""

    class Own(base):
        side, unidentified = "lower", "constant"

        def reduce(self, joint, product):
            return (joint, product.mean(-1))

        def value(self, joint, product):
            return (joint - product).mean(-1)

    Own.__name__ = name
    Own.__qualname__ = f"own_bound.<locals>.{name}"
    return Own()


def test_what_x_and_y_pass_through():
    both, own = Standardize(), (None, Standardize())
    assert Candidate("a", joint(), both).maps == (both, both)
    assert Candidate("a", joint(), own).maps == own
    assert Candidate("a", joint()).maps == (None, None)


def test_more_negatives_than_a_batch_has_are_refused():
    check_candidate(Candidate("a", joint(negatives=15)), RECIPE)
    check_candidate(Candidate("a", joint(negatives="all")), RECIPE)
    with pytest.raises(ValueError, match="negatives is 16, and a batch of 16 samples has 15 others: ask for fewer"):
        check_candidate(Candidate("a", joint(negatives=16)), RECIPE)


def test_an_entropy_in_the_units_of_y_goes_with_no_preprocessing():
    known = density(BarberAgakov(entropy=0))
    check_candidate(Candidate("a", known), RECIPE)
    with pytest.raises(ValueError, match="BarberAgakov counts in the units of y, which preprocessing changes"):
        check_candidate(Candidate("a", known, Standardize()), RECIPE)
    assert list(evaluated_bounds(known)) == ["InfoNCE", "DonskerVaradhan", "BarberAgakov"]


def test_half_precision_is_refused_where_an_estimator_says_so():
    half = RECIPE.replace(precision="bf16")
    check_candidate(Candidate("a", joint()), half)
    refused = joint()
    refused.half_precision = False
    for estimator in (refused, density(LeaveOneOut()), Telescope(2, 2, hidden=(8,))):
        check_candidate(Candidate("deep", estimator), RECIPE)
        with pytest.raises(ValueError, match="precision is 'bf16', and deep sums over scores .* leave precision at"):
            check_candidate(Candidate("deep", estimator), half)


def test_the_standard_bounds_are_evaluated_and_the_estimators_own():
    assert list(evaluated_bounds(joint())) == STANDARD
    assert list(evaluated_bounds(joint(bounds.MINE()))) == [*STANDARD, "MINE"]
    clipped = SMILE(clip=1)
    found = evaluated_bounds(joint(clipped))
    assert list(found) == STANDARD
    assert found["SMILE"] is clipped, "of the same class: the estimator's own"


@pytest.mark.parametrize("base", [bounds.Bound, NWJ])
def test_a_bound_of_a_users_own_that_is_called_as_a_standard_one_does_not_replace_it(base):
    own = own_bound("NWJ", base)
    found = evaluated_bounds(joint(own))
    name = f"{__name__}.own_bound.<locals>.NWJ"
    assert evaluated_name(own) == name
    assert list(found) == [*STANDARD, name]
    assert type(found["NWJ"]) is NWJ
    assert found[name] is own


def test_other_names_are_those_of_the_classes():
    assert evaluated_name(NWJ()) == "NWJ"
    assert evaluated_name(bounds.MINE()) == "MINE"
    assert evaluated_name(own_bound("Mine")) == "Mine"


def test_both_directions_are_evaluated_where_both_are_bounds():
    one_sided = joint()
    symmetric = MIEstimator(SeparableCritic(2, 2, hidden=(8,)), InfoNCE(), symmetric=True)
    assert evaluates_both_directions([Candidate("a", symmetric), Candidate("b", Telescope(2, 2, hidden=(8,)))])
    assert evaluates_both_directions([Candidate("a", joint(NWJ()))])
    assert not evaluates_both_directions([Candidate("a", symmetric), Candidate("b", one_sided)])
    assert not evaluates_both_directions([Candidate("a", density(LeaveOneOut()))])


def test_on_the_cpu_nothing_is_copied():
    given = joint()
    assert on_device(torch.device("cpu"), given) is given
    moved = on_device(torch.device("meta"), given)
    assert moved is not given
    assert next(moved.parameters()).device.type == "meta"
    assert next(given.parameters()).device.type == "cpu"
