import math

import pytest
import torch

from mibounds import _checks


def test_warning_codes_are_distinct_and_survive_json():
    kinds = _checks.MIWarning.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        back = _checks.warning_from(kind("because").to_dict())
        assert type(back) is kind
        assert str(back) == "because"
    assert type(_checks.warning_from({"code": "of the future", "message": "m"})) is _checks.MIWarning


def test_nearest_suggests_or_lists():
    assert _checks.nearest("infonse", ["infonce", "nwj"]) == "Did you mean 'infonce'?"
    assert _checks.nearest("zzz", ["infonce", "nwj"]) == "Known: 'infonce', 'nwj'."


@pytest.mark.parametrize("value", [0, 1, -1, math.nan])
def test_a_fraction_lies_strictly_between_0_and_1(value):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        _checks.check_fraction("level", value)


def test_at_least():
    _checks.check_at_least("steps", 1, 1)
    with pytest.raises(ValueError, match="steps is 0, and must be at least 1"):
        _checks.check_at_least("steps", 0, 1)


def test_devices():
    assert _checks.check_device(None) == torch.device("cpu")
    with pytest.raises(ValueError, match="'cuda:99', which this machine does not have. Here: cpu"):
        _checks.check_device("cuda:99")
    with pytest.raises(ValueError, match="'gpu', which this machine does not have"):
        _checks.check_device("gpu")
