"""I(X;Z) in a training loop: gradients, isolation, state, and everything that is easy to misuse."""

import copy
import io
import math
import warnings

import pytest
import torch
from torch import nn

from mibounds import MIRegularizer, clipped_backward, gradient_scale
from mibounds.bounds import BarberAgakov, DonskerVaradhan, InfoNCE, InfoNCEAnchor, Interpolated, JensenShannon
from mibounds.critics import Critic, DensityCritic, Encoded, FunctionCritic, JointCritic, SeparableCritic
from mibounds.representation import regularizer
from mibounds.tasks import CorrelatedGaussian
from mibounds.warnings import (
    CeilingWarning,
    DetachedInputWarning,
    NonFiniteStepWarning,
    SharedParametersWarning,
    StaleCriticWarning,
    WrongSideWarning,
)

SMALL = {"hidden": (16,), "lr": 1e-2}


class Quadratic(Critic):
    """f(x, z) = w (x . z), with a weight to train."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))

    def combine(self, hx, hy):
        return self.weight * (hx * hy).sum(-1)


def pair(n=64, d=2, seed=0):
    return CorrelatedGaussian(d, 0.8).sample(n, torch.Generator().manual_seed(seed))


def test_the_gradient_is_the_analytic_one():
    """Donsker–Varadhan with f = w x.z: d/dx_i = w z_i / N - sum_j p_ij w z_j over the mismatched pairs."""
    reg = MIRegularizer(2, 2, bound=DonskerVaradhan(), critic=Quadratic())  # one's own: not standardized
    x, z = pair(10)
    x.requires_grad_()
    (-reg(x, z)).backward()
    w = 0.5
    scores = w * (x.detach() @ z.T)
    scores.fill_diagonal_(-math.inf)
    weights = scores.flatten().softmax(0).view(10, 10)
    assert torch.allclose(-x.grad, w * z / 10 - weights @ (w * z), atol=1e-6)


def test_the_penalty_trains_the_encoder_and_not_the_critic():
    reg = MIRegularizer(2, 2, **SMALL)
    encoder = nn.Linear(2, 2)
    x, _ = pair()
    reg.update(x, encoder(x))  # away from the zero start
    before = copy.deepcopy(reg.estimator.state_dict())
    (-reg(x, encoder(x))).backward()
    assert encoder.weight.grad.abs().sum() > 0
    assert all(p.grad is None for p in reg.parameters())
    assert not any(p.requires_grad for p in reg.parameters())
    for name, state in reg.estimator.state_dict().items():
        assert torch.equal(state, before[name])


def test_update_trains_the_critic_and_not_the_encoder():
    reg = MIRegularizer(2, 2, **SMALL, steps=3)
    encoder = nn.Linear(2, 2)
    x, _ = pair()
    before = [p.clone() for p in reg.parameters()]
    reg.update(x, encoder(x))
    assert reg.updates == 3
    assert encoder.weight.grad is None
    assert all(p.grad is None for p in reg.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, reg.parameters(), strict=True))


def test_the_users_optimizer_does_not_change_the_critic_even_if_it_contains_it():
    reg = MIRegularizer(2, 2, **SMALL)
    encoder = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *reg.parameters()], lr=0.1, weight_decay=0.1)
    x, _ = pair()
    for _ in range(3):
        reg.update(x, encoder(x))
        before = [p.clone() for p in reg.parameters()]
        (-reg(x, encoder(x))).backward()
        optimizer.step()
        assert all(torch.equal(a, b) for a, b in zip(before, reg.parameters(), strict=True))


@pytest.mark.parametrize(
    ("bound", "critic"),
    [
        *((bound, "separable") for bound in ("mine", "infonce", "nwj", "jensenshannon", "smile", "interpolated")),
        ("mine", "joint"),
        *((bound, "joint") for bound in ("infonce", "nwj", "jensenshannon")),
        *(pytest.param(bound, "joint", marks=pytest.mark.slow) for bound in ("smile", "interpolated")),
    ],
)
def test_the_running_value_approaches_the_information(bound, critic):
    reg = MIRegularizer(2, 2, bound=bound, critic=critic, hidden=(32, 32), lr=3e-3, negatives="all", clip=5.0)
    assert math.isnan(reg.value())
    generator = torch.Generator().manual_seed(0)
    for _ in range(250):
        reg.update(*CorrelatedGaussian(2, 0.8).sample(64, generator))  # 1.02 nats
    assert reg.value() == pytest.approx(0.9, abs=0.3)


def values_of(monkeypatch, reg, values):
    """Updates whose values are these."""
    losses = iter(values)

    def loss_and_value(x, z, partners):
        return sum(parameter.sum() for parameter in reg.estimator.parameters()), torch.tensor(next(losses))

    monkeypatch.setattr(reg.estimator, "loss_and_value", loss_and_value)
    for _ in values:
        reg.update(*pair())
        yield reg.value()


def test_the_running_value_is_the_median_of_the_last_100(monkeypatch):
    reg = MIRegularizer(2, 2, **SMALL)
    assert list(values_of(monkeypatch, reg, [4.0, 2.0, 6.0])) == [4, 2, 4]
    *_, last = values_of(monkeypatch, reg, [0.0] * 50 + [1.0] * 60)
    assert last == 1


def test_the_running_value_does_not_follow_outliers(monkeypatch):
    reg = MIRegularizer(2, 2, **SMALL)
    values = [4.0, 4.0, math.nan, -math.inf, -4.5e11]
    assert list(values_of(monkeypatch, reg, values)) == [4, 4, 4, 4, 4]


class Root(Quadratic):
    """f(x, z) = sqrt(w) (x . z), whose gradient is infinite at w = 0."""

    def combine(self, hx, hy):
        return self.weight.sqrt() * (hx * hy).sum(-1)


def test_a_step_with_an_infinite_gradient_is_skipped_and_counted():
    reg = MIRegularizer(2, 2, bound="infonce", critic=Root(), lr=0.1, steps=2)
    weight = reg.estimator.critic.weight
    reg.update(*pair())
    assert (reg.updates, reg.skipped) == (2, 0)
    before = float(weight.detach())
    assert before != 0.5
    weight.data.zero_()
    with pytest.warns(NonFiniteStepWarning, match="step was skipped"):
        reg.update(*pair())
    assert (reg.updates, reg.skipped) == (4, 2)
    assert float(weight.detach()) == 0
    assert reg.state_dict()["counts"].tolist() == [4, 2, 0]
    weight.data.fill_(before)
    reg.update(*pair())
    assert math.isfinite(float(weight.detach()))
    assert float(weight.detach()) != before


def test_the_gradient_of_a_critic_step_is_clipped():
    """Plain gradient descent shows the length of a step."""
    reg = MIRegularizer(2, 2, bound="infonce", critic=Quadratic(), clip=1e-3)
    reg.optimizer = torch.optim.SGD(reg.parameters(), lr=1.0)
    reg.update(*pair())
    assert float(reg.estimator.critic.weight.detach()) == pytest.approx(0.5 + 1e-3, abs=1e-6)


def test_an_upper_bound_for_making_information_small():
    reg = MIRegularizer(2, 2, bound="club", critic="diagonalgaussian", hidden=(32,), lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(300):
        reg.update(*CorrelatedGaussian(2, 0.8).sample(128, generator))
    assert reg.value() > CorrelatedGaussian(2, 0.8).mutual_information


def test_images_and_codes(generator):
    images, codes = torch.randn(16, 1, 12, 10, generator=generator), torch.randn(16, 3, generator=generator)
    for critic in ("joint", "separable"):
        reg = MIRegularizer((1, 12, 10), 3, critic=critic, **SMALL)
        images.grad = None
        images.requires_grad_()
        reg.update(images, codes)
        reg.update(images, codes)
        (-reg(images, codes)).backward()
        assert images.grad.abs().sum() > 0
    flat = MIRegularizer((4, 5), (3,), **SMALL)
    assert flat(torch.randn(8, 4, 5), torch.randn(8, 3).requires_grad_()).isfinite()


def test_scores_are_in_single_precision_whatever_the_autocast():
    reg = MIRegularizer(2, 2, **SMALL)
    x, z = pair()
    reg.update(x, z)
    z.requires_grad_()
    expected = reg(x, z)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = reg(x, z)
        reg.update(x, z)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_a_restored_regularizer_continues_with_the_same_numbers():
    def steps(reg, k, seed):
        generator = torch.Generator().manual_seed(seed)
        for _ in range(k):
            reg.update(*CorrelatedGaussian(2, 0.8).sample(32, generator))
        return reg

    reg = steps(MIRegularizer(2, 2, **SMALL), 5, seed=1)
    file = io.BytesIO()
    torch.save(reg.state_dict(), file)
    file.seek(0)
    fresh = MIRegularizer(2, 2, **SMALL, seed=9)
    fresh.load_state_dict(torch.load(file, weights_only=True))
    assert fresh.updates == 5
    assert torch.equal(fresh.estimator.bound.log_average, reg.estimator.bound.log_average)
    steps(reg, 3, seed=2), steps(fresh, 3, seed=2)
    assert fresh.value() == reg.value()
    for a, b in zip(fresh.parameters(), reg.parameters(), strict=True):
        assert torch.equal(a, b)


def test_it_does_not_use_the_global_random_state():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    reg = MIRegularizer(2, 2, **SMALL)
    reg.update(*pair())
    reg(*(side.requires_grad_() for side in pair()))
    assert torch.equal(torch.get_rng_state(), state)


def test_errors_name_the_tensor():
    reg = MIRegularizer(2, 2, **SMALL)
    x, z = pair()
    broken = z.clone()
    broken[3, 1] = math.nan
    for call in (reg, reg.update):
        with pytest.raises(ValueError, match="z has 1 missing or infinite values"):
            call(x, broken)
        with pytest.raises(ValueError, match="x has 64 rows and z has 63"):
            call(x, z[1:])


def test_a_single_column_may_come_without_its_dimension():
    reg = MIRegularizer(1, 1, **SMALL)
    x, z = pair(d=1)
    assert torch.equal(MIRegularizer(1, 1, **SMALL)(x, z.requires_grad_()), reg(x[:, 0], z[:, 0]))


def calls(reg, n=1, sign=-1, x=None, z=None):
    x0, z0 = pair()
    x = x0 if x is None else x
    z = z0.requires_grad_() if z is None else z
    for _ in range(n):
        (sign * reg(x, z)).backward()


def test_a_stale_critic_is_reported_once():
    reg = MIRegularizer(2, 2, **SMALL)
    calls(reg, 100)
    with pytest.warns(StaleCriticWarning, match="not updated for 100 calls") as record:
        calls(reg, 5)
    assert len(record) == 1
    assert record[0].message.code == "stale-critic"
    updated = MIRegularizer(2, 2, **SMALL)
    for _ in range(3):
        calls(updated, 60)
        updated.update(*pair())


def test_warnings_are_attributed_to_the_users_line():
    with pytest.warns(DetachedInputWarning) as record:
        MIRegularizer(2, 2, **SMALL)(*pair())
    assert record[0].filename == __file__
    reg, (x, z) = trained(bound="infonce"), pair()
    value = reg(x, z.requires_grad_())
    with pytest.warns(WrongSideWarning) as record:
        value.backward()  # from a hook of the backward pass
    assert record[0].filename == __file__


def test_detached_inputs_are_reported_where_gradients_are_enabled():
    with pytest.warns(DetachedInputWarning, match="Neither x nor z requires a gradient"):
        MIRegularizer(2, 2, **SMALL)(*pair())
    with torch.no_grad():
        MIRegularizer(2, 2, **SMALL)(*pair())


def trained(**options):
    reg = MIRegularizer(2, 2, **{**SMALL, **options})
    for seed in range(5):
        reg.update(*pair(seed=seed))
    return reg


@pytest.mark.parametrize(
    "options, sign, advice",
    [
        ({"bound": "infonce"}, +1, 'InfoNCE is a lower bound and is being minimized.*bound="leaveoneout"'),
        ({"bound": "club", "critic": "diagonalgaussian"}, -1, 'CLUB is an upper bound and is being maximized.*"mine"'),
    ],
)
def test_the_wrong_side_is_reported_with_the_right_one(options, sign, advice):
    with pytest.warns(WrongSideWarning, match=advice) as record:
        calls(trained(**options), 3, sign=sign)
    assert len(record) == 1
    calls(trained(**options), 3, sign=-sign)  # the right side: no warning
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for sign in (-1, 1):
            calls(trained(bound="smile"), 1, sign=sign)  # neither side


def test_a_reversed_gradient_is_named_where_the_sign_of_the_term_decides():
    class Reversed(torch.autograd.Function):
        @staticmethod
        def forward(_, z):
            return z.view_as(z)

        @staticmethod
        def backward(_, gradient):
            return -gradient

    x = pair()[0]
    with pytest.warns(WrongSideWarning, match="by the sign of its term in the loss, .* a gradient reversal layer"):
        trained(bound="infonce")(x, Reversed.apply(nn.Linear(2, 2)(x))).backward()
    assert "gradient reversal layer" in WrongSideWarning.condition + WrongSideWarning.remedy


def test_the_scale_of_a_gradient_is_no_direction():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bound, sign in (("infonce", 1), ("club", -1)):
            reg = trained(bound=bound, critic="separable" if sign > 0 else "diagonalgaussian")
            encoder = nn.Linear(2, 2)
            for use in (gradient_scale, clipped_backward):
                z = encoder(pair()[0])
                arguments = (z.square().mean(), reg(pair()[0], z), encoder.parameters())
                use(*arguments) if use is gradient_scale else use(*arguments, beta=sign)
    with pytest.warns(WrongSideWarning):
        z = encoder(pair()[0])
        clipped_backward(z.square().mean(), reg(pair()[0], z), encoder.parameters(), beta=1.0)


def test_a_value_at_the_ceiling_is_reported():
    critic = FunctionCritic(lambda x, z: 50 - 100 * (x - z).abs().sum(-1))
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    reg = MIRegularizer(2, 2, bound="infonce", critic=critic)
    with pytest.warns(CeilingWarning, match="ceiling of 2.08 nats"):
        reg(x, x.clone().requires_grad_())


@pytest.mark.parametrize("fraction, reported", [(0.94, False), (0.96, True)])
def test_the_ceiling_is_reported_from_95_percent_of_it(fraction, reported):
    """Scores s on the diagonal and 0 elsewhere: the value is ln 8 - ln(1 + 7 e^-s)."""
    s = -math.log((8 ** (1 - fraction) - 1) / 7)
    reg = MIRegularizer(8, 8, bound="infonce", critic=Quadratic())
    x = torch.eye(8) * math.sqrt(2 * s)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        value = reg(x, x.clone().requires_grad_())
    assert float(value.detach()) == pytest.approx(fraction * math.log(8), abs=1e-4)
    assert [type(w.message) for w in record] == [CeilingWarning] * reported


def test_a_critic_that_shares_the_users_layers():
    encoder = nn.Linear(2, 2)

    class Sharing(Critic):
        def __init__(self):
            super().__init__()
            self.borrowed = encoder

        def combine(self, hx, hy):
            return (self.borrowed(hx) * hy).sum(-1)

    x, _ = pair()
    reg = MIRegularizer(2, 2, critic=Sharing())
    reg.update(x, x)  # before the first call, as in a GAN
    with pytest.warns(SharedParametersWarning, match="use separate layers for the critic"):
        nn.Linear(2, 2)(encoder(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MIRegularizer(2, 2, critic=Sharing())(x, nn.Linear(2, 2)(x)).neg().backward()


@pytest.mark.parametrize(
    "options, error, sentence",
    [
        ({"bound": "mime"}, ValueError, "Did you mean 'mine'"),
        ({"critic": "jont"}, ValueError, "Did you mean 'joint'"),
        ({"steps": 0}, ValueError, "steps is 0"),
        ({"lr": 0}, ValueError, "lr is 0: expected a finite number above 0"),
        ({"clip": -1.0}, ValueError, "clip is -1.0: expected a finite number above 0"),
        ({"clip": None}, TypeError, "clip is None: expected a finite number above 0"),
        ({"betas": 0.9}, TypeError, "betas is 0.9: expected two numbers"),
        ({"betas": (0.9, 1.0)}, ValueError, "betas is 1.0: expected a finite number of at least 0 and below 1"),
        ({"hidden": 64}, TypeError, "hidden is 64: give the widths"),
        ({"seed": None}, TypeError, "seed is None"),
        ({"check": "x"}, TypeError, "^check is 'x' .*: expected True or False"),
        ({"shared": 1}, TypeError, "^shared is 1 .*: expected True or False"),
        ({"standardize": "x"}, TypeError, "^standardize is 'x' .*: expected True or False"),
        ({"device": "gpu"}, ValueError, "^device is 'gpu', which this machine does not have"),
        ({"bound": "club"}, ValueError, 'JointCritic is none: use critic="diagonalgaussian"'),
    ],
)
def test_bad_settings(options, error, sentence):
    with pytest.raises(error, match=sentence):
        MIRegularizer(2, 2, **options)


def test_lazy_layers_are_refused_before_they_have_weights():
    critic = Encoded(SeparableCritic(2, 2, hidden=(8,)), nn.LazyLinear(2))
    x, z = pair()
    with pytest.raises(ValueError, match=r"critic has lazy layers.*call critic\(x, z\) on a batch first"):
        MIRegularizer(2, 2, critic=critic)
    critic(x, z)
    MIRegularizer(2, 2, critic=critic).update(x, z)


RATIO_BOUNDS = ["gandime", "hddime", "kldime", "plugin", "nwj", "mine", "smile", InfoNCEAnchor(), InfoNCEAnchor(nu=0.0)]
CANCELLING = ["infonce", "club", "leaveoneout", BarberAgakov(entropy=1.0), Interpolated(alpha=1.0)]


@pytest.mark.parametrize("bound", [*RATIO_BOUNDS, JensenShannon(InfoNCE())])
def test_a_density_is_refused_where_a_log_ratio_is_needed(bound):
    for critic in ("diagonalgaussian", DensityCritic(lambda x, z: -(x - z).square().sum(-1))):
        with pytest.raises(ValueError, match="needs a log density ratio, and .* is a density log q"):
            MIRegularizer(2, 2, bound=bound, critic=critic)


@pytest.mark.parametrize(
    "bound", ["infonce", "club", "leaveoneout", BarberAgakov(entropy=1.0), Interpolated(alpha=1.0)]
)
def test_a_density_is_taken_where_a_function_of_z_cancels(bound):
    MIRegularizer(2, 2, bound=bound, critic="diagonalgaussian", hidden=(4,))


@pytest.mark.parametrize(
    "bound, critic, bad",
    [
        ("mine", "joint", math.nan),
        ("mine", "joint", math.inf),
        ("mine", "joint", 1e38),
        ("infonce", "separable", math.nan),
        ("infonce", "separable", 1e38),
        ("leaveoneout", "flow", math.nan),
        ("leaveoneout", "flow", 1e38),
    ],
)
def test_a_broken_batch_without_checks_does_not_stay(bound, critic, bad):
    reg = MIRegularizer(2, 2, bound=bound, critic=critic, check=False, **SMALL)
    for seed in range(39):
        reg.update(*pair(seed=seed))
    x, z = pair(seed=39)
    x[0] = bad
    reg.update(x, z)  # the 40th, whose statistics are due
    for seed in range(40, 60):
        reg.update(*pair(seed=seed))
    assert 0.1 < float(reg(*pair(200, seed=90))) < 1.5


def test_a_penalty_changes_no_state_of_ones_own_critic():
    class Normalizing(Quadratic):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(2)

        def encode_x(self, x):
            return self.norm(x)

    reg = MIRegularizer(2, 2, bound="infonce", critic=Normalizing())
    x, z = pair()
    before = copy.deepcopy(reg.state_dict())
    reg(x, z.requires_grad_()).neg().backward()
    assert all(torch.equal(value, before[name]) or value.isnan().any() for name, value in reg.state_dict().items())
    reg.update(x, z)
    assert reg.estimator.critic.norm.num_batches_tracked == 1


def test_updates_in_inference_mode():
    reg = MIRegularizer(2, 2, **SMALL)
    with torch.inference_mode():
        x, z = pair()
        reg.update(x * 1, z * 1)
        reg(x, z)
    x, z = pair()
    reg(x, z.requires_grad_()).neg().backward()
    assert (reg.updates, bool(z.grad.abs().sum() > 0)) == (1, True)


@pytest.mark.parametrize("own", [False, True], ids=["by name", "own critic"])
@pytest.mark.parametrize("bound", ["mine", "infonce"])
def test_one_that_is_built_called_and_loaded_in_inference_mode_trains_as_any_other(bound, own):
    def made():
        torch.manual_seed(0)
        critic = SeparableCritic(2, 2, hidden=(16,)) if own else "separable"
        return MIRegularizer(2, 2, bound=bound, critic=critic, hidden=(16,), negatives=4)

    def trained(reg, call):
        x, z = pair()
        for _ in range(3):
            with call():
                reg(x * 1, z * 1)
            reg.update(x, z)
        z = (z * 1).detach().requires_grad_()
        reg(x, z).neg().backward()
        return reg.value(), z.grad

    expected, gradient = trained(made(), torch.no_grad)
    with torch.inference_mode():
        reg = made()
    found, other = trained(reg, torch.inference_mode)
    assert found == expected and torch.equal(other, gradient)
    with torch.inference_mode():
        again = made()
        again.load_state_dict(reg.state_dict())
    assert trained(again, torch.inference_mode)[0] == trained(reg, torch.no_grad)[0]


def test_a_penalty_of_inputs_of_inference_mode_has_a_gradient():
    reg = MIRegularizer(2, 2, **SMALL)
    with torch.inference_mode():
        x, z = (side * 1 for side in pair())
    z = z.clone().requires_grad_()
    reg(x, z).neg().backward()
    assert z.grad is not None


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_default_dtype_does_not_matter(dtype):
    x, z = pair()

    def run():
        reg = MIRegularizer(2, 2, **SMALL)
        for _ in range(3):
            reg.update(x, z)
        with torch.no_grad():
            value = float(reg(x, z))
        return value, reg.value(), {name: value.dtype for name, value in reg.state_dict().items()}

    expected = run()
    torch.set_default_dtype(dtype)
    try:
        assert run() == expected
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_ceiling_is_that_of_the_batch_of_all_ranks(monkeypatch):
    reg = MIRegularizer(2, 2, bound="infonce", critic="separable", shared=True, **SMALL)
    z = pair()[1].requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("error", CeilingWarning)
        monkeypatch.setattr(regularizer, "ranks", lambda: 2)
        reg._checks.call(reg, z, z, z.sum() * 0 + math.log(64))
    with pytest.warns(CeilingWarning):
        reg._checks.call(reg, z, z, z.sum() * 0 + math.log(128))


@pytest.mark.parametrize("critic", ["diagonalgaussian", "flow"])
def test_a_bottleneck_converges(critic):
    """z = w x + s e with the loss (x - a z)^2 and half of the information: the optimum is ln(2) = 0.693 nats."""
    torch.manual_seed(0)
    w, log_s, a = (nn.Parameter(torch.tensor(value)) for value in (2.0, -1.0, 0.5))
    reg = MIRegularizer(1, 1, bound="leaveoneout", critic=critic, hidden=(32, 32))
    optimizer = torch.optim.Adam([w, log_s, a], 5e-3)
    for _ in range(400):
        x = torch.randn(64, 1)
        z = w * x + log_s.exp() * torch.randn(64, 1)
        loss = (x - a * z).square().mean() + 0.5 * reg(x, z)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        reg.update(x, z)
    information = 0.5 * math.log1p(float((w / log_s.exp()).detach().square()))
    assert information == pytest.approx(math.log(2), abs=0.1)
    assert reg.value() == pytest.approx(information, abs=0.2)


@pytest.mark.parametrize("critic", ["diagonalgaussian", "fullgaussian"])
@pytest.mark.parametrize("constant", [0.0, 0.1])
def test_dead_units_of_a_code_count_nothing(critic, constant):
    reg = MIRegularizer(2, 5, bound="leaveoneout", critic=critic, **SMALL)
    for seed in range(150):
        x, z = pair(128, seed=seed)
        reg.update(x, torch.cat([z[:, :1], torch.full((128, 3), constant), z[:, 1:]], 1))
    assert reg.value() == pytest.approx(1.02, abs=0.15)
    reg.update(x, torch.ones(128, 5))
    with torch.no_grad():
        assert float(reg(x, torch.ones(128, 5))) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("shape", [0, (), (0, 3), "2", 2.5, None, True, (True, 2), (2.0,)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match="the shape of x is"):
        MIRegularizer(shape, 2)
    with pytest.raises(ValueError, match="the shape of z is"):
        MIRegularizer(2, shape)


def test_negatives_by_default():
    assert MIRegularizer(2, 2).estimator.negatives == 8
    assert MIRegularizer((1, 9, 9), 2).estimator.negatives == 8
    assert MIRegularizer(2, 2, bound=InfoNCE()).estimator.negatives == "all"
    assert MIRegularizer(2, 2, bound=JensenShannon(), critic="separable").estimator.negatives == "all"
    assert isinstance(MIRegularizer(2, 2).estimator.critic.critic, JointCritic)
