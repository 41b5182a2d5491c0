import math
from dataclasses import replace

import pytest

from mibounds.results import ConsistencyResult, Result
from mibounds.warnings import CeilingWarning


def at(value, stderr=0.05, n=400, **more):
    return Result(value=value, stderr=stderr, estimates={"InfoNCE": value}, method="InfoNCE", n=n, **more)


FOUND = ConsistencyResult(
    independent=at(0.01), nested={4: at(2.0), 2: at(1.0)}, processed=at(1.1), single=at(0.8, n=200),
    double=at(1.5, n=200), half=2,
)  # fmt: skip


def test_the_ratios_by_hand():
    assert FOUND.processing_ratio == pytest.approx(1.1)
    assert FOUND.additivity_ratio == pytest.approx(1.875)
    assert math.isnan(replace(FOUND, single=at(0.0)).additivity_ratio)


def test_extrapolated_results_count_with_their_infonce_estimate():
    extrapolated = Result(
        value=3.0, stderr=0.05, estimates={"InfoNCE": 2.2, "PlugIn": 3.0}, method="PlugIn", n=400, extrapolated=True
    )
    assert replace(FOUND, processed=extrapolated).processing_ratio == pytest.approx(2.2)
    assert "+2.200" in repr(replace(FOUND, nested={2: at(1.0), 4: extrapolated}))


def test_monotone_within_two_standard_errors():
    assert FOUND.monotone
    step = 2 * math.hypot(0.03, 0.04)
    assert replace(FOUND, nested={2: at(1.0, 0.03), 4: at(1.0 - step + 1e-6, 0.04)}).monotone
    assert not replace(FOUND, nested={2: at(1.0, 0.03), 4: at(1.0 - step - 1e-6, 0.04)}).monotone


def test_what_is_printed():
    warned = replace(FOUND, double=at(1.5, n=200, warnings=(CeilingWarning("c"), CeilingWarning("d"))))
    assert repr(warned).splitlines() == [
        "Consistency checks in nats, n = 400",
        "  check                estimate   standard error   expected",
        "  independent images     +0.010            0.050   0",
        "  upper 2 pixel rows     +1.000            0.050",
        "  upper 4 pixel rows     +2.000            0.050",
        "  increasing with the pixel rows: yes",
        "  data processing ratio: 1.100 (expected 1)",
        "  additivity ratio: 1.875 (expected 2)",
        "  warnings of the estimates, with their numbers: ceiling (2)",
    ]


def test_the_keys_of_a_loaded_result_are_numbers(tmp_path):
    FOUND.save(tmp_path / "found.json")
    assert list(ConsistencyResult.load(tmp_path / "found.json").nested) == [4, 2]
