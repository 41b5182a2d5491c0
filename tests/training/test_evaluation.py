import math

import pytest
import torch

from mibounds.bounds import DonskerVaradhan, InfoNCE, PlugIn
from mibounds.critics import FunctionCritic
from mibounds.results.result import Curve
from mibounds.tasks import CorrelatedGaussian
from mibounds.training import readings
from mibounds.training.evaluation import Readings, read_fold, shortfall
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.warnings import NonFiniteStepWarning

TASK = CorrelatedGaussian.with_information(5, 1.0)
EXACT = FunctionCritic(TASK.log_ratio)
NO_FOLD = Fold(*[torch.empty(0, dtype=torch.long)] * 3)
BOUNDS = {"InfoNCE": InfoNCE(), "DonskerVaradhan": DonskerVaradhan(), "PlugIn": PlugIn()}


def read(n=300, seed=0, task=TASK, **options):
    x, y = task.sample(n, torch.Generator().manual_seed(seed))
    options = {"both": True, "negatives": "all", "seed": 0, **options}
    return read_fold(FunctionCritic(task.log_ratio), x, y, [*BOUNDS.values()], **options)


def fitted(skipped=0):
    return Fitted(EXACT, NO_FOLD, Curve((0,), (0.0,), 0, "exact"), skipped)


def test_all_pairs_of_a_block_are_read(monkeypatch):
    assert read().negatives == 299
    monkeypatch.setattr(readings, "_BLOCK", 100)
    blocked = read()
    assert blocked.negatives == 99
    assert len(blocked.by_bound[0][0][0]) == 300
    pooled = Readings(BOUNDS, [blocked], [fitted()])
    assert pooled.by_name["InfoNCE"].ceiling == pytest.approx(math.log(100))
    assert pooled.by_name["InfoNCE"].value() == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("negatives", ["all", 64])
def test_only_the_test_rows_are_read(monkeypatch, negatives):
    monkeypatch.setattr(readings, "_BLOCK", 100)
    x, y = TASK.sample(400, torch.Generator().manual_seed(3))
    test = torch.randperm(400, generator=torch.Generator().manual_seed(4))[:230]
    options = {"both": True, "negatives": negatives, "seed": 0}
    chosen = read_fold(EXACT, x, y, [*BOUNDS.values()], test=test, **options)
    alone = read_fold(EXACT, x[test], y[test], [*BOUNDS.values()], **options)
    assert torch.equal(chosen.joint, alone.joint)
    for ours, theirs in zip(chosen.by_bound, alone.by_bound, strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(mine, other, strict=True))


def test_bounds_share_the_scores_of_matched_pairs(monkeypatch):
    monkeypatch.setattr(readings, "_BLOCK", 100)
    pooled = Readings(BOUNDS, [read(seed=1), read(seed=2)], [fitted(), fitted()])
    (joint,) = pooled.by_name["PlugIn"].directions[0]
    for name in ("PlugIn", "DonskerVaradhan"):
        assert all(rows[0].data_ptr() == joint.data_ptr() for rows in pooled.by_name[name].directions), name


def test_few_shifts_are_never_trusted():
    assert read(negatives=63).negatives == 299
    assert read(negatives=64).negatives == 64
    assert read(n=50, negatives=60).negatives == 49


def test_shifts_are_not_trusted_at_high_information():
    high = CorrelatedGaussian.with_information(5, 8.0)
    assert read(negatives=64, task=high).negatives == 299


def test_folds_are_pooled():
    pooled = Readings(BOUNDS, [read(seed=1), read(n=200, seed=2)], [fitted(), fitted()])
    assert pooled.rows == 500
    assert len(pooled.by_name["PlugIn"].fold_values()) == 2
    assert pooled.by_name["InfoNCE"].ceiling == pytest.approx(math.log(200))
    result = pooled.result("InfoNCE", seed=4, resolution=0.5)
    assert result.value == result.bounds["InfoNCE"] == pooled.by_name["InfoNCE"].value()
    assert result.stderr == pooled.by_name["InfoNCE"].stderr()
    assert result.allowance[1] == 0.5
    assert result.seed == 4
    assert result.versions["torch"] == str(torch.__version__)


