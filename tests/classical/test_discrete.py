import math

import pytest
import torch

from mibounds.classical import contingency


def test_counts_give_the_definition():
    x = torch.tensor([0] * 40 + [1] * 60)
    y = torch.tensor([0] * 30 + [1] * 10 + [0] * 20 + [1] * 40)
    joint = {(0, 0): 0.3, (0, 1): 0.1, (1, 0): 0.2, (1, 1): 0.4}
    by_hand = sum(p * math.log(p / ((0.4, 0.6)[a] * (0.5, 0.5)[b])) for (a, b), p in joint.items())
    assert contingency(x, y, correct=False) == pytest.approx(by_hand)
    assert contingency(x, y) == pytest.approx(by_hand - 1 / 200)


def test_the_correction_takes_the_bias_away():
    generator = torch.Generator().manual_seed(0)
    draws = [torch.randint(0, 5, (2, 200), generator=generator) for _ in range(300)]
    plain, corrected = (
        sum(contingency(x, y, correct=correct) for x, y in draws) / len(draws) for correct in (False, True)
    )
    assert plain == pytest.approx(16 / 400, abs=0.004)
    assert corrected == pytest.approx(0, abs=0.003)


def test_several_columns_are_one_value():
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]).repeat(25, 1)
    assert contingency(x, x, correct=False) == pytest.approx(math.log(4))
