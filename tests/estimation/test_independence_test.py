import pytest
import torch

import mibounds as mi
from mibounds.critics import FunctionCritic
from mibounds.estimation.independence_test import SHARED_FOLDS, _under_permutations, permutation_pvalue
from mibounds.results.result import Curve, Result
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold

pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # trainings are short here

QUICK = {"folds": 2, "steps": 40, "hidden": (32,)}


def sample(n=200, seed=0, columns=1):
    return torch.randn(2, n, columns, generator=torch.Generator().manual_seed(seed))


def result_with(critics, *folds):
    curve = Curve((0,), (0.0,), 0, "given")
    fitted = [Fitted(c, Fold(rows[:0], rows[:0], rows), curve) for c, rows in zip(critics, folds, strict=True)]
    return Result(0.0, 0.0, {"InfoNCE": 0.0}, "InfoNCE", 10, fitted=tuple(fitted))


def test_a_dependence_that_no_correlation_sees_is_seen():
    x, noise = sample()
    y = x.square() + 0.3 * noise
    found = mi.independence_test(x, y, permutations=99, **QUICK)
    assert found.pvalue == 0.01
    assert found.statistic == found.estimate.bounds["InfoNCE"] > 0.03
    assert "p = 0.01" in repr(found)
    assert found.to_dict() == {
        "statistic": found.statistic, "pvalue": 0.01, "permutations": 99, "retrained": False,
    }  # fmt: skip
    again = mi.independence_test(x, y, permutations=99, **QUICK)
    assert (again.pvalue, again.statistic) == (found.pvalue, found.statistic)


def test_retraining_sees_it_too():
    x, noise = sample(100)
    found = mi.independence_test(x, x + 0.5 * noise, permutations=9, retrain=True, **QUICK)
    assert found.retrained
    assert found.pvalue == 0.1


def test_a_critic_that_learnt_nothing_gives_a_uniform_p():
    x, y = sample(50)
    nothing = FunctionCritic(lambda x, y: (0 * x * y).sum(-1))
    observed, drawn = _under_permutations(result_with([nothing], torch.arange(50)), x, y, 99, torch.Generator())
    assert observed == 0
    assert not drawn.any()
    pvalues = torch.tensor([permutation_pvalue(observed, drawn, torch.Generator().manual_seed(s)) for s in range(500)])
    assert float(pvalues.mean()) == pytest.approx(0.5, abs=0.05)
    assert float((pvalues <= 0.1).float().mean()) == pytest.approx(0.1, abs=0.05)


def test_matchings_stay_within_folds():
    """Rows of two folds of different levels: a matching across them would differ by 100, one within by nothing."""
    x = torch.cat([torch.zeros(10, 1), torch.full((10, 1), 10.0)])
    product = FunctionCritic(lambda x, y: (x * y).sum(-1))
    folds = torch.arange(10), torch.arange(10, 20)
    observed, drawn = _under_permutations(result_with([product] * 2, *folds), x, x, 20, torch.Generator())
    assert observed == pytest.approx(0)
    assert drawn.abs().max() < 1e-6


def test_chance_that_two_folds_share_is_not_counted_twice():
    """Thirty slopes learnt from the other fold's rows, on independent rows: permutations within the folds alone reject
    too often, stretched by sqrt 2 they do not."""
    rejected = {1.0: 0, SHARED_FOLDS: 0}
    for seed in range(200):
        x, y = sample(60, seed, columns=30)
        halves = torch.arange(30), torch.arange(30, 60)
        slopes = [(x[rows] * y[rows]).mean(0) for rows in halves]
        critics = [FunctionCritic(lambda u, v, slope=slope: (slope * u * v).sum(-1)) for slope in slopes[::-1]]
        result = result_with(critics, *halves)
        observed, drawn = _under_permutations(result, x, y, 99, torch.Generator().manual_seed(seed))
        for stretch in rejected:
            rejected[stretch] += permutation_pvalue(observed, stretch * drawn, torch.Generator()) <= 0.1
    assert rejected[1.0] / 200 > 0.13
    assert rejected[SHARED_FOLDS] / 200 < 0.13


def test_what_cannot_be_used_is_refused():
    x, y = sample(60)
    with pytest.raises(ValueError, match="permutations is 0"):
        mi.independence_test(x, y, permutations=0)
    with pytest.raises(ValueError, match="x has 60 rows and y has 59"):
        mi.independence_test(x, y[:59])


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
@pytest.mark.parametrize("retrain", [False, True])
def test_weights_choose_the_rows_that_are_permuted(retrain):
    x, noise = torch.randn(2, 400, generator=torch.Generator().manual_seed(0))
    weights = (torch.arange(400) % 2).float()
    chosen = weights.bool()
    options = {"steps": 20, "folds": 2, "hidden": (8,), "permutations": 3, "retrain": retrain}
    found = mi.independence_test(x, x + noise, sample_weight=weights, **options)
    assert found.pvalue == mi.independence_test(x[chosen], (x + noise)[chosen], **options).pvalue
