"""Self-consistency: what is compared with what, and an ideal estimator that satisfies all."""

import math
import warnings

import pytest
import torch
from sklearn.datasets import load_digits

import mibounds as mi
from mibounds.estimation import consistency
from mibounds.results import ConsistencyResult, Result

IMAGES = torch.randn(120, 8, 3, generator=torch.Generator().manual_seed(0))


def result(value, stderr=0.01):
    return Result(value=value, stderr=stderr, estimates={"InfoNCE": value}, method="InfoNCE", n=100)


class Ideal:
    """One nat for each pixel row of x that is in y, counted without repetition; it records its arguments."""

    def __init__(self):
        self.calls = []

    def __call__(self, x, y):
        self.calls.append((x, y))
        columns = {tuple(column.tolist()) for column in x.T}
        return result(len([1 for column in {tuple(c.tolist()) for c in y.T} if column in columns]) / 3)


def test_an_ideal_estimator_satisfies_all_three():
    measure = Ideal()
    found = consistency(IMAGES, measure=measure, seed=7)
    assert found.independent.value == 0
    assert {t: r.value for t, r in found.nested.items()} == {1: 1, 2: 2, 4: 4, 8: 8}
    assert found.monotone
    assert found.processing_ratio == 1
    assert found.additivity_ratio == 2


def test_the_half_is_of_the_image_whatever_rows_are_tried():
    found = consistency(IMAGES, measure=Ideal(), rows=[1])
    assert sorted(found.nested) == [1, 4]
    assert found.processing_ratio == 1


def test_what_is_compared():
    measure = Ideal()
    consistency(IMAGES[:, None], measure=measure, rows=[8])
    shapes = [(tuple(x.shape), tuple(y.shape)) for x, y in measure.calls]
    assert shapes == [
        ((120, 24), (120, 12)),  # independent
        ((120, 24), (120, 12)),  # the half, which the other tests need
        ((120, 24), (120, 24)),
        ((120, 48), (120, 18)),  # processed: the half and its upper half
        ((60, 24), (60, 12)),
        ((60, 48), (60, 24)),
    ]
    x, y = measure.calls[0]
    assert not (x[:, :12] == y).all(1).any()  # no image against itself


def test_faults_show():
    nested = {1: result(1.0), 4: result(0.5), 8: result(2.0)}
    found = ConsistencyResult(
        independent=result(0.0), nested=nested, processed=result(0.6), single=result(1.0), double=result(1.1), half=4
    )
    assert not found.monotone
    assert found.processing_ratio == pytest.approx(1.2)
    assert found.additivity_ratio == pytest.approx(1.1)


def test_the_seed_pairs_the_independent_images():
    pairs = []
    for seed in (7, 7, 8):
        measure = Ideal()
        consistency(IMAGES, measure=measure, seed=seed)
        pairs.append(measure.calls[0][1])
    assert torch.equal(pairs[0], pairs[1])
    assert not torch.equal(pairs[0], pairs[2])


@pytest.mark.usefixtures("one_regularization")
@pytest.mark.filterwarnings("error::mibounds.MIWarning")
def test_the_default_estimate_is_that_of_the_recipe(tmp_path):
    short = {"steps": 3, "folds": 2, "hidden": (4,), "seed": 2}
    found = consistency(IMAGES, rows=[4], checkpoint=tmp_path, **short)
    half = IMAGES[:, :4].flatten(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mi.MIWarning)
        same = mi.estimate(IMAGES.flatten(1), half, **short)
    assert found.nested[4].value == same.value
    assert found.warnings, "they are kept, and not issued for every part"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "double", "independent", "processed", "single", "upper 4",
    ]  # fmt: skip


def test_units_and_levels_are_those_that_are_asked_for():
    found = consistency(IMAGES, measure=lambda x, y: result(math.log(2)).to("bits"), rows=[4])
    assert found.single.value == pytest.approx(math.log(2)), "nats by default, whatever the measure gives"
    bits = consistency(IMAGES, measure=lambda x, y: result(math.log(2)), rows=[4], unit="bits", level=0.5)
    assert bits.nested[4].value == pytest.approx(1)
    assert bits.nested[4].level == bits.single.level == 0.5


@pytest.mark.parametrize(
    "images, options, sentence",
    [
        (torch.zeros(200, 8), {}, r"images has shape \(200, 8\): expected \(images, height, width\)"),
        (torch.zeros(20, 8, 8), {}, "images holds 20 images: expected at least 100"),
        (torch.full((200, 8, 8), math.nan), {}, "missing or infinite pixels"),
        (IMAGES, {"rows": [9]}, "rows holds 9, and the images have 8 pixel rows"),
        (IMAGES, {"rows": [0]}, r"rows is \[0\] \(a list\): expected a sequence of whole numbers of at least 1"),
        (IMAGES, {"rows": []}, "rows is empty, and the images have 8 pixel rows"),
    ],
)
def test_bad_images(images, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        consistency(images, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"rows": 3},
            r"rows is 3 \(an int\): expected a sequence of whole numbers of at least 1, for example \[4, 8\]",
        ),
        ({"rows": "3"}, r"rows is '3' \(a str\): expected a sequence"),
        ({"rows": [1.5]}, r"rows is \[1.5\] \(a list\): expected a sequence"),
        ({"measure": 3}, r"measure is 3: expected a function of two tables, measure\(x, y\)"),
        ({"measure": lambda x, y: 0.5}, "measure returns a float: expected a mi.results.Result"),
        ({"measure": lambda x, y: None}, "measure returns a NoneType: expected"),
        ({"measure": lambda x, y: result(1.0), "steps": 3}, "steps has no effect, since measure= makes the estimates"),
        ({"measure": lambda x, y: result(1.0), "recipe": "quick"}, "recipe has no effect"),
    ],
)
def test_arguments_of_the_wrong_type(options, sentence):
    with pytest.raises(TypeError, match=sentence):
        consistency(IMAGES, **options)


@pytest.mark.slow
def test_the_digits():
    """Of 1,797 digits and their upper rows: monotone, data processing holds. Additivity does not: a digit and its upper
    half are copies, the estimate of one pair is at the ceiling of 898 rows already, and that of two cannot be above."""
    found = mi.consistency(load_digits().images)
    assert abs(found.independent.value) < 0.03
    assert found.monotone
    assert found.processing_ratio == pytest.approx(1, abs=0.1)
    assert 0.8 < found.additivity_ratio < 1.2
