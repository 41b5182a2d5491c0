import math

import pytest
import torch

from mibounds.critics import BilinearCritic, ClassCritic, ForestCritic, FunctionCritic, JointCritic, Transposed, score
from mibounds.training.modules import describe, rebuild


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def heteroscedastic(n, seed=0):
    """The size of y depends on the first of two columns, and its mean on nothing."""
    x, noise = torch.randn(n, 2, generator=seeded(seed)), torch.randn(n, 1, generator=seeded(seed + 100))
    return x, torch.where(x[:, :1] > 0, 2.0, 0.2) * noise


def normal(value, scale):
    return -0.5 * (value / scale) ** 2 - math.log(scale)


def exact(x, y):
    size = torch.where(x[:, :1] > 0, 2.0, 0.2)
    own = -0.5 * (y / size) ** 2 - size.log()
    marginal = torch.logaddexp(normal(y, 2.0), normal(y, 0.2)) - math.log(2)
    return (own - marginal).squeeze(1)


def test_a_forest_sees_the_size_of_noise():
    critic = ForestCritic()
    critic.prepare(*heteroscedastic(2500))
    x, y = heteroscedastic(2000, 1)
    information = float(exact(x, y).mean())
    assert 0.4 < information < 0.7
    assert 0.8 * information < float(critic(x, y).mean()) < information + 0.03
    assert float(critic.pairwise(x, y).exp().mean()) == pytest.approx(1, abs=0.05)
    clear = x[:, 0].abs() > 0.3
    assert float((critic(x, y) - exact(x, y))[clear].abs().median()) < 0.25


def test_a_forest_takes_the_column_of_y():
    x, y = heteroscedastic(800)
    other = torch.randn(800, 1, generator=seeded(3))
    one, second = ForestCritic(), ForestCritic(1)
    one.prepare(x, y)
    second.prepare(x, torch.cat([other, y.exp()], 1))
    assert torch.allclose(one(x, y), second(x, torch.cat([other, y.exp()], 1)), atol=1e-3), "y is ranked"


def test_a_forest_of_a_label():
    """The second of three classes nearly only for positive x."""
    x = torch.randn(4000, 2, generator=seeded(0))
    chance = torch.rand(4000, generator=seeded(1))
    classes = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    codes = torch.where(chance < 0.5, 0, torch.where((x[:, 0] > 0) ^ (chance > 0.95), 1, 2))
    critic = ForestCritic(label=True)
    critic.prepare(x, classes[codes])
    at = torch.tensor([[1.0, 0.0]]).expand(3, -1)
    expected = torch.tensor([0.0, math.log(0.45 / 0.25), math.log(0.05 / 0.25)])
    for found, mirrored in ((critic(at, classes), [0, 1, 2]), (critic(-at, classes), [0, 2, 1])):
        assert torch.allclose(found[mirrored][:2], expected[:2], atol=0.2)
        assert -1.7 < float(found[mirrored][2]) < -0.6, "coarse: leaves mix"


def test_a_forest_finds_nothing_in_noise_and_takes_constants():
    x, y = torch.randn(2, 2000, 1, generator=seeded(0))
    critic = ForestCritic()
    critic.prepare(x, y)
    new_x, new_y = torch.randn(2, 2000, 1, generator=seeded(1))
    assert -0.2 < float(critic(new_x, new_y).mean()) < 0.01
    constant = ForestCritic()
    constant.prepare(x, torch.ones_like(y))
    assert constant(new_x, torch.ones_like(y)).abs().max() < 1e-5
    assert constant.pairwise(new_x[:5], new_y[:4]).shape == (5, 4)


def test_hat_functions_add_to_one_and_interpolate():
    x, y = heteroscedastic(500)
    critic = ForestCritic()
    critic.prepare(x, y)
    basis = critic.encode_y(y)
    assert basis.shape == (500, 24)
    assert torch.allclose(basis.sum(1), torch.ones(500))
    assert ((basis > 0).sum(1) <= 2).all()
    scores = critic.ranks(y)[:, 0]
    inside = (scores > critic.knots[0]) & (scores < critic.knots[-1])
    assert torch.allclose((basis @ critic.knots)[inside], scores[inside], atol=1e-5)
    ends = critic.encode_y(torch.tensor([[-1e9], [1e9]]))
    assert ends[0, 0] == ends[1, -1] == 1


