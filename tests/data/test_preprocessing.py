import math
import statistics

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mibounds.data import FirstColumns, Gaussianize, RankGaussianize, Standardize, StandardizeChannels
from mibounds.data.preprocessing import normal_score_knots, piecewise_linear
from mibounds.training.modules import describe, rebuild

columns = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=50)


@pytest.mark.parametrize("kind", [Standardize, RankGaussianize])
@given(seed=st.integers(0, 10_000))
def test_maps_are_monotone_in_every_column_and_do_not_depend_on_the_order_of_samples(kind, seed):
    generator = torch.Generator().manual_seed(seed)
    train = torch.randn(40, 2, generator=generator) * torch.tensor([1.0, 100.0])
    fitted = kind().fit(train)
    new = torch.randn(30, 2, generator=generator).sort(0).values
    assert (fitted(new).diff(dim=0) >= 0).all()
    shuffled = kind().fit(train[torch.randperm(40, generator=generator)])
    assert torch.allclose(shuffled(new), fitted(new), atol=1e-4)


@pytest.mark.parametrize("kind", [Standardize, RankGaussianize, lambda: Gaussianize(rounds=3)])
def test_a_state_dict_has_everything_that_was_fitted(kind, generator):
    train, new = torch.randn(2, 60, 2, generator=generator).unbind(0)
    fitted = kind().fit(train)
    other = kind()
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other(new), fitted(new))
    assert all(buffer.is_meta for buffer in fitted.to("meta").buffers())  # all tensors move with the module


