"""Truths of benchmarks/suites against published numbers and large samples."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from mibounds.classical import contingency, ksg, mixed_ksg

FOLDER = Path(__file__).parents[2] / "benchmarks" / "suites"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="an sdist has no measurements")
# Of Ross (2014) and of bmi's documentation, in nats.
PUBLISHED = {
    "ennemi: three square waves, 2,000": 0.14587 * np.log(2),
    "ennemi: three normal classes, 2,000": 0.20524 * np.log(2),
    "JIDT: two normal classes, distance 2, 2,000": 0.3368,
    "JIDT: two normal classes, distance 4, 1,000": 0.6327,
    "bmi: rate and count, 0 zeros, 2,000": 0.3012,
}


@pytest.fixture
def cases(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("cases").CASES


def neighbors(x, y, n):
    kinds = [len(np.unique(side, axis=0)) for side in (x, y)]
    if max(kinds) < 200:
        return contingency(x, y)
    return ksg(x, y) if min(kinds) == n else mixed_ksg(x, y)


def test_names_are_unique_and_samples_are_repeated(cases):
    assert len({case.name for case in cases}) == len(cases) > 80
    for case in cases:
        first, again = case.sample(0), case.sample(0)
        assert all(np.array_equal(*sides) and len(sides[0]) == case.n for sides in zip(first, again, strict=True))


def test_truths_are_those_published(cases):
    truths = {case.name: case.truth for case in cases}
    for name, truth in PUBLISHED.items():
        assert truths[name] == pytest.approx(truth, abs=1e-4)


def test_truths_agree_with_large_samples(cases):
    n, wrong = 2_000, []
    for case in cases:
        value = neighbors(*case.draw(np.random.default_rng(1), n), n)
        if abs(value - case.truth) > 0.12:
            wrong.append((case.name, case.truth, value))
    assert wrong == []
