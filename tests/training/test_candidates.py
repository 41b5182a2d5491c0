import pytest
import torch

from mibounds import MIEstimator, Standardize, Telescope
from mibounds.bounds import BarberAgakov, InfoNCE, LeaveOneOut
from mibounds.critics import DiagonalGaussianCritic, JointCritic, SeparableCritic
from mibounds.training.candidates import Candidate, Plan, bounds_read, check_candidate, on_device, read_both_ways

PLAN = Plan(10, 16, 1e-3, 0.0, 1.0, 5, 4, 1e-3, False)


def joint(**options):
    return MIEstimator(JointCritic(2, 2, hidden=(8,)), InfoNCE(), **options)


def test_what_x_and_y_pass_through():
    both, own = Standardize(), (None, Standardize())
    assert Candidate("a", joint(), both).maps == (both, both)
    assert Candidate("a", joint(), own).maps == own


def test_more_negatives_than_a_batch_has_are_refused():
    check_candidate(Candidate("a", joint(negatives=15)), PLAN)
    with pytest.raises(ValueError, match="negatives is 16, and a batch of 16 rows has 15 others"):
        check_candidate(Candidate("a", joint(negatives=16)), PLAN)


def test_an_entropy_in_the_units_of_y_goes_with_no_preprocessing():
    known = MIEstimator(DiagonalGaussianCritic(2, 2, hidden=(8,)), BarberAgakov(entropy=0))
    check_candidate(Candidate("a", known), PLAN)
    with pytest.raises(ValueError, match="BarberAgakov counts in the units of y, which preprocessing changes"):
        check_candidate(Candidate("a", known, Standardize()), PLAN)
    assert set(bounds_read(known)) == {"InfoNCE", "DonskerVaradhan", "BarberAgakov"}


def test_both_ways_are_read_where_both_are_bounds():
    one_sided, density = joint(), MIEstimator(DiagonalGaussianCritic(2, 2, hidden=(8,)), LeaveOneOut())
    symmetric = MIEstimator(SeparableCritic(2, 2, hidden=(8,)), InfoNCE(), symmetric=True)
    assert read_both_ways([Candidate("a", symmetric), Candidate("b", Telescope(2, 2, hidden=(8,)))])
    assert not read_both_ways([Candidate("a", symmetric), Candidate("b", one_sided)])
    assert not read_both_ways([Candidate("a", density)])


def test_on_the_cpu_nothing_is_copied():
    given = joint()
    assert on_device(torch.device("cpu"), given) is given
    assert on_device(torch.device("meta"), given) is not given
