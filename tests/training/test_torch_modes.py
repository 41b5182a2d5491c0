"""A fit does not depend on the modes and defaults of torch that a caller has set."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import mibounds as mi
from mibounds.integrations import MutualInformation, mi_regression
from mibounds.training.torch_modes import ordinary, ordinary_module, plain_torch

X, NOISE, Z = torch.randn(3, 240, 1, generator=torch.Generator().manual_seed(0))
Y = X + NOISE
IMAGES = torch.randn(120, 1, 8, 8, generator=torch.Generator().manual_seed(1))
SMALL = {"steps": 10, "folds": 2, "hidden": (8,), "learners": False}
PLAIN = {"steps": 10, "folds": 2}
pytestmark = pytest.mark.filterwarnings("ignore::mibounds.MIWarning")


@contextlib.contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(torch.float32)


MODES = {
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
    "float64": partial(default_dtype, torch.float64),
    "bfloat16": partial(default_dtype, torch.bfloat16),
}


def trained():
    torch.manual_seed(0)
    estimator = mi.MIEstimator(mi.critics.SeparableCritic(1, 1, hidden=(8,)), mi.bounds.MINE())
    return lambda: mi.Trainer(**PLAIN).fit(estimator, X, Y).value


def streamed():
    torch.manual_seed(0)
    estimator = mi.MIEstimator(mi.critics.SeparableCritic(1, 1, hidden=(8,)), mi.bounds.InfoNCE())
    draw = mi.tasks.CorrelatedGaussian(1, 0.8).sample
    return lambda: mi.Trainer(steps=10).fit_stream(estimator, draw, test_rows=200).value


def scored():
    fitted = mi.estimate(X, Y, **SMALL).fitted
    return lambda: fitted.score_pairs(X, Y).tolist()


FITS = {
    "estimate": lambda: mi.estimate(X, Y, **SMALL).value,
    "images": lambda: mi.estimate(IMAGES, Y[:120], **SMALL).value,
    "workers": lambda: mi.estimate(X, Y, workers=2, **SMALL).value,
    "conditional": lambda: mi.conditional(X, Y, Z, **SMALL).value,
    "independence": lambda: mi.independence_test(X, Y, permutations=19, **SMALL).pvalue,
    "lagged": lambda: mi.lagged(X, Y, lags=[0], **SMALL).value,
    "transfer entropy": lambda: mi.transfer_entropy(X, Y, **SMALL).value,
    "matrix": lambda: mi.matrix(torch.cat([X, Y], 1), folds=2).values[0, 1],
    "groups": lambda: mi.matrix(torch.cat([X, Y], 1), groups={"a": ["0"], "b": ["1"]}, workers=2, **SMALL).values[0, 1],
    "scikit-learn": lambda: MutualInformation(**SMALL).fit(X.numpy(), Y.numpy()[:, 0]).value_,
    "feature scores": lambda: mi_regression(X, Y, method="critic", steps=10)[0],
    "trainer": trained(),
    "stream": streamed(),
    "scores": scored(),
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS.keys())
def test_a_fit_is_the_same_in_any_mode(fit):
    expected = fit()
    for mode in ("inference", "float64"):
        with MODES[mode]():
            assert fit() == expected, mode


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())
def test_an_estimate_is_the_same_in_every_mode(mode):
    expected = mi.estimate(X, Y, **SMALL)
    with mode():
        found = mi.estimate(X, Y, **SMALL)
    assert (found.value, found.stderr) == (expected.value, expected.stderr)


def test_tensors_and_modules_of_inference_mode_are_trained():
    with torch.inference_mode():
        x, y, images = X.clone(), Y.clone(), IMAGES.clone()
        torch.manual_seed(0)
        encoder, critic = nn.Linear(1, 3), mi.critics.SeparableCritic(1, 1, hidden=(8,))
    assert mi.estimate(x, y, **SMALL).value == mi.estimate(X, Y, **SMALL).value
    assert mi.estimate(images, y[:120], **SMALL).value == mi.estimate(IMAGES, Y[:120], **SMALL).value
    assert np.isfinite(mi.estimate(x, y, encoder_x=encoder, **SMALL).value)
    assert np.isfinite(mi.Trainer(**PLAIN).fit(mi.MIEstimator(critic, mi.bounds.MINE()), x, y).value)


def test_batches_of_inference_mode_are_trained_on():
    draw = torch.inference_mode()(mi.tasks.CorrelatedGaussian(1, 0.8).sample)
    estimator = mi.MIEstimator(mi.critics.SeparableCritic(1, 1, hidden=(8,)), mi.bounds.InfoNCE())
    assert np.isfinite(mi.Trainer(steps=5).fit_stream(estimator, draw, test_rows=100).value)


def test_a_critic_of_another_default_dtype_is_trained_in_float32():
    with default_dtype(torch.float64):
        critic = mi.critics.SeparableCritic(1, 1, hidden=(8,))
    estimator = mi.MIEstimator(critic, mi.bounds.InfoNCE())
    assert np.isfinite(mi.Trainer(**PLAIN).fit(estimator, X, Y).value)
    assert {one.dtype for one in estimator.parameters()} == {torch.float64}, "the given one is left as it was"


def test_what_was_set_comes_back_when_the_last_of_several_threads_leaves():
    entered, leave = [], []

    def run(number):
        with plain_torch():
            entered.append(torch.get_default_dtype())
            while number and not leave:  # all but the first stay longer
                pass
            return torch.ones(1).dtype

    with default_dtype(torch.float64), ThreadPoolExecutor(2) as pool:
        second = pool.submit(run, 1)
        while not entered:
            pass
        assert pool.submit(run, 0).result() == torch.float32
        assert torch.get_default_dtype() == torch.float32, "the second thread still needs it"
        leave.append(True)
        assert second.result() == torch.float32
        assert torch.get_default_dtype() == torch.float64
    assert torch.get_default_dtype() == torch.float32


def test_what_was_set_comes_back_after_an_error():
    with default_dtype(torch.float64), torch.inference_mode():
        with contextlib.suppress(ZeroDivisionError), plain_torch():
            assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
            1 / 0  # noqa: B018
        assert torch.is_inference_mode_enabled()


def test_new_tensors_are_on_the_cpu_unless_modules_may_be_elsewhere():
    with torch.device("meta"):
        with plain_torch():
            assert torch.ones(1).device.type == "cpu"
        with plain_torch(on_cpu=False):
            assert torch.ones(1).is_meta
        assert np.isfinite(mi.estimate(X, Y, **SMALL).value)


def test_a_module_of_inference_mode_becomes_an_ordinary_one():
    with torch.inference_mode():
        module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2))
        module[2].weight = module[0].weight
        module[0].bias.requires_grad_(False)
        pair = torch.ones(2), (torch.ones(1),)
    before = {name: value.tolist() for name, value in module.state_dict().items()}
    ordinary_module(module)
    assert not any(one.is_inference() for one in (*module.parameters(), *module.buffers()))
    assert module[2].weight is module[0].weight, "a shared parameter stays one"
    assert module[0].weight.requires_grad and not module[0].bias.requires_grad
    assert {name: value.tolist() for name, value in module.state_dict().items()} == before
    first, (second,) = ordinary(pair)
    assert not first.is_inference() and not second.is_inference()
    assert ordinary(X) is X
