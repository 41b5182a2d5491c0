from types import SimpleNamespace

import pytest
import torch

from mibounds.critics import Encoded, FunctionCritic
from mibounds.training.folds import Fold


@pytest.fixture
def evaluated():
    """Two folds, whose critics have features of x and of y."""

    def evaluation(sample, x=None, y=None):
        folds = []
        for i in range(2):
            order = torch.arange(sample.n)
            fold = Fold(order[order % 2 != i], order[:0], order[order % 2 == i])
            own, other = (sample.variables[name].table for name in "xy")
            for features, rows, target in ((x and x[i], own, other), (y and y[i], other, own)):
                if features is not None:
                    features.fit_transform(rows[fold.train], target[fold.train])
            folds.append(SimpleNamespace(critic=Encoded(FunctionCritic(torch.dot), x and x[i], y and y[i]), fold=fold))
        return SimpleNamespace(fitted=folds, learning_gain=0.0)

    return evaluation
