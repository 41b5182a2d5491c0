"""Truths of the relations that nothing was tuned on, against closed forms and counts."""

import importlib
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from mibounds.classical import conditional_contingency

FOLDER = Path(__file__).parents[2] / "benchmarks"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="an sdist has no measurements")


def module(monkeypatch, folder, name):
    """A module of a folder of benchmarks, whose neighbors it imports; other folders have some of the same name."""
    monkeypatch.syspath_prepend(FOLDER / folder)
    for one in ("relations", "third", "fourth", "fifth"):
        monkeypatch.delitem(sys.modules, one, raising=False)
    return importlib.import_module(name)


@pytest.mark.parametrize(
    "name, truth",
    [
        ("label: leading digit, misread", 1.0069),  # entropy of the digits by Benford's law less that of the error
        ("ants, along and back", 0.5229),  # by quadrature
        ("strong: postage by zone and weight", 2.6345),  # of the prices and their noise
    ],
)
def test_averages_agree_with_closed_forms(name, truth, monkeypatch):
    fifth = module(monkeypatch, "unseen", "fifth")
    monkeypatch.setattr(sys.modules["fourth"], "_CHUNKS", 1)
    found, spread = fifth.FIFTH[name].truth()
    assert found == pytest.approx(truth, abs=4 * spread / math.sqrt(100_000))


def test_every_sample_of_the_fifth_set_is_repeated(monkeypatch):
    fifth = module(monkeypatch, "unseen", "fifth").FIFTH
    assert len(fifth) == 30
    for relation in fifth.values():
        first, again, other = relation.sample(300, 0), relation.sample(300, 0), relation.sample(300, 1)
        for side, same, new in zip(first, again, other, strict=True):
            assert len(side) == 300
            assert np.array_equal(np.asarray(side), np.asarray(same))
            assert not np.array_equal(np.asarray(side), np.asarray(new))


@pytest.mark.parametrize("name, truth", [("direct effect, Laplace", 0.6773), ("series, threshold", 0.5537)])
def test_averages_of_conditional_log_ratios(name, truth, monkeypatch):
    relation = module(monkeypatch, "conditional", "relations").RELATIONS[name]
    ratio = relation.ratios(20_000, 0)
    assert ratio.mean() == pytest.approx(truth, abs=4 * ratio.std() / math.sqrt(len(ratio)))


@pytest.mark.parametrize("name", ["collider, exclusive or", "three labels"])
def test_information_of_labels_is_that_of_counts(name, monkeypatch):
    relation = module(monkeypatch, "conditional", "relations").RELATIONS[name]
    truth, _ = relation.truth()
    counted = conditional_contingency(*relation.sample(100_000, 0), correction="miller-madow")
    assert counted == pytest.approx(truth, abs=0.005)


def test_triples_have_the_variables_of_their_verb(monkeypatch):
    relations = module(monkeypatch, "conditional", "relations").RELATIONS
    assert len(relations) == 24
    for relation in relations.values():
        variables = relation.sample(300, 0)
        assert len(variables) == {"conditional": 3, "transfer_entropy": 2}[relation.verb]
        assert {len(one) for one in variables} == {300}
    assert sum(relation.information == 0 for relation in relations.values() if not callable(relation.information)) == 9
