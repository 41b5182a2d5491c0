import pytest
import torch

from mibounds.critics import CategoricalCritic

X = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
SOFT = torch.tensor([[0.2, 0.3, 0.5]]).expand(5, 3)


def test_labels_and_one_hot_rows_have_the_same_scores():
    critic = CategoricalCritic(2, 3, hidden=(8,))
    labels = torch.tensor([0, 1, 2, 0, 1])
    scores = critic(X, labels)
    assert torch.allclose(scores.exp(), critic.network(X).softmax(-1)[torch.arange(5), labels])
    assert torch.equal(scores, critic(X, torch.eye(3)[labels]))


@pytest.mark.parametrize("y", [SOFT, SOFT.bfloat16().float(), SOFT + 1e-7 - SOFT + torch.eye(3)[[0] * 5]])
def test_probabilities_may_be_rounded(y):
    critic = CategoricalCritic(2, 3, hidden=(8,))
    critic.prepare(X, y)
    assert critic(X, y).isfinite().all()


@pytest.mark.parametrize("y", [SOFT.log(), 2 * SOFT, SOFT - SOFT.mean(), SOFT[:, :2], X[:, 0]])
def test_other_numbers_are_refused(y):
    critic = CategoricalCritic(2, 3, hidden=(8,))
    for use in (critic.prepare, critic):
        with pytest.raises(ValueError, match="takes labels or rows of 3 probabilities, and got other numbers of shape"):
            use(X, y)


@pytest.mark.parametrize("y, labels", [(torch.tensor([0.0, 1, 2, 0, 1]), "y"), (X[:, :1] * 0 + 2, r"y\.flatten\(\)")])
def test_labels_are_integers(y, labels):
    critic = CategoricalCritic(2, 3, hidden=(8,))
    for use in (critic.prepare, critic):
        with pytest.raises(ValueError, match=rf"labels are integers, pass {labels}\.long\(\), to mi.Trainer"):
            use(X, y)


@pytest.mark.parametrize("classes", [(4, 3), 3.0, None])
def test_the_classes_are_a_number(classes):
    with pytest.raises(TypeError, match="dim_y is .*: expected a whole number of at least 1"):
        CategoricalCritic(2, classes)
