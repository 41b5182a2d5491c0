import pytest
import torch

from mibounds import MIEstimator
from mibounds.bounds import CLUB, MINE, InfoNCE, JensenShannon, LeaveOneOut, PlugIn
from mibounds.critics import DiagonalGaussianCritic, FunctionCritic, SeparableCritic, score, shifts


@pytest.fixture
def pair(generator):
    x = torch.randn(12, 2, generator=generator)
    return x, x + torch.randn(12, 2, generator=generator)


CRITIC = FunctionCritic(lambda x, y: (x * y).sum(-1) - x.sum(-1).abs())


def test_all_negatives_in_one_direction_and_in_both(pair):
    forward = score(CRITIC, *pair)
    mirror = score(CRITIC, *pair, keep="x")
    one, other = (float(InfoNCE()(s.joint, s.product)) for s in (forward, mirror))
    assert one != pytest.approx(other, abs=1e-3)
    assert float(MIEstimator(CRITIC, InfoNCE()).value(*pair)) == pytest.approx(one)
    both = MIEstimator(CRITIC, InfoNCE(), symmetric=True)
    assert float(both.value(*pair)) == pytest.approx((one + other) / 2)
    assert float(both.loss(*pair)) == pytest.approx(-(one + other) / 2)
    assert both.unidentified == "constant"


def test_some_negatives_by_shifts(pair):
    partners = shifts(12, 3, torch.Generator().manual_seed(4))
    scores = score(CRITIC, *pair, partners)
    expected = float(JensenShannon().loss(scores.joint, scores.product))
    estimator = MIEstimator(CRITIC, JensenShannon(), negatives=3)
    assert float(estimator.loss(*pair, torch.Generator().manual_seed(4))) == pytest.approx(expected)
    assert float(estimator.loss(*pair, torch.Generator().manual_seed(5))) != pytest.approx(expected)


@pytest.mark.parametrize("bound", [LeaveOneOut(), CLUB(), PlugIn()], ids=repr)
def test_likelihood_scores_matched_pairs_only(pair, bound, monkeypatch):
    density = DiagonalGaussianCritic(2, 2, hidden=(8,))
    estimator = MIEstimator(density, bound)
    expected = -density(*pair).mean().item()
    assert estimator.loss_and_value(*pair)[0].item() == pytest.approx(expected)
    monkeypatch.setattr(density, "pairwise", None)
    assert estimator.loss(*pair).item() == pytest.approx(expected)


@pytest.mark.parametrize("symmetric", [False, True])
def test_loss_and_value_read_the_same_scores(pair, symmetric):
    estimator = MIEstimator(CRITIC, JensenShannon(), negatives=3, symmetric=symmetric)
    loss, value = estimator.loss_and_value(*pair, torch.Generator().manual_seed(4))
    assert float(loss) == pytest.approx(float(estimator.loss(*pair, torch.Generator().manual_seed(4))))
    assert float(value) == pytest.approx(float(estimator.value(*pair, torch.Generator().manual_seed(4))))


def test_only_the_objective_moves_state(pair):
    estimator = MIEstimator(CRITIC, MINE())
    estimator.value(*pair)
    assert estimator.bound.log_average.isnan()
    estimator.loss(*pair)
    assert estimator.bound.log_average.isfinite()


@pytest.mark.parametrize(
    "make, error, sentence",
    [
        (lambda: MIEstimator("joint", InfoNCE()), TypeError, "critic is a str, and must be a Critic"),
        (lambda: MIEstimator(CRITIC, "infonce"), TypeError, "bound is a str, and must be a Bound"),
        (lambda: MIEstimator(CRITIC, InfoNCE(), negatives=0), ValueError, "negatives is 0, and must be 'all'"),
        (lambda: MIEstimator(CRITIC, InfoNCE(), negatives="many"), ValueError, "negatives is 'many'"),
        (lambda: MIEstimator(CRITIC, PlugIn()), ValueError, "PlugIn trains by maximum likelihood and needs a density"),
    ],
)
def test_misuse(make, error, sentence):
    with pytest.raises(error, match=sentence):
        make()


def test_too_many_negatives_for_the_batch(pair):
    with pytest.raises(ValueError, match="negatives is 12, and 12 rows have 1 to 11 others"):
        MIEstimator(CRITIC, InfoNCE(), negatives=12).loss(*pair)


def test_parameters_are_those_of_the_critic():
    critic = SeparableCritic(2, 2, hidden=(4,))
    assert len(list(MIEstimator(critic, MINE()).parameters())) == len(list(critic.parameters()))
