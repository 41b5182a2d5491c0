import math

import pytest
import torch

from mibounds._roots import bisect


@pytest.mark.parametrize("dtype, error", [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_each_element_has_its_own_root(dtype, error):
    target = torch.tensor([-8.0, 0.0, 0.001, 27.0], dtype=dtype)
    roots = bisect(lambda x: x**3 < target, torch.full_like(target, -5), torch.full_like(target, 6), 1e-14)
    assert (roots - torch.tensor([-2.0, 0.0, 0.1, 3.0], dtype=dtype)).abs().max() < error
    assert roots.dtype == dtype


def test_it_ends_at_the_tolerance_and_at_the_precision_of_the_numbers():
    calls = []

    def below(x):
        calls.append(x)
        return x < math.pi

    assert bisect(below, torch.tensor(0.0), torch.tensor(4.0), 0.5).item() == pytest.approx(math.pi, abs=0.25)
    assert len(calls) == 3
    large = bisect(below, torch.tensor(-(2.0**40)), torch.tensor(2.0**40), 0.0)  # no tolerance: to adjacent numbers
    assert large.item() == pytest.approx(math.pi, abs=1e-6)


def test_without_a_root_the_nearer_end_and_nan_stays_nan():
    ends = bisect(lambda x: x < torch.tensor([9.0, -9.0]), torch.zeros(2), torch.ones(2), 1e-4)
    assert ends.tolist() == pytest.approx([1, 0], abs=1e-4)
    assert bisect(lambda x: x < 0, torch.tensor([math.nan]), torch.tensor([math.nan]), 1e-4).isnan().all()
