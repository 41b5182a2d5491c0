"""Principal axes: the leading factors of many columns, whichever matrix is the smaller."""

import pytest
import torch

from mibounds.data import PrincipalAxes, Standardize

DRAW = torch.Generator().manual_seed(0)


def factors(n, columns, count=2, noise=0.3):
    hidden = torch.randn(n, count, generator=DRAW)
    loadings = torch.randn(count, columns, generator=DRAW)
    return hidden, hidden @ loadings + noise * torch.randn(n, columns, generator=DRAW)


@pytest.mark.parametrize(("n", "columns"), [(500, 40), (60, 300)])
def test_scores_are_white_and_span_the_factors(n, columns):
    hidden, x = factors(n, columns)
    scores = PrincipalAxes(2, Standardize()).fit(x)(x)
    torch.testing.assert_close(scores.T @ scores / n, torch.eye(2), atol=1e-3, rtol=0)
    rest = hidden - scores @ torch.linalg.lstsq(scores, hidden).solution
    assert rest.var(0).max() < 0.02


def test_both_ways_to_the_axes_agree():
    _, x = factors(50, 50)
    rows = torch.cat([x, x[:, :1]], 1)  # a column more than rows, and the same span
    square, tall = PrincipalAxes(3, Standardize()).fit(x)(x), PrincipalAxes(3, Standardize()).fit(rows[:, :50])(x)
    torch.testing.assert_close(square, tall)
    wide = PrincipalAxes(3, Standardize()).fit(rows)(rows)
    full = torch.linalg.svd((rows - rows.mean(0)) / rows.std(0, correction=0), full_matrices=False)
    expected = full.U[:, :3] * 50**0.5
    torch.testing.assert_close((wide.T @ expected / 50).abs(), torch.eye(3), atol=1e-3, rtol=0)


def test_missing_axes_are_zero():
    x = torch.randn(100, 1, generator=DRAW).expand(-1, 5)
    scores = PrincipalAxes(3, Standardize()).fit(x)(x)
    assert scores.shape == (100, 3)
    assert scores[:, 1:].abs().max() == 0


def test_it_is_saved_and_loaded():
    _, x = factors(100, 20)
    fitted, fresh = PrincipalAxes(4, Standardize()).fit(x), PrincipalAxes(4, Standardize())
    fresh.load_state_dict(fitted.state_dict())
    assert torch.equal(fresh(x), fitted(x))