def test_the_interval_of_the_plug_in_reaches_down_to_what_is_certified():
    result = Readings(BOUNDS, [read(task=CorrelatedGaussian.with_information(5, 8.0))], [fitted()]).result("PlugIn")
    low, high = result.interval
    assert low < result.bounds["InfoNCE"] < result.value < high


def test_skipped_steps_are_told():
    with pytest.warns(NonFiniteStepWarning, match="3 training steps"):
        result = Readings(BOUNDS, [read()], [fitted(3)]).result("InfoNCE")
    assert result.warnings[0].code == "non-finite-step"


def halves(n=400):
    x, y = TASK.sample(n, torch.Generator().manual_seed(0))
    order = torch.arange(n)
    return x, y, Fold(order[: n // 2], order[:0], order[n // 2 :])


def test_a_critic_that_knows_its_training_rows_by_heart_is_short_of_what_it_reads_there():
    x, y, fold = halves()
    known = {tuple(row.tolist()) for row in torch.cat([x, y], 1)[fold.train]}

    def by_heart(x, y):
        pairs = torch.cat(torch.broadcast_tensors(x, y), -1)
        bonus = [[0.5 * (tuple(pair.tolist()) in known) for pair in row] for row in pairs]
        return TASK.log_ratio(x, y) + torch.tensor(bonus)

    curve = Curve((0,), (0.0,), 0, "by heart")
    exact, cheat = (shortfall(Fitted(FunctionCritic(f), fold, curve), x, y) for f in (TASK.log_ratio, by_heart))
    assert cheat - exact == pytest.approx(0.5, abs=0.1)
    assert shortfall(Fitted(EXACT, fold, curve, gain=0.25), x, y) == pytest.approx(exact + 0.25)


def test_the_interval_reaches_up_to_every_sign_of_more():
    reading = Readings(BOUNDS, [read()], [fitted()], shortfall=0.3)
    short, checked = (
        reading.result("InfoNCE"),
        reading.result("InfoNCE", cross_checks={"GaussianCopula": reading.by_name["InfoNCE"].value() + 0.7}),
    )
    assert short.allowance[1] == pytest.approx(0.3)
    assert checked.allowance[1] == pytest.approx(0.7)
    assert checked.cross_checks["GaussianCopula"] == pytest.approx(checked.value + 0.7)
    assert short.allowance[0] == checked.allowance[0]


def test_neighbors_far_above_bring_their_own_error():
    reading = Readings(BOUNDS, [read()], [fitted()])
    value, stderr = (getattr(reading.by_name["InfoNCE"], name)() for name in ("value", "stderr"))
    assert reading._reach("KSG", value + 0.05, value, 0.01) == value + 0.05  # within 1/sqrt(300)
    assert reading._reach("KSG", value + 0.3, value, 0.01) == pytest.approx(value + 0.3 + 2 * (300**-0.5 - 0.01))
    assert reading._reach("KSG", value + 0.3, value, 0.9) == pytest.approx(value + 0.3)
    assert reading._reach("GaussianCopula", value + 0.3, value, 0.01) == value + 0.3
    result = reading.result("InfoNCE", cross_checks={"KSG": value + 0.3})
    assert result.allowance[1] == pytest.approx(0.3 + 2 * max(300**-0.5 - stderr, 0))


@pytest.mark.parametrize("negatives", ["all", 64])
def test_every_row_has_its_own_score_in_the_order_of_the_rows(negatives, monkeypatch):
    monkeypatch.setattr(readings, "_BLOCK", 90)
    x, y = TASK.sample(300, torch.Generator().manual_seed(3))
    tests = torch.randperm(300, generator=torch.Generator().manual_seed(4)).split(150)
    folds = [read_fold(EXACT, x[t], y[t], [*BOUNDS.values()], both=True, negatives=negatives, seed=0) for t in tests]
    parts = [Fitted(EXACT, Fold(t[:0], t[:0], t), Curve((0,), (0.0,), 0, "exact")) for t in tests]
    pooled = Readings(BOUNDS, folds, parts)
    assert torch.allclose(pooled.pointwise(), EXACT(x, y), atol=1e-5)
    assert float(pooled.pointwise().mean()) == pytest.approx(pooled.by_name["PlugIn"].value(), abs=1e-6)
