import math

import pytest
import torch
from sklearn.datasets import load_digits

import mibounds as mi
from mibounds.estimation import Consistency, consistency
from mibounds.results.result import Result

IMAGES = torch.randn(120, 8, 3, generator=torch.Generator().manual_seed(0))


def result(value, stderr=0.01):
    return Result(value=value, stderr=stderr, bounds={"InfoNCE": value}, reading="InfoNCE", rows=100)


class Ideal:
    """One nat for each pixel row of x that is in y, counted without repetition; it remembers what it was given."""

    def __init__(self):
        self.calls = []

    def __call__(self, x, y, seed):
        self.calls.append((x, y, seed))
        columns = {tuple(column.tolist()) for column in x.T}
        return result(len([1 for column in {tuple(c.tolist()) for c in y.T} if column in columns]) / 3)


def test_an_ideal_estimator_keeps_all_three():
    measure = Ideal()
    found = consistency(IMAGES, measure=measure, seed=7)
    assert found.independent.value == 0
    assert {t: r.value for t, r in found.nested.items()} == {1: 1, 2: 2, 4: 4, 8: 8}
    assert found.monotone
    assert found.processing_ratio == 1
    assert found.additivity_ratio == 2
    assert {seed for *_, seed in measure.calls} == {7}


def test_the_half_is_of_the_image_whatever_rows_are_tried():
    found = consistency(IMAGES, measure=Ideal(), rows=[1])
    assert sorted(found.nested) == [1, 4]
    assert found.processing_ratio == 1


def test_what_is_compared():
    measure = Ideal()
    consistency(IMAGES[:, None], measure=measure, rows=[8])
    shapes = [(tuple(x.shape), tuple(y.shape)) for x, y, _ in measure.calls]
    assert shapes == [
        ((120, 24), (120, 12)),  # independent
        ((120, 24), (120, 12)),  # the half, which the other tests need
        ((120, 24), (120, 24)),
        ((120, 48), (120, 18)),  # processed: the half and its upper half
        ((60, 24), (60, 12)),
        ((60, 48), (60, 24)),
    ]
    x, y, _ = measure.calls[0]
    assert not (x[:, :12] == y).all(1).any()  # no image against itself


def test_faults_are_seen():
    nested = {1: result(1.0), 4: result(0.5), 8: result(2.0)}
    found = Consistency(result(0.0), nested, result(0.6), result(1.0), result(1.1), half=4)
    assert not found.monotone
    assert found.processing_ratio == pytest.approx(1.2)
    assert found.additivity_ratio == pytest.approx(1.1)
    text = repr(found)
    for part in ("+0.000 nats", "upper   4 rows", "monotone            no", "1.200", "1.100        (right: 2)"):
        assert part in text


def test_an_extrapolated_result_counts_with_what_it_certifies():
    wild = Result(
        value=30.0, stderr=0.1, bounds={"InfoNCE": 5.0, "PlugIn": 30.0}, reading="PlugIn", rows=9, extrapolated=True
    )
    found = Consistency(result(0.0), {4: wild, 8: result(5.1)}, result(5.0), result(2.0), result(4.0), half=4)
    assert found.monotone
    assert found.processing_ratio == pytest.approx(1)
    assert "+5.000 nats" in repr(found)


@pytest.mark.parametrize(
    "images, options, sentence",
    [
        (torch.zeros(200, 8), {}, r"images has shape \(200, 8\): expected \(images, height, width\)"),
        (torch.zeros(20, 8, 8), {}, "images holds 20 images: expected at least 100"),
        (torch.full((200, 8, 8), math.nan), {}, "missing or infinite pixels"),
        (IMAGES, {"rows": [9]}, "rows holds 9, and the images have 8 pixel rows"),
        (IMAGES, {"rows": [0]}, "rows is 0"),
    ],
)
def test_bad_images(images, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        consistency(images, **options)


@pytest.mark.slow
def test_the_digits():
    """Of 1,797 digits and their upper rows: monotone, data processing holds. Additivity does not: a digit and its upper
    half are copies, one pair already reads at the ceiling of 898 rows, and two cannot read more."""
    found = mi.consistency(load_digits().images)
    assert abs(found.independent.value) < 0.03
    assert found.monotone
    assert found.processing_ratio == pytest.approx(1, abs=0.1)
    assert 0.8 < found.additivity_ratio < 1.2
