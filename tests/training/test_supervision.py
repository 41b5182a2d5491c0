import torch
from torch import nn

from mibounds.learners import SupervisedFeatures
from mibounds.training.folds import Fold
from mibounds.training.supervision import Supervision

ORDER = torch.randperm(90, generator=torch.Generator().manual_seed(0))
FOLD = Fold(ORDER[:60], ORDER[60:75], ORDER[75:])


def data():
    x, noise = torch.randn(2, 90, 2, generator=torch.Generator().manual_seed(1)).unbind(0)
    return x, x[:, :1] + 0.3 * noise[:, :1]


def supervision():
    return Supervision(SupervisedFeatures(2, 1), SupervisedFeatures(1, 2))


def test_training_samples_have_out_of_sample_features_and_the_others_those_of_new_samples():
    x, y = data()
    (map_x, map_y), more_x, more_y = supervision().augment(x, y, FOLD)
    alone = SupervisedFeatures(2, 1)
    known, rows = torch.cat([FOLD.train, FOLD.valid]), FOLD.test
    trained = alone.fit_transform(x[known], y[known])
    assert torch.equal(more_x[known], trained)
    for part in (FOLD.train, FOLD.valid):
        assert not torch.allclose(more_x[part], map_x(x[part]), atol=1e-3)
    assert torch.allclose(more_x[rows], alone(x[rows]), atol=1e-6)
    assert torch.allclose(more_x[rows], map_x(x[rows]), atol=1e-6)
    assert torch.allclose(more_y[rows], map_y(y[rows]), atol=1e-6)
    assert more_x.shape == (90, 2 + 3)
    assert more_y.shape == (90, 1 + 4)
    assert torch.equal(more_x[:, :2], x)
    assert torch.equal(more_y[:, :1], y)


def test_test_samples_have_no_influence():
    x, y = data()
    rows = FOLD.test
    other_x, other_y = x.clone(), y.clone()
    other_y[rows] = 100.0
    other_x[rows] = -5.0
    _, more_x, more_y = supervision().augment(x, y, FOLD)
    _, changed_x, changed_y = supervision().augment(other_x, other_y, FOLD)
    for part in (FOLD.train, FOLD.valid):
        assert torch.equal(more_x[part], changed_x[part])
        assert torch.equal(more_y[part], changed_y[part])


def test_a_validation_sample_has_no_influence_on_its_own_features():
    """Those of the first block of cross-validation: a sample also has a say in what the learners share (the kernel, the
    number of trees, the weights), so its features move a little, and not towards its own target."""
    x, y = data()
    one = FOLD.valid[:1]
    moved = []
    for target in (-3.0, 3.0):
        other = y.clone()
        other[one] = target
        moved.append(Supervision(SupervisedFeatures(2, 1), None).augment(x, other, FOLD)[1][one, 2])
    assert abs(float(moved[1] - moved[0])) < 0.6, "of a target that moved by 6"


def test_a_variable_without_features_stays_as_it_is():
    x, y = data()
    (map_x, map_y), more_x, more_y = Supervision(None, SupervisedFeatures(301, 1)).augment(x, y, FOLD)
    assert isinstance(map_x, nn.Identity)
    assert isinstance(map_y, nn.Identity), "too many columns for any feature"
    assert more_x is x
    assert more_y is y


def test_the_features_that_were_given_are_not_fitted():
    given = supervision()
    x, y = data()
    first = given.augment(x, y, FOLD)[1]
    assert not given.x.learners
    assert torch.equal(given.augment(x, y, FOLD)[1], first)
