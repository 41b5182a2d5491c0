import math

import pytest

from mibounds.results.units import nats_in


def test_a_bit_is_the_logarithm_of_two():
    assert nats_in("nats") == 1
    assert nats_in("bits") == math.log(2)
    with pytest.raises(ValueError, match="unit is 'ban': expected 'nats' or 'bits'"):
        nats_in("ban")
    for wrong in (["bits"], None, 2, {"unit": "bits"}):
        with pytest.raises(TypeError, match="unit is .*: expected 'nats' or 'bits'"):
            nats_in(wrong)
