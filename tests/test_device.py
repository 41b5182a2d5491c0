"""The main things on an accelerator; pytest tests/test_device.py --device cpu|cuda. Skipped where there is none."""

import pytest
import torch

import mibounds as mi
from mibounds.critics import JointCritic, SeparableCritic
from mibounds.tasks import CorrelatedGaussian

TASK = CorrelatedGaussian(2, 0.8)  # 1.02 nats
SMALL = {"steps": 60, "hidden": (32,), "folds": 2}


def rows(n=1000, seed=0):
    return TASK.sample(n, torch.Generator().manual_seed(seed))


def test_an_estimate_is_that_of_the_processor(device):
    x, y = rows()
    there, here = (mi.estimate(x, y, device=where, **SMALL) for where in (device, "cpu"))
    assert there.value == pytest.approx(here.value, abs=0.02)
    assert there.pointwise.device.type == "cpu"
    assert there.fitted.score_pairs(x[:5], y[:5]).shape == (5,)


def test_rows_may_be_there_already(device):
    x, y = (side.to(device) for side in rows())
    assert 0.8 < mi.estimate(x, y, device=device, **SMALL).value < 1.1


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("bound", ["infonce", "nwj", "mine", "smile", "jensenshannon"])
def test_every_bound_trains(device, bound, precision):
    torch.manual_seed(0)
    estimator = mi.MIEstimator(JointCritic(2, 2, hidden=(32, 32)), mi.choices.build_bound(bound), negatives=8)
    result = mi.Trainer(steps=300, folds=2, lr=3e-3, device=device, precision=precision).fit(estimator, *rows())
    assert 0.7 < result.value < 1.15


def test_blocks_have_the_gradient_of_all_pairs_at_once(device):
    critic = SeparableCritic(2, 2, hidden=(32,)).to(device)
    with torch.no_grad():
        critic.tower_x.output.weight.normal_()
    x, y = (side.to(device) for side in rows(600))
    gradients = []
    for few in (1 << 30, 1 << 10):
        critic.zero_grad()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mibounds.estimators.mi_estimator.FEW_PAIRS", few)
            mi.MIEstimator(critic, mi.bounds.InfoNCE(), symmetric=True).loss(x, y).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in critic.parameters()]))
    assert (gradients[0] - gradients[1]).norm() < 1e-5 * gradients[0].norm()


def test_a_saved_fit_continues_to_the_same_number(device, tmp_path):
    x, y = rows()
    options = {**SMALL, "device": device, "checkpoint": tmp_path / "run"}
    first = mi.estimate(x, y, **options)
    again = mi.estimate(x, y, resume=True, **options)
    assert again.value == first.value


def test_a_regularizer_pushes_information_up(device):
    x = torch.randn(256, 8, device=device, generator=torch.Generator(device).manual_seed(0))
    encoder = torch.nn.Linear(8, 4).to(device)
    regularizer = mi.MIRegularizer(8, 4, seed=0).to(device)
    for _ in range(5):
        regularizer.update(x, encoder(x).detach())
    penalty = regularizer(x, encoder(x))
    (-penalty).backward()
    assert encoder.weight.grad.isfinite().all()
    assert penalty.device.type == device.type


def test_a_bracket_a_matrix_and_a_test(device):
    x, y = rows(600)
    assert 0.7 < mi.bracket(x, y, device=device, **SMALL).upper < 1.6
    assert mi.matrix(torch.cat([x, y], 1), device=device).values[0, 2] > 0.3
    assert mi.independence_test(x, y, device=device, permutations=99, **SMALL).pvalue <= 0.05
