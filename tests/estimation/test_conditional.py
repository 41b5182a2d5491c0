import json
import math

import pytest
import torch

import mibounds as mi
from mibounds.warnings import AmplifiedWarning

QUICK = {"steps": 120, "folds": 2, "hidden": (64, 64), "lr": 3e-3}
SHORT = {**QUICK, "steps": 80}


def normals(count, n=1500, seed=0):
    return torch.randn(count, n, generator=torch.Generator().manual_seed(seed))


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_common_cause_explains_and_a_common_effect_ties():
    a, b, c = normals(3)
    cause = mi.conditional(c + a, c + b, c, **SHORT)
    assert cause.value == pytest.approx(0, abs=0.08)
    assert mi.estimate(c + a, c + b, **SHORT).value > 0.08  # truth .144
    effect = mi.conditional(a, b, a + b + 0.5 * c, **SHORT)
    truth = 0.5 * math.log(1.25 * 1.25 / (1.25**2 - 1))  # partial correlation of a and b given their noisy sum
    assert truth == pytest.approx(0.51, abs=0.01)
    assert effect.value == pytest.approx(truth, abs=0.12)
    assert effect.method == "chain"
    assert effect.parts["I(X;Z)"].value > 0.1
    nothing = mi.conditional(a, a + b, c, **SHORT)
    assert "maybe-independent" in [warning.code for warning in nothing.parts["I(X;Z)"].warnings]
    assert "maybe-independent" not in [warning.code for warning in nothing.warnings]
    assert effect.interval[0] < truth < effect.interval[1]
    assert effect.value == pytest.approx(effect.parts["I(X;YZ)"].value - effect.parts["I(X;Z)"].value)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_discrete_condition_splits_the_rows():
    a, b = normals(2)
    z = (torch.arange(1500) % 3).float()
    sign = torch.tensor([1.0, -1.0, 0.0])[z.long()]  # cancels without z, shows with it
    found = mi.conditional(a, sign * a + 0.5 * b, z, **QUICK)
    assert found.method == "strata"
    assert list(found.parts) == ["z = 0", "z = 1", "z = 2"]
    assert found.value == pytest.approx(2 / 3 * 0.5 * math.log(5), abs=0.12)
    record = json.loads(json.dumps(found.to("bits").to_dict()))
    assert record["value"] == pytest.approx(found.value / math.log(2))
    assert "I(X;Y|Z) = " in repr(found)
    chained = mi.conditional(a, sign * a + 0.5 * b, z, method="chain", **QUICK)
    assert chained.method == "chain"
    assert chained.value == pytest.approx(found.value, abs=0.2)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_small_difference_of_large_numbers_warns():
    a, b, c = normals(3)
    with pytest.warns(AmplifiedWarning, match="times as large"):
        found = mi.conditional(c + 0.1 * a, c + b, c, **QUICK)
    assert found.warnings[0].code == "amplified"
    assert found.amplification > 10


def test_what_cannot_be_used_is_refused():
    a, b, c = normals(3, 300)
    with pytest.raises(ValueError, match="z equals y"):
        mi.conditional(a, b, b)
    with pytest.raises(ValueError, match="x has 300 rows and z has 299"):
        mi.conditional(a, b, c[:299])
    with pytest.raises(ValueError, match="strata need at most 50 values"):
        mi.conditional(a, b, c, method="strata")
    with pytest.raises(ValueError, match="method is 'knn'"):
        mi.conditional(a, b, c, method="knn")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_neighbors_read_the_same_critics_against_draws_given_z():
    a, b, c = normals(3, 2500)
    truth = 0.5 * math.log(5)
    cause = mi.conditional(2 * c + a, 2 * c + a + 0.5 * b, c, method="neighbors", **QUICK)
    assert cause.method == "neighbors"
    assert cause.value == pytest.approx(truth, abs=0.12)
    assert cause.value != pytest.approx(cause.parts["I(X;YZ)"].value - cause.parts["I(X;Z)"].value, abs=1e-4)
    assert 0.01 < cause.stderr < 0.06
    nothing = mi.conditional(2 * c + a, 2 * c + b, c, method="neighbors", **QUICK)
    assert nothing.value == pytest.approx(0, abs=0.06)
    assert nothing.amplification == 1


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_weights_choose_rows_before_anything_else():
    a, b, c = normals(3, 600)
    weights = (torch.arange(600) % 2).float()
    chosen = weights.bool()
    options = {"method": "neighbors", "steps": 20, "folds": 2, "hidden": (8,)}
    found = mi.conditional(a, a + b, c, sample_weight=weights, **options)
    assert found.value == mi.conditional(a[chosen], (a + b)[chosen], c[chosen], **options).value
