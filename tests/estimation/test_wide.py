import pytest
import torch

import mibounds as mi
from mibounds.data import Sample
from mibounds.data.row_space import RowSpace
from mibounds.estimation.candidates import default_candidates
from mibounds.estimation.wide import Columns, is_wide, wide_recipe


def table(n, dim, generator):
    return torch.randn(n, dim, generator=generator)


@pytest.mark.parametrize(("dims", "wide"), [((59, 59), False), ((60, 1), True), ((1, 60), True)])
def test_wide_is_as_many_columns_as_rows(dims, wide, generator):
    sample = Sample.of(x=table(60, dims[0], generator), y=table(60, dims[1], generator))
    assert is_wide(sample) is wide


def test_large_wide_tables_have_three_folds(generator):
    large = Sample.of(x=table(1000, 1000, generator), y=table(1000, 1001, generator))
    recipe = mi.Recipe()
    assert wide_recipe(large, recipe).folds == 3
    assert wide_recipe(large, recipe.replace(folds=10)).folds == 10
    assert wide_recipe(large, recipe.replace(split="blocked")).folds is None
    narrow = Sample.of(x=table(1000, 1000, generator), y=table(1000, 1, generator))
    assert wide_recipe(narrow, recipe) is recipe


def test_columns_are_a_part():
    x = torch.arange(6.0).reshape(2, 3)
    assert Columns(0, 2)(x).tolist() == [[0, 1], [3, 4]]
    assert Columns(1)(x).tolist() == [[1, 2], [4, 5]]


def test_the_networks_do_not_grow_with_the_columns(generator):
    sizes = []
    for dim in (400, 4_000):
        sample = Sample.of(x=table(60, dim, generator), y=table(60, 1, generator))
        candidates = default_candidates(sample, mi.Recipe())
        *candidates, axes = candidates
        assert [one.name for one in candidates] == ["ranks with Gaussian offset", "standardized"]
        assert axes.name == "principal axes"
        for one in candidates:
            first, second = one.maps
            assert isinstance(first, RowSpace)
            assert first.width == 60
            assert not isinstance(second, RowSpace)
        sizes.append(sum(p.numel() for p in candidates[0].estimator.parameters()))
    assert sizes[0] == sizes[1]


def test_an_estimate_of_wide_tables(generator, tmp_path):
    z = torch.randn(150, 1, generator=generator)
    x = z + torch.randn(150, 400, generator=generator)
    y = z + 0.5 * torch.randn(150, 1, generator=generator)  # 0.80 nats
    with pytest.warns(mi.MIWarning):
        result = mi.estimate(x, y, steps=60, folds=2)
    assert 0.45 < float(result) < 0.85
    result.fitted.save(tmp_path / "critic")
    again = mi.load(tmp_path / "critic")
    assert torch.allclose(again.score_pairs(x, y), result.fitted.score_pairs(x, y), atol=1e-5)


def test_memory_is_linear_in_the_columns(generator):
    """A matrix of columns would take 200 MB."""
    x, y = table(60, 5_000, generator), table(60, 1, generator)
    critic = mi.critics.GaussianCritic()
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        critic.prepare(x, y)
    sizes = [event.cpu_memory_usage for event in profile.function_events]
    assert max(sizes) < 25e6
