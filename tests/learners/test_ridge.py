import pytest
import torch
from sklearn.linear_model import Ridge

from mibounds.learners import RidgeRegression
from mibounds.learners.ridge import BLOCKS, ridge
from mibounds.training.modules import describe, rebuild


def rows(n=200, columns=6, noise=1.0, seed=0):
    """Columns of unlike sizes, and two targets."""
    generator = torch.Generator().manual_seed(seed)
    x = 5 + torch.randn(n, columns, generator=generator) * torch.logspace(-1, 2, columns)
    standard = (x - x.mean(0)) / x.std(0)
    y = torch.stack([standard[:, 0] - standard[:, 1], 3 + standard[:, 2]], 1)
    return x, y + noise * torch.randn(n, 2, generator=generator)


def test_coefficients_are_those_of_scikit_learn():
    x, y = (side.double() for side in rows())
    x, y = x - x.mean(0), y - y.mean(0)
    expected = Ridge(alpha=7.0, fit_intercept=False).fit(x, y).coef_.T
    assert torch.allclose(ridge(x.T @ x, x.T @ y, 7.0), torch.from_numpy(expected))


def test_predictions_of_training_samples_are_those_of_a_fit_to_the_other_blocks():
    x, y = rows()
    model = RidgeRegression(seed=3)
    found = model.fit_transform(x, y)
    standard, centered = model.standardize(x).double(), y.double() - y.mean(0)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(3))
    errors = {}
    for penalty in (1.0, 10.0, 100.0, 1e3, 1e4):
        expected = torch.empty_like(centered)
        for block in order.tensor_split(BLOCKS):
            others = torch.ones(len(x), dtype=torch.bool).index_fill(0, block, False)
            fit = Ridge(alpha=penalty, fit_intercept=False).fit(standard[others], centered[others])
            expected[block] = torch.from_numpy(fit.predict(standard[block]))
        errors[float((centered - expected).square().sum())] = penalty, expected
    penalty, expected = errors[min(errors)]
    assert torch.allclose(found, (expected + y.mean(0)).float(), atol=1e-5)
    whole = Ridge(alpha=penalty, fit_intercept=False).fit(standard, centered)
    assert torch.allclose(model(x), (torch.from_numpy(whole.predict(standard)) + y.mean(0)).float(), atol=1e-5)


@pytest.mark.parametrize(("noise", "smallest", "largest"), [(0.01, 0.0, 0.01), (30.0, 0.9, 1.1)])
def test_noise_is_not_predicted(noise, smallest, largest):
    x, y = rows(columns=60, noise=noise)
    error = (RidgeRegression().fit_transform(x, y) - y).square().mean() / y.var()
    assert smallest <= float(error) < largest


def test_it_comes_back_from_a_file():
    x, y = rows()
    model = RidgeRegression()
    model.fit_transform(x, y)
    assert torch.equal(rebuild(*describe(model))(x), model(x))
