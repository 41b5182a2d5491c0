import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mibounds._ranks import normal_score_knots, piecewise_linear

from mibounds.data import Gaussianize, RankGaussianize, Standardize


@pytest.mark.parametrize("kind", [Standardize, RankGaussianize])
@given(seed=st.integers(0, 10_000))
def test_maps_are_monotone_in_every_column_and_blind_to_row_order(kind, seed):
    generator = torch.Generator().manual_seed(seed)
    train = torch.randn(40, 2, generator=generator) * torch.tensor([1.0, 100.0])
    fitted = kind().fit(train)
    new = torch.randn(30, 2, generator=generator).sort(0).values
    assert (fitted(new).diff(dim=0) >= 0).all()
    shuffled = kind().fit(train[torch.randperm(40, generator=generator)])
    assert torch.allclose(shuffled(new), fitted(new), atol=1e-4)


def test_standardize_learns_from_training_rows_only(generator):
    train, test = torch.randn(100, 3, generator=generator) * 5 + 2, torch.randn(50, 3, generator=generator)
    fitted = Standardize().fit(train)
    mapped = fitted(train)
    assert torch.allclose(mapped.mean(0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(mapped.std(0, correction=0), torch.ones(3), atol=1e-5)
    assert torch.allclose(fitted(test), (test - train.mean(0)) / train.std(0, correction=0))


def test_a_constant_column_does_not_divide_by_zero():
    assert Standardize().fit(torch.ones(5, 1))(torch.ones(2, 1)).tolist() == [[0], [0]]


def test_heavy_tails_become_gaussian(generator):
    cauchy = torch.randn(5000, 1, generator=generator) / torch.randn(5000, 1, generator=generator)
    mapped = RankGaussianize().fit(cauchy)(cauchy)
    assert float(mapped.std()) == pytest.approx(1, abs=0.02)
    assert mapped.abs().max() < 4.1


def test_ranks_are_the_columns_interpolations_one_by_one(generator):
    train = torch.randn(3000, 3, generator=generator)
    train[:, 0] = train[:, 0].round()  # columns with other numbers of knots
    new = torch.randn(50, 3, generator=generator)
    expected = [piecewise_linear(new[:, i].contiguous(), *normal_score_knots(train[:, i])) for i in range(3)]
    assert torch.equal(RankGaussianize().fit(train)(new), torch.stack(expected, 1))


@pytest.mark.parametrize("kind", [Standardize, RankGaussianize, lambda: Gaussianize(rounds=3)])
def test_a_state_dict_holds_all_that_was_fitted(kind, generator):
    train, new = torch.randn(2, 60, 2, generator=generator).unbind(0)
    fitted = kind().fit(train)
    other = kind()
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other(new), fitted(new))
    assert all(buffer.is_meta for buffer in fitted.to("meta").buffers())  # nothing stays behind


def test_a_limit_bends_outliers_and_hardly_the_rest(generator):
    x = torch.randn(1000, 1, generator=generator)
    plain, limited = Standardize().fit(x), Standardize(limit=5.0).fit(x)
    far = torch.tensor([[-1e6], [1e6]])
    assert limited(far).flatten().tolist() == [-5, 5]
    small = torch.linspace(-1, 1, 11)[:, None]
    assert torch.allclose(limited(small), plain(small), atol=0.02)


def test_a_limit_is_positive():
    with pytest.raises(ValueError, match="limit is 0, and must be positive"):
        Standardize(limit=0)
