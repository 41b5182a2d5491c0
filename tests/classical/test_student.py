"""The Student copula of all rows: unbiased, of little variance, and no further from the rows than they support."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from mibounds.classical import gaussian_copula_full, student, student_copula
from mibounds.classical._rows import normal_scores
from mibounds.classical.student import StudentFit, of_scores
from mibounds.tasks import Student


def drawn(n, *, degrees=3.0, scatter=None, seed=0):
    scatter = np.eye(4) if scatter is None else np.asarray(scatter)
    rows = stats.multivariate_t(shape=scatter, df=degrees, seed=seed).rvs(n)
    half = len(scatter) // 2
    return rows[:, :half], rows[:, half:]


@pytest.mark.parametrize(("dim", "degrees"), [(1, 1.0), (2, 2.0), (5, 3.0)])
def test_of_few_rows_it_is_the_exact_value_within_its_error(dim, degrees):
    task = Student.identity(dim, df=degrees)
    values = [
        student_copula(*task.sample(100, torch.Generator().manual_seed(seed))) for seed in range(20)
    ]  # fmt: skip
    assert abs(float(np.mean(values)) - task.mutual_information) < 0.05
    assert float(np.std(values)) < 0.09


def test_its_error_is_that_of_the_mean_of_exact_log_ratios():
    """An efficient estimator has no smaller one, as far as the degrees of freedom are not known."""
    task = Student.identity(2, df=2.4)
    pairs = [task.sample(1000, torch.Generator().manual_seed(seed)) for seed in range(20)]
    values = np.array([student_copula(*pair) for pair in pairs]) - task.mutual_information
    means = np.array([float(task.log_ratio(*pair).mean()) for pair in pairs]) - task.mutual_information
    assert np.abs(values).mean() < 1.1 * np.abs(means).mean()
    assert abs(values.mean()) < 0.01


def test_correlation_and_degrees_of_freedom_add_up_whatever_the_margins():
    scatter = [[1, 0, 0.7, 0], [0, 1, 0, 0], [0.7, 0, 1, 0], [0, 0, 0, 1]]
    x, y = drawn(4000, degrees=2.6, scatter=scatter)  # not one of the degrees that are tried first
    independent = Student.identity(2, df=2.6).mutual_information
    exact = independent - 0.5 * math.log(1 - 0.7**2)
    assert student_copula(x, y) == pytest.approx(exact, abs=0.02)
    assert student_copula(np.exp(np.clip(x, -50, 50)), np.cbrt(y)) == pytest.approx(student_copula(x, y), abs=1e-9)
    assert student_copula(y, x) == pytest.approx(student_copula(x, y), abs=1e-3)


def test_of_gaussian_columns_it_is_the_gaussian_copula():
    x, noise = torch.randn(2, 2000, 2, generator=torch.Generator().manual_seed(0)).double()
    scores = [torch.from_numpy(normal_scores(side.numpy())) for side in (x, x + noise)]
    value, error, likelier = of_scores(*scores)
    assert value == pytest.approx(gaussian_copula_full(x, x + noise), abs=0.02)
    assert likelier < 3
    assert 0.5 / math.sqrt(2000) < error < 1.5 / math.sqrt(2000)


def test_it_is_likelier_than_the_gaussian_copula_where_columns_share_a_scale():
    x, y = drawn(300)
    assert of_scores(torch.from_numpy(normal_scores(x)), torch.from_numpy(normal_scores(y)))[2] > 10


def test_columns_that_each_have_a_scale_of_their_own_are_independent():
    """The best Student copula has few degrees of freedom, and its information is large; the rows do not support it."""
    x, y = drawn(400, degrees=2.0, seed=1)[0], drawn(400, degrees=2.0, seed=2)[0]
    value, _, likelier = of_scores(torch.from_numpy(normal_scores(x)), torch.from_numpy(normal_scores(y)))
    assert likelier > 10
    assert value < 0


def test_the_value_is_within_one_error_of_the_mean_log_ratio_and_less_half_of_the_optimism(monkeypatch):
    scores = [torch.from_numpy(normal_scores(side)) for side in drawn(200)]
    both = torch.tensor([1.0, 0.5]).double()
    monkeypatch.setattr(student, "log_ratios", lambda *_: (both, both - 0.4))
    error = float(both.std()) / math.sqrt(2)
    for information, expected in ((9.0, 0.75 + error), (-9.0, 0.75 - error), (0.76, 0.76)):
        monkeypatch.setattr(StudentFit, "information", lambda *_, value=information: value)
        value, stderr, _ = of_scores(*scores)
        assert value == pytest.approx(expected - 0.2)
        assert stderr == pytest.approx(error)
    monkeypatch.setattr(student, "log_ratios", lambda *_: (both, both + 0.4))
    assert of_scores(*scores)[0] == pytest.approx(0.76), "a negative optimism adds nothing"


def test_the_information_of_a_fit_is_that_of_scipys_entropies():
    scatter = np.array([[1, 0.3, 0.5], [0.3, 1, 0.2], [0.5, 0.2, 1]])
    fit = StudentFit(4.0, torch.from_numpy(scatter), torch.empty(0), 0.0)
    parts = [stats.multivariate_t(shape=matrix, df=4) for matrix in (scatter[:2, :2], scatter[2:, 2:], scatter)]
    x, y, joint = (part.entropy() for part in parts)
    assert fit.information(2) == pytest.approx(float(x + y - joint), abs=1e-9)


def test_rows_in_the_order_of_their_values_do_not_matter():
    x, y = (side[:6500] for side in drawn(6500, degrees=2.0))
    order = np.argsort(np.abs(x[:, 0]))  # the first 5,000 rows are the middle
    assert student_copula(x[order], y[order]) == pytest.approx(student_copula(x, y), abs=1e-9)


def test_constants_ties_and_copies_are_no_error():
    x, y = drawn(60)
    assert student_copula(np.zeros(60), y) == 0.0
    assert math.isfinite(student_copula(x.round(), y.round()))
    assert student_copula(x, x) > 2


def test_wrong_input_gets_one_sentence():
    with pytest.raises(ValueError, match="the number of rows is 9"):
        student_copula(np.arange(9.0), np.arange(9.0))
    with pytest.raises(ValueError, match="missing"):
        student_copula([1.0, math.nan] * 10, np.arange(20.0))
