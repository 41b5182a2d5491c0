"""Cross-fitted densities: every row is scored once, and the estimates from the scores by hand."""

import math

import pytest
import torch

from mibounds.data import Sample
from mibounds.estimation.densities import DensityRows, density_rows
from mibounds.tasks import CorrelatedGaussian
from mibounds.training.recipe import Recipe


def gaussian(n=800, dim=1, rho=0.8, seed=0):
    return CorrelatedGaussian(dim, rho).sample(n, torch.Generator().manual_seed(seed))


def sample_of(x, y, **options):
    return Sample.of(x=x, y=y, **options)


@pytest.fixture(scope="module")
def rows():
    return density_rows(sample_of(*gaussian()), Recipe(steps=60))


def by_hand(**changes):
    zero = torch.zeros(4)
    parts = dict.fromkeys(("outside", "mean", "mean_log", "halves", "marginal"), zero)
    parts |= {
        "half": torch.tensor([0, 0, 1, 1]),
        "inside": torch.zeros(3, 2),
        "residuals": torch.tensor([[1.0], [-1.0], [1.0], [-1.0]]),
        "trained": torch.tensor([True, True, False, True]),
    }
    return DensityRows(**{**parts, **changes})


def test_every_row_is_scored_once_by_a_flow_that_did_not_train_on_it(rows):
    assert rows.outside.shape == rows.mean.shape == rows.marginal.shape == (800,)
    assert rows.half.bincount().tolist() == [400, 400]
    assert rows.inside.shape == (680, 2)  # 15 % of a half validate
    for part in (rows.outside, rows.mean, rows.mean_log, rows.halves, rows.marginal, rows.inside, rows.residuals):
        assert part.isfinite().all()


def test_gaussian_rows_give_their_information(rows):
    truth = -0.5 * math.log(1 - 0.8**2)
    upper, stderr = rows.upper()
    assert upper == pytest.approx(truth, abs=4 * stderr)
    assert rows.estimates()["DifferenceOfEntropies"] == pytest.approx(truth, abs=0.12)
    assert rows.estimates()["CLUB"] > 1.3
    assert abs(rows.marginal_misfit()[0]) < 0.05
    assert abs(rows.residual_misfit()) < 0.03


def test_the_upper_bound_adds_the_train_test_gap():
    scores = {"outside": torch.tensor([1.0, 2.0, 3.0, 4.0]), "mean": torch.ones(4)}
    inside = torch.tensor([[1.5, 1.0], [2.5, 2.0], [3.5, 3.0]])
    rows = by_hand(**scores, inside=inside)
    assert rows.upper()[0] == pytest.approx(1.5 + 0.5)
    assert rows.train_test_gap() == (0.5, 0.0)
    assert by_hand(**scores, inside=inside.flip(1)).upper()[0] == pytest.approx(1.5)


def test_misfits_by_hand():
    assert by_hand().residual_misfit() == pytest.approx((4 / 3 - 1 - math.log(4 / 3)) / 2 - 1 / 4)
    rows = by_hand(marginal=torch.full((4,), -1.0), mean=torch.full((4,), -1.5), halves=torch.full((4,), -1.7))
    assert rows.marginal_misfit() == (pytest.approx(0.3), 0.0)


def test_estimates_by_hand():
    rows = by_hand(
        outside=torch.tensor([1.0, 2.0, 3.0, 4.0]),
        mean=torch.full((4,), 0.5),
        mean_log=torch.full((4,), -1.0),
        marginal=torch.tensor([0.5, 0.5, 1.5, 1.5]),
    )
    assert rows.estimates() == {"CLUB": 3.5, "LeaveOneOut": 2.0, "DifferenceOfEntropies": 1.5}


def test_the_error_of_the_upper_bound_is_that_of_both_its_parts():
    outside = torch.tensor([1.0, 2.0, 3.0, 4.0])
    inside = torch.tensor([[1.5, 1.0], [2.8, 2.0], [3.5, 3.0]])
    rows = by_hand(outside=outside, inside=inside)
    gap_stderr = float((inside[:, 0] - inside[:, 1]).std()) / math.sqrt(3)
    assert rows.train_test_gap() == (pytest.approx(0.6), pytest.approx(gap_stderr))
    jackknife = float(outside.std()) / 2
    between = 2 / 2  # halves of 1.5 and 3.5: standard deviation over the square root of two
    assert rows.upper()[1] == pytest.approx(math.hypot(max(jackknife, between), gap_stderr))


def test_groups_are_the_clusters_of_all_errors():
    """Twenty copies of every row have the error of the rows, and not one that is smaller."""
    generator = torch.Generator().manual_seed(0)
    outside, marginal = torch.randn(2, 20, generator=generator)
    inside = torch.randn(20, 2, generator=generator).abs().sort(1, descending=True).values

    def copies(count, cluster):
        n = 20 * count
        return by_hand(
            outside=outside.repeat_interleave(count), mean=torch.zeros(n), mean_log=torch.zeros(n),
            halves=torch.zeros(n), marginal=marginal.repeat_interleave(count), half=torch.arange(n) % 2,
            inside=inside.repeat_interleave(count, 0), trained=torch.ones(n, dtype=torch.bool), cluster=cluster,
            residuals=torch.zeros(n, 1),
        )  # fmt: skip

    one, many = copies(1, None), copies(20, torch.arange(20).repeat_interleave(20))
    unclustered = copies(20, None)
    for name in ("upper", "train_test_gap", "marginal_misfit"):
        error, grouped, rows = (getattr(some, name)()[1] for some in (one, many, unclustered))
        assert grouped == pytest.approx(error, rel=0.1), name
        assert rows < 0.5 * error, name


def test_the_seed_decides():
    sample = sample_of(*gaussian(200, dim=2))
    one, same, other = (density_rows(sample, Recipe(steps=5, seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(one.outside, same.outside)
    assert not torch.equal(one.outside, other.outside)


def test_halves_follow_groups_and_blocks():
    x, y = gaussian(200)
    groups = torch.arange(200) // 10
    sample = sample_of(x, y, groups=groups)
    grouped = density_rows(sample, Recipe(steps=2))
    assert all(len(grouped.half[groups == group].unique()) == 1 for group in range(20))
    assert torch.equal(grouped.cluster, sample.groups)
    blocked = density_rows(sample_of(x, y), Recipe(steps=2, split="blocked", gap=5))
    assert blocked.half.tolist() == [0] * 100 + [1] * 100
    assert len(blocked.cluster.unique()) == 50
    assert 170 - 20 - 10 < len(blocked.inside) < 170, "rows of the gaps trained nothing either"
    assert density_rows(sample_of(x, y), Recipe(steps=2)).cluster is None


def test_the_number_of_mismatched_pairs_can_be_given():
    sample = sample_of(*gaussian(100))
    few, more = (density_rows(sample, Recipe(steps=2), negatives=count) for count in (1, 2))
    assert torch.equal(few.outside, more.outside)
    assert not torch.equal(few.mean, more.mean)
    assert torch.equal(few.mean, few.mean_log), "of one pair both are the same"
    assert not torch.equal(more.mean, more.mean_log)
