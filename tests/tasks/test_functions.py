import pytest
import torch

from mibounds.tasks import functions
from mibounds.tasks.functions import ABSOLUTE, BUMPS, MAXIMUM, PRODUCT, RIPPLE, ROOT, SAW, SPREAD, SQUARE, Function


@pytest.mark.parametrize("function", [one for one in vars(functions).values() if isinstance(one, Function)], ids=repr)
def test_functions_take_the_first_columns_of_rows_of_any_shape(function):
    x = torch.randn(4, 5, 6, dtype=torch.float64)
    values = function(x)
    assert values.shape == (4, 5)
    assert values.dtype == torch.float64
    assert torch.equal(values, function(x[..., : function.columns]))
    assert values.isfinite().all()


def test_values_by_hand():
    row = torch.tensor([-2.25, 3.0])
    assert float(PRODUCT(row)) == -6.75
    assert float(MAXIMUM(row)) == 3
    assert float(SQUARE(row)) == 5.0625
    assert float(ABSOLUTE(row)) == 2.25
    assert float(ROOT(row)) == -1.5
    assert float(SAW(row)) == 0.75
    assert float(SPREAD(row)) == pytest.approx(1.325)
    assert float(RIPPLE(torch.tensor([0.0, 3.0]))) == 3
    assert float(BUMPS(torch.tensor([0.0]))) == pytest.approx(1.5 - 0.0183, abs=1e-3)  # exp(-4) of the next bump
