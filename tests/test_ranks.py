import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mibounds._ranks import normal_score_knots, piecewise_linear

columns = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=50)


@given(columns, columns)
def test_the_map_is_monotone(train, new):
    at, to = normal_score_knots(torch.tensor(train))
    mapped = piecewise_linear(torch.tensor(sorted(new)), at, to)
    assert (mapped.diff() >= 0).all()


@given(columns, st.randoms())
def test_the_map_does_not_depend_on_the_order_of_rows(train, random):
    shuffled = list(train)
    random.shuffle(shuffled)
    for one, other in zip(
        normal_score_knots(torch.tensor(train)), normal_score_knots(torch.tensor(shuffled)), strict=True
    ):
        assert torch.equal(one, other)


def test_training_values_get_their_normal_scores_and_ties_their_mid_rank():
    at, to = normal_score_knots(torch.tensor([3.0, 1.0, 1.0, 9.0]))
    assert at.tolist() == [1, 3, 9]
    expected = torch.special.ndtri(torch.tensor([1.0, 2.5, 3.5], dtype=torch.float64) / 4)
    assert torch.allclose(to, expected)


def test_tails_are_clamped():
    at, to = normal_score_knots(torch.arange(10.0))
    assert piecewise_linear(torch.tensor([-1e9, 1e9]), at, to).tolist() == pytest.approx([float(to[0]), float(to[-1])])


def test_long_columns_keep_their_extremes_and_their_scores(generator):
    column = torch.distributions.StudentT(1.0).sample((50_000,))
    at, to = normal_score_knots(column)
    assert len(at) <= 2048
    assert float(at[0]) == float(column.min())
    assert float(at[-1]) == float(column.max())
    scores = piecewise_linear(column, at, to)
    ranks = column.argsort().argsort().double()
    assert (scores - torch.special.ndtri((ranks + 0.5) / 50_000)).abs().max() < 0.02


def test_a_constant_column_maps_to_its_one_score():
    at, to = normal_score_knots(torch.ones(5))
    assert piecewise_linear(torch.tensor([0.0, 1.0]), at, to).tolist() == [0, 0]
