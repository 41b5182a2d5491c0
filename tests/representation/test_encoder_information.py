"""I(X;Z) of encoders whose information has a closed form."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Independent, LogNormal, Normal, Uniform

from mibounds import MIRegularizer, bounds, encoder_information
from mibounds.critics import CategoricalCritic, DensityCritic
from mibounds.results import BracketResult

G = torch.Generator().manual_seed(0)
X = torch.randn(1500, 3, generator=G)
WEIGHT = torch.tensor([[1.0, 0.5], [0.0, 1.0], [0.3, 0.0]])
TRUTH = 0.5 * float(torch.logdet(torch.eye(2) + WEIGHT.T @ WEIGHT))


def linear(x):
    return Independent(Normal(x @ WEIGHT, 1.0), 1)


def test_both_sides_of_a_linear_gaussian_encoder():
    result = encoder_information(linear, X, prior=Independent(Normal(torch.zeros(2), torch.ones(2)), 1))
    assert result.lower == pytest.approx(TRUTH, abs=3 * result.lower_stderr)
    assert 0 < result.upper - result.lower < 0.01
    assert result.interval[0] < TRUTH < result.interval[1]
    # E KL(q(z|x) || p(z)) = |W|^2 / 2
    assert result.estimates["KLToPrior"] == pytest.approx(float(WEIGHT.square().sum()) / 2, abs=0.1)
    assert "known density" in str(result)
    assert BracketResult.from_dict(result.to_dict()).known


def test_columns_need_not_be_declared_independent_and_units_convert():
    nats = encoder_information(linear, X[:300])
    bits = encoder_information(lambda x: Normal(x @ WEIGHT, torch.ones(2)), X[:300], unit="bits")
    assert bits.lower == pytest.approx(nats.lower / math.log(2), rel=1e-5)


def test_codes_may_be_labels():
    result = encoder_information(lambda x: Categorical(logits=20 * torch.cat([x[:, :1], -x[:, :1]], 1)), X)
    assert result.upper == pytest.approx(math.log(2), abs=0.06)


def test_a_module_is_evaluated_without_dropout_and_without_a_trace():
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.layer = nn.Dropout(0.5), nn.Linear(3, 2)

        def forward(self, x):
            return Independent(Normal(self.layer(self.drop(x)), 1.0), 1)

    encoder = Encoder()
    state = torch.get_rng_state()
    first, second = encoder_information(encoder, X[:200]), encoder_information(encoder, X[:200])
    assert (first.lower, first.upper) == (second.lower, second.upper)
    assert encoder.training
    assert torch.equal(torch.get_rng_state(), state)
    assert encoder.layer.weight.grad is None


def test_the_codes_are_independent_of_data_from_the_same_seed():
    torch.manual_seed(0)
    x = torch.randn(2000, 1)
    result = encoder_information(lambda x: Independent(Normal(x, 1.0), 1), x, draws=1, seed=0)
    assert result.interval[0] < math.log(2) / 2 < result.interval[1]


def test_the_mode_of_each_module_is_restored():
    encoder = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))
    encoder[0].eval()
    wrapped = nn.Module()
    wrapped.encoder, wrapped.forward = encoder, lambda x: Independent(Normal(encoder(x), 1.0), 1)
    encoder_information(wrapped, X[:100])
    assert [module.training for module in (wrapped, encoder, encoder[0])] == [True, True, False]


def test_noise_that_does_not_overlap_has_no_upper_bound():
    def bounded(x, **options):
        return Independent(Uniform(x - 1, x + 1, **options), 1, **options)

    result = encoder_information(lambda x: bounded(x[:, :1], validate_args=False), X[:300])
    assert result.upper == math.inf
    assert result.interval[1] == math.inf > result.interval[0] > 0.5
    with pytest.raises(ValueError, match="whose support depends on x: .* validate_args=False") as caught:
        encoder_information(lambda x: bounded(x[:, :1], validate_args=True), X[:300])
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("n", [300, 1500])  # scored at once, and in two pieces
@pytest.mark.parametrize("independent", [True, False])
def test_a_prior_for_each_sample_is_as_one_for_all(n, independent):
    def prior(shape):
        normal = Normal(torch.zeros(shape), 1.0)
        return Independent(normal, 1) if independent else normal

    one, each = (encoder_information(linear, X[:n], prior=prior(shape), draws=1) for shape in (2, (n, 2)))
    assert one.estimates["KLToPrior"] == each.estimates["KLToPrior"]


@pytest.mark.parametrize(
    "prior, error, sentence",
    [
        ("normal", TypeError, "prior is a str: expected a torch.distributions.Distribution of a code"),
        (Normal(torch.zeros(3), 1.0), ValueError, r"prior does not fit codes of shape \(300, 2\): .* single code, or"),
        (Independent(Normal(torch.zeros(299, 2), 1.0), 1), ValueError, "prior does not fit codes"),
        (Normal(torch.zeros(7, 1, 1), 1.0), ValueError, r"its log densities have shape \(7, 300, 2\)"),
        (Uniform(torch.zeros(2), 1.0, validate_args=True), ValueError, "prior does not fit codes"),
    ],
)
def test_priors_of_other_codes_are_refused(prior, error, sentence):
    with pytest.raises(error, match=sentence):
        encoder_information(linear, X[:300], prior=prior, draws=1)


@pytest.mark.parametrize(
    "x, shape",
    [
        (torch.zeros(300, 5, 3), (5, 300)),  # the time comes first
        (torch.zeros(300, 3), (2,)),
        ((torch.zeros(300, 3), torch.zeros(300)), (3, 300)),
        ({"tokens": np.zeros((300, 4), int)}, (4,)),
    ],
)
def test_there_is_a_distribution_for_each_row_of_x(x, shape):
    with pytest.raises(ValueError, match="and x has 300 rows: expected a distribution for each row of x"):
        encoder_information(lambda _: Normal(torch.zeros(shape), 1.0), x)


@pytest.mark.parametrize("scale", [200.0, -200.0])
def test_codes_that_overflow_are_not_taken_for_a_support_that_depends_on_x(scale):
    with pytest.raises(ValueError, match="log densities of its own codes that are not finite, because codes overflow"):
        encoder_information(lambda x: Independent(LogNormal(scale + x, 1.0), 1), X[:50])


def test_the_result_is_of_the_code():
    result = encoder_information(linear, X[:100])
    assert "<= I(X;Z) <=" in str(result)
    assert "I(X;Z)" in result.plot().axes[0].get_title(loc="left")


def test_errors():
    with pytest.raises(TypeError, match=r"encoder\(x\) is a tuple: return a torch.distributions.Distribution"):
        encoder_information(lambda x: (x, x), X)
    with pytest.raises(ValueError, match="counts at least two samples"):
        encoder_information(lambda x: Normal(torch.zeros(()), 1.0), X)


def test_a_known_density_in_a_loop_has_both_sides_and_no_critic_to_train():
    """The values are those of `encoder_information`, and gradients reach the encoder through its density and codes."""
    critic = DensityCritic(lambda mean, z: Independent(Normal(mean, 1.0), 1).log_prob(z))
    weight = WEIGHT.clone().requires_grad_()
    values = {}
    for bound in ("leaveoneout", "infonce"):
        reg = MIRegularizer(2, 2, bound=bound, critic=critic)
        assert reg.optimizer is None
        mean = X[:400] @ weight
        z = mean + torch.randn(400, 2, generator=torch.Generator().manual_seed(1))
        value = reg(mean, z)
        (value if bound == "leaveoneout" else -value).backward()
        reg.update(mean, z)
        assert reg.value() == pytest.approx(float(value.detach()))
        assert weight.grad.abs().sum() > 0
        values[bound] = reg.value()
    assert values["infonce"] < values["leaveoneout"]
    assert values["infonce"] == pytest.approx(TRUTH, abs=0.15)


def test_a_classifier_is_the_critic_of_labels():
    """InfoGAN's bound: the entropy of the code plus the likelihood of a classifier."""
    labels = torch.randint(3, (4000,), generator=torch.Generator().manual_seed(0))
    x = torch.eye(3)[labels] + 0.3 * torch.randn(4000, 3, generator=torch.Generator().manual_seed(1))
    for bound in (bounds.BarberAgakov(entropy=math.log(3)), "leaveoneout", "infonce"):
        reg = MIRegularizer(3, 3, bound=bound, critic="categorical", hidden=(32,), lr=1e-2)
        for step in range(120):
            rows = slice(step % 30 * 128, step % 30 * 128 + 128)
            reg.update(x[rows], labels[rows])
        assert 0.85 < reg.value() < math.log(3) + 0.05
    inner = CategoricalCritic(3, 3, hidden=(8,))
    assert torch.equal(inner(x[:5], labels[:5]), inner(x[:5], torch.eye(3)[labels[:5]]))
    total = inner.pairwise(x[:5], torch.tensor([0, 1, 2])).detach().exp().sum(1)
    assert total.tolist() == pytest.approx([1] * 5, abs=1e-5)


def test_a_mean_log_density_is_no_information():
    with pytest.raises(ValueError, match="PlugIn needs a log density ratio, .* whose mean is no information"):
        MIRegularizer(2, 2, bound="plugin", critic="diagonalgaussian")