def logistic(n, weight, bias, seed=0):
    x = torch.randn(n, weight.shape[1], generator=seeded(seed))
    probability = torch.softmax(x @ weight.T + bias, 1)
    return x, torch.multinomial(probability, 1, generator=seeded(seed + 1))[:, 0]


@pytest.mark.parametrize("classes", [2, 3])
def test_the_log_ratio_of_a_logistic_model(classes):
    weight = torch.tensor([[1.0, 0.0], [-1.0, 0.5], [0.0, -1.0]])[:classes]
    bias = torch.tensor([0.5, 0.0, -0.5])[:classes]
    x, codes = logistic(20_000, weight, bias)
    names = torch.tensor([[3.0], [1.0], [2.0]])[:classes]  # not in the order of the codes
    critic = ClassCritic()
    critic.prepare(x, names[codes])
    new = logistic(1000, weight, bias, 5)[0]
    frequency = torch.bincount(codes).float() / len(codes)
    expected = torch.log_softmax(new @ weight.T + bias, 1) - frequency.log()
    inside = new.abs().amax(1) < 1.5  # beyond, columns are compressed
    found = critic.pairwise(new, names)
    assert torch.allclose(found[inside], expected[inside], atol=0.15)
    assert float((found - expected)[inside].abs().mean()) < 0.04
    assert torch.allclose((found.exp() * frequency).sum(1), torch.ones(1000), atol=1e-4), "a distribution for each x"
    truth, scored = ((side[torch.arange(1000), logistic(1000, weight, bias, 5)[1]]) for side in (expected, found))
    assert float(scored.mean()) == pytest.approx(float(truth.mean()), abs=0.02)


def test_columns_before_the_start_are_left_out():
    x, codes = logistic(2000, torch.tensor([[2.0, 0.0], [-2.0, 0.0]]), torch.zeros(2))
    y = codes[:, None].float()
    critic, plain = ClassCritic(2), ClassCritic()
    critic.prepare(torch.cat([y, -y, x], 1), y)
    plain.prepare(x, y)
    assert torch.equal(critic(torch.cat([y, -y, x], 1), y), plain(x, y))


def test_an_unknown_class_is_the_nearest_one_and_a_single_class_has_no_information():
    x, codes = logistic(500, torch.tensor([[2.0, 0.0], [-2.0, 0.0]]), torch.zeros(2))
    y = codes[:, None].float()
    critic = ClassCritic()
    critic.prepare(x, y)
    assert torch.equal(critic(x, y + 0.3), critic(x, y))
    single = ClassCritic()
    single.prepare(x, torch.ones_like(y))
    assert not single(x, torch.ones_like(y)).any()


@pytest.mark.parametrize("critic", [ClassCritic(), ForestCritic(label=True), Transposed(ForestCritic())])
def test_critics_of_tables_are_saved_and_loaded(critic):
    x, codes = logistic(300, torch.tensor([[2.0, 0.0], [-2.0, 0.0]]), torch.zeros(2))
    y = codes[:, None].float()
    critic.prepare(x, y)
    assert torch.equal(rebuild(*describe(critic))(x, y), critic(x, y))


def test_transposed_exchanges_the_variables_everywhere():
    plain = FunctionCritic(lambda x, y: x.sum(-1) - 2 * y.square().sum(-1))
    turned = Transposed(plain)
    x, y = torch.randn(6, 2, generator=seeded(0)), torch.randn(6, 3, generator=seeded(1))
    assert torch.equal(turned(x, y), plain(y, x))
    assert torch.equal(turned.pairwise(x, y[:4]), plain.pairwise(y[:4], x).mT)
    assert torch.equal(turned.encode_x(x), plain.encode_y(x))
    assert torch.equal(turned.encode_y(y), plain.encode_x(y))
    found, expected = score(turned, x, y), score(plain, y, x, keep="x")
    assert torch.equal(found.joint, expected.joint)
    assert torch.equal(found.product, expected.product)


def test_transposed_prepares_and_trains_the_other_way():
    x, y = heteroscedastic(500)
    plain, turned = ForestCritic(), Transposed(ForestCritic())
    plain.prepare(x, y)
    turned.prepare(y, x)
    assert torch.equal(turned(y, x), plain(x, y))
    assert Transposed(JointCritic(2, 3)).network_per_pair
    assert not Transposed(BilinearCritic(2, 3)).network_per_pair
    assert len([*Transposed(BilinearCritic(2, 3)).parameters()]) > 0
