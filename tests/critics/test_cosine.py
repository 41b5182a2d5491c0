"""Contrastive learning as published, by a cosine critic."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from mibounds import MIEstimator, MIRegularizer
from mibounds.bounds import InfoNCE
from mibounds.critics import CosineCritic, Critic, inner_product, score, two_views


def views(n=8, dim=5):
    g = torch.Generator().manual_seed(0)
    a = torch.randn(n, dim, generator=g)
    return a, a + 0.3 * torch.randn(n, dim, generator=g)


def test_nt_xent_is_infonce_of_two_views():
    a, b = views()
    z = normalize(torch.cat([a, b]), dim=1)
    logits = (z @ z.T / 0.2).fill_diagonal_(-math.inf)
    n = len(a)
    expected = cross_entropy(logits, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))
    x, y, partners = two_views(a, b)
    value = MIEstimator(CosineCritic(temperature=0.2), InfoNCE()).value(x, y, partners=partners)
    assert float(value.detach()) == pytest.approx(math.log(2 * n - 1) - float(expected), abs=1e-5)


def test_clip_is_the_symmetric_estimator():
    a, b = views()
    logits = normalize(a, dim=1) @ normalize(b, dim=1).T / 0.07
    target = torch.arange(len(a))
    expected = (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2 - math.log(len(a))
    loss = MIEstimator(CosineCritic(), InfoNCE(), symmetric=True).loss(a, b)
    assert float(loss.detach()) == pytest.approx(float(expected), abs=1e-5)


def test_the_temperature_is_learned_and_bounded():
    a, b = views(64)
    reg = MIRegularizer(5, 5, bound="infonce", critic=CosineCritic(temperature=1.0), lr=0.1)
    for _ in range(100):
        reg.update(a, b)
    scale = reg.estimator.critic.log_scale.exp()
    assert 2 < float(scale) <= 101
    fixed = CosineCritic(learned=False)
    assert not any(parameter.requires_grad for parameter in fixed.parameters())
    with pytest.raises(ValueError, match="temperature is 0"):
        CosineCritic(temperature=0)


def test_units_of_an_embedding_do_not_matter():
    a, b = views()
    critic = CosineCritic()
    assert torch.allclose(critic(100 * a, b), critic(a, b), atol=1e-5)


@pytest.mark.parametrize("keep", ["x", "y"])
def test_most_of_the_pairs_come_from_a_grid(keep):
    """The scores of chosen pairs are the same, whether all are computed or only these."""
    a, b = views()
    critic = CosineCritic()
    partners = (torch.arange(8)[:, None] + torch.arange(1, 6)) % 8
    many = score(critic, a, b, partners, keep=keep).product
    few = torch.cat([score(critic, a, b, partners[:, k : k + 1], keep=keep).product for k in range(5)], 1)
    assert torch.allclose(many, few, atol=1e-5)


def test_an_inner_product_of_all_pairs_is_the_sum():
    a, b = views()

    class Own(Critic):
        def combine(self, hx, hy):
            return inner_product(hx, hy)

    assert torch.allclose(Own().pairwise(a, b), a @ b.T, atol=1e-6)
    assert torch.allclose(Own()(a, b), (a * b).sum(1), atol=1e-6)
    assert torch.allclose(inner_product(a[:, None], b[:, None]), (a * b).sum(1)[:, None], atol=1e-6)
