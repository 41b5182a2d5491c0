"""The original's interface: its three uses as its README showed them, with tensors where placeholders were."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from mibounds.compat import Mi_estimator
from mibounds.tasks import CorrelatedGaussian

TASK = CorrelatedGaussian(2, 0.8)  # 1.02 nats
FAST = {"critic_layers": [32, 32], "critic_lr": 3e-3}


def data(n=4000, seed=0):
    return TASK.sample(n, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("critic_type", "regu_name"),
    [
        ("joint", "mine"),
        ("separate", "nwj"),
        ("separable", "nce"),
        ("separable", "mine"),
        ("joint", "nwj"),
        ("separate", "nce"),
    ],
)
def test_first_use_estimate_the_information_of_data(regu_name, critic_type):
    x_data, z_data = (side.numpy() for side in data(12_000))
    mi_estimator = Mi_estimator(regu_name, 2, 2, 64, critic_type=critic_type, negative_samples=8, **FAST)
    mi = mi_estimator.fit(x_data, z_data, epochs=2)
    assert mi == pytest.approx(1.02, abs=0.3)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_second_use_regularize_a_network():
    torch.manual_seed(0)
    encoder = nn.Linear(2, 2)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    mi_estimator = Mi_estimator(regu_name="mine", dim_x=2, dim_z=2, batch_size=64, **FAST)
    values = []
    for step in range(150):
        x_in = data(64, seed=step)[0]
        noise = torch.randn(64, 2, generator=torch.Generator().manual_seed(step))
        z_in = torch.tanh(encoder(x_in)) + 0.5 * noise
        train_op, quantities = mi_estimator(x_in, z_in)
        loss = -quantities["mi_for_grads"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        train_op()
        values.append(float(quantities["mi"]))
    assert sum(values[-30:]) / 30 > sum(values[:30]) / 30 + 0.2
    assert not quantities["mi"].requires_grad


def test_third_use_adaptive_gradient_clipping():
    """min(|G(loss)|, |G(mi)|) / |G(mi)|, as the original wrote it out."""
    from mibounds import gradient_scale

    encoder = nn.Linear(2, 2)
    mi_estimator = Mi_estimator("mine", 2, 2, batch_size=64, **FAST)
    x_in = data(64)[0]
    mi_estimator(x_in, encoder(x_in))[0]()
    z_in = encoder(x_in)
    loss = z_in.square().mean()
    _, quantities = mi_estimator(x_in, z_in)
    grads = [
        torch.cat([g.flatten() for g in torch.autograd.grad(term, encoder.parameters(), retain_graph=True)])
        for term in (loss, -quantities["mi_for_grads"])
    ]
    expected = torch.minimum(grads[0].norm(), grads[1].norm()) / grads[1].norm()
    scale = gradient_scale(loss, quantities["mi_for_grads"], encoder.parameters())
    assert float(scale) == pytest.approx(float(expected))
    (loss - 1.0 * scale * quantities["mi_for_grads"]).backward()


def test_the_signature_is_the_originals():
    import inspect

    parameters = inspect.signature(Mi_estimator).parameters
    assert list(parameters)[:10] == [
        "regu_name", "dim_x", "dim_z", "batch_size", "critic_layers", "critic_lr", "critic_activation", "critic_type",
        "ema_decay", "negative_samples",
    ]  # fmt: skip
    assert list(parameters["critic_layers"].default) == [256, 256, 256]
    assert parameters["critic_lr"].default == 1e-4
    assert parameters["ema_decay"].default == 0.99


def test_nce_reads_at_most_the_logarithm_of_its_batch():
    x, z = CorrelatedGaussian.with_information(5, 8.0).sample(3000, torch.Generator().manual_seed(0))
    mi = Mi_estimator("nce", 5, 5, batch_size=32, critic_type="separable", **FAST).fit(x, z, epochs=3)
    assert 2 < mi < math.log(32)


def test_the_moving_average_moves():
    mi_estimator = Mi_estimator("mine", 2, 2, batch_size=64, **FAST)
    average = mi_estimator.regularizer.estimator.bound
    for seed in range(3):
        x, z = data(64, seed)
        before = average.log_average.clone()
        mi_estimator.regularizer.update(x, z)
        assert not torch.equal(average.log_average, before)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"regu_name": "infonce"}, "regu_name is 'infonce': expected 'mine', 'nwj' or 'nce'. Did you mean 'nce'"),
        ({"critic_type": "separabel"}, "Did you mean 'separable'"),
        ({"batch_size": 1}, "batch_size is 1"),
        ({"negative_samples": 64}, "negative_samples is 64, and a batch of 64 rows has 63 others"),
        ({"negative_samples": 0}, "negative_samples is 0: expected a whole number of at least 1"),
        ({"critic_lr": 0.0}, "critic_lr is 0.0: expected a finite number above 0"),
        ({"critic_layers": [0]}, "critic_layers is"),
        ({"dim_z": 0}, "dim_z is 0"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0"),
        ({"critic_layers": []}, "critic_layers is empty"),
        ({"critic_activation": "rleu"}, "critic_activation is 'rleu'.*Did you mean 'relu'"),
    ],
)
def test_bad_arguments(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Mi_estimator(**{"regu_name": "mine", "dim_x": 2, "dim_z": 2, "batch_size": 64, **options})


def test_arguments_of_another_type():
    with pytest.raises(TypeError, match="batch_size is 64.0"):
        Mi_estimator("mine", 2, 2, batch_size=64.0)
    with pytest.raises(TypeError, match="epochs is 1.5"):
        Mi_estimator("mine", 2, 2, batch_size=64).fit(*data(100), epochs=1.5)


def test_data_that_do_not_fit():
    x, z = data(100)
    estimator = Mi_estimator("mine", 2, 1, batch_size=16)
    with pytest.raises(ValueError, match="z_data has 2 columns, and dim_z is 1: they must agree"):
        estimator.fit(x, z)
    for one, other in ((x, z[:99, :1]), (x.numpy(), z[:99, 0].numpy()), (x.tolist(), z[:99, :1].tolist())):
        with pytest.raises(
            ValueError, match="^x_data has 100 rows and z_data has 99: rows are paired samples, pass as"
        ):
            estimator.fit(one, other)
    frames = [pd.DataFrame({"one": x[:, 0]}), pd.DataFrame({"one": z[:, 0]}, index=range(99, -1, -1))]
    with pytest.raises(ValueError, match="x_data and z_data have the same index in another order"):
        Mi_estimator("mine", 1, 1, batch_size=16).fit(*frames)
    with pytest.raises(ValueError, match="x_data has 1 missing or infinite values"):
        estimator.fit(torch.where(x > x.max() - 1e-6, math.nan, x), z[:, :1])


def test_a_batch_larger_than_the_data():
    with pytest.raises(ValueError, match="batch_size is 64, and 48 rows are left to train on"):
        Mi_estimator("mine", 2, 2, batch_size=64).fit(*data(60))


def test_images():
    """The class and `fit` take the same shapes."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(400, 2, generator=generator)
    images = z[:, :1, None, None] * torch.ones(1, 1, 8, 8) + 0.1 * torch.randn(400, 1, 8, 8, generator=generator)
    estimator = Mi_estimator("nce", (1, 8, 8), 2, batch_size=64, critic_type="separable", **FAST)
    assert estimator.fit(images.numpy(), z, epochs=6) > 0.5
    with pytest.raises(ValueError, match=r"x_data has samples of shape \(8, 8\), and dim_x is \(1, 8, 8\)"):
        estimator.fit(images[:, 0], z)
    assert estimator.fit(images.tolist(), z, epochs=1) > 0.5
    for wrong in (np.full((400, 1, 8, 8), "a"), images.to(torch.complex64), [[[[1.0]]], [[[1.0, 2.0]]]]):
        with pytest.raises(TypeError, match=r"x_data is no array \(N, ...\) of real numbers"):
            estimator.fit(wrong, z)


def test_units_do_not_matter():
    x, z = data(2000)
    plain, scaled = (
        Mi_estimator("nce", 2, 2, batch_size=64, critic_type="separable", **FAST).fit(scale * x, z, epochs=3)
        for scale in (1.0, 1000.0)
    )
    assert scaled == pytest.approx(plain, abs=0.01)


def test_the_seed_and_swish():
    first, second, other = (
        Mi_estimator("mine", 2, 2, 64, critic_activation="swish", seed=seed, **FAST).fit(*data(600), epochs=1)
        for seed in (1, 1, 2)
    )
    assert first == second != other