def test_standardize_is_fitted_to_training_samples_only(generator):
    train, test = torch.randn(100, 3, generator=generator) * 5 + 2, torch.randn(50, 3, generator=generator)
    fitted = Standardize().fit(train)
    mapped = fitted(train)
    assert torch.allclose(mapped.mean(0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(mapped.std(0, correction=0), torch.ones(3), atol=1e-5)
    assert torch.allclose(fitted(test), (test - train.mean(0)) / train.std(0, correction=0))


def test_a_constant_column_does_not_divide_by_zero():
    assert Standardize().fit(torch.ones(5, 1))(torch.ones(2, 1)).tolist() == [[0], [0]]
    assert StandardizeChannels().fit(torch.ones(5, 1, 2, 2))(torch.ones(1, 1, 1, 1)).tolist() == [[[[0]]]]


def test_a_limit_compresses_outliers_and_hardly_changes_other_values(generator):
    x = torch.randn(1000, 1, generator=generator)
    plain, limited = Standardize().fit(x), Standardize(limit=5.0).fit(x)
    far = torch.tensor([[-1e6], [1e6]])
    assert limited(far).flatten().tolist() == [-5, 5]
    small = torch.linspace(-1, 1, 11)[:, None]
    assert torch.allclose(limited(small), plain(small), atol=0.02)
    assert float(limited(plain.mean + 5 * plain.scale)) == pytest.approx(5 * math.tanh(1))


@pytest.mark.parametrize("limit", [0, -1.0, math.nan])
def test_a_limit_is_positive(limit):
    with pytest.raises(ValueError, match=f"limit is {limit}, and must be positive"):
        Standardize(limit=limit)


def test_channels_are_standardized_over_samples_and_places():
    images = torch.tensor([[[[0.0, 2.0]], [[1.0, 1.0]]], [[[4.0, 6.0]], [[1.0, 3.0]]]])  # 2 images, 2 channels, (1, 2)
    mapped = StandardizeChannels().fit(images)(images)
    assert mapped[:, 0].flatten().tolist() == pytest.approx([-3 / 5**0.5, -1 / 5**0.5, 1 / 5**0.5, 3 / 5**0.5])
    assert mapped[:, 1].flatten().tolist() == pytest.approx([-0.5 / 0.75**0.5] * 3 + [1.5 / 0.75**0.5])


def test_padding_of_sequences_is_not_counted():
    nan = math.nan
    sequences = torch.tensor([[[0.0, 1.0], [2.0, 1.0]], [[4.0, 7.0], [nan, nan]]])  # 2 sequences, 2 steps, 2 features
    mapped = StandardizeChannels(axis=-1).fit(sequences)(sequences)
    assert mapped[..., 0].flatten().tolist() == pytest.approx([-(1.5**0.5), 0, 1.5**0.5, nan], nan_ok=True)
    assert mapped[..., 1].flatten().tolist() == pytest.approx([-(0.5**0.5)] * 2 + [2**0.5, nan], nan_ok=True)


def test_heavy_tails_become_gaussian(generator):
    cauchy = torch.randn(5000, 1, generator=generator) / torch.randn(5000, 1, generator=generator)
    mapped = RankGaussianize().fit(cauchy)(cauchy)
    assert float(mapped.std()) == pytest.approx(1, abs=0.02)
    assert mapped.abs().max() < 4.1


def test_columns_are_mapped_one_by_one(generator):
    train = torch.randn(3000, 3, generator=generator)
    train[:, 0] = train[:, 0].round()  # columns with different numbers of knots
    new = torch.randn(50, 3, generator=generator)
    expected = [piecewise_linear(new[:, i].contiguous(), *normal_score_knots(train[:, i])) for i in range(3)]
    assert torch.equal(RankGaussianize().fit(train)(new), torch.stack(expected, 1))


@given(columns, columns)
def test_the_rank_map_is_monotone(train, new):
    mapped = piecewise_linear(torch.tensor(sorted(new)), *normal_score_knots(torch.tensor(train)))
    assert (mapped.diff() >= 0).all()


@given(columns, st.randoms())
def test_the_knots_do_not_depend_on_the_order_of_samples(train, random):
    shuffled = list(train)
    random.shuffle(shuffled)
    for one, other in zip(
        normal_score_knots(torch.tensor(train)), normal_score_knots(torch.tensor(shuffled)), strict=True
    ):
        assert torch.equal(one, other)


def test_training_values_have_their_normal_scores_and_ties_their_mean_rank():
    values, scores = normal_score_knots(torch.tensor([3.0, 1.0, 1.0, 9.0]))
    assert values.tolist() == [1, 3, 9]
    assert scores.tolist() == pytest.approx([statistics.NormalDist().inv_cdf(r / 4) for r in (1.0, 2.5, 3.5)])


def test_values_between_knots_are_interpolated_and_tails_are_constant():
    knots = torch.tensor([0.0, 2.0, 10.0]), torch.tensor([-1.0, 0.0, 2.0])
    x = torch.tensor([-1e9, 0.0, 0.5, 2.0, 4.0, 10.0, 1e9])
    assert piecewise_linear(x, *knots).tolist() == [-1, -1, -0.75, 0, 0.5, 2, 2]
    values, scores = normal_score_knots(torch.arange(10.0))
    ends = piecewise_linear(torch.tensor([-1e9, 1e9]), values, scores)
    assert ends.tolist() == pytest.approx([float(scores[0]), float(scores[-1])])
    infinite = piecewise_linear(torch.tensor([-math.inf, math.inf, math.nan]), *knots)
    assert infinite.tolist() == pytest.approx([-1, 2, math.nan], nan_ok=True)


def test_long_columns_keep_their_extremes_and_their_scores(generator):
    column = torch.randn(50_000, generator=generator) / torch.randn(50_000, generator=generator)
    values, scores = normal_score_knots(column)
    assert 1500 < len(values) <= 2048  # in the tails there are fewer values than evenly spaced scores
    assert float(values[0]) == float(column.min())
    assert float(values[-1]) == float(column.max())
    mapped = piecewise_linear(column, values, scores)
    ranks = column.argsort().argsort().double()
    assert (mapped - torch.special.ndtri((ranks + 0.5) / 50_000)).abs().max() < 0.02


def test_a_column_of_2048_values_keeps_them_all():
    values, _ = normal_score_knots(torch.arange(2048.0))
    assert values.tolist() == list(range(2048))
    assert len(normal_score_knots(torch.arange(2049.0))[0]) < 2049


def test_a_constant_column_maps_to_its_one_score():
    values, scores = normal_score_knots(torch.ones(5))
    assert piecewise_linear(torch.tensor([0.0, 1.0]), values, scores).tolist() == [0, 0]


@pytest.mark.parametrize("kind", [Standardize, RankGaussianize, lambda: Gaussianize(rounds=3)])
def test_the_first_columns_are_mapped_as_if_there_were_no_others(kind, generator):
    train, new = torch.randn(2, 60, 4, generator=generator).unbind(0)
    first, alone = FirstColumns(2, kind()).fit(train), kind().fit(train[:, :2])
    assert torch.equal(first(new), alone(new[:, :2]))
    assert torch.equal(first(torch.cat([new[:, :2], 1e9 * new[:, 2:]], 1)), first(new))
    other = FirstColumns(2, kind())
    other.load_state_dict(first.state_dict())
    assert torch.equal(other(new), first(new))
    assert torch.equal(rebuild(*describe(first))(new), first(new))
