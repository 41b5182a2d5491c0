import math

import pytest
import torch

from mibounds.tasks import CHECKERBOARD, RINGS, SECTORS, XOR2, XOR3, FlippedLabel, LabelMixture
from mibounds.tasks._quadrature import draw_inputs


@pytest.mark.parametrize("rule", [XOR2, XOR3, CHECKERBOARD, RINGS, SECTORS], ids=repr)
def test_rules_have_their_probabilities(rule, generator):
    labels = rule(draw_inputs(rule.inputs, 40_000, rule.columns, generator))
    found = labels.bincount(minlength=rule.symbols) / len(labels)
    assert found.tolist() == pytest.approx(list(rule.probabilities), abs=0.01)
    assert sum(rule.probabilities) == pytest.approx(1)


def test_labels_by_hand():
    assert XOR3(torch.tensor([[1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]])).tolist() == [0, 1]
    assert CHECKERBOARD(torch.tensor([[0.5, 0.5], [0.5, 1.5], [-0.5, 0.5]])).tolist() == [0, 1, 1]
    assert RINGS(torch.tensor([[0.1, 0.0], [0.8, 0.0], [9.0, 0.0]])).tolist() == [0, 1, 0]
    assert SECTORS(torch.tensor([[1.0, 0.01], [0.0, 1.0], [1.0, -0.01]])).tolist() == [0, 5, 19]


def test_a_rule_that_is_never_flipped_says_the_label():
    assert FlippedLabel(SECTORS, 0.0).mutual_information == pytest.approx(math.log(20))
    assert FlippedLabel(RINGS, 0.0).mutual_information == pytest.approx(-0.6 * math.log(0.6) - 0.4 * math.log(0.4))
    assert FlippedLabel(XOR2, 0.5).mutual_information == pytest.approx(0)
    x, y = FlippedLabel(XOR2, 0.0, 3).sample(100)
    assert torch.equal(XOR2(x), y[:, 0])


def test_nested_classes_against_quadrature():
    line = torch.linspace(-30, 30, 20_001, dtype=torch.float64)
    given = [torch.exp(-(line**2) / (2 * s**2)) / (s * math.sqrt(2 * math.pi)) for s in (1.0, 3.0)]
    both = (given[0] + given[1]) / 2
    truth = sum(float(torch.trapezoid(torch.special.entr(both) / 2 - torch.special.entr(p) / 2, line)) for p in given)
    task = LabelMixture.nested(1, 3.0)
    assert abs(task.mutual_information - truth) < 4 * task.standard_error
    assert task.standard_error < 1e-3


def test_far_clusters_tell_their_class():
    centers = torch.tensor([[[-50.0], [50.0]], [[0.0], [90.0]]], dtype=torch.float64)  # two for each class
    weights = torch.tensor([0.25, 0.75], dtype=torch.float64)
    task = LabelMixture(weights, centers, torch.ones(2).double(), 2, draws=1000)
    entropy = -0.25 * math.log(0.25) - 0.75 * math.log(0.75)
    assert task.mutual_information == pytest.approx(entropy)
    x, y = task.sample(1000)
    assert x.shape == (1000, 3)
    assert float(y.double().mean()) == pytest.approx(0.75, abs=0.06)
    assert torch.equal(y[:, 0] == 0, x[:, 0].abs().sub(50).abs() < 10)


def test_a_rare_class(generator):
    _, y = LabelMixture.rare(50, 3, 2.5).sample(20_000, generator)
    assert float(y.double().mean()) == pytest.approx(1 / 51, abs=0.004)


def test_what_does_not_fit():
    one = torch.ones(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="shapes"):
        LabelMixture(one / 2, torch.zeros(3, 1, 2).double(), one)
    with pytest.raises(ValueError, match="sum to 2"):
        LabelMixture(one, torch.zeros(2, 1, 2).double(), one)
    with pytest.raises(ValueError, match="flip"):
        FlippedLabel(XOR2, 1.5)
    with pytest.raises(ValueError, match="idle"):
        FlippedLabel(XOR2, 0.5, -1)
