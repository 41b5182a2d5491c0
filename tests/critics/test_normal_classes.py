"""Normal classes: the exact log-ratio, how much the covariances are shrunken, and data that have none of their own."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from mibounds.critics import NormalClassesCritic

MEANS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]])
FACTORS = torch.tensor([[[1.0, 0.0], [0.8, 0.6]], [[2.0, 0.0], [0.0, 0.5]], [[0.5, 0.0], [-1.0, 1.0]]])
SHARES = torch.tensor([0.5, 0.2, 0.3])
CODES = torch.tensor([[3.0], [1.0], [2.0]])  # not in the order of the classes


def draw(n, factors=FACTORS, seed=0):
    generator = torch.Generator().manual_seed(seed)
    place = torch.multinomial(SHARES, n, replacement=True, generator=generator)
    noise = torch.randn(n, 2, generator=generator)
    return MEANS[place] + (factors[place] @ noise[:, :, None])[..., 0], place


def exact(x, factors=FACTORS):
    """(N, 3) log-ratios."""
    normals = [MultivariateNormal(mean, scale_tril=factor) for mean, factor in zip(MEANS, factors, strict=True)]
    log_density = torch.stack([normal.log_prob(x) for normal in normals], 1)
    return log_density - torch.logsumexp(log_density + SHARES.log(), 1, keepdim=True)


def prepared(x, y):
    critic = NormalClassesCritic()
    critic.prepare(x, y)
    return critic


@pytest.mark.parametrize("factors", [FACTORS, FACTORS[:1].expand(3, 2, 2)], ids=["unlike", "equal"])
def test_the_log_ratio_of_normal_classes(factors):
    x, place = draw(20_000, factors)
    critic = prepared(x, CODES[place])
    new, new_place = draw(4_000, factors, seed=1)
    truth = exact(new, factors)
    assert float((critic.pairwise(new, CODES) - truth)[truth > -4].abs().mean()) < 0.04
    assert float(critic(new, CODES[new_place]).mean()) == pytest.approx(
        float(truth.gather(1, new_place[:, None]).mean()), abs=0.005
    )


def test_few_samples_of_equal_covariances_are_no_worse_than_the_pooled_covariance():
    """Separate covariances of 15 samples in 10 columns would predict worse than independence."""
    generator = torch.Generator().manual_seed(0)

    def rows(n):
        place = torch.arange(n) % 4
        x = torch.randn(n, 10, generator=generator)
        x[:, :4] += 2 * torch.nn.functional.one_hot(place, 4)
        return x, place[:, None].float()

    critic = prepared(*rows(60))
    assert float(critic(*rows(4_000)).mean()) > 0.76  # 0.79 with one covariance, 0.70 with hardly shrunken ones


def test_the_scores_of_a_sample_are_those_of_a_distribution():
    x, place = draw(500)
    critic = prepared(x, CODES[place])
    share = critic.pairwise(x, critic.classes).exp() * critic.log_frequency.exp()
    assert torch.allclose(share.sum(1), torch.ones(500), atol=1e-4)


def test_units_and_origins_do_not_matter():
    x, place = draw(500)
    moved = torch.tensor([1e4, -1e-3]) * x + torch.tensor([1e5, 3.0])
    assert torch.allclose(
        prepared(x, CODES[place]).pairwise(x, CODES), prepared(moved, CODES[place]).pairwise(moved, CODES), atol=0.02
    )


def test_copies_constants_and_classes_of_one_sample_have_finite_scores():
    x, place = draw(400)
    x = torch.cat([x, x[:, :1], torch.ones(400, 1)], 1)
    y = CODES[place].clone()
    y[0] = 9.0
    critic = prepared(x, y)
    scores = critic.pairwise(x, critic.classes)
    assert scores.isfinite().all()
    assert torch.equal(critic(x, y), scores[torch.arange(400), torch.cdist(y, critic.classes).argmin(1)])
    assert float(critic(x[1:], y[1:]).mean()) > 0.5


def test_a_single_class_has_no_information_and_an_unknown_one_is_the_nearest():
    x, place = draw(400)
    assert float(prepared(x, torch.ones(400, 1)).pairwise(x, torch.ones(1, 1)).abs().max()) < 1e-5
    critic = prepared(x, CODES[place])
    assert torch.equal(critic(x, CODES[place] + 0.3), critic(x, CODES[place]))


def test_a_class_that_a_fold_lacks_is_fitted():
    x, place = draw(200)
    y = CODES[place].clone()
    y[[0, 5, 10]] = 7.0  # in the first fold alone
    assert math.isfinite(float(prepared(x, y)(x, y).mean()))
