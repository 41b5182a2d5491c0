import pytest
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
    trained = alone.fit_transform(x[FOLD.train], y[FOLD.train])
    assert torch.equal(more_x[FOLD.train], trained)
    assert not torch.allclose(more_x[FOLD.train], map_x(x[FOLD.train]), atol=1e-3)
    for rows in (FOLD.valid, FOLD.test):
        assert torch.allclose(more_x[rows], alone(x[rows]), atol=1e-6)
        assert torch.allclose(more_x[rows], map_x(x[rows]), atol=1e-6)
        assert torch.allclose(more_y[rows], map_y(y[rows]), atol=1e-6)
    assert more_x.shape == (90, 2 + 3)
    assert more_y.shape == (90, 1 + 4)
    assert torch.equal(more_x[:, :2], x)
    assert torch.equal(more_y[:, :1], y)


@pytest.mark.parametrize("rows", [FOLD.valid, FOLD.test])
def test_samples_that_do_not_train_have_no_influence(rows):
    x, y = data()
    other_x, other_y = x.clone(), y.clone()
    other_y[rows] = 100.0
    other_x[rows] = -5.0
    _, more_x, more_y = supervision().augment(x, y, FOLD)
    _, changed_x, changed_y = supervision().augment(other_x, other_y, FOLD)
    assert torch.equal(more_x[FOLD.train], changed_x[FOLD.train])
    assert torch.equal(more_y[FOLD.train], changed_y[FOLD.train])


def test_a_variable_without_features_stays_as_it_is():
    x, y = data()
    (map_x, map_y), more_x, more_y = Supervision(None, SupervisedFeatures(1001, 1)).augment(x, y, FOLD)
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


def test_repeated_rows_are_predicted_without_their_repetitions():
    pairs = torch.randn(2, 30, 1, generator=torch.Generator().manual_seed(0))
    x, y = (torch.repeat_interleave(side, 5, 0) for side in pairs)
    clusters = torch.arange(150) // 5
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    train, valid, test = (torch.isin(clusters, part).nonzero().flatten() for part in order.tensor_split([20, 25]))
    given = Supervision(SupervisedFeatures(1, 1), None)
    plain, grouped = (given.augment(x, y, Fold(train, valid, test), *more)[1][train, 1] for more in ((), (clusters,)))
    explained = [1 - float((one - y[train, 0]).var() / y[train].var()) for one in (plain, grouped)]
    assert explained[0] > 0.8
    assert explained[1] < 0.3
