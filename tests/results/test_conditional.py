from dataclasses import replace

import pytest

from mibounds.results import ConditionalResult, Result

Z95 = 1.959963984540054


def part(value):
    return Result(value=value, stderr=0.01, estimates={"InfoNCE": value}, method="InfoNCE", n=1000)


CHAIN = ConditionalResult(
    value=0.2, stderr=0.02, method="chain", parts={"I(X;YZ)": part(0.5), "I(X;Z)": part(0.3)}, amplification=4.0,
    interval_bias=(0.05, 0.1), n=1000,
)  # fmt: skip


def test_the_interval_by_hand():
    assert CHAIN.interval == pytest.approx((0.2 - 0.05 - Z95 * 0.02, 0.2 + 0.1 + Z95 * 0.02), rel=1e-12)
    assert replace(CHAIN, entropy_limit=0.3).interval == pytest.approx((0.15 - Z95 * 0.02, 0.3), rel=1e-12)
    assert replace(CHAIN, value=-1.0).interval[1] == pytest.approx(Z95 * 0.02, rel=1e-12)


def test_what_is_printed():
    assert repr(replace(CHAIN, entropy_limit=0.69)).splitlines() == [
        "I(X;Y|Z) = 0.2 nats   95% interval [0.1108, 0.3392]",
        "  chain rule, cross-fitted, n = 1,000",
        "  parts: I(X;YZ) 0.5  I(X;Z) 0.3",
        "  amplification of relative errors by the difference: 4",
        "  at most 0.69 (upper confidence limit of the label's entropy)",
    ]


def test_the_methods_are_named_in_words():
    strata = replace(CHAIN, method="strata", amplification=1.0)
    assert "  strata of z, cross-fitted, n = 1,000" in repr(strata)
    assert "amplification" not in repr(strata)
    assert "  nearest neighbors of z, cross-fitted" in repr(replace(CHAIN, method="neighbors"))
    assert "  of my own, cross-fitted" in repr(replace(CHAIN, method="of my own"))
    assert "  x or y is constant, n = 1,000" in repr(replace(CHAIN, method="constant"))
    assert "  z equals x or y, n = 1,000" in repr(replace(CHAIN, method="z equals x or y"))


def test_many_parts_are_not_all_printed_but_all_drawn():
    many = replace(CHAIN, method="strata", parts={f"z = {i}": part(0.1 * i) for i in range(10)})
    assert "z = 5 0.5" in repr(many)
    assert "z = 6" not in repr(many)
    assert "  and 4 more parts" in repr(many)
    (axis,) = many.plot().axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["I(X;Y|Z)", *(f"z = {i}" for i in range(10))]
